"""Closing a PDF: nothing but time stamps may follow, whoever reads it; and who may certify what."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from crypto.x509 import TSA
from seal.errors import FurtherSealingForbidden
from seal.formats.pdf import PDF_GM_CMS, PDF_PADES, PDF_SES, verify_pdf
from seal.formats.pdf.append import Appender
from seal.formats.pdf.objects import Name, PdfDict, Ref
from seal.formats.pdf.reader import Document
from seal.model import Mark, Report, SealFormat, Verdict
from tests.judges import pdfsig
from tests.seal.pdf.making import NOW, Sealer
from tests.sims.ofd_workshop import AT, Bureau, make_workshop, worse_than_notes
from tests.sims.pdf_closing import by_hand, document_stamp, renamed
from tests.sims.pdf_gm import pdf_mark


@pytest.fixture(scope="module")
def bureau() -> Bureau:
    return make_workshop().bureau


@pytest.fixture(scope="module")
def closed(bureau: Bureau, licence: bytes) -> bytes:
    return sealed(bureau, licence, closes=True)


def sealed(bureau: Bureau, document: bytes, layout: SealFormat = PDF_SES, *, closes: bool = False) -> bytes:
    prepared = layout.prepare(document, pdf_mark(closes=closes), bureau.credential(), AT)
    return prepared.apply(bureau.signer.signer.sign)


def judged(bureau: Bureau, document: bytes) -> tuple[Verdict, set[str]]:
    report = verify_pdf(document, bureau.trust)
    return report.verdict, set(worse_than_notes(report))


GOOD = (Verdict.VALID, set[str]())


@pytest.mark.parametrize("layout", [PDF_SES, PDF_GM_CMS, PDF_PADES], ids=lambda layout: layout.name)
def test_the_first_seal_closes_by_certifying(bureau: Bureau, licence: bytes, layout: SealFormat) -> None:
    document = sealed(bureau, licence, layout, closes=True)
    assert judged(bureau, document) == GOOD
    permissions = Document(document).current.catalog["Perms"]
    assert isinstance(permissions, dict)
    assert isinstance(permissions["DocMDP"], Ref)
    with pytest.raises(FurtherSealingForbidden):
        sealed(bureau, document)


def test_a_later_seal_closes_by_the_lock_of_its_field(bureau: Bureau, licence: bytes) -> None:
    document = sealed(bureau, sealed(bureau, licence), closes=True)
    assert judged(bureau, document) == GOOD
    assert "Perms" not in Document(document).current.catalog
    with pytest.raises(FurtherSealingForbidden):
        sealed(bureau, document)


@pytest.mark.parametrize("earlier", [0, 1])
def test_a_signature_put_after_a_closing_one_is_found(bureau: Bureau, licence: bytes, earlier: int) -> None:
    document = licence
    for _ in range(earlier):
        document = sealed(bureau, document)
    document = sealed(bureau, document, closes=True)
    forced = by_hand(bureau, document, more=b"")
    assert judged(bureau, forced) == (Verdict.INVALID, {"CHANGED_AFTER_SIGNING"})
    assert [one.verdict for one in verify_pdf(forced, bureau.trust).signatures][-2:] == [Verdict.INVALID, Verdict.VALID]


@pytest.mark.parametrize("earlier", [0, 1])
def test_document_time_stamps_may_follow_a_closing_seal(bureau: Bureau, licence: bytes, earlier: int) -> None:
    tsa = bureau.authority.certify("Stamper", profile=TSA)
    document = licence
    for _ in range(earlier):
        document = sealed(bureau, document)
    document = document_stamp(document_stamp(sealed(bureau, document, closes=True), tsa), tsa)
    assert judged(bureau, document) == GOOD


def test_permissions_of_the_catalog_and_its_form_stay(bureau: Bureau, licence: bytes) -> None:
    view = Document(licence).current
    kept: PdfDict = {"UR3": {"Type": Name("Sig")}}
    held = {**view.catalog, "Perms": kept}
    appender = Appender(view)
    appender.put(view.root, held)
    document = sealed(bureau, licence + appender.finish(b"").tail, closes=True)
    assert judged(bureau, document) == GOOD
    catalog = Document(document).current.catalog
    assert isinstance(catalog["Perms"], dict)
    assert set(catalog["Perms"]) == {"UR3", "DocMDP"}
    assert "AcroForm" in catalog


# --- who certifies ---------------------------------------------------------------------------------------------


def test_a_certification_that_permits_signatures_is_followed_by_one(bureau: Bureau, licence: bytes) -> None:
    document = by_hand(bureau, licence, named=None)
    assert judged(bureau, sealed(bureau, document)) == GOOD
    assert judged(bureau, sealed(bureau, document, closes=True)) == GOOD


def test_a_certification_that_is_not_first_is_found(bureau: Bureau, licence: bytes) -> None:
    document = by_hand(bureau, sealed(bureau, licence), named=None)
    # The catalog came to name it after the first was made.
    assert judged(bureau, document) == (Verdict.INVALID, {"CERTIFICATION_NOT_FIRST", "CHANGED_AFTER_SIGNING"})


def test_two_certifications_are_found(bureau: Bureau, licence: bytes) -> None:
    document = by_hand(bureau, by_hand(bureau, licence, named=None))
    assert judged(bureau, document) == (Verdict.INVALID, {"CERTIFICATION_NOT_FIRST"})


@pytest.mark.parametrize("named", [Ref(1, 0), Name("Sig"), {"Type": Name("Sig")}], ids=["elsewhere", "name", "inside"])
def test_a_catalog_that_names_something_else_is_not_decided(bureau: Bureau, licence: bytes, named: object) -> None:
    document = by_hand(bureau, licence, named=named)
    assert judged(bureau, document) == (Verdict.INDETERMINATE, {"CERTIFICATION_UNCLEAR"})


def test_a_certification_that_the_catalog_does_not_name_is_not_decided(bureau: Bureau, licence: bytes) -> None:
    assert judged(bureau, by_hand(bureau, licence)) == (Verdict.INDETERMINATE, {"CERTIFICATION_UNCLEAR"})


def test_a_catalog_that_names_a_plain_signature_is_not_decided(bureau: Bureau, licence: bytes) -> None:
    document = by_hand(bureau, licence, more=b"", named=None)
    assert judged(bureau, document) == (Verdict.INDETERMINATE, {"CERTIFICATION_UNCLEAR"})


@pytest.mark.parametrize("named", [None, Ref(1, 0)], ids=["none", "elsewhere"])
def test_a_catalog_changed_after_certification_is_found(bureau: Bureau, closed: bytes, named: Ref | None) -> None:
    verdict, found = judged(bureau, renamed(closed, named))
    assert verdict is Verdict.INVALID
    assert found == {"CHANGED_AFTER_SIGNING", "CERTIFICATION_UNCLEAR"}


# --- other programs --------------------------------------------------------------------------------------------


def closed_by(sealer: Sealer, document: bytes, mark: Mark) -> bytes:
    return sealer.seal(document, replace(mark, closes=True))


@pytest.mark.parametrize("earlier", [0, 1])
def test_pyhanko_and_pdfsig_agree(licence: bytes, p256_sealer: Sealer, mark: Mark, earlier: int) -> None:
    document = licence
    for _ in range(earlier):
        document = p256_sealer.seal(document, mark)
    document = closed_by(p256_sealer, document, mark)
    assert verify_pdf(document, p256_sealer.trust).verdict is Verdict.VALID
    assert all(opinion.valid for opinion in pdfsig.opinions(document))
    root = asn1_x509.Certificate.load(p256_sealer.root.raw)
    context = ValidationContext(trust_roots=[root], moment=NOW, best_signature_time=NOW)
    found = PdfFileReader(io.BytesIO(document), strict=False).embedded_regular_signatures
    statuses = [validate_pdf_signature(one, context) for one in found]
    assert all(status.bottom_line for status in statuses)
    assert found[-1].docmdp_level is MDPPerm.NO_CHANGES


def test_pdfsig_knows_a_chinese_signature_covers_the_whole_document(closed: bytes) -> None:
    (opinion,) = pdfsig.opinions(closed)
    assert opinion.whole
    assert not opinion.valid


def test_what_others_certified_is_judged_as_before(pdf_corpus: Path, bureau: Bureau) -> None:
    report: Report = verify_pdf(
        (pdf_corpus / "dss__dss-2554_certified-changes-permitted.pdf").read_bytes(), bureau.trust
    )
    assert not {finding.code for finding in report.findings} & {"CERTIFICATION_NOT_FIRST", "CERTIFICATION_UNCLEAR"}
