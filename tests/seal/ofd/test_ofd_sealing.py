"""Sealing OFD documents, and reading back what was sealed."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from crypto.digests import sm3
from crypto.suites import ES256
from seal.errors import (
    DocumentRefused,
    DocumentTooLarge,
    FurtherSealingForbidden,
    PlacementRefused,
    SealExpired,
    SealNotUsable,
    UnsupportedDocument,
)
from seal.formats.ofd import OFD_SES, looks_like_ofd, verify_ofd
from seal.formats.ofd.archive import write_archive
from seal.formats.ofd.package import OfdPackage
from seal.model import Report, TimeSource, Verdict
from seal.trust import Trust

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
Unpack = Callable[[bytes], dict[str, bytes]]
INPUTS = ["helloworld.ofd", "VPage7.ofd", "chineseDir.ofd", "namespace_no_std.ofd", "path_unstd.ofd", "hello.ofd"]
CLOSED = ["allprotected.ofd", "V4RideRight.ofd", "h.ofd", "testImageNotFound.ofd", "draw_param_ref.ofd"]


def test_a_sealed_document_is_valid_and_says_whose_seal_it_bears(bureau: Any, plain: bytes) -> None:
    report = verify_ofd(bureau.sealed(plain), bureau.trust)
    assert report.verdict is Verdict.VALID
    (signature,) = report.signatures
    assert signature.format == "ofd-ses-v4"
    assert signature.seal is not None
    assert (signature.seal.id, signature.seal.name) == ("44030000000001", "云川市行政审批局")
    assert (signature.time, signature.time_source) == (AT, TimeSource.CLAIMED)
    assert signature.signer is not None
    assert "44030000000001" in signature.signer
    assert [finding.code for finding in signature.findings] == ["REVOCATION_NOT_OFFERED", "REVOCATION_NOT_OFFERED"]


@pytest.mark.parametrize("name", INPUTS)
def test_documents_of_other_writers_are_sealed_twice_and_both_seals_hold(
    bureau: Any, other_bureau: Any, corpus: Path, name: str
) -> None:
    once = bureau.sealed((corpus / "ofd/ofd" / name).read_bytes())
    assert verify_ofd(once, bureau.trust).verdict is Verdict.VALID
    twice = other_bureau.sealed(once, at=AT + timedelta(hours=1), mark=other_bureau.mark(page=1, x_mm=20, y_mm=20))
    report = verify_ofd(twice, bureau.trust)
    assert [signature.verdict for signature in report.signatures] == [Verdict.VALID, Verdict.VALID]


@pytest.mark.parametrize("name", ["SESV4SignDoc.ofd", "999.ofd", "v4signed.ofd", "n.ofd"])
def test_a_seal_beside_another_makers_leaves_that_ones_findings_as_they_were(
    bureau: Any, corpus: Path, name: str
) -> None:
    document = (corpus / "ofd/ofd" / name).read_bytes()
    before = verify_ofd(document, bureau.trust)
    after = verify_ofd(bureau.sealed(document, mark=bureau.mark(x_mm=5, y_mm=5)), bureau.trust)
    assert [row.findings for row in after.signatures[:-1]] == [row.findings for row in before.signatures]
    assert after.signatures[-1].verdict is Verdict.VALID


@pytest.mark.parametrize("name", CLOSED)
def test_a_document_closed_by_an_earlier_signature_is_not_sealed_again(bureau: Any, corpus: Path, name: str) -> None:
    with pytest.raises(FurtherSealingForbidden):
        bureau.sealed((corpus / "ofd/ofd" / name).read_bytes())


def test_untouched_entries_keep_every_octet_of_their_records(bureau: Any, corpus: Path) -> None:
    document = (corpus / "ofd/ofd/999.ofd").read_bytes()
    sealed = bureau.sealed(document)
    with zipfile.ZipFile(io.BytesIO(document)) as before, zipfile.ZipFile(io.BytesIO(sealed)) as after:
        assert after.testzip() is None
        kept = [entry for entry in before.infolist() if entry.filename != "Doc_0/Signs/Signatures.xml"]
        for entry in kept:
            same = after.getinfo(entry.filename)
            size = 30 + len(entry.filename) + entry.compress_size
            old, new = entry.header_offset, same.header_offset
            assert document[old : old + size] == sealed[new : new + size]


def test_the_same_sealing_lays_the_same_document_out(bureau: Any, plain: bytes) -> None:
    seal = bureau.credential()
    digests = {OFD_SES.prepare(plain, bureau.mark(), seal, AT).document_digest for _ in range(2)}
    assert len(digests) == 1


def test_what_is_signed_is_the_digest_of_the_signature_file(bureau: Any, plain: bytes, unpack: Unpack) -> None:
    prepared = OFD_SES.prepare(plain, bureau.mark(), bureau.credential(), AT)
    signed: list[bytes] = []

    def sign(message: bytes) -> bytes:
        signed.append(message)
        return bytes(bureau.signer.signer.sign(message))

    files = unpack(prepared.apply(sign))
    assert prepared.document_digest == sm3(files["Doc_0/Signs/Sign_0/Signature.xml"])
    assert prepared.document_digest in signed[0]
    assert b"/Doc_0/Signs/Sign_0/Signature.xml" in signed[0]


def test_a_prepared_document_signs_once(bureau: Any, plain: bytes) -> None:
    prepared = OFD_SES.prepare(plain, bureau.mark(), bureau.credential(), AT)
    prepared.apply(bureau.signer.signer.sign)
    with pytest.raises(RuntimeError):
        prepared.apply(bureau.signer.signer.sign)


def test_the_stamp_stands_on_the_page_asked_for(bureau: Any, corpus: Path, unpack: Unpack) -> None:
    document = (corpus / "ofd/ofd/VPage7.ofd").read_bytes()
    for page, page_id in ((1, "1"), (5, "83"), (-1, "83"), (-5, "1")):
        files = unpack(bureau.sealed(document, mark=bureau.mark(page=page, x_mm=12.3456, y_mm=250)))
        stamp = etree.fromstring(files["Doc_0/Signs/Sign_0/Signature.xml"]).find(".//{*}StampAnnot")
        assert stamp is not None
        assert stamp.get("PageRef") == page_id
        assert stamp.get("Boundary") == "12.346 250 40 40"


def test_ids_go_on_from_the_highest_in_use(bureau: Any, corpus: Path, unpack: Unpack) -> None:
    files = unpack(bureau.sealed((corpus / "ofd/ofd/SESV4SignDoc.ofd").read_bytes()))
    listed = etree.fromstring(files["Doc_0/Signs/Signatures.xml"])
    assert [row.get("ID") for row in listed.findall("{*}Signature")] == ["1", "s003"]
    assert listed.findtext("{*}MaxSignId") == "4"
    assert listed[0].tag.endswith("MaxSignId")


def test_the_first_seal_enters_the_list_in_ofd_xml_and_later_ones_leave_it_alone(
    bureau: Any, plain: bytes, unpack: Unpack
) -> None:
    once = unpack(bureau.sealed(plain))
    assert b"/Doc_0/Signs/Signatures.xml" in once["OFD.xml"]
    twice = unpack(bureau.sealed(bureau.sealed(plain)))
    assert twice["OFD.xml"] == once["OFD.xml"]


@pytest.mark.parametrize(
    ("page", "x_mm", "y_mm"),
    [(0, 10, 10), (3, 10, 10), (-3, 10, 10), (1, -1, 10), (1, 171, 10), (1, 10, 258), (1, float("nan"), 10)],
)
def test_a_place_outside_the_document_is_refused(
    bureau: Any, plain: bytes, page: int, x_mm: float, y_mm: float
) -> None:
    with pytest.raises(PlacementRefused):
        bureau.sealed(plain, mark=bureau.mark(page=page, x_mm=x_mm, y_mm=y_mm))


def test_a_credential_that_is_not_sm2_with_a_seal_is_refused(bureau: Any, plain: bytes) -> None:
    for wrong in ({"seseal": None}, {"suite": ES256}, {"seseal": b"\x30\x00"}):
        with pytest.raises(SealNotUsable):
            OFD_SES.prepare(plain, bureau.mark(), bureau.credential(**wrong), AT)


def test_a_seal_that_does_not_list_the_certificate_is_refused(bureau: Any, other_bureau: Any, plain: bytes) -> None:
    credential = bureau.credential(seseal=other_bureau.seal())
    with pytest.raises(SealNotUsable, match="list"):
        OFD_SES.prepare(plain, bureau.mark(), credential, AT)


def test_an_expired_seal_or_certificate_is_refused(bureau: Any, plain: bytes) -> None:
    seal = bureau.seal(valid_to=AT + timedelta(days=3650))
    for credential, at in (
        (bureau.credential(), AT + timedelta(days=200)),
        (bureau.credential(seseal=seal), AT + timedelta(days=400)),
    ):
        with pytest.raises(SealExpired):
            OFD_SES.prepare(plain, bureau.mark(), credential, at)


def test_packages_that_a_seal_would_break_are_refused(bureau: Any, plain: bytes, corpus: Path, unpack: Unpack) -> None:
    with pytest.raises(UnsupportedDocument, match="integrity"):
        bureau.sealed((corpus / "ofd/ofd/hello-integrity.ofd").read_bytes())
    files = unpack(plain)
    start, end = files["OFD.xml"].index(b"<ofd:DocBody>"), files["OFD.xml"].index(b"</ofd:OFD>")
    files["OFD.xml"] = files["OFD.xml"][:end] + files["OFD.xml"][start:]
    with pytest.raises(UnsupportedDocument, match="several"):
        bureau.sealed(write_archive(files))


@pytest.mark.parametrize("document", [b"", b"%PDF-1.7", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_ofd_document_is_refused(bureau: Any, document: bytes) -> None:
    assert not looks_like_ofd(document)
    with pytest.raises(DocumentRefused):
        bureau.sealed(document)


def test_a_document_beyond_the_limits_is_refused_as_too_large(bureau: Any, plain: bytes, unpack: Unpack) -> None:
    files = {**unpack(plain), "Doc_0/Res/zeros": bytes(65 * 1024 * 1024)}
    with pytest.raises(DocumentTooLarge):
        bureau.sealed(write_archive(files))


def test_a_list_with_a_signature_that_is_not_there_is_refused(bureau: Any, plain: bytes, unpack: Unpack) -> None:
    files = unpack(bureau.sealed(plain))
    del files["Doc_0/Signs/Sign_0/Signature.xml"]
    with pytest.raises(DocumentRefused):
        bureau.sealed(write_archive(files))


def test_octets_before_and_after_the_archive_are_tolerated_and_left_out(bureau: Any, plain: bytes) -> None:
    wrapped = b"\xef\xbb\xbfvendor header" + plain + b"\x00" * 100
    assert verify_ofd(wrapped, bureau.trust).verdict is Verdict.UNSIGNED
    sealed = bureau.sealed(wrapped)
    assert sealed.startswith(b"PK\x03\x04")
    assert verify_ofd(b"junk" + sealed + b"junk", bureau.trust).verdict is Verdict.VALID


def test_names_with_backslashes_or_wrong_case_are_sealed(bureau: Any, plain: bytes, unpack: Unpack) -> None:
    renamed = {path.replace("/", "\\").replace("Pages", "PAGES"): content for path, content in unpack(plain).items()}
    report = verify_ofd(bureau.sealed(write_archive(renamed)), bureau.trust)
    assert report.verdict is Verdict.VALID


def test_a_certificate_known_by_its_digest_may_sign(bureau: Any, plain: bytes) -> None:
    report = verify_ofd(bureau.sealed(plain), Trust(anchors=()))
    assert report.verdict is Verdict.INDETERMINATE
    pinned = replace(bureau.trust, anchors=(bureau.signer.certificate, bureau.maker.certificate))
    assert verify_ofd(bureau.sealed(plain), pinned).verdict is Verdict.VALID


def test_any_changed_octet_of_a_sealed_document_is_noticed(
    workshop: Any, complaints: Callable[[Report], list[str]], unpack: Unpack
) -> None:
    document = workshop.document
    contents = unpack(document)
    for place in range(0, len(document), 37):
        changed = bytearray(document)
        changed[place] ^= 0x55
        report = verify_ofd(bytes(changed), workshop.bureau.trust)
        if report.verdict is Verdict.VALID:
            # What is not content (dates, attributes) may change without harm.
            package = OfdPackage(bytes(changed))
            assert {path: package.read(path) for path in package.paths} == contents
        else:
            assert complaints(report)
