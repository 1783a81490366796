"""Exports of the ledger: a ZIP with every use as CSV and as JSON lines, a manifest of both, and its signatures.

Written as it is read: neither the rows nor the archive are ever whole in memory.
"""

import csv
import io
import json
import re
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import IO, cast

from crypto.digests import SHA256, SM3
from seal.usage.model import LedgerFilter, LedgerFilterRefused, LedgerRow

MANIFEST, TABLE, LINES = "manifest.json", "ledger.csv", "ledger.jsonl"
ZONE = timezone(timedelta(hours=8))
"""Whose midnight parts the months: the standard time of the whole country."""
VERSION = 1
COLUMNS: Mapping[str, str] = {
    "seal": "印章编码",
    "seal_name": "印章名称",
    "serial": "用印序号",
    "state": "状态",
    "intended_at": "申请用印时间",
    "sealed_at": "用印时间",
    "caller": "用印系统或账号",
    "caller_kind": "账号类型",
    "person": "用印人",
    "organisation": "用印单位",
    "client_address": "来源地址",
    "purpose": "用印事由",
    "case_number": "办件编号",
    "document_kind": "文件类型",
    "pages": "页数",
    "amount": "金额（分）",
    "format": "签章格式",
    "level": "签章级别",
    "document_sm3": "原文件SM3",
    "file_sm3": "签章后文件SM3",
    "failure": "失败原因",
    "grant": "授权编号",
    "approval": "审批编号",
    "sealing": "签章编号",
}
"""The columns of the table, with their headings."""
_MONTH = re.compile(r"((?:19|20|21)[0-9]{2})-(0[1-9]|1[0-2])", re.ASCII)
_EPOCH = (1980, 1, 1, 0, 0, 0)
_IN_MEMORY = 4 * 1024 * 1024
_PIECE = 64 * 1024
# What spreadsheets take for the beginning of a formula, in either width.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
_DECEMBER = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What of a seal's serials, between the first and the last told, is not among the rows."""

    not_selected: int
    """Uses that the filter left out, or that belong to another month."""
    absent: tuple[int, ...]
    """Serials under which there is nothing on record, the first hundred: the record is damaged."""


Gaps = Callable[[str, int, int, int], Gap]
"""Explains the gaps of a seal: its number, the first and the last serial, and how many rows were told."""


@dataclass(slots=True)
class SealTally:
    """What of one seal was told."""

    name: str
    rows: int = 0
    first: int = 0
    last: int = 0

    def add(self, row: LedgerRow) -> None:
        """Count a row."""
        self.rows += 1
        self.first = min(self.first or row.serial, row.serial)
        self.last = max(self.last, row.serial)


@dataclass(slots=True)
class _Tally:
    states: Counter[str] = field(default_factory=Counter)
    seals: dict[str, SealTally] = field(default_factory=dict)

    def add(self, row: LedgerRow) -> None:
        self.states[row.state.value] += 1
        self.seals.setdefault(row.seal, SealTally(row.seal_name)).add(row)


class _Measured:
    """A file of the archive, measured while it is written."""

    def __init__(self, name: str, target: IO[bytes]) -> None:
        self._name = name
        self._target = target
        self._size = 0
        self._sm3, self._sha256 = SM3.hasher(), SHA256.hasher()

    def write(self, octets: bytes) -> None:
        self._target.write(octets)
        self._size += len(octets)
        self._sm3.update(octets)
        self._sha256.update(octets)

    def told(self) -> dict[str, object]:
        sums = {"sm3": self._sm3.finalize().hex(), "sha256": self._sha256.finalize().hex()}
        return {"name": self._name, "size": self._size, **sums}


class _Stream:
    """What a ZIP writer writes to, given out piece by piece; it cannot go back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, octets: bytes) -> int:
        self._parts.append(bytes(octets))
        return len(octets)

    def flush(self) -> None:
        """Nothing waits."""

    def taken(self) -> bytes:
        whole = b"".join(self._parts)
        self._parts.clear()
        return whole


def month_bounds(month: str) -> tuple[datetime, datetime]:
    """Give when a month, such as 2026-11, begins and ends; LedgerFilterRefused if it is none."""
    found = _MONTH.fullmatch(month)
    if found is None:
        raise LedgerFilterRefused("A month is written like 2026-11.")
    year, number = int(found[1]), int(found[2])
    following = (year + 1, 1) if number == _DECEMBER else (year, number + 1)
    return datetime(year, number, 1, tzinfo=ZONE).astimezone(UTC), datetime(*following, 1, tzinfo=ZONE).astimezone(UTC)


def archive(
    pages: Iterable[Sequence[LedgerRow]],
    *,
    head: Mapping[str, object],
    gaps: Gaps,
    sign: Callable[[bytes], Mapping[str, bytes]],
    done: Callable[[bytes, int], None],
) -> Iterator[bytes]:
    """Give the archive piece by piece; ``done`` is called with the manifest and the number of rows before the end."""
    stream, tally = _Stream(), _Tally()
    with (
        tempfile.SpooledTemporaryFile(_IN_MEMORY) as kept,
        zipfile.ZipFile(cast("IO[bytes]", stream), "w", zipfile.ZIP_DEFLATED) as target,
    ):
        # One file at a time goes into a stream: the lines wait, on the disk if they are many, until the table is told.
        lines = _Measured(LINES, cast("IO[bytes]", kept))
        with target.open(_entry(TABLE), "w", force_zip64=True) as member:
            table = _Measured(TABLE, member)
            # The mark without which spreadsheets do not take it for UTF-8.
            table.write("\ufeff".encode() + _table([list(COLUMNS.values())]))
            for page in pages:
                for row in page:
                    tally.add(row)
                table.write(_table([_cells(row) for row in page]))
                lines.write(b"".join(_line(row) for row in page))
                yield stream.taken()
        kept.seek(0)
        with target.open(_entry(LINES), "w", force_zip64=True) as member:
            while piece := kept.read(_PIECE):
                member.write(piece)
                yield stream.taken()
        manifest = _manifest(head, tally, gaps, (table, lines))
        target.writestr(_entry(MANIFEST), manifest)
        for ending, signature in sign(manifest).items():
            target.writestr(_entry(MANIFEST + ending), signature)
        done(manifest, tally.states.total())
    yield stream.taken()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _manifest(head: Mapping[str, object], tally: _Tally, gaps: Gaps, files: Iterable[_Measured]) -> bytes:
    seals = []
    for seal, each in sorted(tally.seals.items()):
        gap = gaps(seal, each.first, each.last, each.rows)
        seals.append(
            {
                "seal": seal,
                "name": each.name,
                "rows": each.rows,
                "first_serial": each.first,
                "last_serial": each.last,
                "not_selected": gap.not_selected,
                "absent": list(gap.absent),
            }
        )
    told = {
        "version": VERSION,
        "kind": "seal-usage-ledger",
        **head,
        "rows": tally.states.total(),
        "states": dict(sorted(tally.states.items())),
        "seals": seals,
        "files": [each.told() for each in files],
    }
    return (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()


# --- rows ------------------------------------------------------------------------------------------------------


def filter_words(wanted: LedgerFilter) -> dict[str, str]:
    """Write down a filter: what does not narrow is left out."""
    return {name: _text(value) for name, value in asdict(wanted).items() if value is not None}


def _line(row: LedgerRow) -> bytes:
    told = {name: _text(value) if isinstance(value, datetime) else value for name, value in asdict(row).items()}
    return (json.dumps(told, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _cells(row: LedgerRow) -> list[str]:
    return [_defused(_text(getattr(row, name))) for name in COLUMNS]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value)


def _defused(text: str) -> str:
    """Keep a spreadsheet from calculating what a caller wrote."""
    return f"'{text}" if _FORMULA.match(text) else text


def _table(rows: Iterable[Sequence[str]]) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    return written.getvalue().encode("utf-8", "backslashreplace")
