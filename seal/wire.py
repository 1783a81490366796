"""Reports as JSON octets, for passing them out of the process that read an untrusted file.

The reader believes nothing: whatever does not have the exact shape is a ValueError.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from seal.model import Finding, Report, SealFacts, SignatureReport, TimeSource, Verdict

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
        reason=None if fields["reason"] is None else _text(fields["reason"]),
        level=None if fields["level"] is None else _text(fields["level"]),
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
