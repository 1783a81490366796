"""Reading PDF: what is understood, and what is refused before it costs anything."""

import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal.errors import DocumentRefused
from seal.formats.pdf.filters import Budget, decode
from seal.formats.pdf.objects import Name, PdfError, PdfObject, Ref, Stream, text_string, write
from seal.formats.pdf.pages import leaves
from seal.formats.pdf.parser import Parser, small_object
from seal.formats.pdf.reader import Document
from tests.seal.pdf.making import Sealer, plain_pdf

_PAGES = [
    b"<</Type/Catalog/Pages 2 0 R>>",
    b"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 595 842]>>",
    b"<</Type/Page/Parent 2 0 R>>",
]


def _value(octets: bytes) -> PdfObject:
    return Parser(octets).value()


@pytest.mark.parametrize(
    ("octets", "value"),
    [
        (b"42", 42),
        (b"-.5", -0.5),
        (b"+17.", 17.0),
        (b"/A#20B", Name("A B")),
        (b"/", Name("")),
        (b"(a(b)c)", b"a(b)c"),
        (
            rb"(\101\n\)\
x)",
            b"A\n)x",
        ),
        (b"(a\r\nb\rc)", b"a\nb\nc"),
        (b"<48 656C 6C6>", b"Hell`"),
        (b"[1 2 R 3 0 R/X]", [Ref(1, 2), Ref(3, 0), Name("X")]),
        (b"% note\n null", None),
    ],
)
def test_an_object_is_read_as_the_standard_says(octets: bytes, value: PdfObject) -> None:
    assert _value(octets) == value


def test_references_are_told_from_numbers() -> None:
    assert _value(b"[1 2 3 0 R 4]") == [1, 2, Ref(3, 0), 4]


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.binary(max_size=40),
    st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=12).map(Name),
    st.tuples(st.integers(1, 10**6), st.integers(0, 9)).map(lambda pair: Ref(*pair)),
)
_NAMES = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=8).map(Name)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(_NAMES, inner, max_size=5))
)


@given(_VALUES)
def test_what_is_written_is_read_back_the_same(value: PdfObject) -> None:
    assert _value(write(value)) == value


@given(st.binary(max_size=200))
def test_rubbish_is_refused_and_never_crashes(octets: bytes) -> None:
    for start in (b"", b"<<", b"[", b"("):
        try:
            _value(start + octets)
        except PdfError:
            continue


@given(st.binary(max_size=300))
def test_a_file_of_rubbish_is_refused(octets: bytes) -> None:
    with pytest.raises(DocumentRefused):
        Document(b"%PDF-1.7\n" + octets)


def test_text_beyond_ascii_is_written_as_utf_16() -> None:
    assert text_string("印") == b"\xfe\xff\x53\x70"
    assert text_string("seal") == b"seal"


@pytest.mark.parametrize("nest", [b"[", b"<</A ", b"[<</A "])
def test_deep_nesting_is_refused(nest: bytes) -> None:
    with pytest.raises(PdfError, match="deeper"):
        _value(nest * 100_000)


@pytest.mark.parametrize(
    "octets", [b"(" * 1_000_000, b"%" * 1_000_000, b"<" + b"0" * 1_000_000, b"1 " * 500_000 + b"<<"]
)
def test_long_input_that_never_ends_is_answered(octets: bytes) -> None:
    try:
        _value(octets)
    except PdfError:
        return
    assert octets.startswith(b"1")


def test_a_stream_that_inflates_without_end_is_refused() -> None:
    bomb = Stream({"Filter": Name("FlateDecode")}, zlib.compress(bytes(5_000_000)))
    with pytest.raises(PdfError, match="inflates"):
        decode(bomb, Budget(1_000_000))


@pytest.mark.parametrize("predictor", [10, 11, 12, 13, 14, 15])
def test_png_predictors_are_undone(predictor: int) -> None:
    # Row by row: none, sub, up, average, Paeth; each row is to come out as the same four octets.
    rows = b"\x00\x01\x02\x03\x04\x01\x01\x01\x01\x01\x02\x00\x00\x00\x00\x03\x01\x01\x01\x01\x04\x00\x00\x00\x00"
    parameters: dict[str, PdfObject] = {"Predictor": predictor, "Columns": 4}
    stream = Stream({"Filter": Name("FlateDecode"), "DecodeParms": parameters}, zlib.compress(rows))
    assert decode(stream) == b"\x01\x02\x03\x04" * 5


def test_the_common_predictor_is_undone_column_by_column() -> None:
    rows = b"\x02\x01\xff\x02\x01\x02\x02\xff\x01"
    stream = Stream(
        {"Filter": Name("FlateDecode"), "DecodeParms": {"Predictor": 12, "Columns": 2}}, zlib.compress(rows)
    )
    assert decode(stream) == b"\x01\xff\x02\x01\x01\x02"


@pytest.mark.parametrize(
    "kids",
    [b"[2 0 R]", b"[3 0 R 3 0 R]", b"[<</Type/Page>>]", b"5"],
    ids=["itself", "one twice", "direct", "no array"],
)
def test_a_page_tree_that_is_none_is_refused(kids: bytes) -> None:
    document = Document(plain_pdf([_PAGES[0], b"<</Type/Pages/Kids " + kids + b">>", _PAGES[2]]))
    with pytest.raises(PdfError):
        list(leaves(document.current))


def test_references_in_a_ring_are_refused() -> None:
    document = Document(plain_pdf([b"<</Type/Catalog/Pages 2 0 R>>", b"3 0 R", b"2 0 R"]))
    with pytest.raises(PdfError, match="no end"):
        document.current.dictionary(Ref(2, 0))


def test_a_stream_whose_length_is_itself_is_refused() -> None:
    document = Document(plain_pdf([b"<</Type/Catalog>>", b"<</Length 2 0 R>>\nstream\nx\nendstream"]))
    with pytest.raises(PdfError, match="itself"):
        document.current.load(Ref(2, 0))


def test_an_object_in_the_place_of_another_is_refused() -> None:
    octets = plain_pdf(_PAGES).replace(b"2 0 obj", b"9 0 obj")
    with pytest.raises(PdfError, match="stands where"):
        Document(octets).current.load(Ref(2, 0))


def test_cross_reference_sections_in_a_ring_are_refused() -> None:
    octets = plain_pdf(_PAGES)
    start = int(octets.split(b"startxref\n")[1].split()[0])
    with pytest.raises(PdfError, match="loop"):
        Document(plain_pdf(_PAGES, trailer=b"/Prev %d" % start))


@pytest.mark.parametrize(
    "octets", [b"", b"PK\x03\x04", b"%PDF-", b"x%PDF-1.7\n%%EOF", b"%PDF-1.7\nstartxref\n9\n%%EOF"]
)
def test_what_is_no_pdf_is_refused(octets: bytes) -> None:
    with pytest.raises(DocumentRefused):
        Document(octets)


def test_revisions_are_told_apart(licence: bytes, p256_sealer: Sealer, mark: object) -> None:
    sealed = p256_sealer.seal(licence, mark)  # type: ignore[arg-type]
    first, second = Document(sealed).revisions
    assert (first.start, second.eof) == (0, len(sealed) - 1)
    assert first.eof == len(licence.rstrip())


def test_a_linearized_file_with_object_streams_has_one_first_revision(pdf_corpus: Path) -> None:
    document = Document((pdf_corpus / "pyhanko__minimal-two-fields-signed-twice.pdf").read_bytes())
    assert [len(revision.sections) for revision in document.revisions] == [2, 1]


@pytest.mark.parametrize(
    "octets",
    [
        b"7 0 obj <</A (endobj) /B 1>> endobj\n",  # the keyword within a string
        b"7 0 obj <</A 1>> endobjx\n",
        b"7 0 obj <</Length 3>>\nstream\nabc\nendstream\nendobj\n",
        b"7 0 obj <</A 1>> junk endobj\n",
        b"7 0 obj <</A 1>>",
        b" 7 0 obj <</A 1>> endobj\n",
    ],
)
def test_what_is_kept_of_small_objects_is_never_more_than_can_be_told_from_their_octets(octets: bytes) -> None:
    assert small_object(octets, 0) is None


@pytest.mark.parametrize("octets", [b"7 0 obj <</A 1/A 2>> endobj\n", b"7 0 obj <</A 1%>>\n>> endobj\n"])
def test_a_dictionary_that_readers_differ_about_is_written_anew(octets: bytes) -> None:
    small = small_object(octets, 0)
    assert small is not None
    assert small.written is None


def test_a_small_object_is_copied_as_it_stands() -> None:
    small = small_object(b"7 0 obj\n<< /A  1 >>\nendobj\n", 0)
    assert small is not None
    assert (small.header, small.value, small.written) == ((7, 0), {"A": 1}, b"<< /A  1 >>")
