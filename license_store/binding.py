"""Binding: what the register says of a licence, tied to what the register cannot change by itself.

Its facts are tied to the sealed document, whose signature carries their digest as its reason. Its status is tied to
the audit log, whose entries cannot be taken out unnoticed.
"""

import json
from collections.abc import Iterable, Mapping

from crypto.digests import sm3
from kernel.audit import Entry, canonical
from license_store.model import DOCUMENT, PICTURE, License, LicenseStatus, LicenseType
from seal.model import Report
from seal.reporting.reading import DOCUMENT_STAMP
from seal.verifying import seal_number

ACTIONS: Mapping[LicenseStatus, str] = {
    LicenseStatus.ACTIVE: "license.issued",
    LicenseStatus.REVOKED: "license.revoked",
}
"""What the audit log calls the step into each status that is stored."""


def sealing_reason(kind: LicenseType, licence: License, picture_key: str) -> str:
    """Give the reason that the signature carries: what is done, and the digest of everything the public is shown.

    ``picture_key`` names the content of the licence's picture.
    """
    return f"签发{kind.name_zh}；登记事项摘要（SM3）：{_digest(licence, picture_key)}"


def is_sealed(kind: LicenseType, licence: License, report: Report) -> bool:
    """Tell whether the judged document was sealed, once, by the licence's own seal, for just these facts.

    Not whether it is valid: that the report says.
    """
    # A time stamp over the document, which may come later, is no seal.
    sealings = [one for one in report.signatures if one.format != DOCUMENT_STAMP]
    if len(sealings) != 1:
        return False
    (signature,) = sealings
    expected = sealing_reason(kind, licence, licence.file(PICTURE).object_key)
    return signature.reason == expected and seal_number(signature) == licence.seal


def is_recorded(licence: License, entries: Iterable[Entry]) -> bool:
    """Tell whether the audit log's entries about a licence are just the steps that the register has of it."""
    steps = [(ACTIONS.get(change.status), change.at, change.actor, change.legal_basis) for change in licence.changes]
    told = []
    for entry in entries:
        facts = json.loads(entry.facts)
        if facts.get("document", licence.file(DOCUMENT).object_key) != licence.file(DOCUMENT).object_key:
            return False
        told.append((entry.action, entry.at, entry.actor, facts.get("legal_basis", "")))
    return told == steps


def _digest(licence: License, picture_key: str) -> str:
    holder, validity = licence.holder, licence.validity
    facts = {
        "public_id": licence.public_id,
        "identifier": licence.identifier,
        "number": licence.number,
        "type": {"code": licence.type_code, "version": licence.type_version},
        "issuer": {"code": licence.issuer_code, "name": licence.issuer_name},
        "seal": licence.seal,
        "holder": {"name": holder.name, "code": holder.code, "code_type": holder.code_type.value},
        "face": dict(licence.face),
        "valid_first": validity.first.isoformat(),
        "valid_last": validity.last.isoformat() if validity.last else "",
        "issued_at": licence.issued_at.isoformat(),
        "picture": picture_key,
    }
    return sm3(canonical(facts).encode("utf-8", "surrogatepass")).hex()
