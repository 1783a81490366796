"""Files made to cost much: answered by a finding, and refused for sealing, after little work."""

import zlib
from collections.abc import Callable

import pytest

from kernel.errors import Refusal
from seal.formats.pdf import PDF_PADES, verify_pdf
from seal.model import Mark, Report, Verdict
from seal.placing import AtPoint
from tests.fuzz.campaign import judge
from tests.fuzz.target import Target
from tests.seal.pdf.forging import Update, packed_update, stream
from tests.seal.pdf.making import NOW, Sealer, make_picture, plain_pdf
from tests.sims.pdf_foreign import objects
from tests.sims.pdf_makers import streamed_pdf

SECONDS = 20.0
"""A hang, and nothing less, fails here; docs/robustness.md tells what each takes."""
BASE = plain_pdf(objects())
_BYTES = 70_000_000


def _packed(data: bytes, entries: bytes, members: int = 1) -> bytes:
    """Put an object stream that must be opened behind a page: it claims to hold the page."""
    return packed_update(BASE, stream(data, b"/Type/ObjStm" + entries), [3, *range(100, 99 + members)])


def _first(filters: bytes, data: bytes) -> bytes:
    return _packed(data, b"/N 1/First 4/Filter" + filters)


def _revisions(document: bytes, count: int) -> bytes:
    out = bytearray(document)
    prev = int(document.rsplit(b"startxref", 1)[1].split()[0])
    for _ in range(count):
        start = len(out)
        out += b"xref\ntrailer\n<</Size 9000/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (prev, start)
        prev = start
    return bytes(out)


def _deep(depth: int) -> bytes:
    """Nest a page tree."""
    nodes = [b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % (number + 3) for number in range(depth)]
    return plain_pdf([b"<</Type/Catalog/Pages 2 0 R>>", *nodes, b"<</Type/Page>>"])


def _fields(count: int) -> bytes:
    kids = b" ".join(b"%d 0 R" % (number + 6) for number in range(count))
    fields = tuple(b"<</FT/Tx/T(%d)>>" % number for number in range(count))
    return plain_pdf(objects(catalog=b"/AcroForm<</Fields[%b]>>" % kids, more=fields))


def _table(block: bytes, trailer: bytes = b"") -> bytes:
    at = len(BASE)
    end = b"trailer\n<</Size 9/Root 1 0 R/Prev %b%b>>\nstartxref\n%d\n%%%%EOF\n"
    return BASE + b"xref\n" + block + end % (BASE.rsplit(b"startxref", 1)[1].split()[0], trailer, at)


_ROW = b"0000000000 00000 f\r\n"
COSTLY: dict[str, Callable[[], bytes]] = {
    "a page tree in a loop": lambda: plain_pdf(objects()).replace(b"/Kids[3 0 R]", b"/Kids[2 0 R]"),
    "a page tree of 20,000 levels": lambda: _deep(20_000),
    "a page tree whose nodes all name all": lambda: plain_pdf(
        [b"<</Type/Catalog/Pages 2 0 R>>", *[b"<</Kids[%b]>>" % b" ".join(b"%d 0 R" % n for n in range(2, 300))] * 300]
    ),
    "sections in a loop": lambda: plain_pdf(objects(), trailer=b"/Prev %d" % BASE.rindex(b"xref\n0")),
    "5,000 revisions": lambda: _revisions(BASE, 5_000),
    "150 revisions of 1,000 fields": lambda: _revisions(_fields(1_000), 150),
    "20,001 fields": lambda: _fields(20_001),
    "a million arrays within one another": lambda: Update({3: b"[" * 1_000_000 + b"]" * 1_000_000}).after(BASE),
    "a million dictionaries within one another": lambda: Update({3: b"<</A" * 1_000_000}).after(BASE),
    "a string that never ends": lambda: Update({3: b"(" * 1_000_000}).after(BASE),
    "an object stream that inflates to 70 MB": lambda: _first(b"/FlateDecode", zlib.compress(bytes(_BYTES), 1)),
    "a stream deflated twice": lambda: _first(
        b"[/FlateDecode/FlateDecode]", zlib.compress(zlib.compress(bytes(_BYTES), 1))
    ),
    "a chain of 10,000 filters": lambda: _first(b"[" + b"/FlateDecode" * 10_000 + b"]", b""),
    "hexadecimal digits": lambda: _first(b"/ASCIIHexDecode", b"00" * 1_000_000 + b">"),
    "z in base 85": lambda: _first(b"/ASCII85Decode", b"z" * 1_000_000 + b"~>"),
    "LZW": lambda: _first(b"/LZWDecode", bytes(1_000_000)),
    "runs": lambda: _first(b"/RunLengthDecode", b"\x81\0" * 500_000),
    "a predictor of one column": lambda: _first(
        b"/FlateDecode/DecodeParms<</Predictor 15/Columns 1>>", zlib.compress(b"\x04\0" * 15_000_000, 1)
    ),
    "members that are all the same large one": lambda: _packed(
        b" ".join(b"%d 0" % number for number in (3, *range(100, 20_099))).ljust(300_000)
        + b"["
        + b"0 " * 50_000
        + b"]",
        b"/N 20000/First 300000",
    ),
    "a million members": lambda: _packed(b"3 0 1", b"/N 1000000/First 4"),
    "a length that is longer than the file": lambda: Update({3: b"<</Length 99999999999>>\nstream\n\nendstream"}).after(
        BASE
    ),
    "a length by a chain of lengths": lambda: Update(
        {number: b"<</Length %d 0 R>>\nstream\n\nendstream" % (number + 1) for number in range(3, 150)}
    ).after(BASE),
    "references in a chain": lambda: Update({number: b"%d 0 R" % (number + 1) for number in range(3, 199)}).after(BASE),
    "a size of 2147483647": lambda: BASE.replace(b"/Size 6", b"/Size 2147483647"),
    "a table of eight million entries that are not there": lambda: _table(b"0 8000000\n"),
    "a table of 50,000 empty blocks": lambda: _table(b"5 0\n" * 50_000),
    "a table of 30,000 blocks": lambda: _table(b"".join(b"%d 1\n%b" % (9 + 2 * n, _ROW) for n in range(30_000))),
    "a table of 100,000 loose entries": lambda: _table(b"9 100000\n" + _ROW.replace(b"\r", b"") * 100_000),
    "a stream of eight million entries that are not there": lambda: streamed_pdf(
        objects(), trailer=b"/Index[0 8000000]"
    ),
    "a stream of eight million entries": lambda: streamed_pdf(objects(), trailer=b"/Index[" + b"0 1 " * 100_000 + b"]"),
    "entries of no width": lambda: streamed_pdf(objects()).replace(b"/W[1 4 2]", b"/W[0 0 0]"),
    "a name of a million octets": lambda: Update({3: b"<</" + b"A" * 1_000_000 + b" 1>>"}).after(BASE),
    "a comment of a million octets": lambda: Update({3: b"%" + b"A" * 1_000_000 + b"\n1"}).after(BASE),
    "a number of a million digits": lambda: Update({3: b"9" * 1_000_000}).after(BASE),
    "a million blanks between words": lambda: _table(b" " * 1_000_000),
    "half a million openings": lambda: BASE[:-7] + b"<<" * 500_000 + BASE[-7:],
    "100,000 byte ranges": lambda: BASE[:20] + b"/ByteRange[0 1 2 3] " * 100_000,
}


@pytest.fixture(scope="module")
def readers(p256_sealer: Sealer) -> tuple[Target, Target]:
    mark = Mark(seal_name="x", picture=make_picture(40), placement=AtPoint.on(-1, x_mm=9, y_mm=9), reason="")

    def verify(data: bytes) -> Report:
        return verify_pdf(data, p256_sealer.trust)

    def not_valid(report: Report, _: bytes) -> None:
        assert report.verdict is not Verdict.VALID

    def seal(data: bytes) -> object:
        return PDF_PADES.prepare(data, mark, p256_sealer.credential, NOW)

    return (
        Target(name="verify", seeds=(), ways=(), read=verify, refusals=(), check=not_valid, megabytes=300),
        Target(name="seal", seeds=(), ways=(), read=seal, refusals=(Refusal,), megabytes=300),
    )


@pytest.mark.parametrize("make", COSTLY.values(), ids=COSTLY)
def test_a_file_made_to_cost_much_is_answered(make: Callable[[], bytes], readers: tuple[Target, Target]) -> None:
    document = make()
    for target in readers:
        outcome, what, told = judge(target, document, seconds=SECONDS)
        assert outcome != "fault", (target.name, what, told)
