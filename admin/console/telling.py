"""Telling: what an affair would do, in words that an officer can judge."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from admin.console.words import USE_POLICY, Words, called, kind_called
from crypto.errors import CryptoError
from crypto.x509 import Certificate, pem_bodies
from seal.affairs.actions import Action
from seal.affairs.desk import SealFile
from seal.affairs.model import Affair
from seal.model import SealStatus

Value = str | Words | datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing an affair says. ``before`` is what it would take the place of, None where there is nothing."""

    label: Words
    value: Value
    before: Value | None = None
    note: Words | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an affair would do."""

    name: str
    """Of the seal, as it would be called; empty where nobody who asks may know."""
    lines: tuple[Line, ...]
    moves: tuple[SealStatus | None, SealStatus] | None
    """From the status of now to the next; None where it could not be carried out now, or was already."""
    picture: str | None
    """Object key of the artwork asked for."""
    size_mm: tuple[int, int] | None = None


def told(affair: Affair, file: SealFile | None) -> Told:
    """Put an affair in words; ``file`` is the seal's as it stands now, None where there is none to be seen."""
    payload: Mapping[str, Any] = json.loads(affair.payload)
    status = file.seal.status if file else None
    after = affair.rule.moves.get(status)
    picture = payload.get("picture") or {}
    return Told(
        name=str(payload.get("name") or (file.seal.name if file else "")),
        lines=tuple(_LINES.get(affair.action, _plainly)(payload, file)),
        moves=(status, after) if after is not None and affair.outcome is None else None,
        picture=picture.get("object_key"),
        size_mm=(picture["width_mm"], picture["height_mm"]) if picture else None,
    )


def _making(payload: Mapping[str, Any], file: SealFile | None) -> Iterator[Line]:
    seal = file.seal if file else None
    if "kind" in payload:
        yield Line(label=("印章类型", "Kind"), value=kind_called(payload["kind"]))
    parts: tuple[tuple[str, Words, Value | None], ...] = (
        ("name", ("印章名称", "Name"), seal.name if seal else None),
        ("owner", ("单位代码", "Owner's code"), seal.owner if seal else None),
        ("owner_name", ("所属单位", "Owner"), seal.owner_name if seal else None),
        ("valid_from", ("生效时间", "Valid from"), seal.valid_from if seal else None),
        ("valid_to", ("失效时间", "Valid until"), seal.valid_to if seal else None),
    )
    for name, label, before in parts:
        value = payload.get(name)
        if value is None:
            continue
        new: Value = datetime.fromisoformat(value) if name.startswith("valid_") else str(value)
        yield Line(label=label, value=new, before=before if before != new else None)
    for number, key in enumerate(payload.get("keys") or (), 1):
        yield from _key((f"签名证书 {number}", f"Certificate {number}"), key)
    if payload.get("maker"):
        yield from _key(("制章人", "Seal maker"), payload["maker"])


def _key(label: Words, part: Mapping[str, Any]) -> Iterator[Line]:
    try:
        first = Certificate.from_der(next(iter(pem_bodies(part["certificates"], "CERTIFICATE"))))
    except (CryptoError, ValueError, StopIteration):
        yield Line(label=label, value=("证书无法识别", "the certificate cannot be read"))
        return
    end = f"{first.not_after:%Y-%m-%d}"
    note = (f"有效期至 {end}，序列号 {first.serial:x}", f"until {end}, serial {first.serial:x}")
    yield Line(label=label, value=first.subject_text, note=note)


def _filing(payload: Mapping[str, Any], _: SealFile | None) -> Iterator[Line]:
    yield Line(label=("备案编号", "Filing number"), value=str(payload["filing_number"]))
    yield Line(label=("备案机关", "Filing body"), value=str(payload["body"]))
    if payload.get("code"):
        yield Line(label=("公安印章编码", "Public-security code"), value=str(payload["code"]))


def _policy(payload: Mapping[str, Any], file: SealFile | None) -> Iterator[Line]:
    before = called(USE_POLICY, file.policy.value) if file else None
    yield Line(label=("用印规则", "Use policy"), value=called(USE_POLICY, str(payload["use"])), before=before)


_OF_GRANT: Mapping[str, Words] = {
    "grant": ("授权编号", "Grant"),
    "subject": ("授权给（系统或账号）", "For (system or account)"),
    "organisation": ("授权给（单位）", "For (body)"),
    "formats": ("签章格式", "Formats"),
    "document_kinds": ("文件类型", "Kinds of document"),
    "windows": ("时段", "Hours"),
    "zone": ("时区", "Time zone"),
    "valid_from": ("开始时间", "From"),
    "valid_to": ("结束时间", "Until"),
    "per_day": ("每日次数上限", "Uses a day at most"),
    "per_month": ("每月次数上限", "Uses a month at most"),
    "in_total": ("总次数上限", "Uses in all at most"),
    "amount_limit": ("单次金额上限（分）", "Amount of one use at most, in fen"),
}


def _granting(payload: Mapping[str, Any], _: SealFile | None) -> Iterator[Line]:
    for name, value in payload.items():
        if value is None or value == []:
            continue
        label = _OF_GRANT.get(name, (name, name))
        if name.startswith("valid_"):
            yield Line(label=label, value=datetime.fromisoformat(value))
        elif name == "windows":
            for each in value:
                days = " ".join(map(str, each["weekdays"]))
                hours = f"{each['begins']}-{each['ends']}"
                yield Line(label=label, value=(f"星期 {days}，{hours}", f"weekdays {days}, {hours}"))
        else:
            yield Line(label=label, value="、".join(value) if isinstance(value, list) else str(value))


def _plainly(payload: Mapping[str, Any], _: SealFile | None) -> Iterator[Line]:
    """Tell what has no words of its own by the names it was written under: nothing is left out."""
    for name, value in payload.items():
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield Line(label=(name, name), value=shown)


_LINES = {
    Action.MAKE: _making,
    Action.CHANGE: _making,
    Action.RENEW: _making,
    Action.FILE: _filing,
    Action.POLICY: _policy,
    Action.GRANT: _granting,
    Action.END_GRANT: _granting,
}
