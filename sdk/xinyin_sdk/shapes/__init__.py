"""What the service answers, as records: one class a schema of its description, field by field.

Words that more may be added to later (states, formats, statuses) are plain strings: a newer service breaks nothing.
"""

from xinyin_sdk.shapes.affairs import Affair, AffairsPage, Decision, KeptPaper, Paper
from xinyin_sdk.shapes.batches import Batch, BatchesPage, Item, ItemsPage, Upload
from xinyin_sdk.shapes.licenses import (
    Holder,
    License,
    LicenseChange,
    LicenseSignature,
    LicenseType,
    LicenseTypes,
    LicenseVerdict,
)
from xinyin_sdk.shapes.seals import (
    Certificate,
    Change,
    Filing,
    History,
    Seal,
    SealedDigest,
    Sealing,
    SealingState,
    SealStatus,
    Version,
)
from xinyin_sdk.shapes.uses import (
    Grant,
    Grants,
    LedgerPage,
    Use,
    UseDecision,
    UseRequest,
    UseRequestsPage,
    Window,
)
from xinyin_sdk.shapes.verdicts import Finding, ShownSeal, Signature, Verdict
from xinyin_sdk.shapes.webhooks import Delivery, Endpoint, NewEndpoint, NewSecret, Replay, Try

__all__ = [
    "Affair",
    "AffairsPage",
    "Batch",
    "BatchesPage",
    "Certificate",
    "Change",
    "Decision",
    "Delivery",
    "Endpoint",
    "Filing",
    "Finding",
    "Grant",
    "Grants",
    "History",
    "Holder",
    "Item",
    "ItemsPage",
    "KeptPaper",
    "LedgerPage",
    "License",
    "LicenseChange",
    "LicenseSignature",
    "LicenseType",
    "LicenseTypes",
    "LicenseVerdict",
    "NewEndpoint",
    "NewSecret",
    "Paper",
    "Replay",
    "Seal",
    "SealStatus",
    "SealedDigest",
    "Sealing",
    "SealingState",
    "ShownSeal",
    "Signature",
    "Try",
    "Upload",
    "Use",
    "UseDecision",
    "UseRequest",
    "UseRequestsPage",
    "Verdict",
    "Version",
    "Window",
]
