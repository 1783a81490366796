"""Reports as JSON octets, for passing them out of the process that read an untrusted file.

The reader believes nothing: whatever does not have the exact shape is a ValueError.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from seal.model import (
    Algorithm,
    CertificateEvidence,
    CertificateFacts,
    Coverage,
    Finding,
    Report,
    RevocationFacts,
    SealFacts,
    SignatureEvidence,
    SignatureReport,
    TimeSource,
    Verdict,
)

Value = TypeVar("Value")
_MOST_FINDINGS = 10_000
_LONGEST_TEXT = 100_000


def encode_report(report: Report) -> bytes:
    """Write ``report`` as JSON."""
    return json.dumps(
        {
            "signatures": [_signature(signature) for signature in report.signatures],
            "findings": [_finding(finding) for finding in report.findings],
        },
        ensure_ascii=True,  # lone surrogates from odd files survive as escapes
    ).encode()


def _signature(signature: SignatureReport) -> dict[str, object]:
    return {
        "format": signature.format,
        "signer": signature.signer,
        "seal": _seal(signature.seal) if signature.seal else None,
        "time": signature.time.isoformat() if signature.time else None,
        "time_source": signature.time_source.value if signature.time_source else None,
        "findings": [_finding(finding) for finding in signature.findings],
        "reason": signature.reason,
        "level": signature.level,
        "evidence": _evidence(signature.evidence) if signature.evidence else None,
    }


def _finding(finding: Finding) -> dict[str, str]:
    return {"code": finding.code, "verdict": finding.verdict.value, "detail": finding.detail}


def _seal(seal: SealFacts) -> dict[str, object]:
    return {
        "id": seal.id,
        "name": seal.name,
        "kind": seal.kind,
        "picture_type": seal.picture_type,
        "picture": base64.b64encode(seal.picture).decode(),
        "valid_from": seal.valid_from.isoformat(),
        "valid_to": seal.valid_to.isoformat(),
    }


def _evidence(evidence: SignatureEvidence) -> dict[str, object]:
    covers = evidence.coverage
    return {
        "certificates": [_certificate_evidence(each) for each in evidence.certificates],
        "signature": [evidence.signature.name, evidence.signature.oid],
        "digest": [evidence.digest.name, evidence.digest.oid],
        "value": evidence.value.hex(),
        "signed_digest": _hex(evidence.signed_digest),
        "content_digest": _hex(evidence.content_digest),
        "coverage": None if covers is None else [covers.unit, covers.part, covers.of, covers.whole],
    }


def _certificate_evidence(evidence: CertificateEvidence) -> dict[str, object]:
    return {
        "role": evidence.role,
        "certificate": _certificate(evidence.certificate),
        "chain": [_certificate(each) for each in evidence.chain],
        "at": evidence.at.isoformat(),
        "revocation": [_revocation(each) for each in evidence.revocation],
    }


def _certificate(facts: CertificateFacts) -> dict[str, object]:
    return {
        "subject": facts.subject,
        "organisation": facts.organisation,
        "issuer": facts.issuer,
        "serial": facts.serial,
        "not_before": facts.not_before.isoformat(),
        "not_after": facts.not_after.isoformat(),
        "key": facts.key,
        "sha256": facts.sha256.hex(),
    }


def _revocation(facts: RevocationFacts) -> dict[str, object]:
    return {
        "subject": facts.subject,
        "standing": facts.standing,
        "source": facts.source,
        "speaker": facts.speaker,
        "issued": facts.issued.isoformat() if facts.issued else None,
        "revoked_at": facts.revoked_at.isoformat() if facts.revoked_at else None,
        "reason": facts.reason,
        "why": facts.why,
    }


def _hex(octets: bytes | None) -> str | None:
    return None if octets is None else octets.hex()


def decode_report(octets: bytes) -> Report:
    """Read what ``encode_report`` wrote; ValueError for anything else."""
    try:
        top = _members(json.loads(octets))
        return Report(
            signatures=tuple(_read_signature(item) for item in _items(top["signatures"])),
            findings=tuple(_read_finding(item) for item in _items(top["findings"])),
        )
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"not a report: {error}") from error


def _read_signature(value: object) -> SignatureReport:
    fields = _members(value)
    return SignatureReport(
        format=_text(fields["format"]),
        signer=None if fields["signer"] is None else _text(fields["signer"]),
        seal=None if fields["seal"] is None else _read_seal(fields["seal"]),
        time=None if fields["time"] is None else _instant(fields["time"]),
        time_source=None if fields["time_source"] is None else TimeSource(fields["time_source"]),
        findings=tuple(_read_finding(item) for item in _items(fields["findings"])),
        reason=_optional(_text, fields["reason"]),
        level=_optional(_text, fields["level"]),
        evidence=_optional(_read_evidence, fields["evidence"]),
    )


def _read_finding(value: object) -> Finding:
    fields = _members(value)
    return Finding(
        code=_text(fields["code"]), verdict=Verdict(_text(fields["verdict"])), detail=_text(fields["detail"])
    )


def _read_seal(value: object) -> SealFacts:
    fields = _members(value)
    return SealFacts(
        id=_text(fields["id"]),
        name=_text(fields["name"]),
        kind=_typed(int, fields["kind"]),
        picture_type=_text(fields["picture_type"]),
        picture=base64.b64decode(_typed(str, fields["picture"]), validate=True),
        valid_from=_instant(fields["valid_from"]),
        valid_to=_instant(fields["valid_to"]),
    )


def _read_evidence(value: object) -> SignatureEvidence:
    fields = _members(value)
    return SignatureEvidence(
        certificates=tuple(_read_certificate_evidence(each) for each in _items(fields["certificates"])),
        signature=_read_algorithm(fields["signature"]),
        digest=_read_algorithm(fields["digest"]),
        value=_octets(fields["value"]),
        signed_digest=_optional(_octets, fields["signed_digest"]),
        content_digest=_optional(_octets, fields["content_digest"]),
        coverage=_optional(_read_coverage, fields["coverage"]),
    )


def _read_algorithm(value: object) -> Algorithm:
    name, oid = _items(value)
    return Algorithm(name=_text(name), oid=_text(oid))


def _read_coverage(value: object) -> Coverage:
    unit, part, whole_number, whole = _items(value)
    return Coverage(unit=_text(unit), part=_typed(int, part), of=_typed(int, whole_number), whole=_typed(bool, whole))


def _read_certificate_evidence(value: object) -> CertificateEvidence:
    fields = _members(value)
    return CertificateEvidence(
        role=_text(fields["role"]),
        certificate=_read_certificate(fields["certificate"]),
        chain=tuple(_read_certificate(each) for each in _items(fields["chain"])),
        at=_instant(fields["at"]),
        revocation=tuple(_read_revocation(each) for each in _items(fields["revocation"])),
    )


def _read_certificate(value: object) -> CertificateFacts:
    fields = _members(value)
    return CertificateFacts(
        subject=_text(fields["subject"]),
        organisation=_optional(_text, fields["organisation"]),
        issuer=_text(fields["issuer"]),
        serial=_text(fields["serial"]),
        not_before=_instant(fields["not_before"]),
        not_after=_instant(fields["not_after"]),
        key=_text(fields["key"]),
        sha256=_octets(fields["sha256"]),
    )


def _read_revocation(value: object) -> RevocationFacts:
    fields = _members(value)
    return RevocationFacts(
        subject=_text(fields["subject"]),
        standing=_text(fields["standing"]),
        source=_optional(_text, fields["source"]),
        speaker=_optional(_text, fields["speaker"]),
        issued=_optional(_instant, fields["issued"]),
        revoked_at=_optional(_instant, fields["revoked_at"]),
        reason=_optional(_text, fields["reason"]),
        why=_text(fields["why"]),
    )


def _optional(read: Callable[[object], Value], value: object) -> Value | None:
    return None if value is None else read(value)


def _octets(value: object) -> bytes:
    return bytes.fromhex(_text(value))


def _typed(kind: type[Value], value: object) -> Value:
    if type(value) is not kind:
        raise ValueError(f"not a {kind.__name__}")
    return value


def _text(value: object) -> str:
    text = _typed(str, value)
    if len(text) > _LONGEST_TEXT:
        raise ValueError("the text is too long")
    return text


def _instant(value: object) -> datetime:
    instant = datetime.fromisoformat(_text(value))
    if instant.tzinfo is None:
        raise ValueError("not an instant")
    return instant


def _members(value: object) -> Mapping[str, object]:
    return _typed(dict, value)


def _items(value: object) -> Sequence[object]:
    items = _typed(list, value)
    if len(items) > _MOST_FINDINGS:
        raise ValueError("the list is too long")
    return items
