"""The previewer of PDF pages: drawn in limited processes, seals included; a refusal is all that a bad file costs."""

import io
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PIL import Image

from kernel.errors import Refusal
from seal.formats.pdf.preview import PdfPreviewer
from seal.model import Mark
from seal.placing import AtPoint
from seal.sandbox import Limits
from tests.seal.pdf.making import Sealer, plain_pdf


@pytest.fixture(scope="module")
def previewer() -> Iterator[PdfPreviewer]:
    made = PdfPreviewer(max_document=1_000_000)
    yield made
    made.close()


def page_of(attributes: bytes, content: bytes = b"") -> bytes:
    return plain_pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/Contents 4 0 R%b>>" % attributes,
            b"<</Length %d>>\nstream\n%b\nendstream" % (len(content), content),
        ]
    )


A4 = b"/MediaBox[0 0 595.2756 841.8898]"


def test_a_page_becomes_a_picture_of_its_size_with_its_seals(
    previewer: PdfPreviewer, p256_sealer: Sealer, mark: Mark
) -> None:
    sealed = p256_sealer.seal(page_of(A4 + b"/Rotate 90"), replace(mark, placement=AtPoint.on(1, x_mm=10, y_mm=20)))
    made = previewer.preview(sealed, page=-1, dpi=127)
    assert (made.page, made.pages, made.dpi, made.form) == (1, 1, 127, "png")
    assert (made.width_mm, made.height_mm) == (297, 210)
    with Image.open(io.BytesIO(made.picture)) as opened:
        picture = opened.convert("RGB")
    assert abs(picture.width - 1485) <= 1
    assert abs(picture.height - 1050) <= 1
    assert picture.getpixel((150, 150)) == (0, 0, 255)
    assert picture.getpixel((150, 250)) == (255, 0, 0)


@pytest.mark.parametrize(
    ("document", "page", "code"),
    [
        (b"PK\x03\x04", 1, "document_unsupported"),
        (b"", 1, "document_unsupported"),
        (bytes(1_000_001), 1, "document_too_large"),
        (page_of(A4), 2, "page_unknown"),
        (page_of(A4), 0, "page_unknown"),
        (page_of(A4), -2, "page_unknown"),
        (b"%PDF-1.7", 1, "document_unreadable"),
        (page_of(b"/MediaBox[0 0 99999999 9]"), 1, "document_unreadable"),
        (page_of(A4).replace(b"/Root", b"/Encrypt<</Filter/Standard/V 4/R 4>>/Root"), 1, "document_unreadable"),
    ],
)
def test_what_is_no_page_of_a_document_is_refused(
    previewer: PdfPreviewer, document: bytes, page: int, code: str
) -> None:
    with pytest.raises(Refusal) as refused:
        previewer.preview(document, page=page)
    assert refused.value.code == code


def test_a_drawing_is_not_made_of_a_pdf_page(previewer: PdfPreviewer) -> None:
    with pytest.raises(Refusal) as refused:
        previewer.preview(page_of(A4), form="svg")
    assert refused.value.code == "document_unsupported"


def test_a_page_that_takes_too_long_is_refused_and_the_next_is_drawn() -> None:
    previewer = PdfPreviewer(limits=Limits(cpu_seconds=1, wall_seconds=1, children=1))
    heavy = b"0 0 m " + b"600 0 0 600 600 800 c 0 800 600 0 9 9 c " * 20_000 + b" S\n"
    try:
        with pytest.raises(Refusal) as refused:
            previewer.preview(page_of(A4, heavy), dpi=600)
        assert refused.value.code == "document_unreadable"
        assert previewer.preview(page_of(A4), dpi=20).pages == 1
    finally:
        previewer.close()
