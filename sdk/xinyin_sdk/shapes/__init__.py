"""What the service answers, as records: one class a schema of its description, field by field.

Words that more may be added to later (states, formats, statuses) are plain strings: a newer service breaks nothing.
"""

from xinyin_sdk.shapes.affairs import Affair, AffairsPage, Decision, KeptPaper, Paper
from xinyin_sdk.shapes.batches import Batch, Item, ItemsPage, Upload
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
    Sealing,
    SealingState,
    SealStatus,
    Version,
)
from xinyin_sdk.shapes.verdicts import Finding, ShownSeal, Signature, Verdict
from xinyin_sdk.shapes.webhooks import Delivery, Endpoint, NewEndpoint, NewSecret, Replay, Try

__all__ = [
    "Affair",
    "AffairsPage",
    "Batch",
    "Certificate",
    "Change",
    "Decision",
    "Delivery",
    "Endpoint",
    "Filing",
    "Finding",
    "History",
    "Holder",
    "Item",
    "ItemsPage",
    "KeptPaper",
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
    "Sealing",
    "SealingState",
    "ShownSeal",
    "Signature",
    "Try",
    "Upload",
    "Verdict",
    "Version",
]
