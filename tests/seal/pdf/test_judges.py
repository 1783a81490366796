"""Other people's programs look at what we sealed: they must agree with us."""

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from crypto.crl import RevocationList
from crypto.der import parse_prefix
from crypto.suites import ES256, PS256, RS256, SM2_SM3
from crypto.x509 import Certificate
from seal.formats.pdf import verify_pdf
from seal.formats.pdf.form import signature_fields
from seal.formats.pdf.reader import Document
from seal.levels import Level
from seal.model import Mark, Verdict
from seal.placing import AtPoint
from seal.trust import Facts, Trust
from tests.judges import pdfsig
from tests.judges.judgement import DOC_TIMESTAMP, Opinion, Word
from tests.judges.pdf_judges import FILE_JUDGES, JUDGES, ask_qpdf
from tests.judges.pdf_made import ARCHIVED, MADE, Made, Signed
from tests.judges.pdf_papers import Papers, make_papers
from tests.judges.pdf_world import Sealed, World, asked, make_world
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


# --- every judge, everything we make ----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def worlds() -> Mapping[str, World]:
    return {suite.name: make_world(suite) for suite in (ES256, RS256, PS256, SM2_SM3)}


@pytest.fixture(scope="session")
def papers() -> Papers:
    return make_papers()


@pytest.fixture(scope="session")
def made(worlds: Mapping[str, World], papers: Papers) -> Mapping[str, Sealed]:
    return {str(each): each.make([worlds[suite.name] for suite in each.suites], papers) for each in MADE}


def _ask(judge: str, sealed: Sealed, pdf: bytes | None = None) -> list[Opinion]:
    """Give the opinions in the order of signing, those on document time-stamps last."""
    found = JUDGES[judge].judge(pdf or sealed.pdf, sealed.anchors, sealed.at, sealed.crls).signatures
    # Not every judge says what is a time-stamp.
    stamps = _stamps(sealed.pdf)
    return sorted(found, key=lambda each: each.field in stamps)


def _stamps(pdf: bytes) -> set[str]:
    view = Document(pdf).current
    held = ((field.name, view.resolve(field.value)) for field in signature_fields(view))
    return {name for name, entries in held if isinstance(entries, dict) and entries["SubFilter"] == "ETSI.RFC3161"}


def _altered(pdf: bytes) -> bytes:
    """Change an octet that only a digest can miss: in the comment after the header."""
    at = pdf.index(b"\n%") + 2
    assert pdf[at] >= 0x80
    return pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :]


def _able(kind: Made, judge: str) -> list[Signed]:
    row = JUDGES[judge]
    return [] if judge in kind.unread else [each for each in kind.signed if row.judges(each, ended=kind.ended)]


PAIRS = [(each, judge) for each in MADE for judge in JUDGES]


def _named(value: object) -> str:
    return str(value)


@pytest.mark.parametrize(("kind", "judge"), PAIRS, ids=_named)
def test_a_judge_accepts_of_what_we_make_whatever_it_can_judge_and_nothing_with_an_octet_changed(
    kind: Made, judge: str, made: Mapping[str, Sealed]
) -> None:
    sealed, able = made[str(kind)], _able(kind, judge)
    found = _ask(judge, sealed)
    accepted = [each for each in found if each.word is Word.ACCEPTED]
    assert len(accepted) == len(able), found
    assert not any(each.word is Word.REFUSED for each in found if each.intact)
    if JUDGES[judge].changes:  # the two that know levels, and who closed
        assert [each.level.removeprefix("PAdES-BASELINE-") for each in accepted] == [each.level for each in able]
        if len(able) == len(kind.signed):
            assert [each.closes for each in found] == kind.closing
    if len(able) == len(kind.signed):
        assert [each.whole for each in found] == [False] * (len(found) - 1) + [kind.whole]
    if able:
        told = _ask(judge, sealed, _altered(sealed.pdf))
        assert not any(each.word is Word.ACCEPTED or each.intact for each in told)
        assert sum(each.word is Word.REFUSED for each in told) >= len(able)


def test_we_say_of_what_we_make_what_the_judges_say(made: Mapping[str, Sealed]) -> None:
    for kind in MADE:
        sealed = made[str(kind)]
        facts = Facts(crls=[RevocationList.from_der(each) for each in sealed.crls])
        trust = Trust(anchors=sealed.anchors, facts=facts, now=sealed.at)
        report = verify_pdf(sealed.pdf, trust, sealed.at)
        assert report.verdict is Verdict.VALID, (kind, report.findings)
        levels = [each.level for each in report.signatures if each.level]
        named = [each.level for each in kind.signed if each.level and each.level != DOC_TIMESTAMP]
        assert levels == [f"b-{each.lower()}" for each in named], kind


@pytest.mark.parametrize("kind", [each for each in MADE if each.what in {"e-seal", "GB/T 35275"}], ids=_named)
def test_what_a_chinese_signature_holds_is_judged_too(kind: Made, made: Mapping[str, Sealed]) -> None:
    sealed = made[str(kind)]
    start = sealed.pdf.rindex(b"/Contents <") + 11
    held = bytes.fromhex(sealed.pdf[start : sealed.pdf.index(b">", start)].decode())
    size = len(parse_prefix(held).raw)
    for place in (size - 1, size // 2):  # of the value; of the seal's picture, or of a certificate
        spoilt = held[:place] + bytes([held[place] ^ 1]) + held[place + 1 :]
        pdf = sealed.pdf.replace(held.hex().encode(), spoilt.hex().encode())
        assert pdf != sealed.pdf
        (found,) = _ask("PDFBox", sealed, pdf)
        assert found.word is not Word.ACCEPTED, place


def test_dss_judges_what_stands_beside_sm2_where_an_authority_it_knows_stamped_both(
    worlds: Mapping[str, World], papers: Papers
) -> None:
    sm2, p256 = worlds[SM2_SM3.name], worlds[ES256.name]
    once = sm2.seal(papers.licence, level=Level.T, stamped_by=p256)
    sealed = asked(p256.seal(once, level=Level.LTA, shown=False), [sm2, p256])
    seen, hidden, stamp = _ask("DSS", sealed)
    assert (seen.word, seen.intact) == (Word.UNDECIDED, False)
    assert (hidden.word, hidden.level) == (Word.ACCEPTED, "PAdES-BASELINE-LTA")
    assert (stamp.word, stamp.whole) == (Word.ACCEPTED, True)


def test_every_kind_of_signature_we_make_has_a_judge_that_accepts_it() -> None:
    for kind in MADE:
        able = {each for judge in JUDGES for each in _able(kind, judge)}
        assert able == set(kind.signed), kind


def test_a_judge_of_certificates_trusts_nobody_unasked(made: Mapping[str, Sealed]) -> None:
    for judge, row in JUDGES.items():
        if row.chain:
            (found,) = row.judge(made[str(MADE[0])].pdf, (), NOW).signatures
            assert (found.word, found.intact) == (Word.UNDECIDED, True), judge


@pytest.mark.parametrize("kind", ARCHIVED, ids=_named)
def test_what_we_make_of_pdf_a_stays_pdf_a_unless_its_contents_are_chinese(
    kind: Made, made: Mapping[str, Sealed]
) -> None:
    judge, _ = FILE_JUDGES["veraPDF"]
    assert judge(made[str(kind)].pdf).complaints == kind.faults


def test_qpdf_finds_nothing_wrong_with_what_we_make(made: Mapping[str, Sealed]) -> None:
    for kind, sealed in made.items():
        assert not ask_qpdf(sealed.pdf).complaints, kind


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
