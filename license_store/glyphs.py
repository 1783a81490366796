"""Glyph coverage: which characters a font can show, read from its cmap table (OpenType 1.9).

A missing glyph on a licence is a wrong name on a licence, so it is found before the page is drawn.
"""

import struct
from functools import cache
from pathlib import Path

_COLLECTION = b"ttcf"
_FORMAT_BMP, _FORMAT_FULL = 4, 12
_LAST_BMP_SEGMENT = 0xFFFF


def missing(text: str, font: Path, index: int = 0) -> str:
    """Give the characters of ``text`` that the font has no glyph for, each once, in order; blanks need none."""
    covered = coverage(font, index)
    return "".join(dict.fromkeys(c for c in text if ord(c) not in covered and not c.isspace()))


@cache
def coverage(font: Path, index: int = 0) -> frozenset[int]:
    """Give the code points of a font file; ``index`` picks the face of a collection. Read once per process."""
    with font.open("rb") as file:
        if file.read(4) == _COLLECTION:
            file.seek(12 + 4 * index)
            (start,) = struct.unpack(">I", file.read(4))
        else:
            start = 0
        file.seek(start + 4)
        (count,) = struct.unpack(">H6x", file.read(8))
        records = (struct.unpack(">4sIII", file.read(16)) for _ in range(count))
        offset, length = next((offset, length) for tag, _sum, offset, length in records if tag == b"cmap")
        file.seek(offset)
        return frozenset(_code_points(file.read(length)))


def _code_points(table: bytes) -> set[int]:
    """Read the best Unicode subtable: the full one (format 12) before the BMP one (format 4)."""
    (count,) = struct.unpack_from(">2xH", table)
    starts = [struct.unpack_from(">HHI", table, 4 + 8 * n)[2] for n in range(count)]
    formats = {struct.unpack_from(">H", table, start)[0]: start for start in starts}
    if _FORMAT_FULL in formats:
        return _full(table, formats[_FORMAT_FULL])
    return _bmp(table, formats[_FORMAT_BMP])


def _full(table: bytes, start: int) -> set[int]:
    (groups,) = struct.unpack_from(">I", table, start + 12)
    points: set[int] = set()
    for n in range(groups):
        first, last, glyph = struct.unpack_from(">III", table, start + 16 + 12 * n)
        points.update(range(first if glyph else first + 1, last + 1))
    return points


def _bmp(table: bytes, start: int) -> set[int]:
    (twice,) = struct.unpack_from(">H", table, start + 6)
    count = twice // 2
    ends = struct.unpack_from(f">{count}H", table, start + 14)
    firsts = struct.unpack_from(f">{count}H", table, start + 16 + twice)
    deltas = struct.unpack_from(f">{count}H", table, start + 16 + 2 * twice)
    ranges = start + 16 + 3 * twice
    points: set[int] = set()
    for n, (first, last, delta) in enumerate(zip(firsts, ends, deltas, strict=True)):
        (shift,) = struct.unpack_from(">H", table, ranges + 2 * n)
        for point in range(first, min(last, _LAST_BMP_SEGMENT - 1) + 1):
            glyph = point
            if shift:
                (glyph,) = struct.unpack_from(">H", table, ranges + 2 * n + shift + 2 * (point - first))
            if glyph and (glyph + delta) & 0xFFFF:
                points.add(point)
    return points
