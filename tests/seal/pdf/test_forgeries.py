"""Forging sealed documents: what one reader or another would show otherwise, though every octet sealed is there."""

import math
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from seal.errors import PlacementRefused
from seal.formats.pdf import verify_pdf
from seal.formats.pdf.changes import changes
from seal.formats.pdf.form import signature_fields
from seal.formats.pdf.objects import Ref
from seal.formats.pdf.reader import Document
from seal.model import Mark, Verdict
from seal.placing import AtPoint
from tests.seal.pdf.forging import Update, changed, packed_update, stream
from tests.seal.pdf.making import Sealer, plain_pdf

TEXT = stream(b"BT /F 24 Tf 72 720 Td (to be paid: 100) Tj ET")
OTHER = stream(b"BT /F 24 Tf 72 720 Td (to be paid: 9999) Tj ET")
FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]"
UNSIGNED = b"<</FT/Sig/T(x)/Type/Annot/Subtype/Widget/Rect[0 0 595 842]>>"
IMAGE = b"/Type/XObject/Subtype/Image/Width 8/Height 1/BitsPerComponent 1/ImageMask "

Seal = Callable[[bytes], bytes]


@pytest.fixture
def seal(p256_sealer: Sealer, mark: Mark) -> Seal:
    placed = replace(mark, placement=AtPoint.on(1, x_mm=10, y_mm=10))
    return lambda document: p256_sealer.seal(document, placed)


@pytest.fixture
def verdict(p256_sealer: Sealer) -> Callable[[bytes], Verdict]:
    return lambda document: verify_pdf(document, p256_sealer.trust).verdict


def document(
    *,
    page: bytes = b"",
    catalog: bytes = b"",
    resources: bytes = b"/Font<</F 5 0 R>>",
    text: bytes = TEXT,
    sixth: bytes = b"null",
) -> bytes:
    return plain_pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R%b>>" % catalog,
            b"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 595 842]>>",
            b"<</Type/Page/Parent 2 0 R/Resources<<%b>>/Contents 4 0 R%b>>" % (resources, page),
            text,
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
            sixth,
        ]
    )


Forgery = tuple[bytes, Callable[[bytes], bytes]]
"""What was sealed, and what is made of the sealed file."""


def _packed(parameters: bytes) -> Callable[[bytes], bytes]:
    """Pack the page so that it reads as it was where the predictor is overlooked, and otherwise where it is not."""

    def forge(sealed: bytes) -> bytes:
        body = b"3 0 %" + changed(sealed, 3, Contents=Ref(60, 0)) + b"\n" + changed(sealed, 3)
        predictor = b"<</Predictor 12/Columns %d>>" % len(body)
        entries = b"/Type/ObjStm/N 1/First 5/Filter/FlateDecode" + parameters.replace(b"*", predictor)
        container = stream(zlib.compress(b"\0" + body), entries)
        return packed_update(sealed, container, [3], more={60: OTHER, 91: predictor})

    return forge


def _shifted(sealed: bytes) -> bytes:
    return Update({62: b"13"}).after(sealed)


def _prepared_stream() -> bytes:
    """Make a document whose page's contents are named by a packed object that stands where object 62 says."""
    return packed_update(
        document(page=b"/Kept 61 0 R").replace(b"/Contents 4 0 R", b"/Contents 61 0 R"),
        b"<</Type/ObjStm/N 1/First 62 0 R/Length 24>>\nstream\n61 0    [4 0 R][60 0 R]\n\nendstream",
        [61],
        more={62: b"5", 60: OTHER},
    )


def _in(name: bytes) -> Forgery:
    """Use the catalog as a page's resources: what may be added to the one is shown by the other."""
    small = stream(b"0 g 0 0 9 9 re f", FORM)
    made = document(
        catalog=b"/%b 6 0 R" % name, resources=b"/XObject 1 0 R", text=stream(b"/%b Do" % name), sixth=small
    )
    large = stream(b"0 g 0 0 99 99 re f", FORM)
    return made, lambda sealed: Update({1: changed(sealed, 1, **{name.decode(): Ref(60, 0)}), 60: large}).after(sealed)


FORGERIES: dict[str, Forgery] = {
    "an unsigned field gets a picture": (
        document(page=b"/Annots[6 0 R]", catalog=b"/AcroForm<</Fields[6 0 R]>>", sixth=UNSIGNED),
        lambda sealed: Update({6: UNSIGNED[:-2] + b"/AP<</N 60 0 R>>>>", 60: stream(b"0 g", FORM)}).after(sealed),
    ),
    "a predictor out of sight": (document(), _packed(b"/DecodeParms 91 0 R")),
    "a predictor by its old name": (document(), _packed(b"/DP*")),
    "packed objects shifted": (_prepared_stream(), _shifted),
    "a key said twice": (
        document(),
        lambda sealed: Update(
            {3: changed(sealed, 3).replace(b"/Contents", b"/Contents 60 0 R/Contents"), 60: OTHER}
        ).after(sealed),
    ),
    "a trailer with two catalogs": (
        document(),
        lambda sealed: Update({60: b"1"}, trailer=b"/Root 1 0 R").after(sealed),
    ),
    "another generation, met first": (
        document(page=b"/Z 4 1 R"),
        lambda sealed: Update({4: OTHER}, generations={4: 2}).after(sealed),
    ),
    "validation data as a picture": _in(b"DSS"),
    "metadata as a picture": _in(b"Metadata"),
    "extensions as a picture": _in(b"Extensions"),
    "a form's defaults as a font": (
        document(catalog=b"/AcroForm 6 0 R", resources=b"/Font 6 0 R", sixth=b"<</Fields[]/DR 5 0 R>>"),
        lambda sealed: Update({6: changed(sealed, 6, DR=Ref(60, 0)), 60: b"<</BaseFont/Symbol>>"}).after(sealed),
    ),
    "a mask that is none": (
        document(resources=b"/XObject<</I 6 0 R>>", text=stream(b"/I Do"), sixth=stream(b"\xff", IMAGE + b"true")),
        lambda sealed: Update({6: stream(b"\xff", IMAGE + b"1")}).after(sealed),
    ),
    "a turn that is no integer": (
        document(page=b"/Rotate 90"),
        lambda sealed: Update({3: changed(sealed, 3, Rotate=90.0)}).after(sealed),
    ),
    "a size that leaves objects out": (document(), lambda sealed: Update({60: b"1"}, size=3).after(sealed)),
    "a hidden section by reference": (
        document(),
        lambda sealed: Update({60: b"1"}, trailer=b"/XRefStm 60 0 R").after(sealed),
    ),
    "a comment before the section": (document(), lambda sealed: Update({60: b"1"}, lead=b"%x\n").after(sealed)),
    "an end that is far from the end": (document(), lambda sealed: sealed + b" " * 1500),
    "an object inside a stream": (
        document(),
        lambda sealed: Update({60: stream(b"endstream endobj\n4 0 obj\n" + OTHER + b"\nendobj\n")}).after(sealed),
    ),
    "a trailer inside a string": (
        document(),
        lambda sealed: Update({60: b"(\ntrailer <</Root 61 0 R>>)"}).after(sealed),
    ),
    "a second catalog": (document(), lambda sealed: Update({60: b"<</Type/Catalog>>"}).after(sealed)),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_what_some_reader_would_show_otherwise_is_not_valid(
    forgery: str, seal: Seal, verdict: Callable[[bytes], Verdict]
) -> None:
    honest, forge = FORGERIES[forgery]
    sealed = seal(honest)
    assert verdict(sealed) is Verdict.VALID
    assert verdict(forge(sealed)) is Verdict.INVALID


def test_an_honest_update_of_the_same_shape_stays_valid(seal: Seal, verdict: Callable[[bytes], Verdict]) -> None:
    sealed = seal(document())
    assert verdict(Update({60: b"1"}).after(sealed)) is Verdict.VALID
    packed = stream(b"60 0 1", b"/Type/ObjStm/N 1/First 5")
    assert verdict(packed_update(sealed, packed, [60])) is Verdict.VALID


def test_a_timestamp_may_be_added_by_anyone_and_so_may_show_nothing(seal: Seal) -> None:
    read = Document(seal(seal(document())))
    first = read.view(len(read.revisions) - 2)
    earlier = {field.value for field in signature_fields(first)}
    (added,) = ({field.value for field in signature_fields(read.current)}) - earlier
    assert isinstance(added, Ref)
    assert list(changes(first, read.current, signed={added}, stamps=set())) == []
    assert list(changes(first, read.current, signed={added}, stamps={added})) != []


@pytest.mark.parametrize("x", [math.nan, math.inf, -math.inf, 1e300, -1e300])
def test_a_place_that_is_no_place_is_refused(x: float, p256_sealer: Sealer, mark: Mark) -> None:
    with pytest.raises(PlacementRefused):
        p256_sealer.seal(document(), replace(mark, placement=AtPoint.on(1, x_mm=x, y_mm=10)))
