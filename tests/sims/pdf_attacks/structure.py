"""Tricks with the file's structure: what one reader takes one way, and another otherwise."""

import zlib
from functools import cache, partial

from seal.formats.pdf.objects import Ref, write
from seal.formats.pdf.reader import Document
from tests.seal.pdf.forging import Update, changed, packed_update, stream
from tests.sims.pdf_attacks.family import Family, overwritten
from tests.sims.pdf_attacks.victim import CATALOG, FONT, FORGED, HONEST, NEW, PAGE, PAGES, RESOURCES, TEXT, UNUSED

STRUCTURE = Family("structure")
ENTRIES = Family("cross-reference entries")
CONTAINER = Family("another file around or behind")
_PAGE_WITH = b"/Contents %d 0 R" % UNUSED


def _doubled(sealed: bytes, number: int, key: bytes, second: bytes) -> bytes:
    """Say a key of a dictionary twice in a later revision."""
    body = changed(sealed, number)
    return Update({number: body[:-2] + key + second + b">>", NEW: b"1"}).after(sealed)


for number, key, value in (
    (PAGE, b"/Contents", b" %d 0 R" % UNUSED),
    (PAGE, b"/#43ontents", b" %d 0 R" % UNUSED),
    (PAGE, b"/Annots", b"[]"),
    (CATALOG, b"/Pages", b" 2 0 R"),
    (CATALOG, b"/AcroForm", b"<<>>"),
    (PAGES, b"/Kids", b"[3 0 R]"),
    (RESOURCES, b"/Font", b"<<>>"),
):
    what = f"key said twice: {key.decode()} of {number}"
    STRUCTURE.add(what, "A key stands twice in a dictionary", partial(_doubled, number=number, key=key, second=value))


def _once_more(sealed: bytes, trailer: bytes) -> bytes:
    return Update({NEW: b"1"}, trailer=trailer).after(sealed)


for what, entry in {
    "another root, said twice": b"/Root %d 0 R" % NEW,
    "another size, said twice": b"/Size 3",
    "another chain, said twice": b"/Prev 0",
    "a hidden section that is no number": b"/XRefStm 5 0 R",
    "a hidden section beyond the end": b"/XRefStm 99999999",
    "a hidden section at the header": b"/XRefStm 0",
    "encryption": b"/Encrypt<</Filter/Standard/V 1/R 2/P -4>>",
    "encryption by reference": b"/Encrypt %d 0 R" % NEW,
}.items():
    STRUCTURE.add(f"trailer with {what}", f"A later trailer with {what}", partial(_once_more, trailer=entry))


def _replaced(sealed: bytes, body: bytes, *, number: int = TEXT) -> bytes:
    return Update({number: body}).after(sealed)


_HONEST_DATA = b"BT /F 24 Tf 72 720 Td (to be paid: 100) Tj ET /Cover Do"
for what, body in {
    "length too short": HONEST.replace(b"/Length %d" % len(_HONEST_DATA), b"/Length 3"),
    "length too long": HONEST.replace(b"/Length %d" % len(_HONEST_DATA), b"/Length 999999"),
    "length negative": HONEST.replace(b"/Length %d" % len(_HONEST_DATA), b"/Length -1"),
    "length missing": HONEST.replace(b"/Length %d" % len(_HONEST_DATA), b""),
    "length by reference": HONEST.replace(b"/Length %d" % len(_HONEST_DATA), b"/Length 999 0 R"),
    "length of itself": HONEST.replace(b"/Length %d" % len(_HONEST_DATA), b"/Length 4 0 R"),
    "length said twice": HONEST.replace(b"/Length", b"/Length 3/Length"),
    "octets outside the file": HONEST.replace(b"/Length", b"/F(other.txt)/Length"),
    "filter that is none": HONEST.replace(b"/Length", b"/Filter/ASCIIHexDecode/Length"),
    "a comment before stream": HONEST.replace(b"\nstream", b"%endobj\nstream"),
    "a line end of its own": HONEST.replace(b"stream\nBT", b"stream\rBT"),
    "no endstream": HONEST.replace(b"endstream", b""),
    "the stream twice": HONEST + b"\n" + FORGED,
    "endobj within": stream(_HONEST_DATA + b"\nendstream\nendobj\n4 0 obj\n" + FORGED + b"\nendobj\n"),
}.items():
    STRUCTURE.add(f"stream with {what}", f"A text written anew with {what}", partial(_replaced, body=body))


@STRUCTURE
def generation_above(sealed: bytes) -> bytes:
    """A text of a later generation, which references do not mean."""
    return Update({TEXT: FORGED}, generations={TEXT: 1}).after(sealed)


@STRUCTURE
def generation_largest(sealed: bytes) -> bytes:
    """A text of the last generation there is."""
    return Update({TEXT: FORGED}, generations={TEXT: 65535}).after(sealed)


@STRUCTURE
def generation_of_the_entry_alone(sealed: bytes) -> bytes:
    """An entry of another generation than the object it points to."""
    at = sealed.index(b"%d 0 obj" % TEXT)
    return Update({}, rows={TEXT: b"%010d 00007 n" % at}).after(sealed)


@STRUCTURE
def object_twice_in_a_revision(sealed: bytes) -> bytes:
    """The same object twice in one revision: the first as it was, the second not."""
    honest = Update({TEXT: HONEST}).after(sealed)
    at = honest.rindex(b"xref\n", 0, honest.rindex(b"startxref"))
    body = b"%d 0 obj\n%b\nendobj\n" % (TEXT, FORGED)
    return (honest[:at] + body + honest[at:]).replace(b"startxref\n%d" % at, b"startxref\n%d" % (at + len(body)))


@STRUCTURE
def hybrid_that_disagrees(sealed: bytes) -> bytes:
    """A hidden section that says a text is elsewhere than the table does."""
    at = len(sealed)
    text = b"%d 0 obj\n%b\nendobj\n" % (TEXT, FORGED)
    row = b"\x01" + at.to_bytes(4, "big") + b"\0\0"
    entries = b"/Type/XRef/W[1 4 2]/Index[%d 1]/Size 300/Root 1 0 R" % TEXT
    hidden = at + len(text)
    whole = sealed + text + b"%d 0 obj\n%b\nendobj\n" % (NEW, stream(row, entries))
    start = len(whole)
    prev = Document(sealed).sections[0].start
    return whole + (
        b"xref\n%d 1\n%010d 00000 n\r\ntrailer\n<</Size 300/Root 1 0 R/Prev %d/XRefStm %d>>\nstartxref\n%d\n%%%%EOF\n"
        % (NEW, hidden, prev, hidden, start)
    )


@STRUCTURE
def packed_in_a_stream_that_extends_another(sealed: bytes) -> bytes:
    """A member of an object stream that names another one as its base."""
    body = b"%d 0 " % RESOURCES + changed(sealed, RESOURCES, Font={"F": Ref(21, 0)})
    entries = b"/Type/ObjStm/N 1/First %d/Extends 91 0 R" % len(b"%d 0 " % RESOURCES)
    return packed_update(
        sealed, stream(body, entries), [RESOURCES], more={91: stream(b"", b"/Type/ObjStm/N 0/First 0")}
    )


@STRUCTURE
def packed_and_unlisted(sealed: bytes) -> bytes:
    """An object stream of more members than the section lists."""
    body = b"%d 0 %d 2 1 " % (NEW, FONT) + b"<</Type/Font/Subtype/Type1/BaseFont/Symbol>>"
    head = len(b"%d 0 %d 2 " % (NEW, FONT))
    return packed_update(sealed, stream(body, b"/Type/ObjStm/N 2/First %d" % head), [NEW])


@STRUCTURE
def packed_catalog(sealed: bytes) -> bytes:
    """A catalog within an object stream, in the place of the one that was sealed."""
    body = changed(sealed, CATALOG, OpenAction=Ref(NEW, 0))
    packed = stream(b"1 0 " + body, b"/Type/ObjStm/N 1/First 4")
    return packed_update(sealed, packed, [CATALOG], more={NEW - 1: b"1"} if NEW - 1 != 99 else None)


@STRUCTURE
def second_catalog(sealed: bytes) -> bytes:
    """Another catalog that nothing leads to, for readers that rebuild."""
    return Update({NEW: changed(sealed, CATALOG, Pages=Ref(NEW + 1, 0))}).after(sealed)


@STRUCTURE
def second_page_tree_in_a_string(sealed: bytes) -> bytes:
    """Objects inside a string that nothing shows."""
    inside = b"2 0 obj <</Type/Pages/Kids[%d 0 R]/Count 1>> endobj" % NEW
    return Update({NEW: b"<</X(%b)>>" % inside}).after(sealed)


@STRUCTURE
def pages_by_a_chain_of_references(sealed: bytes) -> bytes:
    """What was a page tree becomes a reference to another."""
    tree = write({**Document(sealed).current.dictionary(Ref(PAGES, 0)), "Rotate": 90})
    return Update({PAGES: b"%d 0 R" % NEW, NEW: tree}).after(sealed)


@cache
def _bomb() -> bytes:
    return zlib.compress(bytes(100_000_000), 1)


@STRUCTURE
def object_stream_bomb(sealed: bytes) -> bytes:
    """An object stream that inflates to 100 MB."""
    return packed_update(sealed, stream(_bomb(), b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode"), [NEW])


# --- entries ---------------------------------------------------------------------------------------------------


def _entered(sealed: bytes, row: bytes, *, number: int = TEXT) -> bytes:
    return Update({}, rows={number: row}).after(sealed)


for what, row in {
    "freed": b"0000000000 00001 f",
    "freed of the last generation": b"0000000000 65535 f",
    "free and naming the next free one": b"0000000005 00001 f",
    "at the header": b"0000000000 00000 n",
    "beyond the end": b"9999999999 00000 n",
    "at an octet of no object": b"0000000012 00000 n",
}.items():
    ENTRIES.add(f"text {what}", f"A text's entry is {what}", partial(_entered, row=row))
ENTRIES.add("page freed", "A page's entry is free", partial(_entered, row=b"0000000000 00001 f", number=PAGE))
ENTRIES.add("catalog freed", "The catalog's entry is free", partial(_entered, row=b"0000000000 00001 f", number=1))


def _with_table(sealed: bytes, table: bytes) -> bytes:
    """Append a redefined text under a table written as ``table``; @ stands for where the text is."""
    at = len(sealed)
    out = sealed + b"%d 0 obj\n%b\nendobj\n" % (TEXT, FORGED)
    prev = Document(sealed).sections[0].start
    return (
        out
        + table.replace(b"@", b"%010d" % at)
        + (b"trailer\n<</Size 300/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (prev, len(out)))
    )


for what, table in {
    "of short lines": b"xref\n4 1\n@ 00000 n\n",
    "of long lines": b"xref\n4 1\n@ 00000 n   \n",
    "that lists a text twice": b"xref\n4 1\n@ 00000 n\r\n4 1\n0000000009 00000 n\r\n",
    "that lists a text within a run": b"xref\n3 2\n0000000009 00000 n\r\n@ 00000 n\r\n",
    "on one line": b"xref 4 1 @ 00000 n\r\n",
    "with a comment": b"xref\n4 1 %1 0 obj\n@ 00000 n\r\n",
    "with a sign": b"xref\n+4 1\n@ 00000 n\r\n",
    "with a count too small": b"xref\n4 1\n@ 00000 n\r\n0000000009 00000 n\r\n",
    "with a count too large": b"xref\n4 2\n@ 00000 n\r\n",
    "with a huge count": b"xref\n4 8000000\n@ 00000 n\r\n",
    "with a huge number": b"xref\n8388606 1\n@ 00000 n\r\n",
    "with a number past the limit": b"xref\n99999999 1\n@ 00000 n\r\n",
    "with a negative number": b"xref\n-4 1\n@ 00000 n\r\n",
    "of carriage returns": b"xref\r4 1\r@ 00000 n\r\n",
    "with an entry for object 0": b"xref\n0 1\n@ 00000 n\r\n",
    "of letters": b"xref\n4 1\n@ 00000 N\r\n",
}.items():
    ENTRIES.add(f"table {what}", f"A table {what}", partial(_with_table, table=table))

# --- other files -----------------------------------------------------------------------------------------------


@CONTAINER
def zip_behind(sealed: bytes) -> bytes:
    """A ZIP archive behind the end: an OFD for one reader, a PDF for another."""
    return sealed + b"PK\x05\x06" + bytes(18)


@CONTAINER
def zip_before(sealed: bytes) -> bytes:
    """A ZIP archive's first entry before the header."""
    return b"PK\x03\x04" + bytes(26) + sealed


@CONTAINER
def page_of_html_before(sealed: bytes) -> bytes:
    """A web page before the header."""
    return b"<html><!--" + sealed + b"--></html>"


@CONTAINER
def octets_of_the_file_twice(sealed: bytes) -> bytes:
    """The sealed file, and the sealed file once more."""
    return sealed + sealed


@CONTAINER
def embedded_in_a_later_revision(sealed: bytes) -> bytes:
    """A file attached in a later revision that is the sealed file."""
    return Update({NEW: stream(sealed)}).after(sealed)


@CONTAINER
def overwritten_in_place(sealed: bytes) -> bytes:
    """A sealed text changed where it stands."""
    return overwritten(sealed, b"(VOID)", b"(GOOD)")


@CONTAINER
def octet_taken_away(sealed: bytes) -> bytes:
    """An octet of the first revision is gone, so that nothing is where it should be."""
    return sealed[:200] + sealed[201:]


@CONTAINER
def version_changed(sealed: bytes) -> bytes:
    """The header says another version."""
    return overwritten(sealed, b"%PDF-1.7", b"%PDF-1.3")
