"""Appending a revision: new and replaced objects behind the octets that are there, which are never touched (7.5.6)."""

from dataclasses import dataclass, field

from crypto.digests import SHA256
from seal.formats.pdf.objects import Name, PdfArray, PdfDict, PdfError, PdfObject, Ref, Stream, write
from seal.formats.pdf.parser import MAX_NUMBER
from seal.formats.pdf.reader import Document, View

_ID_SIZE = 16
_KEPT_IN_TRAILER = ("Root", "Info")


@dataclass(slots=True)
class _Placed:
    generation: int
    offset: int


@dataclass(frozen=True, slots=True)
class Appended:
    """The octets to follow the document, and where in the whole file each new object's value starts."""

    tail: bytes = field(repr=False)
    values: dict[int, int]


class Appender:
    """Collects the objects of one new revision of the document that ``view`` shows as it now is."""

    def __init__(self, view: View) -> None:
        document = view.document
        document.refuse_encrypted()
        self._document = document
        self._view = view
        self._objects: dict[Ref, bytes] = {}
        self._extended: dict[Ref, PdfDict] = {}
        self._next = _free_number(document)

    def reserve(self) -> Ref:
        """Give a number to an object that will be written later."""
        if self._next >= MAX_NUMBER:
            raise PdfError("the document has no object numbers left")
        self._next += 1
        return Ref(self._next - 1, 0)

    def put(self, ref: Ref, value: PdfObject) -> None:
        """Write (or replace) the object ``ref``."""
        self._objects[ref] = write(value)

    def extend(self, ref: Ref, entries: PdfDict, more: PdfDict) -> None:
        """Write the dictionary ``ref``, which reads ``entries``, with ``more`` in it; what stands there is copied.

        What was added to it before stays in it.
        """
        more = self._extended[ref] = {**self._extended.get(ref, {}), **more}
        written = None if more.keys() & entries.keys() else self._view.written(ref)
        if written is None:
            self.put(ref, {**entries, **more})
        else:
            self._objects[ref] = written[:-2] + write(more)[2:]

    def put_written(self, ref: Ref, octets: bytes) -> None:
        """Take the object ``ref`` as already written out."""
        self._objects[ref] = octets

    def add_written(self, octets: bytes) -> Ref:
        """Take a new object as already written out."""
        ref = self.reserve()
        self.put_written(ref, octets)
        return ref

    def finish(self, salt: bytes) -> Appended:
        """Lay the revision out, its cross-reference section of the newest section's kind; ``salt`` makes the new ID."""
        data = self._document.data
        at = len(data)
        parts = [] if data.endswith((b"\n", b"\r")) else [b"\n"]
        at += sum(map(len, parts))
        placed: dict[int, _Placed] = {}
        values: dict[int, int] = {}
        for ref, body in self._objects.items():
            head = b"%d %d obj\n" % ref
            placed[ref.number] = _Placed(ref.generation, at)
            values[ref.number] = at + len(head)
            parts += (head, body, b"\nendobj\n")
            at += len(head) + len(body) + 8
        newest = self._document.sections[0]
        parts.append(self._stream(placed, at, salt) if newest.is_stream else self._table(placed, salt))
        parts.append(b"startxref\n%d\n%%%%EOF\n" % at)
        return Appended(b"".join(parts), values)

    def _trailer(self, salt: bytes) -> PdfDict:
        old = self._document.trailer
        trailer: PdfDict = {key: old[key] for key in _KEPT_IN_TRAILER if key in old}
        trailer["Prev"] = self._document.sections[0].start
        identifier = self._view.resolve(old.get("ID"))
        first = identifier[0] if isinstance(identifier, list) and identifier else None
        new = SHA256.digest(salt, first if isinstance(first, bytes) else b"")[:_ID_SIZE]
        trailer["ID"] = [first if isinstance(first, bytes) else new, new]
        return trailer

    def _table(self, placed: dict[int, _Placed], salt: bytes) -> bytes:
        parts = [b"xref\n"]
        for first, numbers in _runs(placed):
            parts.append(b"%d %d\n" % (first, len(numbers)))
            parts += (b"%010d %05d n\r\n" % (placed[number].offset, placed[number].generation) for number in numbers)
        trailer = {"Size": self._next, **self._trailer(salt)}
        return b"".join((*parts, b"trailer\n", write(trailer), b"\n"))

    def _stream(self, placed: dict[int, _Placed], at: int, salt: bytes) -> bytes:
        own = self.reserve()
        placed[own.number] = _Placed(0, at)
        index: PdfArray = []
        rows = []
        for first, numbers in _runs(placed):
            index += [first, len(numbers)]
            for number in numbers:
                row = placed[number]
                rows.append(b"\x01" + row.offset.to_bytes(4, "big") + row.generation.to_bytes(2, "big"))
        entries: PdfDict = {
            "Type": Name("XRef"),
            "Size": self._next,
            "W": [1, 4, 2],
            "Index": index,
            **self._trailer(salt),
        }
        return b"%d 0 obj\n%b\nendobj\n" % (own.number, write(Stream(entries, b"".join(rows))))


def _runs(placed: dict[int, _Placed]) -> list[tuple[int, list[int]]]:
    runs: list[tuple[int, list[int]]] = []
    for number in sorted(placed):
        if runs and runs[-1][0] + len(runs[-1][1]) == number:
            runs[-1][1].append(number)
        else:
            runs.append((number, [number]))
    return runs


def _free_number(document: Document) -> int:
    """Give the first number nobody uses; /Size is believed only where it is not too small (7.5.5)."""
    size = document.trailer.get("Size")
    if not isinstance(size, int) or size < 1:
        raise PdfError("the trailer has no /Size")
    return max(size, *(section.limit() for section in document.sections))
