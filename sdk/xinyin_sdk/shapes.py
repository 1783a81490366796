"""What the service answers, as records: one class a schema of its description, field by field.

Words that more may be added to later (states, formats, statuses) are plain strings: a newer service breaks nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

# --- verdicts --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found: ``code`` to act on, words to read."""

    code: str
    verdict: str
    detail: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSeal:
    """The seal that a signature shows."""

    id: str
    name: str
    kind: int
    valid_from: datetime
    valid_to: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What was found about one signature. ``time_source`` tells whether its time is proved or only claimed."""

    format: str
    verdict: str
    signer: str | None
    level: str | None
    seal: ShownSeal | None
    time: datetime | None
    time_source: str | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict on a file: ``valid``, ``invalid``, ``indeterminate`` (cannot be decided now) or ``unsigned``."""

    verdict: str
    signatures: tuple[Signature, ...]
    findings: tuple[Finding, ...]
    file: str | None

    @property
    def is_valid(self) -> bool:
        """Whether every signature holds, and there is one. Only this says yes."""
        return self.verdict == "valid"

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of all findings that are as bad as the verdict, each once."""
        every = [*self.findings, *(found for one in self.signatures for found in one.findings)]
        return tuple(dict.fromkeys(found.code for found in every if found.verdict == self.verdict))


# --- seals and sealings ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Sealing:
    """A finished sealing. ``replayed``: it was made by an earlier request under the same idempotency key."""

    id: str
    serial: int
    seal: str
    format: str
    sealed_at: datetime
    file_sm3: str
    size: int
    media_type: str
    document_url: str
    report: Verdict = field(repr=False)
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingState:
    """How far a sealing came: ``completed``, ``running``, ``failed`` or ``interrupted``."""

    id: str
    serial: int
    seal: str
    format: str
    state: str
    intended_at: datetime
    case_number: str | None
    reason: str
    document_kind: str
    document_sm3: str
    file_sm3: str | None
    sealed_at: datetime | None
    failure: str | None
    document_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealStatus:
    """A seal's registered status at an instant; ``status`` is None where it was not made yet."""

    seal: str
    name: str
    owner: str
    owner_name: str
    at: datetime
    status: str | None
    usable: bool
    valid_from: datetime
    valid_to: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """How a seal was filed (备案)."""

    filing_number: str
    body: str
    code: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate a seal signs with."""

    suite: str
    subject: str
    serial: str
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """All that is kept of a seal, as of now."""

    seal: str
    kind: int
    name: str
    owner: str
    owner_name: str
    status: str
    version: int
    valid_from: datetime
    valid_to: datetime
    use_policy: str
    filing: Filing | None
    certificates: tuple[Certificate, ...]
    keys_to_destroy: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a seal's status."""

    status: str
    at: datetime
    reason: str
    actor: str
    affair: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One making of a seal after the first."""

    number: int
    name: str
    valid_from: datetime
    valid_to: datetime
    made_at: datetime
    made_by: str
    affair: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A seal's life, oldest first."""

    seal: str
    changes: tuple[Change, ...]
    versions: tuple[Version, ...]


# --- affairs ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper that an affair names."""

    kind: str
    object_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPaper:
    """Where a paper is kept now: name it by ``object_key``."""

    object_key: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A word that was said about an affair."""

    by: str
    verdict: str
    at: datetime
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Affair:
    """What is to be done with a seal, and where it stands."""

    id: str
    action: str
    seal: str
    standing: str
    payload: Mapping[str, Any]
    payload_sm3: str
    papers: tuple[Paper, ...]
    reason: str
    legal_basis: str
    proposed_by: str
    proposed_at: datetime
    expires_at: datetime
    decisions: tuple[Decision, ...]
    outcome: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AffairsPage:
    """Some affairs, the newest first; ``next`` is what to ask after."""

    affairs: tuple[Affair, ...]
    next: str | None


# --- batches ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that can be named in batches until it expires."""

    sm3: str
    size: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch and how far it came."""

    id: str
    seal: str
    state: str
    state_since: datetime
    created_at: datetime
    stop_on_error: bool
    total: int
    sealed: int
    failed: int
    open: int
    items_url: str
    results_url: str

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens by itself. One that ``stopped`` at an error can be resumed."""
        return self.state in {"completed", "cancelled", "stopped"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item of a batch and what became of it."""

    position: int
    state: str
    document_sm3: str | None
    case_number: str | None
    sealing: str | None
    format: str | None
    file_sm3: str | None
    failure: str | None
    detail: str | None
    document_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemsPage:
    """Some items in order; ``next`` is the position to ask after."""

    items: tuple[Item, ...]
    next: int | None


# --- webhooks --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address that is told of events."""

    id: str
    url: str
    events: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEndpoint:
    """A new endpoint with its secret, which is shown this once."""

    id: str
    url: str
    events: tuple[str, ...]
    created_at: datetime
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecret:
    """A secret, shown this once."""

    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One try to deliver; ``status`` is None if no answer came."""

    number: int
    at: datetime
    status: int | None
    fault: str | None
    last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event and the tries to deliver it."""

    event: str
    type: str
    at: datetime
    heard: bool
    tries: tuple[Try, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """How many deliveries are due now that were not."""

    due: int


# --- licences --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whose licence it is; ``code_type`` as in GB/T 36903 annex A."""

    name: str
    code: str
    code_type: str = "001"


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseChange:
    """One step in a licence's life."""

    status: str
    at: datetime
    legal_basis: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class License:
    """A licence as its issuer sees it."""

    id: str
    identifier: str
    number: str
    type: str
    type_version: int
    issuer_code: str
    issuer_name: str
    seal: str
    holder: Holder = field(repr=False)
    face: Mapping[str, str] = field(repr=False)
    valid_from: date
    valid_to: date | None
    status: str
    issued_at: datetime
    changes: tuple[LicenseChange, ...]
    document_sm3: str
    sealing: str | None
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseType:
    """A licence type in one version of its definition; ``face_schema`` is JSON Schema 2020-12."""

    code: str
    version: int
    name_zh: str
    name_en: str
    definer_code: str
    definer_name: str
    holder_code_types: tuple[str, ...]
    face_schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseTypes:
    """All licence types."""

    types: tuple[LicenseType, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseSignature:
    """What was found about one signature of a licence's document, findings as codes."""

    format: str
    verdict: str
    signer: str | None
    time: datetime | None
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseVerdict:
    """The public answer about a licence; ``CANNOT_CHECK`` means neither genuine nor forged."""

    verdict: str
    checked_at: datetime
    id: str
    identifier: str
    number: str
    type: str
    type_name: str
    status: str
    status_since: datetime
    legal_basis: str
    issuer_code: str
    issuer_name: str
    holder_name: str = field(repr=False)
    holder_code: str = field(repr=False)
    face: Mapping[str, str] = field(repr=False)
    valid_from: date
    valid_to: date | None
    issued_at: datetime
    document_sm3: str
    signatures: tuple[LicenseSignature, ...]
    differences: tuple[str, ...]
