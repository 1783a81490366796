"""The nouns of sealing and judging: seals, marks, requests, findings, reports."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, IntEnum, StrEnum
from typing import NewType, Protocol

from crypto.suites import Suite
from crypto.x509 import Certificate
from seal.placing import Placement

SealId = NewType("SealId", str)
"""esID: 14 digits, a GB/T 2260 region and an 8-digit serial."""


# --- seals -----------------------------------------------------------------------------------------------------


class SealKind(IntEnum):
    """National list of seal kinds; unknown integers are kept elsewhere as they are."""

    PERSONAL_NAME = 0
    LEGAL_NAME = 1
    FINANCE = 2
    INVOICE = 3
    CONTRACT = 4
    LEGAL_REPRESENTATIVE = 5
    BUSINESS = 6
    OTHER = 99


class SealStatus(StrEnum):
    """Where a seal stands in its life. Only an active one seals."""

    MADE = "made"
    FILED = "filed"
    """Filed with the body that manages seals (备案), not yet put into use."""
    ACTIVE = "active"
    SUSPENDED = "suspended"
    LOST = "lost"
    """Reported lost (挂失)."""
    REVOKED = "revoked"
    DESTROYED = "destroyed"


class UsePolicy(StrEnum):
    """What it takes to use a seal, beside the right to."""

    OPEN = "open"
    """The right alone."""
    GRANTED = "granted"
    """A grant, too."""
    APPROVED = "approved"
    """A second person's approval of each use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The seal's artwork: a PNG with transparent ground and its printed size in millimetres."""

    png: bytes
    width_mm: int
    height_mm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A registered seal. ``seseal`` is the signed SESeal V4, DER, exactly as the maker signed it."""

    id: SealId
    kind: int
    name: str
    owner: str
    """Unified social credit code of the owning body."""
    owner_name: str
    status: SealStatus
    valid_from: datetime
    valid_to: datetime
    picture: Picture
    seseal: bytes
    version: int = 1
    """Counts how often it was made: the newest counts for sealing, the others still verify."""


# --- sealing ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a sealing leaves for eyes to see."""

    seal_name: str
    picture: Picture
    placement: Placement
    reason: str = ""
    closes: bool = False
    """No signature may follow this one."""
    shown: bool = True
    """Whether the picture is to be seen; formats that show none do not ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """The public half of a sealing: who signs, under which chain, with which seal. Holds no key."""

    certificate: Certificate
    chain: tuple[Certificate, ...]
    """Issuers above ``certificate``, nearest first, root left out."""
    suite: Suite
    seseal: bytes | None = None
    """SESeal, DER; needed by the formats that embed one (OFD, GM.sm2seal)."""
    stamper: "StampTime | None" = None
    """Who confirms the time of the signature; None for the claimed time alone."""
    stamp_room: int = 0
    """How many octets to lay aside for what the stamper gives, in formats that lay room aside beforehand."""


SignMessage = Callable[[bytes], bytes]
"""Signs a whole message (digest, and Z_A for SM2, inside) and gives the DER signature value of the suite."""


StampTime = Callable[[bytes], bytes | None]
"""Gives a time-stamp token, DER, over a signature's octets (RFC 3161, GB/T 20520).

If nobody stamps now, it refuses, or gives None: then the signature is made without.
"""


class PreparedDocument(Protocol):
    """A document laid out for one signature, its digest fixed, the signature value not yet in it."""

    @property
    def document_digest(self) -> bytes:
        """What the signature will bind: the digest of everything it covers."""

    @property
    def pages(self) -> int | None:
        """How many pages the document has; None where they cannot be counted."""

    def apply(self, sign: SignMessage) -> bytes:
        """Sign and embed; give the finished document. Called at most once."""


class SealFormat(Protocol):
    """One way of putting a seal into one kind of document."""

    name: str
    media_type: str

    def prepare(self, document: bytes, mark: Mark, credential: Credential, at: datetime) -> PreparedDocument:
        """Lay ``document`` out for sealing at ``at``; refuse it (a ``DocumentRefused``) if it cannot be sealed."""


# --- judging ---------------------------------------------------------------------------------------------------


class Verdict(StrEnum):
    """The four answers, worst last in ``SEVERITY``."""

    VALID = "valid"
    UNSIGNED = "unsigned"
    INDETERMINATE = "indeterminate"
    INVALID = "invalid"


_SEVERITY = tuple(Verdict)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Give the worst of ``verdicts``; of none, UNSIGNED."""
    return max(verdicts, key=_SEVERITY.index, default=Verdict.UNSIGNED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a check found. ``verdict`` is what it alone would make of the signature; VALID is a mere note."""

    code: str
    verdict: Verdict
    detail: str = ""


class TimeSource(Enum):
    """Where the time of sealing was taken from."""

    CLAIMED = "claimed"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealFacts:
    """What a verified document says of the seal in it."""

    id: str
    name: str
    kind: int
    picture_type: str
    picture: bytes = field(repr=False)
    valid_from: datetime
    valid_to: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """An algorithm by the name people know and the identifier (OID) that was written."""

    name: str
    oid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """What is told of a certificate. Names are RFC 4514 text, ``serial`` is hexadecimal."""

    subject: str
    organisation: str | None
    issuer: str
    serial: str
    not_before: datetime
    not_after: datetime
    key: str
    """The kind of its key, such as SM2."""
    sha256: bytes
    """Of the whole certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationFacts:
    """Where one certificate of a path stood, by whose word, and of when that is."""

    subject: str
    standing: str
    """good, revoked or unknown."""
    source: str | None
    """crl, ocsp or own (the records of an authority of ours); None where nothing spoke of it."""
    speaker: str | None
    """Who issued the certificate, and so speaks of it."""
    issued: datetime | None
    revoked_at: datetime | None
    """Set too where it was revoked only after the time asked for, which leaves it good."""
    reason: str | None
    why: str
    """For unknown: what was the matter, in a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateEvidence:
    """One certificate in its role (SIGNER, SEAL_MAKER, TSA), and what it was judged by."""

    role: str
    certificate: CertificateFacts
    chain: tuple[CertificateFacts, ...]
    """Those above it, the trusted root last; empty where no path leads to one, or it is one itself."""
    at: datetime
    """The time it was judged as of."""
    revocation: tuple[RevocationFacts, ...]
    """One of each certificate below the root, in the path's order; empty where none was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of the file a signature protects: of ``of`` revisions those up to ``part``, or ``part`` files."""

    unit: str
    """revision (PDF) or file (OFD)."""
    part: int
    of: int
    whole: bool
    """Whether it protects all that a signature can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureEvidence:
    """What a signature's verdict rests on, for whoever wants to read or keep it."""

    certificates: tuple[CertificateEvidence, ...]
    """The signer's first, if it is there; then the seal maker's and the time-stamper's."""
    signature: Algorithm
    digest: Algorithm
    value: bytes = field(repr=False)
    """The signature value, as written."""
    signed_digest: bytes | None
    """The digest of the octets that were signed (the DTBSR of ETSI EN 319 102-1), by ``digest``."""
    content_digest: bytes | None
    """The digest of the content, as the signature states it."""
    coverage: Coverage | None


class Traces(Protocol):
    """What an engine had in its hands when it judged: references alone, so that keeping them costs nothing."""

    def over(self, coverage: Coverage) -> "Traces":
        """Give the same traces of a signature that is known to protect as much."""

    def told(self) -> SignatureEvidence:
        """Make evidence of them; this takes about as long as judging the certificates did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureReport:
    """Everything found about one signature; its verdict is the worst of its findings, VALID if none is worse."""

    format: str
    signer: str | None
    """The signer certificate's subject, RFC 4514 text."""
    seal: SealFacts | None
    time: datetime | None
    time_source: TimeSource | None
    findings: tuple[Finding, ...]
    reason: str | None = None
    """What the signer wrote as the reason, where the format has a place for it that the signature covers."""
    level: str | None = None
    """The PAdES baseline level that it reaches (``seal.levels.Level``); None in formats that have none."""
    evidence: SignatureEvidence | None = field(default=None, compare=False, repr=False)
    """Only where it was asked for. It is no part of the verdict."""
    traces: Traces | None = field(default=None, compare=False, repr=False)
    """What evidence can be made of, in the process that judged."""

    @property
    def verdict(self) -> Verdict:
        """The worst of the findings."""
        return worst((Verdict.VALID, *(finding.verdict for finding in self.findings)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The answer about a whole document: every signature, and findings about the container itself."""

    signatures: tuple[SignatureReport, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of all; without any signature and any complaint, UNSIGNED.

        A finding that nobody signed the content stands against signatures of something else, such as a list of the
        package's files: whether their signers can be trusted does not matter then.
        """
        found = [finding.verdict for finding in self.findings]
        undecided = Verdict.INDETERMINATE if Verdict.UNSIGNED in found else None
        signed = [report.verdict for report in self.signatures if report.verdict is not undecided]
        return worst((signed or [Verdict.UNSIGNED]) + found)


Judge = Callable[[bytes], Report]
"""Our own verifier, with its trust: judges a document as of now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """Which file was judged: enough to recognise it, nothing of what is in it."""

    name: str | None
    media_type: str
    size: int
    """In octets."""
    sm3: bytes
    sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A report with its evidence, and of what and when it speaks: all that a validation report is written from."""

    file: FileFacts
    report: Report
    judged_at: datetime
    as_of: datetime | None
    """The time that was asked for; None: each signature as of its own time."""
    register_asked: bool
    """Whether a register was asked for the seals' status."""
