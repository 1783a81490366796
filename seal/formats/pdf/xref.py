"""Cross-reference sections, tables and streams alike, looked up without being unrolled (ISO 32000-2 7.5.4, 7.5.8)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from seal.formats.pdf.filters import Budget, decode
from seal.formats.pdf.objects import Name, PdfDict, PdfError, PdfObject, Stream
from seal.formats.pdf.parser import MAX_NUMBER, Parser

FREE, PLAIN, PACKED = 0, 1, 2
MAX_SECTIONS = 512
_ENTRY = 20
_STRICT = re.compile(rb"(?:\d{10} \d{5} [nf][ \r][\r\n])*+")
_LOOSE = re.compile(rb"\s*+(\d{10}) (\d{5}) ([nf])(?=\s)")
_STARTXREF = re.compile(rb"startxref[\x00\t\n\x0c\r ]++(\d{1,12})[\x00\t\n\x0c\r ]++%%EOF")
_TAIL = 1024
"""Where other readers look for the end; a file that ends further back they rebuild, each in its own way."""
_WIDEST = 8


class Entry(NamedTuple):
    """Where an object is: PLAIN at octet ``where``, generation ``minor``; PACKED as member ``minor`` of ``where``."""

    kind: int
    where: int
    minor: int


class Lookup(Protocol):
    """The entries of one table or stream."""

    def lookup(self, number: int) -> Entry | None:
        """Give the entry of object ``number``; None if this section is silent about it."""

    def numbers(self) -> Iterator[int]:
        """Give the numbers of all objects it speaks of."""

    def limit(self) -> int:
        """Give the number above all it speaks of."""


@dataclass(frozen=True, slots=True)
class Section:
    """One cross-reference section as met in the file, with its trailer dictionary."""

    start: int
    end: int
    """The octet after the trailer dictionary, or after the stream's ``endobj``."""
    trailer: PdfDict
    entries: Lookup
    hidden: "Section | None" = None
    """The stream that a hybrid file's table names in /XRefStm."""
    is_stream: bool = False
    repeated: str | None = None
    """A key that the trailer of a table has twice."""

    @property
    def previous(self) -> int | None:
        """Where the section before this one starts."""
        previous = self.trailer.get("Prev")
        if previous is None or (previous == 0 and not isinstance(previous, bool)):
            return None
        if not isinstance(previous, int):
            raise PdfError("/Prev is not a number")
        return previous

    def lookup(self, number: int) -> Entry | None:
        """Give the entry of object ``number``: the table's own, else the hidden stream's (7.5.8.4)."""
        entry = self.entries.lookup(number)
        if self.hidden is not None and (entry is None or entry.kind == FREE):
            return self.hidden.entries.lookup(number) or entry
        return entry

    def numbers(self) -> Iterator[int]:
        """Give the numbers of all objects it speaks of; some may come twice."""
        yield from self.entries.numbers()
        if self.hidden is not None:
            yield from self.hidden.entries.numbers()

    def limit(self) -> int:
        """Give the number above all it speaks of."""
        return max(self.entries.limit(), self.hidden.limit() if self.hidden is not None else 0)


@dataclass(frozen=True, slots=True)
class _Table:
    data: bytes
    blocks: tuple[tuple[int, int, int], ...]
    """First number, count, octet of the first entry."""

    def lookup(self, number: int) -> Entry | None:
        for first, count, at in self.blocks:
            if first <= number < first + count:
                here = at + (number - first) * _ENTRY
                line = self.data[here : here + 18]
                return Entry(PLAIN if line[17:] == b"n" else FREE, int(line[:10]), int(line[11:16]))
        return None

    def numbers(self) -> Iterator[int]:
        for first, count, _ in self.blocks:
            yield from range(first, first + count)

    def limit(self) -> int:
        return max((first + count for first, count, _ in self.blocks), default=0)


@dataclass(frozen=True, slots=True)
class _Listed:
    known: dict[int, Entry]

    def lookup(self, number: int) -> Entry | None:
        return self.known.get(number)

    def numbers(self) -> Iterator[int]:
        yield from self.known

    def limit(self) -> int:
        return max(self.known, default=-1) + 1


@dataclass(frozen=True, slots=True)
class _Packed:
    data: bytes
    blocks: tuple[tuple[int, int, int], ...]
    widths: tuple[int, int, int]

    def lookup(self, number: int) -> Entry | None:
        size = sum(self.widths)
        for first, count, at in self.blocks:
            if first <= number < first + count:
                return self._entry(at + (number - first) * size)
        return None

    def numbers(self) -> Iterator[int]:
        for first, count, _ in self.blocks:
            yield from range(first, first + count)

    def limit(self) -> int:
        return max((first + count for first, count, _ in self.blocks), default=0)

    def _entry(self, at: int) -> Entry | None:
        kind_width, where_width, index_width = self.widths
        split = at + kind_width
        kind = int.from_bytes(self.data[at:split], "big") if kind_width else PLAIN
        where = int.from_bytes(self.data[split : split + where_width], "big")
        index = int.from_bytes(self.data[split + where_width : split + where_width + index_width], "big")
        # 7.5.8.3: any other type is a reference to null.
        return Entry(kind, where, index) if kind in (FREE, PLAIN, PACKED) else Entry(FREE, 0, 0)


def last_startxref(data: bytes) -> re.Match[bytes]:
    """Find the last ``startxref N %%EOF``, which must be near the end; group 1 is N."""
    end = len(data)
    while (at := data.rfind(b"startxref", max(0, len(data) - _TAIL), end)) >= 0:
        match = _STARTXREF.match(data, at)
        if match:
            return match
        end = at
    raise PdfError("no startxref and %%EOF at the end of the file")


def startxref_at(data: bytes, position: int) -> re.Match[bytes] | None:
    """Match ``startxref N %%EOF`` right after ``position``."""
    return _STARTXREF.match(data, Parser(data, position).skip())


def read_sections(data: bytes, budget: Budget) -> tuple[Section, ...]:
    """Read the whole chain of sections, newest first; a loop or too long a chain is refused."""
    at: int | None = int(last_startxref(data)[1])
    seen: set[int] = set()
    sections: list[Section] = []
    while at is not None:
        if at in seen:
            raise PdfError("the cross-reference sections form a loop")
        if len(seen) >= MAX_SECTIONS:
            raise PdfError(f"more than {MAX_SECTIONS} cross-reference sections")
        seen.add(at)
        section = read_section(data, at, budget)
        sections.append(section)
        at = section.previous
    return tuple(sections)


def read_section(data: bytes, at: int, budget: Budget) -> Section:
    """Read the section at octet ``at``, and the stream a hybrid table names."""
    if at >= len(data):
        raise PdfError(f"a cross-reference section at {at} is beyond the end of the file")
    parser = Parser(data, at)
    if parser.word(b"xref"):
        return _read_table(parser, at, budget)
    return _read_stream(data, at, budget)


def _read_table(parser: Parser, start: int, budget: Budget) -> Section:
    data = parser.data
    blocks: list[tuple[int, int, int]] = []
    loose: dict[int, Entry] | None = None
    while not parser.word(b"trailer"):
        first, count = _block(parser.integer(), parser.integer())
        at = parser.skip()
        end = at + count * _ENTRY
        if loose is None and _STRICT.fullmatch(data, at, end) and end <= len(data):
            blocks.append((first, count, at))
            parser.position = end
        else:
            if loose is None:
                loose = dict(_unrolled(_Table(data, tuple(blocks))))
            _read_loose(parser, first, count, loose)
    trailer = parser.dictionary()
    hidden = trailer.get("XRefStm")
    return Section(
        start=start,
        end=parser.position,
        trailer=trailer,
        entries=_Table(data, tuple(blocks)) if loose is None else _Listed(loose),
        hidden=_read_stream(data, hidden, budget) if isinstance(hidden, int) else None,
        repeated=parser.repeated,
    )


def _unrolled(table: _Table) -> Iterator[tuple[int, Entry]]:
    for number in table.numbers():
        entry = table.lookup(number)
        if entry is not None:
            yield number, entry


def _read_loose(parser: Parser, first: int, count: int, into: dict[int, Entry]) -> None:
    """Read entries of 19 or 21 octets, which some writers make."""
    for number in range(first, first + count):
        match = _LOOSE.match(parser.data, parser.position)
        if not match:
            raise PdfError(f"no cross-reference entry at octet {parser.position}")
        parser.position = match.end()
        into.setdefault(number, Entry(PLAIN if match[3] == b"n" else FREE, int(match[1]), int(match[2])))


def _block(first: int, count: int) -> tuple[int, int]:
    if first < 0 or count < 0 or first + count > MAX_NUMBER:
        raise PdfError(f"a cross-reference block of {count} objects from {first} on")
    return first, count


def _read_stream(data: bytes, at: int, budget: Budget) -> Section:
    found = Parser(data, at).indirect(_direct_length)
    stream = found.value
    if not isinstance(stream, Stream) or stream.entries.get("Type") != Name("XRef"):
        raise PdfError(f"no cross-reference section at octet {at}")
    widths = _widths(stream.entries.get("W"))
    decoded = decode(stream, budget)
    blocks: list[tuple[int, int, int]] = []
    position = 0
    for first, count in _index(stream.entries):
        blocks.append((first, count, position))
        position += count * sum(widths)
    if position > len(decoded):
        raise PdfError("a cross-reference stream is shorter than its /Index says")
    entries = _Packed(decoded, tuple(blocks), widths)
    return Section(start=at, end=found.end, trailer=stream.entries, entries=entries, is_stream=True)


def _direct_length(value: PdfObject) -> int:
    if not isinstance(value, int):
        raise PdfError("a cross-reference stream's /Length is not a direct number")
    return value


def _widths(value: PdfObject) -> tuple[int, int, int]:
    if isinstance(value, list) and len(value) == 3:  # noqa: PLR2004 - 7.5.8.2: W has three members
        kind, where, minor = (width if isinstance(width, int) and 0 <= width <= _WIDEST else -1 for width in value)
        if min(kind, where, minor) >= 0 and where:
            return kind, where, minor
    raise PdfError("a cross-reference stream's /W is not three widths")


def _index(entries: PdfDict) -> Iterator[tuple[int, int]]:
    index = entries.get("Index", [0, entries.get("Size")])
    numbers = [number for number in index if isinstance(number, int)] if isinstance(index, list) else []
    if not numbers or len(numbers) % 2 or not isinstance(index, list) or len(numbers) != len(index):
        raise PdfError("a cross-reference stream's /Index is not pairs of numbers")
    for first, count in zip(numbers[::2], numbers[1::2], strict=True):
        yield _block(first, count)
