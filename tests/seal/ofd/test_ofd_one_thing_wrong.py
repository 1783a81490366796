"""For every check of the verifier, a document that fails that check and no other."""

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crypto.der import (
    bit_string,
    boolean,
    explicit,
    ia5,
    integer,
    octet_string,
    oid,
    parse,
    printable,
    sequence,
    utc_time,
)
from crypto.digests import MD5, sm3
from crypto.sm2 import signature_from_der
from crypto.suites import ES256
from crypto.x509 import SEAL_MAKER, SIGNER
from seal.formats.ofd import verify_ofd
from seal.formats.ofd.archive import write_archive
from seal.model import Report, SealStatus, Verdict

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PAGE = "Doc_0/Pages/Page_1/Content.xml"
FIRST = "Doc_0/Signs/Sign_0"
Complaints = Callable[[Report], list[str]]
Unpack = Callable[[bytes], dict[str, bytes]]


def codes(report: Report) -> set[str]:
    return {finding.code for signature in report.signatures for finding in signature.findings}


def replaced(node_path: tuple[int, ...], new: bytes) -> Callable[[bytes], bytes]:
    """Give a function that writes ``new`` in the place of one member of a DER structure."""

    def change(der: bytes) -> bytes:
        node = parse(der)
        members = [member.raw for member in node]
        place, *rest = node_path
        members[place] = replaced(tuple(rest), new)(members[place]) if rest else new
        return sequence(*members)

    return change


def test_the_workshop_itself_breaks_nothing(workshop: Any) -> None:
    report = verify_ofd(workshop.resealed(), workshop.bureau.trust)
    assert report.verdict is Verdict.VALID
    assert codes(report) == {"REVOCATION_NOT_OFFERED"}


# --- the package -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({PAGE: b"<Page/>"}, "REFERENCE_MISMATCH"),
        ({"Doc_0/PublicRes.xml": None}, "REFERENCE_MISSING"),
        ({f"{FIRST}/Signature.xml": None}, "SIGNATURE_FILE_MISSING"),
        ({f"{FIRST}/SignedValue.dat": None}, "SIGNED_VALUE_MISSING"),
        ({f"{FIRST}/SignedValue.dat": b"\x30\x03\x02\x01\x01"}, "SES_FORMAT_ERROR"),
        ({f"{FIRST}/SignedValue.dat": b""}, "SES_FORMAT_ERROR"),
        ({f"{FIRST}/Signature.xml": b"<Signature/>"}, "PACKAGE_MALFORMED"),
        ({f"{FIRST}/Signature.xml": b"not XML"}, "PACKAGE_MALFORMED"),
        ({"Doc_0/Signs/Signatures.xml": b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"}, "PACKAGE_MALFORMED"),
        ({"Doc_0/Signs/Signatures.xml": "<!DOCTYPE a><a/>".encode("utf-16")}, "PACKAGE_MALFORMED"),
        ({"Doc_0/Signs/Signatures.xml": None}, "SIGNATURE_FILE_MISSING"),
        ({"OFD.xml": b"<OFD/>"}, "PACKAGE_MALFORMED"),
        ({"OFD.xml": None}, "PACKAGE_MALFORMED"),
    ],
)
def test_a_changed_package_is_invalid_for_that_reason_alone(
    workshop: Any, complaints: Complaints, files: dict[str, bytes | None], code: str
) -> None:
    report = verify_ofd(workshop.resealed(files=files), workshop.bureau.trust)
    assert report.verdict is Verdict.INVALID
    assert complaints(report) == [code]


def test_a_smuggled_file_is_noted(workshop: Any) -> None:
    report = verify_ofd(workshop.resealed(files={"Doc_0/Attachs/extra.xml": b"<a/>"}), workshop.bureau.trust)
    assert report.verdict is Verdict.VALID
    (note,) = (row for row in report.signatures[0].findings if row.code == "UNCOVERED_CONTENT")
    assert note.detail == "Doc_0/Attachs/extra.xml"


def unreferenced(path: str) -> Callable[[bytes], bytes]:
    """Take one file out of what a signature protects."""

    def change(xml: bytes) -> bytes:
        pattern = rf'<ofd:Reference FileRef="/{re.escape(path)}">.*?</ofd:Reference>'.encode()
        made, count = re.subn(pattern, b"", xml)
        assert count == 1
        return made

    return change


@pytest.mark.parametrize("path", [PAGE, "Doc_0/Document.xml"])
def test_a_signature_that_leaves_what_is_shown_open_is_invalid(
    workshop: Any, complaints: Complaints, path: str
) -> None:
    report = verify_ofd(workshop.resealed(signature_xml=unreferenced(path)), workshop.bureau.trust)
    assert complaints(report) == ["PAGES_UNCOVERED"]


def test_a_protected_document_put_aside_for_another_is_invalid(
    workshop: Any, complaints: Complaints, unpack: Unpack
) -> None:
    open_entry = workshop.resealed(signature_xml=unreferenced("OFD.xml"))
    assert verify_ofd(open_entry, workshop.bureau.trust).verdict is Verdict.VALID
    files = unpack(open_entry)
    files["OFD.xml"] = files["OFD.xml"].replace(b"Doc_0/Document.xml", b"Doc_1/Document.xml")
    files["Doc_1/Document.xml"] = files["Doc_0/Document.xml"]
    files["Doc_1/Pages/Page_0/Content.xml"] = b"<Page>something else</Page>"
    report = verify_ofd(write_archive(files), workshop.bureau.trust)
    assert complaints(report) == ["PAGES_UNCOVERED"]


def test_a_second_document_without_a_seal_keeps_the_package_from_being_valid(
    workshop: Any, complaints: Complaints, unpack: Unpack
) -> None:
    files = unpack(workshop.resealed(signature_xml=unreferenced("OFD.xml")))
    other = b"<ofd:DocBody><ofd:DocRoot>Doc_1/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>"
    files["OFD.xml"] = files["OFD.xml"].replace(b"</ofd:OFD>", other)
    report = verify_ofd(write_archive(files), workshop.bureau.trust)
    assert report.verdict is Verdict.INDETERMINATE
    assert complaints(report) == ["DOCUMENT_WITHOUT_SEAL"]


def test_a_missing_document_root_is_invalid(workshop: Any, complaints: Complaints, unpack: Unpack) -> None:
    files = unpack(workshop.resealed(signature_xml=unreferenced("OFD.xml")))
    files["OFD.xml"] = files["OFD.xml"].replace(b"Doc_0/Document.xml", b"Doc_9/Document.xml")
    assert complaints(verify_ofd(write_archive(files), workshop.bureau.trust)) == ["PACKAGE_MALFORMED"]


def test_weak_digests_of_protected_files_are_noted(workshop: Any, unpack: Unpack) -> None:
    files = unpack(workshop.document)
    seal = workshop.bureau.seal()
    files[f"{FIRST}/Seal.esl"] = seal

    def weakened(xml: bytes) -> bytes:
        def digest(match: re.Match[bytes]) -> bytes:
            return match[1] + base64.b64encode(MD5.digest(files[match[2].decode()])) + b"<"

        made = re.sub(rb'(FileRef="/([^"]+)"><ofd:CheckValue>)[^<]*<', digest, xml)
        return re.sub(rb' CheckMethod="[^"]*"', b"", made)

    report = verify_ofd(workshop.resealed(seal=seal, signature_xml=weakened), workshop.bureau.trust)
    assert report.verdict is Verdict.VALID
    assert "WEAK_DIGEST" in codes(report)


def test_an_unknown_check_method_cannot_be_judged(workshop: Any, complaints: Complaints) -> None:
    document = workshop.resealed(signature_xml=lambda xml: re.sub(rb'CheckMethod="[^"]*"', b'CheckMethod="SHA-3"', xml))
    report = verify_ofd(document, workshop.bureau.trust)
    assert report.verdict is Verdict.INDETERMINATE
    assert complaints(report) == ["ALGORITHM_UNSUPPORTED"]


# --- the signature ---------------------------------------------------------------------------------------------


def flipped(octets: bytes) -> bytes:
    return octets[:-1] + bytes((octets[-1] ^ 1,))


def test_a_signature_about_another_file_is_invalid(workshop: Any, complaints: Complaints) -> None:
    report = verify_ofd(workshop.resealed(data_hash=sm3(b"another")), workshop.bureau.trust)
    assert complaints(report) == ["DATA_HASH_MISMATCH"]


def test_a_wrong_signature_value_is_invalid(workshop: Any, complaints: Complaints) -> None:
    report = verify_ofd(workshop.resealed(value=flipped), workshop.bureau.trust)
    assert report.verdict is Verdict.INVALID
    assert complaints(report) == ["SIGNATURE_INVALID"]


def test_a_signature_of_another_version_than_its_seal_is_invalid(workshop: Any, complaints: Complaints) -> None:
    report = verify_ofd(workshop.resealed(tbs=replaced((0,), integer(5))), workshop.bureau.trust)
    assert complaints(report) == ["SES_VERSION_MISMATCH"]


def test_an_unknown_signature_algorithm_cannot_be_judged(workshop: Any, complaints: Complaints) -> None:
    report = verify_ofd(workshop.resealed(value=replaced((2,), oid("1.2.3.4"))), workshop.bureau.trust)
    assert report.verdict is Verdict.INDETERMINATE
    assert complaints(report) == ["ALGORITHM_UNSUPPORTED"]


def test_an_algorithm_that_does_not_fit_the_certificate_is_invalid(workshop: Any, complaints: Complaints) -> None:
    document = workshop.resealed(value=replaced((2,), oid(ES256.signature_oid)))
    assert complaints(verify_ofd(document, workshop.bureau.trust)) == ["ALGORITHM_CERT_MISMATCH"]


def test_a_certificate_that_cannot_be_read_is_invalid(workshop: Any, complaints: Complaints) -> None:
    document = workshop.resealed(value=replaced((1,), octet_string(b"none")))
    assert complaints(verify_ofd(document, workshop.bureau.trust)) == ["SES_FORMAT_ERROR", "SIGNER_NOT_IN_SEAL"]


def test_a_time_of_sealing_outside_the_certificate_is_invalid(workshop: Any, complaints: Complaints) -> None:
    seal = workshop.bureau.seal(valid_to=AT + 800 * DAY)
    report = verify_ofd(workshop.resealed(seal=seal, at=AT + 400 * DAY), workshop.bureau.trust)
    assert complaints(report) == ["SIGN_TIME_OUTSIDE_CERT"]


def test_a_signer_of_an_unknown_authority_is_not_trusted(workshop: Any, stranger: Any, complaints: Complaints) -> None:
    signer = stranger.certify("44030000000001")
    seal = workshop.bureau.seal(certificates=[signer.certificate])
    report = verify_ofd(workshop.resealed(seal=seal, by=signer), workshop.bureau.trust)
    assert report.verdict is Verdict.INDETERMINATE
    assert complaints(report) == ["SIGNER_CERT_UNTRUSTED"]


def test_a_certificate_that_is_not_for_signing_is_invalid(workshop: Any, complaints: Complaints) -> None:
    signer = workshop.bureau.authority.certify("x", profile=replace(SIGNER, key_usage=("key_agreement",)))
    seal = workshop.bureau.seal(certificates=[signer.certificate])
    report = verify_ofd(workshop.resealed(seal=seal, by=signer), workshop.bureau.trust)
    assert complaints(report) == ["SIGNER_CERT_KEY_USAGE"]


# --- the seal --------------------------------------------------------------------------------------------------


def test_a_signer_whom_the_seal_does_not_list_is_invalid(
    workshop: Any, other_bureau: Any, complaints: Complaints
) -> None:
    report = verify_ofd(workshop.resealed(by=other_bureau.signer), workshop.bureau.trust)
    assert complaints(report) == ["SIGNER_NOT_IN_SEAL"]


@pytest.mark.parametrize(
    "validity",
    [{"valid_to": AT - DAY}, {"valid_from": AT + DAY}],
)
def test_a_seal_outside_its_validity_is_invalid(workshop: Any, complaints: Complaints, validity: Any) -> None:
    report = verify_ofd(workshop.resealed(seal=workshop.bureau.seal(**validity)), workshop.bureau.trust)
    assert complaints(report) == ["SEAL_NOT_VALID_AT_SIGN_TIME"]


def test_an_altered_seal_is_invalid(workshop: Any, complaints: Complaints) -> None:
    report = verify_ofd(workshop.resealed(seal=flipped(workshop.bureau.seal())), workshop.bureau.trust)
    assert complaints(report) == ["SEAL_SIGNATURE_INVALID"]


def test_a_seal_of_an_unknown_maker_is_not_trusted(workshop: Any, stranger: Any, complaints: Complaints) -> None:
    maker = stranger.certify("Somebody", profile=SEAL_MAKER)
    report = verify_ofd(workshop.resealed(seal=workshop.bureau.seal(made_by=maker)), workshop.bureau.trust)
    assert report.verdict is Verdict.INDETERMINATE
    assert complaints(report) == ["SEAL_MAKER_CERT_UNTRUSTED"]


def test_a_seal_made_after_its_makers_certificate_ended_is_invalid(workshop: Any, complaints: Complaints) -> None:
    maker = workshop.bureau.authority.certify("Old", not_after=AT - 300 * DAY)
    report = verify_ofd(workshop.resealed(seal=workshop.bureau.seal(made_by=maker)), workshop.bureau.trust)
    assert complaints(report) == ["SEAL_MAKER_CERT_NOT_VALID"]


def test_a_seal_made_before_its_makers_certificate_began_is_noted(workshop: Any) -> None:
    maker = workshop.bureau.authority.certify("New", not_before=AT - 10 * DAY)
    report = verify_ofd(workshop.resealed(seal=workshop.bureau.seal(made_by=maker)), workshop.bureau.trust)
    assert report.verdict is Verdict.VALID
    assert "SEAL_MAKER_NOT_VALID_AT_MAKE" in codes(report)


def test_a_seal_used_before_its_makers_certificate_began_is_invalid(workshop: Any, complaints: Complaints) -> None:
    maker = workshop.bureau.authority.certify("Future", not_before=AT + 10 * DAY, not_after=AT + 90 * DAY)
    report = verify_ofd(workshop.resealed(seal=workshop.bureau.seal(made_by=maker)), workshop.bureau.trust)
    assert complaints(report) == ["SEAL_MAKER_CERT_NOT_VALID"]


def test_a_seal_file_that_is_not_the_seal_in_the_signature_is_invalid(workshop: Any, complaints: Complaints) -> None:
    other = workshop.bureau.seal(name="另一枚印章")

    def pointing(xml: bytes) -> bytes:
        pattern = rb'(FileRef="/Doc_0/Signs/Sign_0/Seal.esl"><ofd:CheckValue>)[^<]*'
        return re.sub(pattern, rb"\g<1>" + base64.b64encode(sm3(other)), xml)

    document = workshop.resealed(signature_xml=pointing, files={f"{FIRST}/Seal.esl": other})
    assert complaints(verify_ofd(document, workshop.bureau.trust)) == ["SEAL_FILE_MISMATCH"]


@pytest.mark.parametrize("value", ["׃", "六", "="])
def test_a_digest_that_is_no_base64_is_a_mismatch(workshop: Any, complaints: Complaints, value: str) -> None:
    def unreadable(xml: bytes) -> bytes:
        pattern = rb'(FileRef="/Doc_0/Document.xml"><ofd:CheckValue>)[^<]*'
        return re.sub(pattern, rb"\g<1>" + value.encode(), xml)

    report = verify_ofd(workshop.resealed(signature_xml=unreadable), workshop.bureau.trust)
    assert complaints(report) == ["REFERENCE_MISMATCH"]


def test_a_missing_seal_file_is_invalid(workshop: Any, complaints: Complaints) -> None:
    document = workshop.resealed(signature_xml=unreferenced(f"{FIRST}/Seal.esl"), files={f"{FIRST}/Seal.esl": None})
    assert complaints(verify_ofd(document, workshop.bureau.trust)) == ["SEAL_FILE_MISMATCH"]


@pytest.mark.parametrize(
    ("status", "verdict", "code"),
    [
        (SealStatus.ACTIVE, Verdict.VALID, None),
        (SealStatus.SUSPENDED, Verdict.INVALID, "SEAL_SUSPENDED"),
        (SealStatus.REVOKED, Verdict.INVALID, "SEAL_REVOKED"),
        (None, Verdict.VALID, "SEAL_UNKNOWN"),
    ],
)
def test_the_register_is_asked_about_the_time_of_sealing(
    workshop: Any, status: SealStatus | None, verdict: Verdict, code: str | None
) -> None:
    asked: list[tuple[str, datetime]] = []

    def register(esid: str, at: datetime) -> SealStatus | None:
        asked.append((esid, at))
        return status

    report = verify_ofd(workshop.resealed(), replace(workshop.bureau.trust, seal_status=register))
    assert asked == [("44030000000001", AT)]
    assert report.verdict is verdict
    assert code is None or code in codes(report)


def test_judging_as_of_another_time_asks_whether_it_would_hold_then(workshop: Any, complaints: Complaints) -> None:
    report = verify_ofd(workshop.resealed(), workshop.bureau.trust, AT + 600 * DAY)
    assert set(complaints(report)) == {"SIGN_TIME_OUTSIDE_CERT", "SEAL_NOT_VALID_AT_SIGN_TIME"}
    assert report.signatures[0].time == AT


# --- what other encoders do, and what is right all the same -----------------------------------------------------


def remade(workshop: Any, info: bytes, *, header: tuple[bytes, ...] = ()) -> bytes:
    """Sign a SealInfo as the maker would, V4."""
    maker = workshop.bureau.maker
    tail = (octet_string(maker.certificate.raw), oid("1.2.156.10197.1.501"), bit_string(maker.signer.sign(info)))
    return sequence(info, *tail, *header)


def test_a_raw_signature_value_is_accepted(workshop: Any) -> None:
    def raw(value: bytes) -> bytes:
        return replaced((3,), bit_string(signature_from_der(parse(value)[3].as_bits())))(value)

    assert verify_ofd(workshop.resealed(value=raw), workshop.bureau.trust).verdict is Verdict.VALID


@pytest.mark.parametrize(("digest", "verdict"), [(sm3, Verdict.VALID), (MD5.digest, Verdict.INVALID)])
def test_a_signer_listed_by_the_sm3_of_its_certificate_is_accepted(
    workshop: Any, digest: Callable[[bytes], bytes], verdict: Verdict
) -> None:
    info = parse(workshop.bureau.seal())[0].raw
    listed = sequence(sequence(printable("SM3"), octet_string(digest(workshop.bureau.signer.certificate.raw))))
    info = replaced((2, 3), listed)(replaced((2, 2), integer(2))(info))
    report = verify_ofd(workshop.resealed(seal=remade(workshop, info)), workshop.bureau.trust)
    assert report.verdict is verdict
    assert ("SIGNER_NOT_IN_SEAL" in codes(report)) == (verdict is Verdict.INVALID)


@pytest.mark.parametrize("critical", [None, False, True])
def test_extensions_are_read_however_their_default_is_written(workshop: Any, critical: bool | None) -> None:
    parts = [oid("1.2.3"), octet_string(b"2.1")]
    if critical is not None:
        parts.insert(1, boolean(critical))
    info = parse(workshop.bureau.seal())[0]
    extended = sequence(*(member.raw for member in info), sequence(sequence(*parts)))
    report = verify_ofd(workshop.resealed(seal=remade(workshop, extended)), workshop.bureau.trust)
    assert report.verdict is Verdict.VALID
    assert ("UNKNOWN_CRITICAL_EXTENSION" in codes(report)) == bool(critical)


def test_a_header_that_does_not_say_es_is_invalid(workshop: Any, complaints: Complaints) -> None:
    info = replaced((0, 0), ia5("EX"))(parse(workshop.bureau.seal())[0].raw)
    report = verify_ofd(workshop.resealed(seal=remade(workshop, info)), workshop.bureau.trust)
    assert complaints(report) == ["SES_VERSION_MISMATCH"]


def test_a_version_5_seal_and_signature_are_accepted(workshop: Any) -> None:
    info = replaced((0, 1), integer(5))(parse(workshop.bureau.seal())[0].raw)
    document = workshop.resealed(seal=remade(workshop, info), tbs=replaced((0,), integer(5)))
    report = verify_ofd(document, workshop.bureau.trust)
    assert report.verdict is Verdict.VALID
    assert report.signatures[0].format == "ofd-ses-v5"


def test_a_version_5_seal_with_a_broken_time_stamp_is_invalid(workshop: Any, complaints: Complaints) -> None:
    info = replaced((0, 1), integer(5))(parse(workshop.bureau.seal())[0].raw)
    seal = remade(workshop, info, header=(explicit(0, bit_string(b"\x01\x02\x03")),))
    report = verify_ofd(workshop.resealed(seal=seal, tbs=replaced((0,), integer(5))), workshop.bureau.trust)
    assert complaints(report) == ["TIMESTAMP_INVALID"]


def test_a_version_1_seal_and_signature_are_accepted(workshop: Any) -> None:
    bureau = workshop.bureau
    v4 = parse(bureau.seal())[0]
    times = [utc_time(node.as_time()) for node in v4[2].children()[4:]]
    properties = sequence(v4[2][0].raw, v4[2][1].raw, v4[2][3].raw, *times)
    info = sequence(sequence(ia5("ES"), integer(1), ia5("x")), v4[1].raw, properties, v4[3].raw)
    method = oid("1.2.156.10197.1.501")
    maker = octet_string(bureau.maker.certificate.raw)
    signed = sequence(info, maker, method)
    seal = sequence(info, sequence(maker, method, bit_string(bureau.maker.signer.sign(signed))))
    cert = octet_string(bureau.signer.certificate.raw)

    def as_v1(tbs: bytes) -> bytes:
        fields = parse(tbs)
        local = bit_string(b"2026-11-22 16:00:00")
        return sequence(integer(1), seal, local, fields[3].raw, fields[4].raw, cert, method)

    def value(made: bytes) -> bytes:
        return sequence(parse(made)[0].raw, parse(made)[3].raw)

    report = verify_ofd(workshop.resealed(seal=seal, tbs=as_v1, value=value), bureau.trust)
    assert report.verdict is Verdict.VALID
    assert (report.signatures[0].format, report.signatures[0].time) == ("ofd-ses-v1", AT)
    # Over SealInfo alone, as later versions sign, a V1 seal does not hold.
    bare = sequence(info, sequence(maker, method, bit_string(bureau.maker.signer.sign(info))))
    seal = bare
    report = verify_ofd(workshop.resealed(seal=bare, tbs=as_v1, value=value), bureau.trust)
    assert "SEAL_SIGNATURE_INVALID" in codes(report)


def test_a_time_stamp_that_is_none_is_invalid(workshop: Any, complaints: Complaints) -> None:
    def stamped(made: bytes) -> bytes:
        return sequence(*(node.raw for node in parse(made)), explicit(0, bit_string(b"no token")))

    report = verify_ofd(workshop.resealed(value=stamped), workshop.bureau.trust)
    assert complaints(report) == ["TIMESTAMP_INVALID"]


def test_a_list_that_names_one_signature_twice_is_malformed(
    workshop: Any, complaints: Complaints, unpack: Unpack
) -> None:
    files = unpack(workshop.document)
    listed = files["Doc_0/Signs/Signatures.xml"]
    row = listed[listed.index(b"<ofd:Signature ID") : listed.index(b"</ofd:Signatures>")]
    files["Doc_0/Signs/Signatures.xml"] = listed.replace(row, row * 2)
    assert complaints(verify_ofd(write_archive(files), workshop.bureau.trust)) == ["PACKAGE_MALFORMED"]


def test_a_thousand_faults_are_counted_not_listed(workshop: Any) -> None:
    rows = b"".join(b'<ofd:Reference FileRef="/none/%d"/>' % number for number in range(1000))
    document = workshop.resealed(
        signature_xml=lambda xml: xml.replace(b"</ofd:References>", rows + b"</ofd:References>")
    )
    (signature,) = verify_ofd(document, workshop.bureau.trust).signatures
    missing = [finding for finding in signature.findings if finding.code == "REFERENCE_MISSING"]
    assert len(missing) < 100
    assert "950 more" in missing[-1].detail
