"""Results of a batch as one ZIP stream: sealed files by position or name, then what became of every item."""

import json
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from typing import IO, cast

from kernel.errors import Refusal
from kernel.principal import Principal
from seal.batches.model import Item
from seal.batches.service import BatchService

LIST = "results.json"
_PAGE = 200
_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNSAFE = re.compile(r"[^\w()（）〔〕【】《》·.-]+")
_LONGEST = 60
"""Characters of a file's name; some systems take 255 octets, and three are a Chinese character's."""
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
"""Names that Windows keeps for itself."""


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


def results_zip(batches: BatchService, batch: str, principal: Principal) -> Iterator[bytes]:
    """Give the ZIP in pieces, one file in memory at a time; ``results.json`` tells of a file that cannot be read."""
    stream = _Stream()
    rows: list[dict[str, object]] = []
    found, taken = batches.find(batch, principal), set[str]()
    with zipfile.ZipFile(cast("IO[bytes]", stream), "w", zipfile.ZIP_STORED) as archive:
        for item in _all(batches, batch, principal):
            row = _row(item)
            rows.append(row)
            if item.file is None:
                continue
            try:
                document = batches.sealed_file(item)
            except Refusal as refused:
                row["problem"] = refused.code
                continue
            row["file"] = name = _name(item, batches.file_name(found, item), taken)
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), document)
            yield stream.taken()
        told = json.dumps({"batch": batch, "items": rows}, ensure_ascii=False, indent=1)
        archive.writestr(zipfile.ZipInfo(LIST, _EPOCH), told)
    yield stream.taken()


def _all(batches: BatchService, batch: str, principal: Principal) -> Iterator[Item]:
    after = 0
    while page := batches.items(batch, principal, after=after, limit=_PAGE):
        yield from page
        after = page[-1].position


def _name(item: Item, wanted: str | None, taken: set[str]) -> str:
    """Name a file as the caller wished, made harmless, or by position; no two names differ by case alone."""
    suffix = "pdf" if (item.format or "").startswith("pdf") else "ofd"
    by_place = f"{item.position:05}"
    stem = safe_name(wanted or "") or by_place
    while f"{stem}.{suffix}".casefold() in taken:
        stem = f"{stem}-{by_place}"
    taken.add(f"{stem}.{suffix}".casefold())
    return f"{stem}.{suffix}"


def safe_name(text: str) -> str:
    """Make a file's name of any text, for every system: no folders, no signs that one of them gives a meaning."""
    words = _UNSAFE.sub("_", unicodedata.normalize("NFC", text))[:_LONGEST].strip("._ -")
    return f"_{words}" if _DEVICES.fullmatch(words) else words


def _row(item: Item) -> dict[str, object]:
    return {
        "position": item.position,
        "state": item.state.value,
        "sealing": item.sealing,
        "case_number": json.loads(item.asked)["case_number"],
        "file_sm3": item.file,
        "failure": item.failure,
    }
