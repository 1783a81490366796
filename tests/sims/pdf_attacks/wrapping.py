"""Signature wrapping: the signed octets are all there, and others beside them within the range's gap or behind it."""

from seal.formats.pdf.reader import Document
from tests.seal.pdf.forging import Update
from tests.sims.pdf_attacks.family import Family, seal_of
from tests.sims.pdf_attacks.victim import FORGED, NEW, TEXT

WRAPPING = Family("signature wrapping")
_TEXT = b"%d 0 obj\n%b\nendobj\n" % (TEXT, FORGED)


def _contents(sealed: bytes, new: bytes) -> bytes:
    """Put ``new`` in the place of the newest seal's /Contents, whatever its length."""
    start, end = seal_of(sealed).gap
    return sealed[:start] + new + sealed[end:]


def _hex(sealed: bytes) -> bytes:
    start, end = seal_of(sealed).gap
    return sealed[start:end]


def _range(sealed: bytes, numbers: bytes) -> bytes:
    """Write other numbers over the newest seal's /ByteRange."""
    start, _ = seal_of(sealed).gap
    at = sealed.rindex(b"/ByteRange", 0, start) + len(b"/ByteRange")
    end = sealed.index(b"]", at) + 1
    blank = len(sealed[end:start]) - len(sealed[end:start].lstrip(b" "))
    assert len(numbers) <= end + blank - at
    return sealed[:at] + numbers.ljust(end + blank - at) + sealed[end + blank :]


def _stretched(sealed: bytes, inside: bytes) -> bytes:
    """Put ``inside`` behind /Contents, and let the second range begin behind it."""
    start, end = seal_of(sealed).gap
    second, rest = end + len(inside), len(sealed) - end
    wider = _range(sealed, b"[0 %d %d %d]" % (start, second, rest))
    return wider[:end] + inside + wider[end:]


def _wrapped(sealed: bytes, entry: bytes) -> bytes:
    """Put another text and table in a gap made wide enough, the table where the sealed end says that one is.

    The signed octets behind the gap, which hold that end, move back and become part of an object that nobody reads.
    """
    start, end = seal_of(sealed).gap
    newest, older = Document(sealed).sections[:2]
    view, table = Document(sealed).current, newest.start
    before = entry + b">>\nendobj\n"
    rows: dict[int, int] = {}
    for number in newest.numbers():
        read = view.indirect(number)
        if read.start == table:
            continue
        rows[number] = read.start
        if read.start > end:
            # What stood behind the gap moves back with it: a copy takes its place.
            rows[number] = end + len(before)
            before += sealed[read.start : read.end] + b"\n"
    head = b"<</Size 200/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (older.start, table)
    size = len(b"xref\ntrailer\n") + len(head) + sum(len(b"%d 1\n" % number) + 20 for number in {*rows, TEXT})
    before = before.ljust(table - end)
    rows[TEXT] = end + len(before) + size
    listed = b"".join(b"%d 1\n%010d 00000 n\r\n" % row for row in sorted(rows.items()))
    inside = before + b"xref\n" + listed + b"trailer\n" + head + _TEXT + b"199 0 obj\n<<"
    second = end + len(inside)
    moved = sealed[:end] + inside + sealed[end:]
    if b"/ByteRange" in entry:
        return moved.replace(b"@" * 20, (b"%d %d" % (second, len(sealed) - end)).ljust(20))
    wider = _range(sealed, b"[0 %d %d %d]" % (start, second, len(sealed) - end))
    return wider[:end] + inside + wider[end:]


@WRAPPING
def gap_stretched_by_an_entry(sealed: bytes) -> bytes:
    """An entry behind /Contents, in a gap made wide enough."""
    return _stretched(sealed, b"/Contact(x)")


@WRAPPING
def gap_of_blanks(sealed: bytes) -> bytes:
    """Blanks behind /Contents, in the gap."""
    return _stretched(sealed, b" " * 40)


@WRAPPING
def objects_moved_into_the_gap(sealed: bytes) -> bytes:
    """Another text and table in a gap made wide enough, the signed octets moved back."""
    return _wrapped(sealed, b"")


@WRAPPING
def objects_under_a_second_byte_range(sealed: bytes) -> bytes:
    """The same, but the signed range stays as it was, and another follows /Contents in the gap."""
    start, _ = seal_of(sealed).gap
    return _wrapped(sealed, b"/ByteRange[0 %d %b]" % (start, b"@" * 20))


@WRAPPING
def second_byte_range(sealed: bytes) -> bytes:
    """Another /ByteRange in the gap, behind /Contents."""
    return _stretched(sealed, b"/ByteRange[0 1 2 3]")


@WRAPPING
def second_contents(sealed: bytes) -> bytes:
    """Another /Contents in the gap."""
    return _stretched(sealed, b"/Contents<00>")


@WRAPPING
def range_moved_to_an_inner_string(sealed: bytes) -> bytes:
    """Ranges that leave out more than /Contents."""
    start, end = seal_of(sealed).gap
    return _range(sealed, b"[0 %d %d %d]" % (start - 10, end, len(sealed) - end))


@WRAPPING
def range_that_ends_early(sealed: bytes) -> bytes:
    """Ranges that end before the revision does."""
    start, end = seal_of(sealed).gap
    return _range(sealed, b"[0 %d %d %d]" % (start, end, len(sealed) - end - 100))


@WRAPPING
def range_from_the_first_object(sealed: bytes) -> bytes:
    """Ranges that leave out the header."""
    start, end = seal_of(sealed).gap
    return _range(sealed, b"[9 %d %d %d]" % (start - 9, end, len(sealed) - end))


@WRAPPING
def three_ranges(sealed: bytes) -> bytes:
    """A third range of no length."""
    start, end = seal_of(sealed).gap
    return _range(sealed, b"[0 %d %d %d %d 0]" % (start, end, len(sealed) - end, end))


@WRAPPING
def ranges_that_overlap(sealed: bytes) -> bytes:
    """A second range that begins within the first."""
    start, _ = seal_of(sealed).gap
    return _range(sealed, b"[0 %d 0 %d]" % (start, len(sealed)))


@WRAPPING
def padding_of_other_octets(sealed: bytes) -> bytes:
    """Octets other than zero behind the message, in the room laid aside for it."""
    digits = _hex(sealed)
    message = digits[1:-1].rstrip(b"0")
    return _contents(sealed, b"<" + message.ljust(len(digits) - 2, b"0")[:-8] + b"deadbeef>")


@WRAPPING
def padding_that_is_an_object(sealed: bytes) -> bytes:
    """Signed octets kept; /Contents closed early, the rest of its room an entry of the dictionary."""
    digits = _hex(sealed)
    return _contents(sealed, digits[:-30] + b">/Reason(" + b"x" * 19 + b")")


@WRAPPING
def contents_with_blanks(sealed: bytes) -> bytes:
    """Blanks within the hexadecimal string, which takes up the same room."""
    digits = _hex(sealed)
    return _contents(sealed, digits[:9] + b"\n \t" + digits[9:-4] + b">")


@WRAPPING
def contents_with_an_odd_digit(sealed: bytes) -> bytes:
    """One digit less, and a blank for it."""
    digits = _hex(sealed)
    return _contents(sealed, digits[:-2] + b" >")


@WRAPPING
def contents_with_a_comment(sealed: bytes) -> bytes:
    """A comment within the hexadecimal string, which some readers skip."""
    digits = _hex(sealed)
    return _contents(sealed, digits[:-20] + b"%4 0 obj<<>>endobj\n>")


@WRAPPING
def contents_as_a_literal(sealed: bytes) -> bytes:
    """The message as a literal string of the same room."""
    digits = _hex(sealed)
    octets = bytes.fromhex(digits[1:-1].decode())
    escaped = b"".join(b"\\%03o" % octet for octet in octets[:40])
    return _contents(sealed, (b"(" + escaped).ljust(len(digits) - 1, b" ") + b")")


@WRAPPING
def contents_by_reference(sealed: bytes) -> bytes:
    """The message in an object of its own."""
    digits = _hex(sealed)
    return Update({NEW: digits}).after(_contents(sealed, (b"%d 0 R" % NEW).ljust(len(digits))))


@WRAPPING
def gap_as_a_name(sealed: bytes) -> bytes:
    """The message's room as a name and a string."""
    digits = _hex(sealed)
    return _contents(sealed, b"<00>/Z" + digits[6:])


@WRAPPING
def dictionary_copied_with_a_wider_gap(sealed: bytes) -> bytes:
    """The signature's dictionary written anew behind the signed octets, its ranges those of the old one."""
    seal = seal_of(sealed)
    read = Document(sealed).current.indirect(seal.signature)
    body = sealed[read.start : read.end].split(b"obj", 1)[1][: -len(b"endobj")]
    return Update({seal.signature: body.strip()}).after(sealed)
