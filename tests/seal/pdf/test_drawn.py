"""What a later revision may have readers draw: nothing at all by a time stamp, and no text by other defaults."""

import pytest

from seal.formats.pdf.append import Appender
from seal.formats.pdf.augmenting import with_document_stamp
from seal.formats.pdf.objects import Name, write
from seal.formats.pdf.pages import find_page
from seal.formats.pdf.reader import Document
from seal.formats.pdf.revision import SignatureDictionary, annotate, enlist, gapped
from seal.levels import Level
from seal.model import Mark, Verdict
from tests.seal.pdf.forging import Update, stream
from tests.seal.pdf.lasting import Desk, LongWorld
from tests.seal.pdf.making import plain_pdf

_FORM = b"/Type/XObject/Subtype/Form"
_PAINT = b"1 0 0 rg 0 0 600 800 re f"
_BOXED = stream(_PAINT, _FORM + b"/BBox[0 0 600 800]")
_FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding<</Type/Encoding/Differences[49/nine]>>>>"


@pytest.fixture(scope="module")
def world() -> LongWorld:
    return LongWorld()


@pytest.fixture
def desk(world: LongWorld, mark: Mark) -> Desk:
    return Desk(world, mark)


def stamped(desk: Desk, document: bytes, rectangle: bytes, look: bytes | None) -> bytes:
    """Have a trusted authority stamp the document in a field of a stranger's making."""
    view = Document(document).current
    appender = Appender(view)
    signature, page = appender.reserve(), find_page(view, 1)
    shown = b"" if look is None else b"/AP<</N %d 0 R>>" % appender.add_written(look).number
    widget = appender.add_written(
        b"<</Type/Annot/Subtype/Widget/FT/Sig/T(stamp)/F 4/Rect%b/P %d %d R/V %d 0 R%b>>"
        % (rectangle, *page.ref, signature.number, shown)
    )
    annotate(view, appender, [(page, widget)])
    enlist(view, appender, widget)
    stamping = desk.stamping()
    says = SignatureDictionary(kind="DocTimeStamp", filter="Adobe.PPKLite", subfilter=Name("ETSI.RFC3161"))
    laid = gapped(document, appender, signature, says, stamping.room)
    return laid.filled(stamping.stamp(stamping.digest.digest(*laid.parts)))


@pytest.mark.parametrize(
    ("rectangle", "look", "verdict"),
    [
        (b"[0 0 0 0]", None, Verdict.VALID),
        (b"[7 7 7.0 7]", _BOXED, Verdict.VALID),
        # PDFium paints what has no box over the whole page, whatever the rectangle.
        (b"[0 0 0 0]", stream(_PAINT, _FORM), Verdict.INVALID),
        (b"[0 0 0 0]", stream(_PAINT, _FORM + b"/BBox[0 0 600]"), Verdict.INVALID),
        # PDFium draws a hair: enough to strike a line out.
        (b"[50 600 500 600]", stream(_PAINT, _FORM + b"/BBox[0 0 600 0]"), Verdict.INVALID),
        # Poppler takes what is no rectangle for one of its own choice.
        (b"[(a) 0 (a) 800]", _BOXED, Verdict.INVALID),
        (b"[null null null null]", _BOXED, Verdict.INVALID),
        (b"[0 0 99 99]", _BOXED, Verdict.INVALID),
    ],
    ids=["bare", "a point", "no box", "half a box", "a line", "strings", "nulls", "a square"],
)
def test_a_time_stamp_shows_nothing(
    rectangle: bytes, look: bytes | None, verdict: Verdict, desk: Desk, licence: bytes
) -> None:
    report = desk.judge(stamped(desk, desk.seal(licence, Level.B), rectangle, look))
    assert report.signatures[0].verdict is verdict
    assert report.signatures[1].verdict is Verdict.VALID


def test_who_had_a_document_stamped_has_not_signed_it(desk: Desk, licence: bytes) -> None:
    report = desk.judge(with_document_stamp(licence, desk.stamping()))
    assert report.verdict is Verdict.UNSIGNED
    assert [each.code for each in report.findings] == ["NO_SIGNATURE"]
    assert [each.verdict for each in report.signatures] == [Verdict.VALID]


@pytest.mark.parametrize(
    "annotation",
    [
        b"/Subtype/FreeText/DA(0 g /F 40 Tf)/Contents(PAY 100)",
        # No field leads to it; PDFium makes one of it.
        b"/Subtype/Widget/FT/Tx/T(x)/DA(0 g /F 40 Tf)/V(PAY 100)",
        b"/Subtype/Widget/Parent<</FT/Tx/T(x)/DA(0 g /F 40 Tf)/V(PAY 100)>>",
        b"/Subtype/Redact/DA(0 g /F 40 Tf)/OverlayText(PAY 100)",
        None,
    ],
    ids=["free text", "a stray field", "part of a stray field", "redacted", "none of it"],
)
def test_the_defaults_that_text_is_drawn_by_stay(annotation: bytes | None, desk: Desk) -> None:
    shown = annotation or b"/Subtype/Link"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Annots[4 0 R]>>"
    sealed = desk.seal(
        plain_pdf(
            [
                b"<</Type/Catalog/Pages 2 0 R>>",
                b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
                page,
                b"<</Type/Annot/F 4/Rect[100 500 400 600]%b>>" % shown,
            ]
        ),
        Level.B,
    )
    view = Document(sealed).current
    form = view.dictionary(view.catalog["AcroForm"])
    catalog = write({**view.catalog, "AcroForm": {**form, "DR": {"Font": {"F": {}}}}})
    after = Update({1: catalog.replace(b"/F <<>>", b"/F " + _FONT)}).after(sealed)
    assert desk.judge(sealed).verdict is Verdict.VALID
    assert desk.judge(after).verdict is (Verdict.VALID if annotation is None else Verdict.INVALID)
