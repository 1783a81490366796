"""Seals, and what was sealed with them."""

import base64
from dataclasses import dataclass, field
from datetime import datetime

from xinyin_sdk.shapes.verdicts import Verdict


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
    level: str | None = None
    trusted_time: str | None = None
    """``proved`` by a time stamp, ``pending`` where one is to follow, or ``none``; None: the service does not say."""
    stamped_sm3: str | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedDigest:
    """A sealed digest: ``notice`` says what the service does not answer for, as it saw no document."""

    id: str
    serial: int
    seal: str
    format: str
    sealed_at: datetime
    algorithm: str
    digest: str
    signature: str = field(repr=False)
    """In Base64."""
    size: int
    file_sm3: str
    document_seen: bool
    notice: str
    document_url: str
    report: Verdict = field(repr=False)
    replayed: bool = False

    @property
    def der(self) -> bytes:
        """The signature as it goes into the document."""
        return base64.b64decode(self.signature, validate=True)


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
    level: str | None = None
    trusted_time: str | None = None
    owed_at: datetime | None = None
    proved_at: datetime | None = None
    stamped_sm3: str | None = None
    """SM3 of the file with the time stamp that came later."""
    stamp_refusal: str | None = None


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
