"""Licences and their types."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


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
