"""Integrity lists: which files a package has, said and signed; smuggling in and out is noticed."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from crypto.cms import CmsTemplate, parse_signed_data, verify_signer
from crypto.digests import SM3, sm3
from crypto.sm2 import signature_from_der
from crypto.suites import ES256, SM2_SM3
from crypto.timestamp_build import Imprint, TokenTemplate
from crypto.x509 import TSA
from seal.errors import DocumentRefused, SealExpired, SealNotUsable, UnsupportedDocument
from seal.formats.ofd import OFD_INTEGRITY, verify_ofd
from seal.formats.ofd.archive import write_archive
from seal.model import Report, TimeSource, Verdict
from seal.trust import Trust

AT = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
LIST, VALUE = "OFDEntries.xml", "signedvalue.dat"
Unpack = Callable[[bytes], dict[str, bytes]]
Complaints = Callable[[Report], list[str]]
Files = dict[str, bytes]


@pytest.fixture
def protect(bureau: Any) -> Callable[..., bytes]:
    def make(document: bytes, *, at: datetime = AT, **changed: Any) -> bytes:
        credential = bureau.credential(**{"seseal": None, **changed})
        return OFD_INTEGRITY.prepare(document, bureau.mark(), credential, at).apply(bureau.signer.signer.sign)

    return make


@pytest.fixture
def files(bureau: Any, plain: bytes, protect: Callable[..., bytes], unpack: Unpack) -> Files:
    """The files of a sealed and protected document."""
    return unpack(protect(bureau.sealed(plain)))


@pytest.fixture
def relisted(bureau: Any) -> Callable[[Files, bytes], bytes]:
    """Pack ``files`` with another list, signed as it is."""

    def make(files: Mapping[str, bytes], written: bytes) -> bytes:
        template = CmsTemplate(bureau.signer.certificate, (), SM2_SM3, "gbt35275")
        attributes = template.attributes(sm3(written), signing_time=AT)
        message = template.assemble(attributes, bureau.signer.signer.sign(attributes))
        return write_archive({**files, LIST: written, VALUE: message})

    return make


def test_a_protected_document_is_valid_with_a_report_of_its_list(bureau: Any, files: Files) -> None:
    report = verify_ofd(write_archive(files), bureau.trust)
    assert report.verdict is Verdict.VALID
    seal, listed = report.signatures
    assert (seal.format, listed.format) == ("ofd-ses-v4", "ofd-gmt0099")
    assert (listed.time, listed.time_source) == (AT, TimeSource.CLAIMED)
    assert listed.signer == bureau.signer.certificate.subject_text
    # The list's own two files are no stray content for the seal.
    assert "UNCOVERED_CONTENT" not in {finding.code for finding in seal.findings}


def test_the_list_names_every_file_but_its_own_two(bureau: Any, files: Files) -> None:
    root = etree.fromstring(files[LIST])
    assert etree.QName(root).localname == "DocEntries"
    # The date is China's: it is the 23rd there.
    assert [root.get(name) for name in ("ID", "CreatorName", "CreationDate")] == ["1", "Xinyin", "2026-11-23"]
    assert root.get("Version")
    assert [etree.QName(each).localname for each in root] == ["SignedValueLoc", "FileList"]
    assert root.findtext("{*}SignedValueLoc") == f"/{VALUE}"
    rows = root.findall("{*}FileList/{*}File")
    assert {str(row.get("FileLoc")) for row in rows} == {f"/{path}" for path in files} - {f"/{LIST}", f"/{VALUE}"}
    assert len({row.get("ID") for row in rows} | {"1"}) == len(rows) + 1
    message = parse_signed_data(files[VALUE])
    (signer,) = message.signers
    assert verify_signer(message, signer, lambda algorithm: algorithm.digest(files[LIST])) == ()
    assert signer.certificate is not None
    assert signer.certificate.raw == bureau.signer.certificate.raw


def test_untouched_files_stay_as_they_were(workshop: Any, protect: Callable[..., bytes], unpack: Unpack) -> None:
    before, after = unpack(workshop.document), unpack(protect(workshop.document))
    assert after == {**before, LIST: after[LIST], VALUE: after[VALUE]}


def test_the_list_is_time_stamped(bureau: Any, authority: Any, plain: bytes, protect: Callable[..., bytes]) -> None:
    holder = authority.certify("Time Stamper", profile=TSA)
    template = TokenTemplate(holder.certificate, (), holder.signer, policy="1.2.3.4")

    def stamper(octets: bytes) -> bytes:
        return template.token(Imprint.of(SM3.oid, sm3(octets)), serial=7, at=AT + timedelta(seconds=1))

    listed = verify_ofd(protect(plain, stamper=stamper), bureau.trust).signatures[-1]
    assert (listed.verdict, listed.time_source) == (Verdict.VALID, TimeSource.TIMESTAMP)
    assert listed.time == AT + timedelta(seconds=1)


def test_the_lists_own_files_may_bear_the_names_that_protected_files_name(
    bureau: Any, other_bureau: Any, plain: bytes, protect: Callable[..., bytes]
) -> None:
    # The second seal protects the first one's Signature.xml, and that names a SignedValue.dat.
    twice = other_bureau.sealed(bureau.sealed(plain), at=AT)
    assert verify_ofd(protect(twice), bureau.trust).verdict is Verdict.VALID


# --- what a list is worth ---


def test_a_list_alone_leaves_a_document_unsigned(bureau: Any, plain: bytes, protect: Callable[..., bytes]) -> None:
    document = protect(plain)
    for trust in (bureau.trust, Trust(anchors=())):
        report = verify_ofd(document, trust)
        assert report.verdict is Verdict.UNSIGNED
        assert [each.format for each in report.signatures] == ["ofd-gmt0099"]


def test_under_a_seal_the_signer_of_the_list_must_be_known(
    bureau: Any, stranger: Any, plain: bytes, complaints: Complaints
) -> None:
    unknown = stranger.certify("44030000000009")
    prepared = OFD_INTEGRITY.prepare(
        bureau.sealed(plain), bureau.mark(), bureau.credential(certificate=unknown.certificate), AT
    )
    report = verify_ofd(prepared.apply(unknown.signer.sign), bureau.trust)
    assert report.verdict is Verdict.INDETERMINATE
    assert complaints(report) == ["SIGNER_CERT_UNTRUSTED"]
    # A list that proves nothing lets no file pass unnamed.
    assert "UNCOVERED_CONTENT" in {finding.code for finding in report.signatures[0].findings}


def test_the_sample_of_another_maker_holds_under_its_root(corpus: Path) -> None:
    document = (corpus / "ofd/ofd/hello-integrity.ofd").read_bytes()
    report = verify_ofd(document, Trust.load(corpus / "ofd/certs"))
    assert report.verdict is Verdict.UNSIGNED
    (listed,) = report.signatures
    assert (listed.format, listed.verdict) == ("ofd-gmt0099", Verdict.VALID)
    assert listed.time == datetime(2023, 3, 21, 15, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("change", ["add", "remove", "list"])
def test_the_sample_with_one_thing_changed_is_invalid(
    corpus: Path, unpack: Unpack, complaints: Complaints, change: str
) -> None:
    files = unpack((corpus / "ofd/ofd/hello-integrity.ofd").read_bytes())
    if change == "add":
        files["Doc_0/Res/new.png"] = b"\x89PNG"
    elif change == "remove":
        del files["Doc_0/PublicRes.xml"]
    else:
        files[LIST] = files[LIST].replace(b'FileLoc="/OFD.xml"', b'FileLoc="OFD.xml"')
    codes = {
        "add": "INTEGRITY_LIST_FILE_ADDED",
        "remove": "INTEGRITY_LIST_FILE_MISSING",
        "list": "DATA_HASH_MISMATCH",
    }
    report = verify_ofd(write_archive(files), Trust.load(corpus / "ofd/certs"))
    assert report.verdict is Verdict.INVALID
    assert complaints(report) == ["NO_SIGNATURE", codes[change]]


# --- one thing wrong ---


def test_files_added_or_taken_away_are_named(bureau: Any, files: Files, complaints: Complaints) -> None:
    for place in ("Doc_0/Attachs/payload.exe", "ofdentries.xml", "Doc_0/document.xml"):
        report = verify_ofd(write_archive({**files, place: b"new"}), bureau.trust)
        assert "INTEGRITY_LIST_FILE_ADDED" in complaints(report), place
    for place in sorted(set(files) - {LIST, VALUE, "OFD.xml"}):
        rest = {path: content for path, content in files.items() if path != place}
        report = verify_ofd(write_archive(rest), bureau.trust)
        assert "INTEGRITY_LIST_FILE_MISSING" in complaints(report), place


def test_a_list_that_names_an_added_file_breaks_its_signature(
    bureau: Any, files: Files, complaints: Complaints
) -> None:
    files[LIST] = files[LIST].replace(b"</ofd:FileList>", b'<ofd:File ID="99" FileLoc="/x"/></ofd:FileList>')
    report = verify_ofd(write_archive({**files, "x": b"x"}), bureau.trust)
    assert complaints(report) == ["DATA_HASH_MISMATCH"]


def test_many_strange_files_are_counted_not_all_named(bureau: Any, files: Files) -> None:
    more = {f"more/{number}": b"" for number in range(50)}
    listed = verify_ofd(write_archive({**files, **more}), bureau.trust).signatures[-1]
    (finding,) = (finding for finding in listed.findings if finding.code == "INTEGRITY_LIST_FILE_ADDED")
    assert finding.detail.endswith("and 46 more")


def test_names_that_a_stranger_made_long_are_cut(bureau: Any, files: Files) -> None:
    long = b"x" * 500_000
    rows = b'<FileList><File FileLoc="/%b"/></FileList>' % long
    files[LIST] = b"<DocEntries><SignedValueLoc>/%b</SignedValueLoc>%b</DocEntries>" % (long, rows)
    listed = verify_ofd(write_archive(files), bureau.trust).signatures[-1]
    assert {finding.code for finding in listed.findings} == {
        "INTEGRITY_LIST_FILE_ADDED",
        "INTEGRITY_LIST_FILE_MISSING",
        "SIGNED_VALUE_MISSING",
    }
    assert max(len(finding.detail) for finding in listed.findings) < 1000


def test_a_list_without_its_signature_is_invalid(bureau: Any, files: Files, complaints: Complaints) -> None:
    del files[VALUE]
    assert complaints(verify_ofd(write_archive(files), bureau.trust)) == ["SIGNED_VALUE_MISSING"]


@pytest.mark.parametrize("value", [b"", b"rubbish", b"\x30\x00"])
def test_a_signature_of_the_list_that_is_none_is_invalid(
    bureau: Any, files: Files, complaints: Complaints, value: bytes
) -> None:
    files[VALUE] = value
    assert complaints(verify_ofd(write_archive(files), bureau.trust)) == ["CMS_MALFORMED"]


def test_a_list_signed_without_a_certificate_cannot_be_judged(
    bureau: Any, files: Files, complaints: Complaints
) -> None:
    files[VALUE] = signature_from_der(bureau.signer.signer.sign(files[LIST]))
    report = verify_ofd(write_archive(files), bureau.trust)
    assert complaints(report) == ["SIGNER_CERT_MISSING"]
    assert report.signatures[-1].format == "ofd-gmt0099"


@pytest.mark.parametrize(
    "content",
    [b"", b"rubbish", b"<other/>", b'<!DOCTYPE a [<!ENTITY b "c">]><DocEntries/>', b"<DocEntries><FileList>"],
)
def test_a_list_that_cannot_be_read_is_invalid(
    bureau: Any, files: Files, complaints: Complaints, content: bytes
) -> None:
    files[LIST] = content
    report = verify_ofd(write_archive(files), bureau.trust)
    assert report.verdict is Verdict.INVALID
    assert complaints(report) == ["INTEGRITY_LIST_MALFORMED"]


def test_a_list_longer_than_any_package_is_not_read(bureau: Any, files: Files, complaints: Complaints) -> None:
    files[LIST] = b"<DocEntries><FileList>" + b'<File FileLoc="/x"/>' * 10_001 + b"</FileList></DocEntries>"
    assert complaints(verify_ofd(write_archive(files), bureau.trust)) == ["INTEGRITY_LIST_MALFORMED"]


def test_a_list_of_other_habits_is_understood(
    bureau: Any, files: Files, relisted: Callable[[Files, bytes], bytes]
) -> None:
    # Locations without a slash or with backslashes, the list and its signature named too, no prefix.
    written = files[LIST].replace(b'FileLoc="/', b'FileLoc="').replace(b"ofd:", b"").replace(b"xmlns:ofd", b"xmlns")
    written = re.sub(rb"Doc_0/Pages", rb"Doc_0\\Pages", written)
    own = b'<File ID="98" FileLoc="/OFDEntries.xml"/><File ID="99" FileLoc="/signedvalue.dat"/></FileList>'
    written = written.replace(b"</FileList>", own)
    assert verify_ofd(relisted(files, written), bureau.trust).verdict is Verdict.VALID


def test_a_file_of_the_document_is_no_signature_of_the_list(
    bureau: Any, files: Files, relisted: Callable[[Files, bytes], bytes], complaints: Complaints
) -> None:
    written = files[LIST].replace(b"/signedvalue.dat", b"/Doc_0/Document.xml")
    report = verify_ofd(relisted(files, written), bureau.trust)
    assert "CMS_MALFORMED" in complaints(report)
    assert "INTEGRITY_LIST_FILE_ADDED" in complaints(report)


# --- what is refused ---


def test_a_package_is_listed_once_and_not_sealed_after(
    bureau: Any, plain: bytes, protect: Callable[..., bytes]
) -> None:
    document = protect(plain)
    with pytest.raises(UnsupportedDocument, match="integrity"):
        protect(document)
    with pytest.raises(UnsupportedDocument, match="integrity"):
        bureau.sealed(document)


def test_a_closed_document_still_takes_its_list(corpus: Path, protect: Callable[..., bytes], bureau: Any) -> None:
    document = (corpus / "ofd/ofd/allprotected.ofd").read_bytes()
    before = verify_ofd(document, bureau.trust).signatures
    after = verify_ofd(protect(document), bureau.trust).signatures
    assert (after[:-1], after[-1].verdict) == (before, Verdict.VALID)


def test_a_name_that_is_taken_is_not_written_over(
    bureau: Any, plain: bytes, protect: Callable[..., bytes], unpack: Unpack
) -> None:
    document = write_archive({**unpack(plain), "SignedValue.dat": b"somebody's"})
    files = unpack(protect(document))
    assert files["SignedValue.dat"] == b"somebody's"
    assert verify_ofd(write_archive(files), bureau.trust).signatures[-1].verdict is Verdict.VALID


def test_what_cannot_be_protected_is_refused(plain: bytes, protect: Callable[..., bytes]) -> None:
    for document in (b"", b"%PDF-1.7", write_archive({"OFD.xml": b"<OFD/>"})):
        with pytest.raises(DocumentRefused):
            protect(document)
    with pytest.raises(SealNotUsable):
        protect(plain, suite=ES256)
    with pytest.raises(SealExpired):
        protect(plain, at=AT + timedelta(days=400))
