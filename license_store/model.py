"""The nouns of the licence store: licence types, licences, their status, and what is refused about them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from typing import NewType

from kernel.errors import Reason, Refusal
from seal.model import Picture
from seal.placing import AtPoint

PublicId = NewType("PublicId", str)
"""The random 128-bit id in a licence's address and QR code: 26 lower-case base32 characters, tied to nothing else."""

_PUBLIC_ID = re.compile(r"[a-z2-7]{26}", re.ASCII)

FaceData = NewType("FaceData", Mapping[str, str])
"""Face fields that fit their type's schema; only ``catalogue.validate`` makes one."""

CHINA = timezone(timedelta(hours=8), "UTC+8")
"""Days on licences are days in China, which has one time zone and no summer time."""


def parse_public_id(text: str) -> PublicId | None:
    """Read a public id as it stands in an address, in either case (QR codes carry capitals); None if it is none."""
    lower = text.lower()
    return PublicId(lower) if _PUBLIC_ID.fullmatch(lower) else None


# --- what is refused -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """What is wrong with one field; never holds the value itself."""

    field: str
    problem: str


class UnknownLicense(Refusal):
    """No licence has this id."""

    reason, code = Reason.NOT_FOUND, "unknown_license"


class UnknownLicenseType(Refusal):
    """No licence type has this code, or not in a version that can be issued."""

    reason, code = Reason.NOT_FOUND, "unknown_license_type"


class LicenseDataInvalid(Refusal):
    """The data do not fit the type's schema; ``problems`` names every field that is wrong."""

    reason, code = Reason.BAD_INPUT, "license_data_invalid"

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__("; ".join(f"{problem.field}: {problem.problem}" for problem in problems))
        self.problems = problems


class LicenseNotActive(Refusal):
    """The licence is not in a status from which this can be done."""

    reason, code = Reason.CONFLICT, "license_not_active"


class LicenseNotConfirmed(Refusal):
    """The register and the sealed document do not agree, or cannot be compared now: nothing is shown as genuine."""

    reason, code = Reason.UNAVAILABLE, "license_not_confirmed"


class IdempotencyKeyReused(Refusal):
    """The Idempotency-Key was used before for a different request."""

    reason, code = Reason.CONFLICT, "idempotency_key_reused"


class IssuingInProgress(Refusal):
    """The same request is being worked on by another call."""

    reason, code = Reason.CONFLICT, "issuing_in_progress"


class SealNotOfIssuer(Refusal):
    """The seal belongs to nobody who can issue a licence."""

    reason, code = Reason.CONFLICT, "seal_not_of_issuer"


class RenderingFailed(Refusal):
    """The page cannot be drawn: its data need more room than the template has."""

    reason, code = Reason.BAD_INPUT, "license_does_not_fit"


# --- types -----------------------------------------------------------------------------------------------------


class FieldKind(StrEnum):
    """What a face field holds."""

    TEXT = "text"
    DATE = "date"
    ORGANISATION_CODE = "organisation_code"


class HolderCodeType(StrEnum):
    """The kinds of holder code (GB/T 36903 annex A) that types here use."""

    ORGANISATION = "001"
    CITIZEN = "111"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceField:
    """One item on the face of a licence. ``max_length`` counts characters; ``pattern`` must match the whole value."""

    name: str
    zh: str
    en: str
    kind: FieldKind = FieldKind.TEXT
    required: bool = True
    max_length: int = 100
    pattern: str | None = None
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseType:
    """A kind of licence, in one version of its definition.

    ``code`` is the defining body's organisation code and a three-digit number (GB/T 36904). A published
    version never changes: licences refer to the version that they were issued under.
    """

    code: str
    version: int
    name_zh: str
    name_en: str
    definer_code: str
    definer_name: str
    holder_code_types: frozenset[HolderCodeType]
    fields: tuple[FaceField, ...]
    template: str
    seal_centre_mm: tuple[float, float]
    """Where on the first page the middle of the seal goes, from its top left corner."""

    def placement(self, seal: Picture) -> AtPoint:
        """Give the place of this seal's picture, whatever its size."""
        x, y = self.seal_centre_mm
        return AtPoint.on(1, x_mm=x - seal.width_mm / 2, y_mm=y - seal.height_mm / 2)


# --- licences --------------------------------------------------------------------------------------------------


class LicenseStatus(StrEnum):
    """Where a licence stands. EXPIRED is computed from its validity and never stored."""

    DRAFT = "draft"
    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whose licence it is."""

    name: str
    code: str
    code_type: HolderCodeType


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """The days in force, both included; without ``last`` for good (长期)."""

    first: date
    last: date | None = None

    def over(self, at: datetime) -> bool:
        """Tell whether the last day had passed in China at ``at``."""
        return self.last is not None and at.astimezone(CHINA).date() > self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """One step in a licence's life. ``legal_basis`` is the clause of law, ``reason`` the facts of the case."""

    number: int
    status: LicenseStatus
    at: datetime
    actor: str
    legal_basis: str = ""
    reason: str = ""


DOCUMENT, PICTURE = "document", "picture"
"""The kinds of file that a finished licence has, one of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseFile:
    """A finished document of a licence: where it is stored, and the sealing that it came from."""

    kind: str
    media_type: str
    object_key: str
    sealing: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class License:
    """An issued licence, or a draft of one: without any status change it is a draft, and seen by nobody."""

    public_id: PublicId
    identifier: str
    number: str
    type_code: str
    type_version: int
    issuer_code: str
    issuer_name: str
    seal: str
    holder: Holder
    face: FaceData
    validity: Validity
    issued_at: datetime
    changes: tuple[StatusChange, ...]
    files: tuple[LicenseFile, ...]

    def status(self, at: datetime) -> LicenseStatus:
        """Give the status at ``at``; what was revoked stays revoked whatever its validity says."""
        if not self.changes:
            return LicenseStatus.DRAFT
        status = self.changes[-1].status
        if status is LicenseStatus.ACTIVE and self.validity.over(at):
            return LicenseStatus.EXPIRED
        return status

    def file(self, kind: str) -> LicenseFile:
        """Give the file of this kind; a finished licence has one of each (else LicenseNotConfirmed)."""
        found = next((file for file in self.files if file.kind == kind), None)
        if found is None:
            raise LicenseNotConfirmed("A file of this licence is missing from the register.")
        return found
