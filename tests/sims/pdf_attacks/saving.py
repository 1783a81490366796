"""Incremental saving attacks: objects behind the sealed octets, in shapes that readers repair each in its own way."""

from seal.formats.pdf.objects import Ref, write
from seal.formats.pdf.reader import Document
from tests.seal.pdf.forging import Update, changed, stream
from tests.sims.pdf_attacks.family import Family, overwritten
from tests.sims.pdf_attacks.victim import CATALOG, FORGED, NEW, PAGES, SECOND, TEXT, classic

SAVING = Family("incremental saving")
CHAIN = Family("chain of revisions")
_TEXT = b"%d 0 obj\n%b\nendobj\n" % (TEXT, FORGED)


def _prev(sealed: bytes) -> int:
    return Document(sealed).sections[0].start


def _end(sealed: bytes) -> bytes:
    return b"startxref\n%d\n%%%%EOF\n" % _prev(sealed)


def _table(sealed: bytes, rows: bytes, *, prev: int | None = None) -> bytes:
    start = len(sealed) + len(_TEXT)
    prev = _prev(sealed) if prev is None else prev
    return b"xref\n%btrailer\n<</Size 200/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (rows, prev, start)


def _row(sealed: bytes) -> bytes:
    return b"%d 1\n%010d 00000 n\r\n" % (TEXT, len(sealed))


@SAVING
def bare_object(sealed: bytes) -> bytes:
    """A redefined object behind the end, and nothing else."""
    return sealed + _TEXT


@SAVING
def empty_table(sealed: bytes) -> bytes:
    """A redefined object that the table of its revision does not list."""
    return sealed + _TEXT + _table(sealed, b"")


@SAVING
def table_of_no_entries(sealed: bytes) -> bytes:
    """A subsection that says it has no entries, with one behind it."""
    return sealed + _TEXT + _table(sealed, b"%d 0\n" % TEXT)


@SAVING
def broken_table(sealed: bytes) -> bytes:
    """Entries that are no entries, so that readers rebuild the file."""
    return sealed + _TEXT + _table(sealed, b"%d 1\nnonsense n\n" % TEXT)


@SAVING
def bare_trailer(sealed: bytes) -> bytes:
    """A trailer without a table, as readers look for when they rebuild."""
    return sealed + _TEXT + b"trailer\n<</Size 200/Root 1 0 R/Prev %d>>\n" % _prev(sealed)


@SAVING
def bare_trailer_and_old_end(sealed: bytes) -> bytes:
    """A trailer without a table, and an end that points at the sealed table."""
    return sealed + _TEXT + b"trailer\n<</Size 200/Root 1 0 R>>\n" + _end(sealed)


@SAVING
def startxref_without_end(sealed: bytes) -> bytes:
    """A good table whose startxref is followed by no %%EOF."""
    return sealed + (_TEXT + _table(sealed, _row(sealed))).replace(b"%%EOF\n", b"")


@SAVING
def old_startxref(sealed: bytes) -> bytes:
    """A redefined object, then an end that points at the sealed table."""
    return sealed + _TEXT + _end(sealed)


@SAVING
def startxref_zero(sealed: bytes) -> bytes:
    """An end that points nowhere."""
    return sealed + _TEXT + b"xref\n%btrailer\n<</Root 1 0 R>>\nstartxref\n0\n%%%%EOF\n" % _row(sealed)


@SAVING
def startxref_beyond_the_end(sealed: bytes) -> bytes:
    """An end that points behind the file."""
    return sealed + _TEXT + b"startxref\n99999999\n%%EOF\n"


@SAVING
def empty_xref_stream(sealed: bytes) -> bytes:
    """A cross-reference stream that lists itself alone."""
    at = len(sealed) + len(_TEXT)
    row = b"\x01" + at.to_bytes(4, "big") + b"\x00\x00"
    entries = b"/Type/XRef/W[1 4 2]/Index[199 1]/Size 200/Root 1 0 R/Prev %d" % _prev(sealed)
    body = b"199 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (stream(row, entries), at)
    return sealed + _TEXT + body


@SAVING
def short_xref_stream(sealed: bytes) -> bytes:
    """A cross-reference stream of fewer entries than it says."""
    at = len(sealed) + len(_TEXT)
    entries = b"/Type/XRef/W[1 4 2]/Index[%d 1 199 1]/Size 200/Root 1 0 R/Prev %d" % (TEXT, _prev(sealed))
    return sealed + _TEXT + b"199 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (stream(b"\x01", entries), at)


@SAVING
def page_tree_redefined(sealed: bytes) -> bytes:
    """A well-formed update with another page tree and another page."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R>>" % (NEW + 1)
    return Update({PAGES: changed(sealed, PAGES, Kids=[Ref(NEW, 0)], Count=1), NEW: page, NEW + 1: FORGED}).after(
        sealed
    )


@SAVING
def text_redefined(sealed: bytes) -> bytes:
    """A well-formed update of what a page shows."""
    return Update({TEXT: FORGED}).after(sealed)


@SAVING
def second_header(sealed: bytes) -> bytes:
    """A header behind the end, then the update: some readers count offsets from the last header."""
    return Update({NEW: b"1"}).after(sealed + b"%PDF-1.7\n")


@SAVING
def header_before_the_first(sealed: bytes) -> bytes:
    """Octets before the header, which shift every offset for some readers."""
    return b"%!PS\n" + sealed


@SAVING
def object_before_the_header(sealed: bytes) -> bytes:
    """A redefined object before the header."""
    return _TEXT + sealed


@SAVING
def object_between_table_and_end(sealed: bytes) -> bytes:
    """A redefined object between the trailer and its startxref."""
    update = Update({NEW: b"1"}).after(sealed)
    at = update.rindex(b"startxref")
    return update[:at] + _TEXT + update[at:]


@SAVING
def object_in_a_comment(sealed: bytes) -> bytes:
    """A redefined object on the lines of comments."""
    update = Update({NEW: b"1"}).after(sealed)
    at = update.rindex(b"xref\n", 0, update.rindex(b"startxref"))
    moved = update[:at] + b"%" + _TEXT.replace(b"\n", b"\r%") + b"\n" + update[at:]
    shift = len(moved) - len(update)
    return moved.replace(b"startxref\n%d" % at, b"startxref\n%d" % (at + shift))


@SAVING
def after_the_last_end(sealed: bytes) -> bytes:
    """A line end more than there was, then a comment."""
    return sealed + b"\n%%EOF\n"


@SAVING
def far_from_the_end(sealed: bytes) -> bytes:
    """So many blanks that readers do not find the end."""
    return sealed + b" " * 3000


@CHAIN
def another_document(sealed: bytes) -> bytes:
    """A whole document behind the sealed one, whose table leads back to nothing."""
    return sealed + _moved(classic(), len(sealed))


@CHAIN
def back_to_before_the_seal(sealed: bytes) -> bytes:
    """A revision whose /Prev passes over the seal's."""
    first = Document(sealed).sections[-1].start
    return Update({TEXT: FORGED}, kept={"Prev": first}).after(sealed)


@CHAIN
def hidden_revision(sealed: bytes) -> bytes:
    """Two revisions, the second passing over the first, which readers that rebuild the file show."""
    prev = _prev(sealed)
    return Update({NEW: b"1"}, kept={"Prev": prev}).after(Update({TEXT: FORGED}).after(sealed))


@CHAIN
def chain_that_misses_the_newest_seal(sealed: bytes) -> bytes:
    """A revision in the place of the newest seal's."""
    older = Document(sealed).sections[1].start
    return Update({NEW: b"1"}, kept={"Prev": older}).after(sealed)


@CHAIN
def prev_to_itself(sealed: bytes) -> bytes:
    """A section that names itself as the one before it."""
    update = Update({TEXT: FORGED}).after(sealed)
    return Update({TEXT: FORGED}, kept={"Prev": Document(update).sections[0].start}).after(sealed)


@CHAIN
def prev_ahead(sealed: bytes) -> bytes:
    """A section that names a later one as the one before it, which names it in turn."""
    one = Update({NEW: b"1"}).after(sealed)
    first = Document(one).sections[0].start
    two = Update({TEXT: FORGED}, kept={"Prev": first}).after(one)
    second = Document(two).sections[0].start
    return two.replace(b"/Prev %d" % _prev(sealed), b"/Prev %d" % second)


@CHAIN
def prev_out_of_order(sealed: bytes) -> bytes:
    """Sections that follow one another otherwise than they stand in the file."""
    one = Update({TEXT: FORGED}, kept={"Prev": Document(sealed).sections[-1].start}).after(sealed)
    return Update({NEW: b"1"}).after(one)


@CHAIN
def prev_is_a_real_number(sealed: bytes) -> bytes:
    """/Prev with its point, which some readers take and others do not."""
    return Update({TEXT: FORGED}, kept={"Prev": float(_prev(sealed))}).after(sealed)


@CHAIN
def another_catalog(sealed: bytes) -> bytes:
    """A trailer that leads to another catalog."""
    root = write({**Document(sealed).current.catalog})
    return Update({NEW: root}, kept={"Root": Ref(NEW, 0)}).after(sealed)


@CHAIN
def catalog_of_another_generation(sealed: bytes) -> bytes:
    """A catalog of the same number and a later generation."""
    root = changed(sealed, CATALOG)
    return Update({CATALOG: root}, generations={CATALOG: 1}, kept={"Root": Ref(CATALOG, 1)}).after(sealed)


@CHAIN
def a_thousand_revisions(sealed: bytes) -> bytes:
    """More revisions than anybody makes."""
    out = bytearray(sealed)
    prev = _prev(sealed)
    for _ in range(1000):
        start = len(out)
        out += b"xref\ntrailer\n<</Size 200/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (prev, start)
        prev = start
    return bytes(out)


@CHAIN
def last_octets_cut_off(sealed: bytes) -> bytes:
    """The end of the newest seal's revision taken away."""
    return sealed[:-8]


@CHAIN
def newest_seal_cut_off_in_part(sealed: bytes) -> bytes:
    """The file cut within the newest seal's revision, and closed by an end that points at the revision before."""
    before = Document(sealed).sections[1].start
    cut = sealed[: sealed.rindex(b"xref", 0, sealed.rindex(b"startxref"))]
    return cut + b"\nstartxref\n%d\n%%%%EOF\n" % before


@CHAIN
def linearized_later(sealed: bytes) -> bytes:
    """A dictionary in a later revision that says the file is linearized, with a first page of its own."""
    lead = b"<</Linearized 1/L %d/H[0 1]/O %d/E 1/N 1/T 1>>" % (len(sealed), NEW + 1)
    return Update({NEW: lead, NEW + 1: changed(sealed, SECOND), TEXT: FORGED}).after(sealed)


@CHAIN
def first_page_section_later(sealed: bytes) -> bytes:
    """A later revision of two sections, the first ending in startxref 0, as in a linearized file."""
    one = sealed + _TEXT + b"xref\n%btrailer\n<</Size 200/Root 1 0 R/Prev @>>\nstartxref\n0\n%%%%EOF\n" % _row(sealed)
    first = len(sealed) + len(_TEXT)
    main = one.index(b"%%EOF", first) + 6
    two = b"xref\ntrailer\n<</Size 200/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (_prev(sealed), first)
    return one.replace(b"@", b"%d" % (main + len(b"%d" % main) - 1)) + two


@CHAIN
def sealed_length_kept(sealed: bytes) -> bytes:
    """The sealed text overwritten in its place, the length kept."""
    return overwritten(sealed, b"(to be paid: 100)", b"(to be paid: 999)")


def _moved(document: bytes, by: int) -> bytes:
    """Give a document with a classic table as it must be to stand ``by`` octets further back."""
    table = document.rindex(b"xref\n", 0, document.rindex(b"startxref"))
    body, rest = document[:table], document[table:]
    lines = rest.split(b"\r\n")
    moved = [b"%010d%b" % (int(line[:10]) + by, line[10:]) if line.endswith(b" n") else line for line in lines]
    return body + b"\r\n".join(moved).replace(b"startxref\n%d" % table, b"startxref\n%d" % (table + by))
