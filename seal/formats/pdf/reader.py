"""A PDF as a chain of revisions, and the objects as any of them shows them (ISO 32000-2 7.5)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from seal.formats.pdf.filters import Budget, decode
from seal.formats.pdf.objects import Name, PdfDict, PdfEncrypted, PdfError, PdfObject, Ref, Stream
from seal.formats.pdf.parser import Indirect, Parser, small_object
from seal.formats.pdf.xref import FREE, PACKED, PLAIN, Entry, Section, read_sections, startxref_at

MAX_DOCUMENT = 256 * 1024 * 1024
_MAX_REFERENCES = 16
_MAX_PACKED = 100_000
_LINE_ENDS = b"\x00\t\n\x0c\r "


def looks_like_pdf(data: bytes) -> bool:
    """Tell whether ``data`` says it is a PDF."""
    return b"%PDF-" in data[:1024]


@dataclass(frozen=True, slots=True)
class Revision:
    """One saving of the file: the octets ``[start, end)`` and the sections that came with it, newest first."""

    start: int
    eof: int
    """The octet after ``%%EOF``."""
    end: int
    """The octet after the white space that follows it."""
    sections: tuple[Section, ...]


class Document:
    """A PDF's octets and its cross-reference chain."""

    def __init__(self, data: bytes) -> None:
        if len(data) > MAX_DOCUMENT:
            raise PdfError(f"the file is larger than {MAX_DOCUMENT} octets")
        # What stands before the header shifts offsets for some readers and not for others.
        if not data.startswith(b"%PDF-"):
            raise PdfError("the file does not begin with %PDF-")
        self.data = data
        self.budget = Budget()
        self.sections = read_sections(data, self.budget)

    @property
    def trailer(self) -> PdfDict:
        """The newest trailer dictionary."""
        return self.sections[0].trailer

    @property
    def encrypted(self) -> bool:
        """Whether any revision says the document is encrypted."""
        return any("Encrypt" in section.trailer for section in self.sections)

    def check_revisions(self) -> None:
        """Refuse a document whose revisions cannot be told apart."""
        _ = self.revisions

    @property
    def current(self) -> "View":
        """The document as its newest revision shows it; a new view each time, so that nothing is held in a ring."""
        return View(self, self.sections)

    def refuse_encrypted(self) -> None:
        """Refuse an encrypted document."""
        if self.encrypted:
            raise PdfEncrypted("the document is encrypted; remove the password first")

    @cached_property
    def revisions(self) -> tuple[Revision, ...]:
        """Every saving of the file, oldest first; refused unless each ends where the next one starts."""
        found: list[Revision] = []
        start = 0
        for sections, eof in reversed(tuple(self._groups())):
            end = eof
            while end < len(self.data) and self.data[end] in _LINE_ENDS:
                end += 1
            if any(not start <= section.start < eof for section in sections):
                raise PdfError("the cross-reference sections do not follow one another")
            found.append(Revision(start, eof, end, sections))
            start = end
        return tuple(found)

    def view(self, revision: int) -> "View":
        """Give the document as ``revisions[revision]`` showed it."""
        chosen = [section for item in reversed(self.revisions[: revision + 1]) for section in item.sections]
        return View(self, tuple(chosen))

    def _groups(self) -> Iterator[tuple[tuple[Section, ...], int]]:
        """Group the sections by the ``startxref`` that closes them; a linearized file's first two go together."""
        waiting: tuple[Section, ...] = ()
        for section in self.sections:
            match = startxref_at(self.data, section.end)
            if match is None and section.is_stream and not waiting and (section.previous or 0) > section.start:
                # Some writers leave out the "startxref 0" below where the first-page section is a stream.
                waiting = (section,)
                continue
            if match is None:
                raise PdfError(f"no startxref and %%EOF follow the section at {section.start}")
            target = int(match[1])
            group = (*waiting, section)
            if target == group[0].start:
                yield group, match.end()
                waiting = ()
            elif target == 0 and not waiting:
                # Annex F: the first-page section of a linearized file ends in "startxref 0".
                waiting = (section,)
            else:
                raise PdfError(f"the startxref after the section at {section.start} points elsewhere")
        if waiting:
            raise PdfError("a linearized file lacks its main cross-reference section")


class View:
    """The document as the newest of ``sections`` shows it; objects are read when asked for, and kept."""

    def __init__(self, document: Document, sections: tuple[Section, ...]) -> None:
        self.document = document
        self.sections = sections
        self.trailer = sections[0].trailer
        self._objects: dict[Ref, PdfObject] = {}
        self._containers: dict[int, tuple[PdfObject, ...]] = {}
        self._container_numbers: dict[int, tuple[int, ...]] = {}
        self._container_repeats: dict[int, str | None] = {}
        self._reading: set[int] = set()

    @property
    def root(self) -> Ref:
        """The reference to the catalog."""
        root = self.trailer.get("Root")
        if not isinstance(root, Ref):
            raise PdfError("the trailer names no /Root")
        return root

    @cached_property
    def catalog(self) -> PdfDict:
        """The catalog."""
        return self.dictionary(self.root, "the catalog")

    def entry(self, number: int) -> Entry | None:
        """Give where object ``number`` is, by the newest section that speaks of it."""
        for section in self.sections:
            entry = section.lookup(number)
            if entry is not None:
                return entry
        return None

    def numbers(self) -> set[int]:
        """Give the numbers of all objects any section speaks of."""
        return {number for section in self.sections for number in section.numbers()}

    def place(self, number: int) -> tuple[int, int, int] | None:
        """Give what fixes an object's octets: alike in two views, the object is the same; None if there is none."""
        entry = self.entry(number)
        if entry is None or entry.kind == FREE:
            return None
        if entry.kind == PLAIN:
            return entry
        container = self.entry(entry.where)
        if container is None or container.kind != PLAIN:
            raise PdfError(f"object {number} is in a container that is not there")
        return PACKED, container.where, entry.minor

    def load(self, ref: Ref) -> PdfObject:
        """Give the object ``ref`` names; null if there is none (7.3.10)."""
        if ref in self._objects:
            return self._objects[ref]
        entry = self.entry(ref.number)
        if entry is None or entry.kind == FREE:
            return None
        # 7.5.7: what is packed is of generation 0.
        if ref.generation != (0 if entry.kind == PACKED else entry.minor):
            return None
        if entry.kind == PACKED:
            value = self.packed_member(entry, ref.number)
        else:
            small = small_object(self.document.data, entry.where)
            value = small.value if small and small.header == ref else self.indirect(ref.number).value
        self._objects[ref] = value
        return value

    def written(self, ref: Ref) -> bytes | None:
        """Give the octets of a small dictionary that stands by itself, says each thing once and holds no comment."""
        entry = self.entry(ref.number)
        if entry is None or entry.kind != PLAIN:
            return None
        small = small_object(self.document.data, entry.where)
        return small.written if small and small.header == ref else None

    def indirect(self, number: int) -> Indirect:
        """Read the object that stands in the file by itself, with the octets it takes up."""
        entry = self.entry(number)
        if entry is None or entry.kind != PLAIN:
            raise PdfError(f"object {number} does not stand by itself")
        if number in self._reading:
            raise PdfError(f"object {number} is needed to read itself")
        self._reading.add(number)
        try:
            found = Parser(self.document.data, entry.where).indirect(self.length)
        finally:
            self._reading.discard(number)
        if (found.number, found.generation) != (number, entry.minor):
            raise PdfError(f"object {found.number} stands where {number} should")
        return found

    def resolve(self, value: PdfObject) -> PdfObject:
        """Follow references until something else is met."""
        for _ in range(_MAX_REFERENCES):
            if not isinstance(value, Ref):
                return value
            value = self.load(value)
        raise PdfError("a chain of references has no end")

    def dictionary(self, value: PdfObject, what: str = "an entry") -> PdfDict:
        """Follow ``value`` to a dictionary (not a stream)."""
        found = self.resolve(value)
        if not isinstance(found, dict):
            raise PdfError(f"{what} is not a dictionary")
        return found

    def array(self, value: PdfObject, what: str = "an entry") -> list[PdfObject]:
        """Follow ``value`` to an array; nothing counts as an empty one."""
        found = self.resolve(value)
        if found is None:
            return []
        if not isinstance(found, list):
            raise PdfError(f"{what} is not an array")
        return found

    def members(self, container: int) -> tuple[int, ...]:
        """Give the object numbers held by object stream ``container``, in order."""
        self._open(container)
        return self._container_numbers[container]

    def repeated(self, container: int) -> str | None:
        """Give a key that a dictionary in object stream ``container`` has twice, if there is one."""
        self._open(container)
        return self._container_repeats[container]

    def length(self, value: PdfObject) -> int:
        """Follow ``value`` to a number."""
        length = self.resolve(value)
        if not isinstance(length, int):
            raise PdfError("a stream has no length")
        return length

    def packed_member(self, entry: Entry, number: int) -> PdfObject:
        """Give object ``number`` out of the object stream that ``entry`` names."""
        self._open(entry.where)
        numbers = self._container_numbers[entry.where]
        if entry.minor >= len(numbers) or numbers[entry.minor] != number:
            raise PdfError(f"object {number} is not in its container")
        return self._containers[entry.where][entry.minor]

    def _open(self, container: int) -> None:
        if container in self._containers:
            return
        stream = self.indirect(container).value
        if not isinstance(stream, Stream) or stream.entries.get("Type") != Name("ObjStm"):
            raise PdfError(f"object {container} is not an object stream")
        count, first = (self.length(stream.entries.get(key)) for key in ("N", "First"))
        if not 0 <= count <= _MAX_PACKED or first < 0:
            raise PdfError(f"an object stream of {count} objects")
        data = decode(stream, self.document.budget)
        head = Parser(data)
        pairs = [(head.integer(), head.integer()) for _ in range(count)]
        readers = [Parser(data, first + offset) for _, offset in pairs]
        self._containers[container] = tuple(_apart(readers, len(data)))
        self._container_repeats[container] = next((one.repeated for one in readers if one.repeated), None)
        self._container_numbers[container] = tuple(number for number, _ in pairs)


def _apart(readers: list[Parser], size: int) -> Iterator[PdfObject]:
    """Read the members of an object stream of ``size`` octets; refused if they overlap, which makes few of many."""
    for reader in readers:
        start = reader.position
        yield reader.value()
        size -= reader.position - start
        if size < 0:
            raise PdfError("the members of an object stream overlap")
