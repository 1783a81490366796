"""Sealing what others made: the seal holds, nothing before it is touched, and it stands where it was meant to."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image, ImageChops

from seal.errors import DocumentRefused
from seal.formats.pdf import PDF_PADES, verify_pdf
from seal.formats.pdf.form import signature_fields
from seal.formats.pdf.objects import PdfEncrypted
from seal.formats.pdf.reader import Document
from seal.model import Mark, Verdict
from seal.placing import AtPoint
from tests.seal.pdf.forging import Update
from tests.seal.pdf.making import NOW, Sealer, plain_pdf
from tests.sims.pdf_foreign import ENCRYPTED, LAID_OUT, TURNED, objects

X_MM, Y_MM, SIZE_MM = 30, 20, 40
Make = Callable[[], bytes | None]


@pytest.fixture
def here(mark: Mark) -> Mark:
    return replace(mark, placement=AtPoint.on(1, x_mm=X_MM, y_mm=Y_MM))


def made(make: Make) -> bytes:
    document = make()
    if document is None:
        pytest.skip("no qpdf")
    return document


def disc(document: bytes) -> tuple[int, int, int, int]:
    """Give the box of all that is red or blue at the top left of page 1, in tenths of a millimetre; blue is up."""
    with pypdfium2.PdfDocument(document) as opened:
        opened.init_forms()
        image = opened[0].render(scale=5 * 25.4 / 72, may_draw_forms=True).to_pil().convert("RGB")
    # Beyond this the renderer tints the fields of forms.
    image = image.crop((0, 0, 5 * (X_MM + SIZE_MM + 20), 5 * (Y_MM + SIZE_MM + 20)))
    red, green, _ = image.split()
    # White paper and black text have as much green as red; the disc has no green.
    lit = red.point(lambda value: 255 if value > 128 else 0)
    blue = image.getchannel("B").point(lambda value: 255 if value > 128 else 0)
    coloured = green.point(lambda value: 255 if value < 100 else 0)
    reds = tuple(map(int, _box(coloured, lit)))
    blues = tuple(map(int, _box(coloured, blue)))
    assert blues[3] <= reds[1] + 4, "the seal does not stand upright"
    return (min(blues[0], reds[0]) * 2, blues[1] * 2, max(blues[2], reds[2]) * 2, reds[3] * 2)


def _box(one: Image.Image, other: Image.Image) -> tuple[int, int, int, int]:
    found = ImageChops.darker(one, other).getbbox()
    assert found is not None, "no seal is to be seen"
    return found


def is_seen(document: bytes) -> bool:
    """Tell whether the disc fills the box that was asked for, to half a millimetre."""
    wanted = (X_MM * 10, Y_MM * 10, (X_MM + SIZE_MM) * 10, (Y_MM + SIZE_MM) * 10)
    return all(abs(found - side) <= 8 for found, side in zip(disc(document), wanted, strict=True))


@pytest.mark.parametrize("make", LAID_OUT.values(), ids=LAID_OUT)
def test_any_layout_takes_two_seals(make: Make, p256_sealer: Sealer, sm2_sealer: Sealer, here: Mark) -> None:
    document = made(make)
    once = p256_sealer.seal(document, here)
    assert once.startswith(document)
    assert verify_pdf(once, p256_sealer.trust).verdict is Verdict.VALID
    assert is_seen(once)
    twice = sm2_sealer.seal(once, replace(here, placement=AtPoint.on(-1, x_mm=100, y_mm=100)))
    report = verify_pdf(twice, replace(p256_sealer.trust, anchors=(p256_sealer.root, sm2_sealer.root)))
    assert [one.verdict for one in report.signatures] == [Verdict.VALID, Verdict.VALID]
    assert not report.findings


@pytest.mark.parametrize("document", TURNED.values(), ids=TURNED)
def test_a_seal_stands_where_it_was_meant_to(document: bytes, p256_sealer: Sealer, here: Mark) -> None:
    sealed = p256_sealer.seal(document, here)
    assert verify_pdf(sealed, p256_sealer.trust).verdict is Verdict.VALID
    assert is_seen(sealed)


def test_a_page_of_larger_units_takes_a_seal_of_the_same_size(p256_sealer: Sealer, here: Mark) -> None:
    sealed = p256_sealer.seal(plain_pdf(objects(page=b"/MediaBox[0 0 297.5 421]/UserUnit 2")), here)
    (widget,) = signature_fields(Document(sealed).current)
    sides = [float(side) for side in widget.entries["Rect"]]  # type: ignore[union-attr, arg-type]
    left, bottom, right, top = (side * 2 * 25.4 / 72 for side in sides)
    assert (left, right - left, top - bottom) == pytest.approx((X_MM, SIZE_MM, SIZE_MM), abs=0.01)
    assert 421 * 2 * 25.4 / 72 - top == pytest.approx(Y_MM, abs=0.01)


def test_qpdf_finds_nothing_wrong_with_what_was_sealed(p256_sealer: Sealer, here: Mark, tmp_path: Path) -> None:
    if shutil.which("qpdf") is None:
        pytest.skip("no qpdf")
    layouts = ("table", "object streams", "hybrid", "linearized, object streams", "updated before", "packed form")
    for number, name in enumerate(layouts):
        file = tmp_path / f"{number}.pdf"
        file.write_bytes(p256_sealer.seal(made(LAID_OUT[name]), here))
        answer = subprocess.run(["qpdf", "--check", str(file)], capture_output=True, text=True, check=False)
        assert answer.returncode == 0, (name, answer.stdout + answer.stderr)


@pytest.mark.parametrize("make", ENCRYPTED.values(), ids=ENCRYPTED)
def test_an_encrypted_document_is_refused_with_the_remedy(make: Make, p256_sealer: Sealer, here: Mark) -> None:
    document = made(make)
    with pytest.raises(PdfEncrypted, match="remove the password") as refused:
        p256_sealer.seal(document, here)
    assert refused.value.code == "document_encrypted"
    report = verify_pdf(document, p256_sealer.trust)
    assert [finding.code for finding in report.findings] == ["DOCUMENT_ENCRYPTED"]
    assert report.verdict is Verdict.INDETERMINATE


def test_an_update_of_what_could_not_be_read_is_refused(p256_sealer: Sealer, here: Mark) -> None:
    # Our own verifier looks for signatures in every revision: it would call the sealed file damaged.
    document = plain_pdf(objects())
    broken = document.replace(b"<</Type/Catalog/Pages 2 0 R>>", b"[/Type/Catalog/Pages 2 0 R  ]")
    updated = Update({1: b"<</Type/Catalog/Pages 2 0 R>>"}).after(broken)
    with pytest.raises(DocumentRefused, match="catalog"):
        p256_sealer.seal(updated, here)


def test_octets_before_the_header_are_refused(p256_sealer: Sealer, here: Mark) -> None:
    # What stands there shifts every offset for some readers and not for others.
    with pytest.raises(DocumentRefused, match="begin with %PDF-"):
        PDF_PADES.prepare(b"\xef\xbb\xbf" + plain_pdf(objects()), here, p256_sealer.credential, NOW)
