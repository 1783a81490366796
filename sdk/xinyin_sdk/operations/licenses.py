"""Licences: issued, looked at, revoked."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from uuid import uuid4

from xinyin_sdk.calls import OCTETS, Call, Row, given, one
from xinyin_sdk.shapes import Holder, License, LicenseTypes, LicenseVerdict

_V1 = "/api/licenses/v1/licenses"
_ONE = f"{_V1}/{{public_id}}"
TYPES = Row("GET", "/api/licenses/v1/types", one(LicenseTypes))
VERDICT = Row("GET", "/api/verify/v1/licenses/{public_id}", one(LicenseVerdict), public=True)
ISSUE = Row("POST", _V1, one(License))
GET = Row("GET", _ONE, one(License))
DOCUMENT = Row("GET", f"{_ONE}/document", OCTETS)
REVOKE = Row("POST", f"{_ONE}/revocation", one(License), repeatable=False)


def issue(  # noqa: PLR0913 - what is on a licence
    *,
    type: str,  # noqa: A002 - the service's word
    seal: str,
    holder: Holder,
    face: Mapping[str, str],
    valid_from: date,
    valid_to: date | None = None,
    seal_format: str | None = None,
    case_number: str | None = None,
    idempotency_key: str | None = None,
) -> Call[License]:
    """Issue a licence, for good without ``valid_to``; ``idempotency_key`` as for a sealing."""
    body = given(
        type=type,
        seal=seal,
        holder=asdict(holder),
        face=dict(face),
        valid_from=valid_from.isoformat(),
        valid_to=valid_to.isoformat() if valid_to else None,
        seal_format=seal_format,
        case_number=case_number,
    )
    return ISSUE.call(json=body, key=idempotency_key or str(uuid4()))


def get(public_id: str) -> Call[License]:
    """Look at a licence."""
    return GET.call(public_id)


def document(public_id: str) -> Call[bytes]:
    """Fetch a licence's sealed document."""
    return DOCUMENT.call(public_id, headers={"Accept": "*/*"})


def revoke(public_id: str, *, legal_basis: str, reason: str) -> Call[License]:
    """Revoke a licence (吊销) for good. ``legal_basis`` is shown to the public, ``reason`` is not."""
    return REVOKE.call(public_id, json={"legal_basis": legal_basis, "reason": reason})


def types() -> Call[LicenseTypes]:
    """List the licence types, each with the JSON Schema of its fields."""
    return TYPES.call()


def verdict(public_id: str) -> Call[LicenseVerdict]:
    """Ask whether a licence is genuine and in force, as anyone may."""
    return VERDICT.call(public_id)
