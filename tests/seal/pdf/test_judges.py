"""Other people's programs look at what we sealed: they must agree with us."""

import io
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from crypto import der
from crypto.x509 import Certificate
from seal.formats.pdf.coverage import covered
from seal.formats.pdf.form import signature_fields
from seal.formats.pdf.reader import Document
from seal.model import Mark
from seal.placing import AtPoint
from tests.judges import bouncycastle, pdfsig
from tests.seal.pdf.making import NOW, Sealer

FOREIGN = (
    "dss__pdf-signed-original.pdf",
    "dss__hello_signed_INCSAVE_signed.pdf",
    "pyhanko__minimal-two-fields-signed-twice.pdf",
)


def _context(root: Certificate) -> ValidationContext:
    return ValidationContext(trust_roots=[asn1_x509.Certificate.load(root.raw)], moment=NOW, best_signature_time=NOW)


def _tiny(mark: Mark) -> Mark:
    picture = replace(mark.picture, width_mm=5, height_mm=5)
    return replace(mark, placement=AtPoint.on(1, x_mm=2, y_mm=2), picture=picture)


def test_pdfsig_calls_our_seal_valid_and_the_whole_document_signed(
    licence: bytes, p256_sealer: Sealer, mark: Mark
) -> None:
    (opinion,) = pdfsig.opinions(p256_sealer.seal(licence, mark))
    assert opinion.valid
    assert opinion.whole


def test_pdfsig_refuses_our_seal_when_an_octet_is_changed(licence: bytes, p256_sealer: Sealer, mark: Mark) -> None:
    sealed = bytearray(p256_sealer.seal(licence, mark))
    sealed[licence.index(b"/MediaBox") + 1] ^= 1
    (opinion,) = pdfsig.opinions(bytes(sealed))
    assert not opinion.valid


@pytest.mark.parametrize("file", FOREIGN)
def test_pdfsig_still_accepts_the_signatures_before_ours(
    file: str, pdf_corpus: Path, p256_sealer: Sealer, mark: Mark
) -> None:
    document = (pdf_corpus / file).read_bytes()
    sealed = p256_sealer.seal(document, _tiny(mark))
    opinions = pdfsig.opinions(sealed)
    assert len(opinions) == len(pdfsig.opinions(document)) + 1
    assert all(opinion.valid for opinion in opinions)
    assert opinions[-1].whole


def test_qpdf_finds_nothing_wrong(
    licence: bytes, pdf_corpus: Path, p256_sealer: Sealer, mark: Mark, tmp_path: Path
) -> None:
    if shutil.which("qpdf") is None:
        pytest.skip("no qpdf")
    documents = [licence, p256_sealer.seal(licence, mark), *((pdf_corpus / file).read_bytes() for file in FOREIGN)]
    for number, document in enumerate(documents):
        file = tmp_path / f"{number}.pdf"
        file.write_bytes(p256_sealer.seal(document, _tiny(mark)))
        answer = subprocess.run(["qpdf", "--check", str(file)], capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stdout + answer.stderr


def test_pyhanko_trusts_our_seal_and_sees_no_change(licence: bytes, p256_sealer: Sealer, mark: Mark) -> None:
    reader = PdfFileReader(io.BytesIO(p256_sealer.seal(licence, mark)))
    (embedded,) = reader.embedded_signatures
    status = validate_pdf_signature(embedded, _context(p256_sealer.root))
    assert status.bottom_line
    assert status.coverage is SignatureCoverageLevel.ENTIRE_FILE


@pytest.mark.parametrize("file", FOREIGN)
def test_pyhanko_takes_our_seal_for_no_change_of_what_was_signed_before(
    file: str, pdf_corpus: Path, p256_sealer: Sealer, mark: Mark
) -> None:
    sealed = p256_sealer.seal((pdf_corpus / file).read_bytes(), _tiny(mark))
    *before, ours = PdfFileReader(io.BytesIO(sealed), strict=False).embedded_signatures
    for embedded in before:
        status = validate_pdf_signature(embedded, ValidationContext(trust_roots=[], moment=NOW))
        assert status.intact
        assert status.valid
        assert status.docmdp_ok
    assert validate_pdf_signature(ours, _context(p256_sealer.root)).bottom_line


def test_pyhanko_accepts_two_seals_of_ours(licence: bytes, p256_sealer: Sealer, mark: Mark) -> None:
    sealed = p256_sealer.seal(p256_sealer.seal(licence, mark), _tiny(mark))
    for embedded in PdfFileReader(io.BytesIO(sealed)).embedded_signatures:
        assert validate_pdf_signature(embedded, _context(p256_sealer.root)).bottom_line


def test_bouncy_castle_verifies_the_signed_message_of_our_seal(licence: bytes, sealer: Sealer, mark: Mark) -> None:
    document = Document(sealer.seal(licence, mark))
    (field,) = signature_fields(document.current)
    one = covered(document, document.current, field)
    content = b"".join(one.parts(document.data))
    message = der.parse_prefix(one.contents).raw
    assert bouncycastle.judge_cms(message, content).startswith("valid")
    assert not bouncycastle.judge_cms(message, content + b" ").startswith("valid")
