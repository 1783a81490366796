"""Sealing a PDF: the result holds, whatever the file's shape; what cannot be sealed is refused."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from seal.errors import DocumentRefused, FurtherSealingForbidden, PlacementRefused, UnsupportedDocument
from seal.formats.pdf import PDF_PADES, verify_pdf
from seal.formats.pdf.artwork import artwork
from seal.formats.pdf.form import signature_fields
from seal.formats.pdf.objects import PdfEncrypted
from seal.formats.pdf.reader import Document
from seal.model import Mark, Picture, Verdict
from seal.placing import AtPoint, Placement
from seal.trust import Trust
from tests.seal.pdf.making import NOW, Sealer, plain_pdf, render

_PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]%b>>"
SIGN_AGAIN = (
    "dss__pdf-signed-original.pdf",
    "dss__hello_signed_INCSAVE_signed.pdf",
    "dss__pkcs7.pdf",
    "dss__pdf-with-eof-cr.pdf",
    "dss__dss-2554_certified-changes-permitted.pdf",
    "pyhanko__minimal-two-fields-signed-twice.pdf",
    "pyhanko__pades-lta-dss-indirect-arrs-test.pdf",
    "dss__Signature-P-HU_POL-3.pdf",
)


def small(*, page: bytes = b"", catalog: bytes = b"", more: tuple[bytes, ...] = (), trailer: bytes = b"") -> bytes:
    """Write a page whose objects are to the test's liking; 4 is the first of ``more``."""
    objects = [b"<</Type/Catalog/Pages 2 0 R" + catalog + b">>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", _PAGE % page]
    return plain_pdf([*objects, *more], trailer=trailer)


@pytest.fixture
def here(mark: Mark) -> Mark:
    return replace(mark, placement=AtPoint.on(1, x_mm=10, y_mm=10))


def test_a_sealed_document_is_valid_under_its_root(licence: bytes, sealer: Sealer, mark: Mark) -> None:
    report = verify_pdf(sealer.seal(licence, mark), sealer.trust)
    (one,) = report.signatures
    assert report.verdict is Verdict.VALID
    assert one.format == f"pdf-pades-{sealer.credential.suite.key.value}"
    assert one.signer == sealer.credential.certificate.subject_text
    assert one.time == NOW


def test_the_document_stands_untouched_at_the_front(licence: bytes, sealer: Sealer, mark: Mark) -> None:
    assert sealer.seal(licence, mark).startswith(licence)


def test_a_seal_adds_little_beside_its_picture_and_its_message(licence: bytes, sealer: Sealer, mark: Mark) -> None:
    sealed = sealer.seal(licence, mark)
    art = artwork(mark.picture)
    drawn = len(art.mask) + len(art.image_head) + len(art.image_tail)
    # Contents are written in hexadecimal.
    assert len(sealed) - len(licence) - drawn <= 1.2 * 2 * _message_size(sealed) + 2048


def _message_size(sealed: bytes) -> int:
    view = Document(sealed).current
    (field,) = signature_fields(view)
    contents = view.dictionary(field.value)["Contents"]
    assert isinstance(contents, bytes)
    return len(contents.rstrip(b"\0"))


def test_the_digest_is_fixed_before_anybody_signs(licence: bytes, sealer: Sealer, mark: Mark) -> None:
    prepared = PDF_PADES.prepare(licence, mark, sealer.credential, NOW)
    sealed = Document(prepared.apply(sealer.key.sign))
    (field,) = signature_fields(sealed.current)
    byte_range = sealed.current.dictionary(field.value)["ByteRange"]
    assert isinstance(byte_range, list)
    first, second = byte_range[1], byte_range[2]
    assert isinstance(first, int)
    assert isinstance(second, int)
    covered = sealed.data[:first] + sealed.data[second:]
    assert sealer.credential.suite.digest.digest(covered) == prepared.document_digest


def test_a_prepared_document_is_signed_once(licence: bytes, sealer: Sealer, mark: Mark) -> None:
    prepared = PDF_PADES.prepare(licence, mark, sealer.credential, NOW)
    prepared.apply(sealer.key.sign)
    with pytest.raises(RuntimeError):
        prepared.apply(sealer.key.sign)


def test_a_signature_that_does_not_fit_is_refused(licence: bytes, sealer: Sealer, mark: Mark) -> None:
    prepared = PDF_PADES.prepare(licence, mark, sealer.credential, NOW)
    with pytest.raises(DocumentRefused, match="laid aside"):
        prepared.apply(lambda _: bytes(500))


def test_many_seals_on_one_document_all_hold(
    licence: bytes, p256_sealer: Sealer, sm2_sealer: Sealer, mark: Mark
) -> None:
    document = licence
    for number in range(4):
        place = AtPoint.on(1, x_mm=10 + 45 * number, y_mm=10)
        document = (p256_sealer, sm2_sealer)[number % 2].seal(document, replace(mark, placement=place))
    report = verify_pdf(document, Trust(anchors=(p256_sealer.root, sm2_sealer.root)))
    assert len(report.signatures) == 4
    assert report.verdict is Verdict.VALID


def test_the_claimed_time_is_that_of_sealing_and_judged_as_such(licence: bytes, sealer: Sealer, mark: Mark) -> None:
    late = NOW + timedelta(days=4000)
    report = verify_pdf(sealer.seal(licence, mark, late), sealer.trust)
    assert report.signatures[0].time == late
    assert "SIGN_TIME_OUTSIDE_CERT" in {item.code for item in report.signatures[0].findings}
    assert report.verdict is Verdict.INVALID


@pytest.mark.parametrize(
    "document",
    [
        small(),
        small(page=b"/Annots[]"),
        small(page=b"/Annots 4 0 R", more=(b"[]",)),
        small(page=b"/Annots 9 0 R"),
        small(page=b"/Annots[4 0 R]", more=(b"<</Type/Annot/Subtype/Link/Rect[0 0 9 9]>>",)),
        small(catalog=b"/AcroForm<</Fields[]>>"),
        small(catalog=b"/AcroForm 4 0 R", more=(b"<</Fields[]/SigFlags 3>>",)),
        small(catalog=b"/AcroForm 4 0 R", more=(b"<</Fields 5 0 R/SigFlags 3>>", b"[]")),
        small(catalog=b"/AcroForm 4 0 R", more=(b"<</Fields 5 0 R/SigFlags 1>>", b"[]")),
        small(
            catalog=b"/AcroForm 4 0 R",
            page=b"/Annots[5 0 R]",
            more=(b"<</Fields[5 0 R]>>", b"<</FT/Tx/T(name)/V(x)/Type/Annot/Subtype/Widget/Rect[0 0 9 9]>>"),
        ),
        small(trailer=b"/ID[<00><01>]/Info 4 0 R", more=(b"<</Title(x)>>",)),
        small()[:-1],
        small().replace(b"%%EOF\n", b"%%EOF\r\n\r\n"),
        render(3),
    ],
    ids=range(14),
)
def test_every_shape_of_page_and_form_takes_a_seal_and_a_second_one(
    document: bytes, p256_sealer: Sealer, here: Mark
) -> None:
    once = p256_sealer.seal(document, here)
    twice = p256_sealer.seal(once, replace(here, placement=AtPoint.on(1, x_mm=60, y_mm=60)))
    for sealed, count in ((once, 1), (twice, 2)):
        report = verify_pdf(sealed, p256_sealer.trust)
        assert len(report.signatures) == count
        assert report.verdict is Verdict.VALID, report


@pytest.mark.parametrize("file", SIGN_AGAIN)
def test_sealing_a_signed_document_breaks_no_earlier_signature(
    file: str, pdf_corpus: Path, sealer: Sealer, here: Mark
) -> None:
    document = (pdf_corpus / file).read_bytes()
    tiny = replace(
        here, placement=AtPoint.on(-1, x_mm=2, y_mm=2), picture=replace(here.picture, width_mm=5, height_mm=5)
    )
    before = verify_pdf(document, Trust(anchors=()))
    after = verify_pdf(sealer.seal(document, tiny), sealer.trust)
    assert [one.verdict for one in after.signatures] == [one.verdict for one in before.signatures] + [Verdict.VALID]
    assert not after.findings


def test_a_field_name_in_use_is_not_used_again(p256_sealer: Sealer, here: Mark) -> None:
    form = (b"<</Fields[5 0 R]>>", b"<</FT/Tx/T(Xinyin-6)>>")
    sealed = p256_sealer.seal(small(catalog=b"/AcroForm 4 0 R", more=form), here)
    names = [field.name for field in signature_fields(Document(sealed).current)]
    assert names == ["Xinyin-7"]


def test_an_xref_stream_is_followed_by_an_xref_stream(pdf_corpus: Path, p256_sealer: Sealer, here: Mark) -> None:
    document = (pdf_corpus / "pyhanko__minimal-two-fields-signed-twice.pdf").read_bytes()
    tiny = replace(
        here, placement=AtPoint.on(1, x_mm=1, y_mm=1), picture=replace(here.picture, width_mm=5, height_mm=5)
    )
    assert Document(p256_sealer.seal(document, tiny)).sections[0].is_stream


# --- refusals --------------------------------------------------------------------------------------------------


def test_a_certified_document_that_permits_no_change_is_not_sealed(
    pdf_corpus: Path, p256_sealer: Sealer, here: Mark
) -> None:
    document = (pdf_corpus / "dss__dss-2554_certified-no-change-permitted.pdf").read_bytes()
    with pytest.raises(FurtherSealingForbidden):
        p256_sealer.seal(document, here)


def test_an_encrypted_document_is_not_sealed(p256_sealer: Sealer, here: Mark) -> None:
    with pytest.raises(PdfEncrypted) as refused:
        p256_sealer.seal(small(trailer=b"/Encrypt 4 0 R", more=(b"<</Filter/Standard>>",)), here)
    assert refused.value.code == "document_encrypted"


def test_an_xfa_form_is_not_sealed(p256_sealer: Sealer, here: Mark) -> None:
    with pytest.raises(UnsupportedDocument):
        p256_sealer.seal(small(catalog=b"/AcroForm<</Fields[]/XFA(x)>>"), here)


@pytest.mark.parametrize(
    "placement",
    [
        AtPoint.on(2, x_mm=0, y_mm=0),
        AtPoint.on(-2, x_mm=0, y_mm=0),
        AtPoint.on(1, x_mm=180, y_mm=0),
        AtPoint.on(1, x_mm=0, y_mm=270),
        AtPoint.on(1, x_mm=-200, y_mm=10),
    ],
)
def test_a_place_that_is_not_on_a_page_is_refused(placement: Placement, p256_sealer: Sealer, mark: Mark) -> None:
    with pytest.raises(PlacementRefused):
        p256_sealer.seal(small(), replace(mark, placement=placement))


def test_a_picture_that_is_no_png_is_refused(p256_sealer: Sealer, here: Mark) -> None:
    with pytest.raises(DocumentRefused, match="PNG"):
        p256_sealer.seal(small(), replace(here, picture=Picture(png=b"GIF89a", width_mm=40, height_mm=40)))


@pytest.mark.parametrize("size", [0, 10, 100, 400, 900])
def test_a_document_cut_short_is_refused(size: int, licence: bytes, p256_sealer: Sealer, mark: Mark) -> None:
    with pytest.raises(DocumentRefused):
        p256_sealer.seal(licence[:size], mark)


@pytest.mark.parametrize(
    "document",
    [
        small(page=b"/Annots 5"),
        small(page=b"/Rotate 45"),
        small(page=b"/MediaBox[0 0]"),
        small(page=b"/CropBox[900 900 990 990]"),
        small(catalog=b"/AcroForm 7"),
        small(catalog=b"/AcroForm<</Fields 4 0 R>>", more=(b"[4 0 R]",)),
        small().replace(b"/Root 1 0 R", b"/Root 9 0 R"),
        small().replace(b"/Size 4", b"/Size(4)"),
    ],
    ids=range(8),
)
def test_a_document_that_makes_no_sense_is_refused(document: bytes, p256_sealer: Sealer, here: Mark) -> None:
    with pytest.raises(DocumentRefused):
        p256_sealer.seal(document, here)
