"""Seals on many pages, over edges and at keywords of a PDF, under one signature: drawn by PDFium and looked at."""

import io
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import typst
from asn1crypto import x509 as asn1_x509
from PIL import Image
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from kernel.errors import Refusal
from seal.errors import PlacementRefused
from seal.formats.pdf import verify_pdf
from seal.formats.pdf.append import Appender
from seal.formats.pdf.form import fields, signature_fields
from seal.formats.pdf.objects import PdfDict, Ref
from seal.formats.pdf.pages import leaves
from seal.formats.pdf.pdfium_drawing import draw_in_process
from seal.formats.pdf.reader import Document, View
from seal.formats.pdf.surface import PdfSurface
from seal.formats.pdf.words import MOST_PAGES, Words
from seal.model import Mark, Verdict
from seal.placing import AtKeyword, AtPoint, Edge, Facing, InCorner, PageList, Placement, Straddle
from seal.placing.words import MOST_ON_PAGE
from seal.sandbox import Limits
from tests.judges import pdfsig
from tests.seal.pdf.making import NOW, Sealer, make_picture, plain_pdf, render

DOTS_PER_MM = 5
PICTURE = make_picture()
MM = 72 / 25.4
SHEETS = (
    b"/MediaBox[0 0 595 842]",
    b"/MediaBox[0 0 595 842]/Rotate 90",
    b"/MediaBox[0 0 842 1191]/Rotate 180",
    b"/MediaBox[-100 50 595 892]/CropBox[20 90 560 800]/Rotate 270",
    b"/MediaBox[-20 -30 800 900]/CropBox[10 10 605 852]",
)
"""A4 and A3, upright and turned, cropped and offset."""


def pages(*attributes: bytes, more: tuple[bytes, ...] = ()) -> bytes:
    kids = b" ".join(b"%d 0 R" % (number + 3) for number in range(len(attributes)))
    return plain_pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, len(attributes)),
            *(b"<</Type/Page/Parent 2 0 R%b>>" % each for each in attributes),
            *more,
        ]
    )


def placed(sealer: Sealer, document: bytes, mark: Mark, placement: Placement) -> bytes:
    return sealer.seal(document, replace(mark, picture=PICTURE, placement=placement))


def drawn(document: bytes, page: int) -> Image.Image:
    _, picture = draw_in_process(document, page, 127)
    with Image.open(io.BytesIO(picture)) as image:
        return image.convert("RGB")


def ink(image: Image.Image) -> tuple[int, int, int, int] | None:
    """Give the box of what is not white, in mm."""
    box = Image.eval(image, lambda value: 255 - value).getbbox()
    return None if box is None else (round(box[0] / 5), round(box[1] / 5), round(box[2] / 5), round(box[3] / 5))


def cut(image: Image.Image, x: float, y: float, width: float, height: float) -> Image.Image:
    left, top = round(x * DOTS_PER_MM), round(y * DOTS_PER_MM)
    return image.crop((left, top, left + round(width * DOTS_PER_MM), top + round(height * DOTS_PER_MM)))


def is_the_disc(image: Image.Image) -> bool:
    """Tell whether the picture is whole and upright in the image: blue above, red below, white in the corners."""
    whole = Image.open(io.BytesIO(PICTURE.png)).convert("RGBA").resize(image.size, Image.Resampling.NEAREST)
    paper = Image.new("RGB", image.size, (255, 255, 255))
    paper.paste(whole, mask=whole.getchannel("A"))
    apart = sum(a != b for a, b in zip(image.get_flattened_data(), paper.get_flattened_data(), strict=True))
    return apart / (image.width * image.height) < 0.05


# --- where the ink is ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("edge", list(Edge))
def test_the_fanned_sheets_show_the_picture_whole_and_nothing_else(p256_sealer: Sealer, mark: Mark, edge: Edge) -> None:
    document = pages(*SHEETS)
    sealed = placed(p256_sealer, document, mark, Straddle(edge=edge, along_mm=30, margin_mm=2))
    step = 40 / len(SHEETS)
    whole = Image.new("RGB", (40 * DOTS_PER_MM, 40 * DOTS_PER_MM))
    for number in range(len(SHEETS)):
        sheet = drawn(sealed, number + 1)
        width, height = sheet.width / DOTS_PER_MM, sheet.height / DOTS_PER_MM
        far = edge in (Edge.RIGHT, Edge.BOTTOM)
        shown = round((number if far else len(SHEETS) - 1 - number) * step * DOTS_PER_MM)
        start = ((width if edge.upright else height) - step - 2) if far else 2
        area = (start, 30, step, 40) if edge.upright else (30, start, 40, step)
        whole.paste(cut(sheet, *area), (shown, 0) if edge.upright else (0, shown))
        box = ink(sheet)
        assert box is not None
        assert all(abs(side - meant) <= 1 or side > meant for side, meant in zip(box[:2], area[:2], strict=True))
        assert box[2] <= area[0] + area[2] + 1
        assert box[3] <= area[1] + area[3] + 1
    assert is_the_disc(whole)


def test_facing_pages_share_the_picture_at_their_joint(p256_sealer: Sealer, mark: Mark) -> None:
    sealed = placed(p256_sealer, pages(*SHEETS[:2]), mark, Facing(share=0.25, along_mm=50))
    left, right = drawn(sealed, 1), drawn(sealed, 2)
    joint = Image.new("RGB", (200, 200))
    joint.paste(cut(left, left.width / DOTS_PER_MM - 10, 50, 10, 40), (0, 0))
    joint.paste(cut(right, 0, 50, 30, 40), (50, 0))
    assert is_the_disc(joint)


def test_a_point_on_chosen_pages_is_upright_on_each_and_on_no_other(p256_sealer: Sealer, mark: Mark) -> None:
    sealed = placed(p256_sealer, pages(*SHEETS), mark, AtPoint(pages=PageList.parse("2..-1"), x_mm=30, y_mm=50))
    assert ink(drawn(sealed, 1)) is None
    for number in range(2, 6):
        sheet = drawn(sealed, number)
        assert ink(sheet) == (30, 50, 70, 90)
        assert is_the_disc(cut(sheet, 30, 50, 40, 40))


def test_the_picture_is_written_once_and_each_look_of_it_once(p256_sealer: Sealer, mark: Mark) -> None:
    document = pages(*SHEETS[:1] * 30)
    tail = placed(p256_sealer, document, mark, InCorner(pages=PageList.parse("all")))[len(document) :]
    assert (tail.count(b"/Subtype /Image"), tail.count(b"/Subtype/Form"), tail.count(b"/Widget")) == (2, 1, 30)
    tail = placed(p256_sealer, document, mark, Straddle(most=15))[len(document) :]
    assert (tail.count(b"/Subtype /Image"), tail.count(b"/Subtype/Form"), tail.count(b"/Widget")) == (2, 15, 30)


def test_annotations_that_were_there_stay_and_arrays_shared_by_pages_are_parted(
    p256_sealer: Sealer, mark: Mark
) -> None:
    size = b"/MediaBox[0 0 595 842]"
    note = b"<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/F 2>>"
    document = pages(
        size,
        size + b"/Annots[9 0 R]",
        size + b"/Annots 10 0 R",
        size + b"/Annots 11 0 R",
        size + b"/Annots 11 0 R",
        size + b"/Annots 99 0 R",
        more=(note, b"[9 0 R]", b"[9 0 R]"),
    )
    sealed = placed(p256_sealer, document, mark, Straddle())
    view = Document(sealed).current
    lists = [view.array(page.get("Annots")) for page in leaves(view)]
    assert [len(each) for each in lists] == [1, 2, 2, 2, 2, 1]
    assert all(each[0] == Ref(9, 0) for each in lists[1:5])
    assert len({each[-1] for each in lists if isinstance(each[-1], Ref)}) == 6
    for page, each in zip(leaves(view), lists, strict=True):
        assert view.dictionary(each[-1])["P"] == page.ref
    assert verify_pdf(sealed, p256_sealer.trust).verdict is Verdict.VALID


def test_one_page_is_sealed_without_reading_the_pages_between(p256_sealer: Sealer, mark: Mark) -> None:
    whole = pages(*SHEETS[:3])
    holed = whole.replace(b"3 0 R 4 0 R 5 0 R", b"3 0 R 9 0 R 5 0 R")
    assert holed != whole
    for page in (1, -1):
        assert placed(p256_sealer, holed, mark, AtPoint.on(page, x_mm=1, y_mm=1))
    with pytest.raises(Refusal):
        placed(p256_sealer, holed, mark, AtPoint(pages=PageList.parse("all"), x_mm=1, y_mm=1))


@pytest.mark.parametrize(
    "placement",
    [
        AtPoint.on(3, x_mm=1, y_mm=1),
        AtPoint.on(-3, x_mm=1, y_mm=1),
        AtPoint(pages=PageList.parse("1-3"), x_mm=1, y_mm=1),
        AtPoint(pages=PageList.parse("all"), x_mm=171, y_mm=1),
        Straddle(pages=PageList.single(1)),
        Straddle(along_mm=280),
        AtKeyword(text=" "),
    ],
)
def test_a_place_that_is_not_there_is_refused(p256_sealer: Sealer, mark: Mark, placement: Placement) -> None:
    with pytest.raises(PlacementRefused):
        placed(p256_sealer, pages(*SHEETS[:2]), mark, placement)


# --- one signature -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def thrice(p256_sealer: Sealer, mark: Mark) -> bytes:
    """A document with a seal over its edges, one on every page, and one at a word."""
    sealed = render(3)
    for placement in (Straddle(), InCorner(pages=PageList.parse("all")), AtKeyword(text="Licence")):
        sealed = placed(p256_sealer, sealed, mark, placement)
    return sealed


def test_a_seal_in_many_places_is_one_signature_to_us(thrice: bytes, p256_sealer: Sealer) -> None:
    report = verify_pdf(thrice, p256_sealer.trust)
    assert [each.verdict for each in report.signatures] == [Verdict.VALID] * 3
    assert report.findings == ()
    view = Document(thrice).current
    assert len(signature_fields(view)) == 3
    assert len(tuple(fields(view))) == 3 + 9


def test_a_seal_in_many_places_is_one_signature_to_pyhanko(thrice: bytes, p256_sealer: Sealer) -> None:
    root = asn1_x509.Certificate.load(p256_sealer.root.raw)
    found = PdfFileReader(io.BytesIO(thrice)).embedded_signatures
    assert len(found) == 3
    for embedded in found:
        context = ValidationContext(trust_roots=[root], moment=NOW, best_signature_time=NOW)
        assert validate_pdf_signature(embedded, context).bottom_line


def test_pdfsig_calls_every_place_of_a_seal_the_same_valid_signature(p256_sealer: Sealer, mark: Mark) -> None:
    # It counts widgets, not signatures.
    opinions = pdfsig.opinions(placed(p256_sealer, render(3), mark, Straddle()))
    assert len({opinion.field for opinion in opinions}) == 1
    assert all(opinion.valid and opinion.whole for opinion in opinions)


def test_qpdf_finds_nothing_wrong_with_seals_in_many_places(thrice: bytes, tmp_path: Path) -> None:
    if shutil.which("qpdf") is None:
        pytest.skip("no qpdf")
    (tmp_path / "a.pdf").write_bytes(thrice)
    answer = subprocess.run(["qpdf", "--check", "a.pdf"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def moved(view: View, widget: PdfDict) -> PdfDict:
    left, bottom, right, top = (float(str(side)) for side in view.array(widget["Rect"]))
    return {**widget, "Rect": [left - 9, bottom, right - 9, top]}


@pytest.mark.parametrize("harm", ["moved", "unlisted", "off the page", "other look"])
def test_a_slice_that_is_taken_away_or_moved_later_is_seen(p256_sealer: Sealer, mark: Mark, harm: str) -> None:
    sealed = placed(p256_sealer, render(3), mark, Straddle())
    view = Document(sealed).current
    (field,) = signature_fields(view)
    kids = view.array(field.entries["Kids"])
    slice_, other = kids[1], kids[2]
    assert isinstance(slice_, Ref)
    assert field.ref is not None
    appender = Appender(view)
    widget = view.dictionary(slice_)
    if harm == "moved":
        appender.put(slice_, moved(view, widget))
    elif harm == "unlisted":
        appender.put(field.ref, {**field.entries, "Kids": [kids[0], other]})
    elif harm == "other look":
        appender.put(slice_, {**widget, "AP": view.dictionary(other)["AP"]})
    else:
        page = next(each for each in leaves(view) if slice_ in view.array(each.get("Annots")))
        appender.put(page.ref, {**page.entries, "Annots": []})
    harmed = sealed + appender.finish(b"salt").tail
    report = verify_pdf(harmed, p256_sealer.trust)
    assert report.verdict is Verdict.INVALID
    assert {each.code for each in report.signatures[0].findings if each.verdict is Verdict.INVALID} == {
        "CHANGED_AFTER_SIGNING"
    }


# --- keywords ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def words() -> Iterator[Words]:
    made = Words()
    yield made
    made.close()


def found(words: Words, document: bytes, text: str) -> list[tuple[int, int, int]]:
    """Give page and middle, in mm, of every place."""
    view = Document(document).current
    surface = PdfSurface(view, words)
    places = surface.find(text, range(len(surface.pages)))
    return [
        (each.page, round(each.box.x + each.box.width / 2), round(each.box.y + each.box.height / 2)) for each in places
    ]


def set_in(source: str) -> bytes:
    compiled = typst.compile(
        ("#set page(width: 210mm, height: 297mm, margin: 0mm)\n#set text(size: 5mm, font: 'X')\n" + source)
        .replace("'X'", '("Noto Sans CJK SC", "Noto Sans SC")')
        .encode()
    )
    assert isinstance(compiled, bytes)
    return compiled


def latin(content: bytes, attributes: bytes, form: bytes = b"") -> bytes:
    """Write a page with a font, Helvetica, and a form XObject."""
    drawing = b"q BT /F 12 Tf %b ET Q /X Do" % content
    return pages(
        attributes + b"/Resources<</Font<</F 4 0 R>>/XObject<</X 5 0 R>>>>/Contents 6 0 R",
        more=(
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
            b"<</Type/XObject/Subtype/Form/BBox[0 0 999 999]/Resources<</Font<</F 4 0 R>>>>/Length %d>>"
            b"\nstream\n%b\nendstream" % (len(form), form),
            b"<</Length %d>>\nstream\n%b\nendstream" % (len(drawing), drawing),
        ),
    )


CONTRACT = """
#place(dx: 30mm, dy: 40mm)[甲方（盖#text(fill: red)[章]）：ＡＢ 12]
#place(dx: 60mm, dy: 100mm)[#rotate(90deg, reflow: true)[竖直乙方]]
#place(dx: 60mm, dy: 150mm)[#box(width: 25mm)[请在此处签字盖印后交]]
#pagebreak()
#place(dx: 100mm, dy: 200mm)[#rotate(-30deg)[斜丙方]]
"""


@pytest.mark.parametrize(
    ("text", "middle"),
    [
        ("盖章", (0, 50, 42)),
        ("(盖 章)", (0, 50, 42)),
        ("AB１2", (0, 72, 42)),
        ("乙方", (0, 62, 115)),
        ("签字", (0, 83, 152)),
        ("此处签字", (0, 77, 152)),
        ("丙方", (1, 110, 200)),
    ],
)
def test_words_are_found_in_chinese_across_runs_lines_and_directions(
    words: Words, text: str, middle: tuple[int, int, int]
) -> None:
    ((page, x, y),) = found(words, set_in(CONTRACT), text)
    assert page == middle[0]
    assert abs(x - middle[1]) <= 3
    assert abs(y - middle[2]) <= 3


@pytest.mark.parametrize(
    ("attributes", "middle"),
    [
        (b"/MediaBox[0 0 595 842]", (0, 55, 246)),
        (b"/MediaBox[0 0 595 842]/Rotate 90", (0, 51, 55)),
        (b"/MediaBox[0 0 595 842]/Rotate 180", (0, 155, 51)),
        (b"/MediaBox[0 0 595 842]/Rotate 270", (0, 246, 155)),
        (b"/MediaBox[0 0 595 842]/CropBox[100 100 500 800]", (0, 20, 231)),
        (b"/MediaBox[0 0 595 842]/UserUnit 2", (0, 110, 491)),
    ],
)
def test_words_are_found_where_they_are_seen_on_turned_cropped_and_scaled_pages(
    words: Words, attributes: bytes, middle: tuple[int, int, int]
) -> None:
    ((page, x, y),) = found(words, latin(b"144 140 Td (Si) Tj (gn he) Tj", attributes), "Sign")
    assert page == middle[0]
    assert abs(x - middle[1]) <= 2
    assert abs(y - middle[2]) <= 2


def test_words_in_form_xobjects_are_found_and_words_beyond_the_crop_box_are_not(words: Words) -> None:
    form = b"BT /F 12 Tf 2 0 0 2 200 400 Tm (Seal) Tj ET"
    document = latin(b"10 10 Td (Seal) Tj", b"/MediaBox[0 0 595 842]/CropBox[50 50 595 842]", form)
    assert found(words, document, "Seal") == [(0, 61, 152)]


def test_a_seal_at_a_word_stands_over_it(p256_sealer: Sealer, mark: Mark) -> None:
    document = latin(b"300 500 Td (Sign) Tj", b"/MediaBox[0 0 595 842]/Rotate 90")
    box = ink(drawn(placed(p256_sealer, document, mark, AtKeyword(text="Sign")), 1))
    assert box is not None
    assert abs((box[0] + box[2]) / 2 - 504 / MM) <= 2
    assert abs((box[1] + box[3]) / 2 - 311 / MM) <= 2


def test_a_document_without_text_and_a_word_that_is_not_there_are_told_apart(
    p256_sealer: Sealer, mark: Mark, words: Words
) -> None:
    with pytest.raises(PlacementRefused, match="scanned"):
        placed(p256_sealer, pages(*SHEETS), mark, AtKeyword(text="Sign"))
    with pytest.raises(PlacementRefused, match="does not say"):
        placed(p256_sealer, latin(b"(Sing) Tj", SHEETS[0]), mark, AtKeyword(text="Sign"))
    with pytest.raises(PlacementRefused, match="2,000 pages"):
        words.find(b"", "Sign", range(MOST_PAGES + 1), count=MOST_PAGES + 1)


def test_more_characters_than_a_page_has_are_refused(words: Words) -> None:
    line = b"1 0 0 1 20 20 Tm (%b) Tj " % (b"abcdefghij" * 400)
    moved = b"".join(line.replace(b"20 20", b"20 %d" % (20 + 12 * at)) for at in range(MOST_ON_PAGE // 4000 + 1))
    with pytest.raises(PlacementRefused, match="200,000 characters"):
        found(words, latin(moved, b"/MediaBox[0 0 9000 9000]"), "Sign")


def test_readers_that_count_pages_differently_are_not_trusted_with_a_place(words: Words) -> None:
    document = latin(b"(Sign) Tj", SHEETS[0])
    with pytest.raises(Refusal) as refused:
        words.find(document, "Sign", [0], count=2)
    assert refused.value.code == "document_unreadable"


def test_a_file_that_breaks_or_exhausts_its_reader_is_refused_and_the_next_is_read(words: Words) -> None:
    narrow = Words(Limits(cpu_seconds=1, wall_seconds=1, children=1))
    # Each form draws the next twice: 2^40 texts.
    forms = [
        b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X %d 0 R>>>>/Length 12>>"
        b"\nstream\n/X Do /X Do \nendstream" % (number + 1)
        for number in range(4, 44)
    ]
    bomb = pages(b"/MediaBox[0 0 9 9]/Resources<</XObject<</X 4 0 R>>>>/Contents 4 0 R", more=(*forms, b"null"))
    try:
        for reader, document in ((words, b"no document"), (narrow, bomb)):
            with pytest.raises(Refusal) as refused:
                reader.find(document, "Sign", [0], count=1)
            assert refused.value.code == "document_unreadable"
        assert len(narrow.find(latin(b"(Sign) Tj", SHEETS[0]), "Sign", [0], count=1)) == 1
    finally:
        narrow.close()
