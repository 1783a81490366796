"""Other people's programs look at what we sealed: they must agree with us."""

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from crypto.der import parse_prefix
from crypto.suites import ES256, SM2_SM3
from crypto.x509 import Certificate
from seal.formats.pdf import verify_pdf
from seal.formats.pdf.coverage import covered
from seal.formats.pdf.form import signature_fields
from seal.formats.pdf.reader import Document
from seal.model import Mark, Verdict
from seal.placing import AtPoint
from seal.trust import Trust
from tests.judges import bouncycastle, pdfsig
from tests.judges.judgement import Judgement, Word
from tests.judges.pdf_judges import JUDGES, ask_qpdf
from tests.judges.pdf_made import MADE, Made, World, make_world
from tests.seal.pdf.making import NOW, Sealer

NOBODY = Trust(anchors=())
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


def test_qpdf_finds_nothing_wrong(licence: bytes, pdf_corpus: Path, p256_sealer: Sealer, mark: Mark) -> None:
    documents = [licence, p256_sealer.seal(licence, mark), *((pdf_corpus / file).read_bytes() for file in FOREIGN)]
    for document in documents:
        assert not ask_qpdf(p256_sealer.seal(document, _tiny(mark))).complaints


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
    # A value may end with a zero of its own.
    message = parse_prefix(one.contents).raw
    assert bouncycastle.judge_cms(message, content).startswith("valid")
    assert not bouncycastle.judge_cms(message, content + b" ").startswith("valid")


# --- every judge, everything we make ----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def worlds() -> Mapping[str, World]:
    return {suite.name: make_world(suite) for suite in (ES256, SM2_SM3)}


@pytest.fixture(scope="session")
def made(worlds: Mapping[str, World], licence: bytes) -> Mapping[str, bytes]:
    return {str(each): each.make(worlds[each.suite.name], licence) for each in MADE}


def _ask(judge: str, pdf: bytes, world: World) -> Judgement:
    return JUDGES[judge].judge(pdf, (world.sealer.root,), NOW, (world.crl,))


PAIRS = [(each, judge) for each in MADE for judge, row in JUDGES.items() if row.sm2 or not each.sm2]
DEAF = [(each, judge) for each in MADE for judge, row in JUDGES.items() if each.sm2 and not row.sm2]


def _named(value: object) -> str:
    return str(value)


@pytest.mark.parametrize(("kind", "judge"), PAIRS, ids=_named)
def test_a_judge_accepts_what_we_make_and_refuses_it_with_an_octet_changed(
    kind: Made, judge: str, worlds: Mapping[str, World], made: Mapping[str, bytes], licence: bytes
) -> None:
    world, sealed = worlds[kind.suite.name], made[str(kind)]
    found = _ask(judge, sealed, world)
    assert [each.word for each in found.signatures] == [Word.ACCEPTED] * len(kind.levels), found
    assert [each.whole for each in found.signatures] == [False] * (len(kind.levels) - 1) + [True]
    if JUDGES[judge].changes:  # the two that know levels
        assert tuple(each.level for each in found.signatures) == kind.levels
    altered = bytearray(sealed)
    altered[licence.index(b"/MediaBox") + 1] ^= 1
    assert _ask(judge, bytes(altered), world).word is Word.REFUSED


@pytest.mark.parametrize(("kind", "judge"), DEAF, ids=_named)
def test_a_judge_that_knows_no_sm2_does_not_accept_it(
    kind: Made, judge: str, worlds: Mapping[str, World], made: Mapping[str, bytes]
) -> None:
    found = _ask(judge, made[str(kind)], worlds[kind.suite.name])
    assert found.word is not Word.ACCEPTED
    assert not any(each.intact for each in found.signatures)


@pytest.mark.parametrize("judge", [name for name, row in JUDGES.items() if row.chain])
def test_a_judge_of_certificates_trusts_nobody_unasked(judge: str, made: Mapping[str, bytes]) -> None:
    (found,) = JUDGES[judge].judge(made[str(MADE[0])], (), NOW).signatures
    assert (found.word, found.intact) == (Word.UNDECIDED, True)


# --- documents of others ----------------------------------------------------------------------------------------


def test_we_refuse_whatever_dss_and_pyhanko_both_refuse(pdf_corpus: Path, expected: Mapping[str, str]) -> None:
    for file in expected:
        document = (pdf_corpus / file).read_bytes()
        if verify_pdf(document, NOBODY).verdict is Verdict.INVALID:
            continue  # nothing is stricter
        # DSS draws the pages of every revision, so it is asked last.
        both = all(JUDGES[judge].judge(document).word is Word.REFUSED for judge in ("pyHanko", "DSS"))
        assert not both, file


def test_dss_and_pyhanko_find_intact_what_we_find_intact(pdf_corpus: Path) -> None:
    for file in FOREIGN:
        document = (pdf_corpus / file).read_bytes()
        for judge in ("DSS", "pyHanko"):
            found = JUDGES[judge].judge(document).signatures
            assert len(found) == len(verify_pdf(document, NOBODY).signatures)
            assert all(each.intact and each.word is Word.UNDECIDED for each in found), (file, judge)
