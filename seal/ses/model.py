"""E-seal structures: the seal (SESeal) and the signature made with it (SES_Signature), GM/T 0031, GB/T 38540."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from crypto.digests import sm3

V1, V4, V5 = 1, 4, 5
"""Layouts: GM/T 0031-2014, GB/T 38540-2020, GM/T 0031-2025."""
HEADER_ID = "ES"
CHINA_TIME = timezone(timedelta(hours=8))
"""What times written without a zone mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """One ExtData, as read; encoders that write a default ``critical`` are understood."""

    oid: str
    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SesPicture:
    """The picture in a seal: ``kind`` in lower case (png, ofd, gif, ...), printed size in mm."""

    kind: str
    octets: bytes = field(repr=False)
    width_mm: int
    height_mm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SesSeal:
    """A parsed SESeal. ``raw`` and ``signed`` are the octets received: only those are ever judged."""

    raw: bytes = field(repr=False)
    layout: int
    """V1, V4 or V5, by the structure."""
    header_id: str
    header_version: int
    vendor: str
    esid: str
    kind: int
    name: str
    certificates: tuple[bytes, ...] = field(repr=False)
    """Certificates allowed to sign with the seal (list type 1), DER."""
    certificate_digests: tuple[bytes, ...]
    """SM3 digests of such certificates (list type 2)."""
    created: datetime
    valid_from: datetime
    valid_to: datetime
    picture: SesPicture
    extensions: tuple[Extension, ...]
    maker_certificate: bytes = field(repr=False)
    signature_oid: str
    signed: bytes = field(repr=False)
    """What the maker signed: SealInfo alone; in V1 with certificate and algorithm."""
    signature: bytes
    timestamp: bytes | None

    def lists(self, certificate: bytes) -> bool:
        """Tell whether ``certificate`` (DER) may sign with this seal: the same octets, or their plain SM3."""
        return certificate in self.certificates or (
            bool(self.certificate_digests) and sm3(certificate) in self.certificate_digests
        )

    def valid_at(self, at: datetime) -> bool:
        """Tell whether ``at`` lies within validStart and validEnd, both included."""
        return self.valid_from <= at <= self.valid_to


@dataclass(frozen=True, slots=True, kw_only=True)
class SesSignature:
    """A parsed SES_Signature. ``tbs`` holds the octets received: only those are ever judged."""

    raw: bytes = field(repr=False)
    layout: int
    version: int
    """As written in TBS_Sign."""
    tbs: bytes = field(repr=False)
    seal: SesSeal
    time: datetime | None
    """timeInfo: the time the signer claims; None if a V1 text cannot be understood."""
    data_hash: bytes
    property_info: str
    extensions: tuple[Extension, ...]
    certificate: bytes = field(repr=False)
    signature_oid: str
    signature: bytes
    timestamp: bytes | None
