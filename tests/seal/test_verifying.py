"""Verifying: sealed documents through the front door, in a limited process of their own."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from seal.errors import DocumentTooLarge, DocumentUnreadable, UnsupportedDocument
from seal.formats.pdf.findings import Code
from seal.model import Report, TimeSource, Verdict
from seal.placing import AtPoint
from seal.sandbox import Limits
from seal.trust import Trust
from seal.verifying import Verifier, report_json, verify_in_process
from seal.wording import WORDING, wording
from tests.seal.pdf.forging import packing

from .conftest import CLERK, SEAL, START, Authority, House, request

FORMATS = ["pdf-pades-sm2", "pdf-pades-p256", "ofd-ses-v4", "ofd-gbt35275"]


@pytest.fixture(scope="module")
def verifier(authority: Authority) -> Iterator[Verifier]:
    one = Verifier(authority.ca.trust())
    yield one
    one.close()


def document_for(name: str, pdf: bytes, ofd: bytes) -> bytes:
    return ofd if name.startswith("ofd") else pdf


def contents(package: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("name", FORMATS)
def test_what_we_seal_is_valid_in_the_sandbox_too(
    house: House, verifier: Verifier, pdf: bytes, ofd: bytes, name: str
) -> None:
    sealed = house.service().seal(request(document_for(name, pdf, ofd), format=name), CLERK)
    report = verifier.verify(sealed.document)
    assert report == sealed.report
    (signature,) = report.signatures
    assert (signature.verdict, signature.time, signature.time_source) == (Verdict.VALID, START, TimeSource.CLAIMED)
    assert SEAL in (signature.signer or "")


@pytest.mark.parametrize("name", FORMATS)
def test_every_changed_region_of_a_sealed_document_is_found(house: House, pdf: bytes, ofd: bytes, name: str) -> None:
    sealed = house.service().seal(request(document_for(name, pdf, ofd), format=name), CLERK).document
    step = len(sealed) // 40
    for at in range(100, len(sealed), step):
        changed = sealed[:at] + bytes([sealed[at] ^ 0x15]) + sealed[at + 1 :]
        try:
            verdict = verify_in_process(changed, house.trust).verdict
        except UnsupportedDocument:
            continue
        # What a ZIP says of a file besides its content (times, attributes) is no part of an OFD document.
        assert verdict is not Verdict.VALID or (name.startswith("ofd") and contents(changed) == contents(sealed)), at


@pytest.mark.parametrize("name", FORMATS)
def test_a_document_cut_short_is_not_valid_in_the_sandbox_either(
    house: House, verifier: Verifier, pdf: bytes, ofd: bytes, name: str
) -> None:
    sealed = house.service().seal(request(document_for(name, pdf, ofd), format=name), CLERK).document
    try:
        verdict = verifier.verify(sealed[:2000] + sealed[2100:]).verdict
    except UnsupportedDocument:
        verdict = Verdict.INVALID
    assert verdict is not Verdict.VALID


def test_a_second_pdf_seal_leaves_the_first_valid(house: House, pdf: bytes) -> None:
    service = house.service()
    once = service.seal(request(pdf, format="pdf-pades-p256"), CLERK).document
    house.clock.advance(timedelta(minutes=1))
    twice = service.seal(request(once, format="pdf-pades-sm2", placement=AtPoint.on(1, x_mm=20, y_mm=200)), CLERK)
    assert [one.verdict for one in twice.report.signatures] == [Verdict.VALID, Verdict.VALID]


def test_an_unsigned_document_is_unsigned(verifier: Verifier, pdf: bytes, ofd: bytes) -> None:
    assert verifier.verify(pdf).verdict is Verdict.UNSIGNED
    assert verifier.verify(ofd).verdict is Verdict.UNSIGNED


@pytest.mark.parametrize("name", FORMATS)
def test_without_our_anchors_a_seal_is_indeterminate(house: House, pdf: bytes, ofd: bytes, name: str) -> None:
    sealed = house.service().seal(request(document_for(name, pdf, ofd), format=name), CLERK).document
    report = verify_in_process(sealed, Trust(anchors=()))
    assert report.verdict is Verdict.INDETERMINATE
    assert "SIGNER_CERT_UNTRUSTED" in codes(report)


@pytest.mark.parametrize("name", FORMATS)
def test_a_seal_revoked_before_it_was_used_makes_the_signature_invalid(
    house: House, pdf: bytes, ofd: bytes, name: str
) -> None:
    """A stolen key signs on after the revocation: the register knows better than the certificate."""
    house.clock.advance(timedelta(hours=1))
    sealed = house.service().seal(request(document_for(name, pdf, ofd), format=name), CLERK).document
    house.clock.advance(timedelta(hours=-1))
    house.registrar.revoke(SEAL, "key stolen")
    report = verify_in_process(sealed, house.trust)
    assert report.verdict is Verdict.INVALID
    assert "SEAL_REVOKED" in codes(report)


@pytest.mark.parametrize("name", FORMATS)
def test_a_seal_revoked_afterwards_leaves_what_it_sealed_valid(house: House, pdf: bytes, ofd: bytes, name: str) -> None:
    sealed = house.service().seal(request(document_for(name, pdf, ofd), format=name), CLERK).document
    house.clock.advance(timedelta(hours=1))
    house.registrar.revoke(SEAL, "dissolved")
    verifier = Verifier(house.trust)
    try:
        assert verifier.verify(sealed).verdict is Verdict.VALID
        assert "SEAL_REVOKED" in codes(verifier.verify(sealed, at=house.clock.now()))
    finally:
        verifier.close()


def test_what_is_no_document_is_refused(verifier: Verifier) -> None:
    with pytest.raises(UnsupportedDocument):
        verifier.verify(b"GIF89a")
    with pytest.raises(UnsupportedDocument):
        verifier.verify(b"")


def test_a_document_beyond_the_limit_is_refused(authority: Authority, pdf: bytes) -> None:
    with pytest.raises(DocumentTooLarge):
        Verifier(authority.ca.trust(), max_document=10).verify(pdf)


def test_a_file_that_exhausts_its_reader_cannot_be_verified(authority: Authority, pdf: bytes) -> None:
    starved = Verifier(authority.ca.trust(), limits=Limits(memory_bytes=1024**2))
    try:
        report = starved.verify(pdf + b" " * (32 * 1024**2))
    finally:
        starved.close()
    assert report.verdict is Verdict.INDETERMINATE
    assert codes(report) == {"CANNOT_VERIFY"}


def test_a_file_that_would_exhaust_the_sealer_exhausts_a_child_instead(authority: Authority) -> None:
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"
    heavy = packing(b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, b" " * (60 * 1024**2))
    starved = Verifier(authority.ca.trust(), limits=Limits(memory_bytes=160 * 1024**2))
    try:
        # It bears no signature, so that judging it need not look at its pages.
        assert starved.verify(heavy).verdict is Verdict.UNSIGNED
        with pytest.raises(DocumentUnreadable):
            starved.examine(heavy)
    finally:
        starved.close()


def test_a_broken_document_is_never_valid(verifier: Verifier, ofd: bytes) -> None:
    nested = b"%PDF-1.7\n1 0 obj " + b"[" * 100_000
    inside = ofd.index(b"Doc_0/Document.xml") + len("Doc_0/Document.xml")
    holed = ofd[:inside] + bytes(50) + ofd[inside + 50 :]
    for broken in (nested, holed):
        assert verifier.verify(broken).verdict is not Verdict.VALID


def codes(report: Report) -> set[str]:
    findings = [*report.findings, *(finding for one in report.signatures for finding in one.findings)]
    return {finding.code for finding in findings}


# --- for outsiders ---


def test_a_report_tells_codes_for_programs_and_words_for_people(house: House, ofd: bytes) -> None:
    sealed = house.service().seal(request(ofd), CLERK)
    told = json.loads(json.dumps(report_json(sealed.report, file="a.ofd")))
    assert told["file"] == "a.ofd"
    assert told["verdict"] == "valid"
    (signature,) = told["signatures"]
    assert signature["seal"]["id"] == SEAL
    assert signature["time"] == "2026-11-22T08:00:00+00:00"
    for finding in signature["findings"]:
        assert re.search("[一-鿿]", finding["zh"])
        assert finding["en"] != finding["code"]


def test_every_code_that_the_floor_can_raise_has_words() -> None:
    """A code is written in capitals, as a text or as a member of the PDF's table."""
    root = Path(__file__).resolve().parents[2] / "seal"
    written = {
        code
        for path in root.rglob("*.py")
        if path.name not in {"wording.py", "indications.py"}
        for code in re.findall(r'"([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)"', path.read_text("utf-8"))
    }
    by_role = {f"{role}_CERT_{end}" for role in ("SIGNER", "SEAL_MAKER", "TSA") for end in ("UNTRUSTED", "KEY_USAGE")}
    no_codes = {
        "DIGEST_FORMATS",
        "ETSI_MEDIA_TYPE",
        "FILE_RULES",
        "LIST_RULES",
        "NAMED_ONCE",
        "OFD_INTEGRITY",
        "OFD_SES",
        "OFD_SIGN",
        "PDF_GM_CMS",
        "PDF_PADES",
        "PDF_SES",
        "SEAL_MAKER",
        "MALLOC_ARENA_MAX",
    }
    raised = (written - no_codes) | by_role | {code.name for code in Code}
    assert raised - set(WORDING) == set()


def test_an_unknown_code_speaks_for_itself() -> None:
    assert wording("SOMETHING_NEW") == ("SOMETHING_NEW", "SOMETHING_NEW")


def test_no_real_document_breaks_the_verifier_or_is_believed_without_anchors(corpus: Path) -> None:
    files = [*sorted(corpus.glob("pdf/*.pdf")), *sorted(corpus.glob("ofd/ofd/*.ofd"))]
    assert files
    verifier = Verifier(Trust(anchors=()))
    try:
        verdicts = {path.name: verifier.verify(path.read_bytes()) for path in files}
    finally:
        verifier.close()
    assert [name for name, report in verdicts.items() if report.verdict is Verdict.VALID] == []
    assert [name for name, report in verdicts.items() if "CANNOT_VERIFY" in codes(report)] == []


def test_a_file_that_is_a_pdf_and_an_ofd_at_once_is_not_sealed_and_not_valid(
    house: House, pdf: bytes, ofd: bytes
) -> None:
    sealed = house.service().seal(request(pdf), CLERK).document
    for both in (pdf + ofd, sealed + ofd):
        with pytest.raises(UnsupportedDocument):
            house.service().seal(request(both), CLERK)
        report = house.judge(both)
        assert report.verdict is not Verdict.VALID
        assert "DOCUMENT_AMBIGUOUS" in {finding.code for finding in report.findings}
