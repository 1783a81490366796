"""What a signature covers: its two ranges must leave out its own /Contents and nothing else (ISO 32000-2 12.8.1).

Strict on purpose: universal forgery, signature wrapping and incremental saving attacks all live in what a lenient
reading lets through.
"""

from dataclasses import dataclass, field

from seal.formats.pdf.form import Field
from seal.formats.pdf.objects import PdfDict, PdfError, PdfObject, Ref
from seal.formats.pdf.parser import Parser
from seal.formats.pdf.reader import Document, View
from seal.formats.pdf.xref import PLAIN


@dataclass(frozen=True, slots=True)
class Covered:
    """A signature dictionary whose place and ranges hold together."""

    shown_by: Field
    ref: Ref
    entries: PdfDict
    contents: bytes = field(repr=False)
    gap: tuple[int, int]
    end: int
    revision: int
    """Index of the revision that the signature ends with."""

    def parts(self, data: bytes) -> tuple[memoryview, memoryview]:
        """Give the octets that were signed."""
        whole = memoryview(data)
        return whole[: self.gap[0]], whole[self.gap[1] : self.end]


def covered(document: Document, view: View, signed: Field) -> Covered:
    """Check the place, ranges and contents of the signature in ``signed``; PdfError says what is wrong."""
    # 1. The signature is an object of its own, so that its octets can be pointed at.
    ref = signed.value
    if not isinstance(ref, Ref):
        raise PdfError("the signature is not an object of its own")
    entry = view.entry(ref.number)
    if entry is None or entry.kind != PLAIN or entry.minor != ref.generation:
        raise PdfError("the signature is not an object of its own")
    start = view.indirect(ref.number).start
    # 2. Its dictionary says each thing once.
    parser = Parser(document.data, start)
    parser.header()
    entries: PdfDict = {}
    places: dict[str, tuple[int, int]] = {}
    for key, value, begin, end in parser.spans():
        if key in entries:
            raise PdfError(f"the signature says /{key} twice")
        entries[key], places[key] = value, (begin, end)
    # 3. /Contents is one hexadecimal string, and the ranges leave out exactly that.
    contents = entries.get("Contents")
    gap = places.get("Contents", (0, 0))
    if not isinstance(contents, bytes) or not contents or document.data[gap[0]] != ord("<"):
        raise PdfError("/Contents is not a hexadecimal string")
    # Blanks and an odd digit change nothing of the value, and yet the octets are not those that the signer wrote.
    if gap[1] - gap[0] != 2 * len(contents) + 2 or not document.data[gap[0] + 1 : gap[1] - 1].isalnum():
        raise PdfError("/Contents is not written in pairs of digits")
    end = _end(entries.get("ByteRange"), gap, len(document.data))
    # 4. They end where a revision ends.
    for index, revision in enumerate(document.revisions):
        if revision.eof <= end <= revision.end and gap[0] < revision.eof:
            return Covered(signed, ref, entries, contents, gap, end, index)
    raise PdfError("the byte range does not end where a revision ends")


def _end(byte_range: PdfObject, gap: tuple[int, int], size: int) -> int:
    numbers = byte_range if isinstance(byte_range, list) else []
    if len(numbers) != 4 or any(type(number) is not int for number in numbers):  # noqa: PLR2004 - two pairs
        raise PdfError("/ByteRange is not two pairs of numbers")
    first, before, second, after = (number for number in numbers if isinstance(number, int))
    if first != 0 or (before, second) != gap:
        raise PdfError("the byte range does not leave out exactly /Contents")
    if after < 0 or second + after > size:
        raise PdfError("the byte range reaches beyond the file")
    return second + after
