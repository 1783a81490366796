"""Documents with one thing wrong that the rules' own makers do not make: other shapes of the same faults."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crypto.der import bit_string, explicit, ia5, integer, parse, sequence
from seal.formats.ofd import verify_ofd
from seal.formats.ofd.archive import write_archive
from seal.model import Report, SealStatus, Verdict
from tests.sims.ofd_makers.packages import unreferenced
from tests.sims.ofd_workshop import Workshop, findings_of
from tests.sims.ofd_writing import AS_V5, FirstGeneration, remade, replaced, seal_info, v5_seal

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PAGE = "Doc_0/Pages/Page_1/Content.xml"
FIRST = "Doc_0/Signs/Sign_0"
Complaints = Callable[[Report], list[str]]
Unpack = Callable[[bytes], dict[str, bytes]]


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
    workshop: Workshop, complaints: Complaints, files: dict[str, bytes | None], code: str
) -> None:
    report = verify_ofd(workshop.resealed(files=files), workshop.bureau.trust)
    assert report.verdict is Verdict.INVALID
    assert complaints(report) == [code]


@pytest.mark.parametrize("value", ["׃", "六", "="])
def test_a_digest_that_is_no_base64_is_a_mismatch(workshop: Workshop, complaints: Complaints, value: str) -> None:
    def unreadable(xml: bytes) -> bytes:
        pattern = rb'(FileRef="/Doc_0/Document.xml"><ofd:CheckValue>)[^<]*'
        return re.sub(pattern, rb"\g<1>" + value.encode(), xml)

    report = verify_ofd(workshop.resealed(signature_xml=unreadable), workshop.bureau.trust)
    assert complaints(report) == ["REFERENCE_MISMATCH"]


@pytest.mark.parametrize("path", [PAGE, "Doc_0/Document.xml"])
def test_a_signature_that_leaves_what_is_shown_open_is_invalid(
    workshop: Workshop, complaints: Complaints, path: str
) -> None:
    report = verify_ofd(workshop.resealed(signature_xml=unreferenced(path)), workshop.bureau.trust)
    assert complaints(report) == ["PAGES_UNCOVERED"]


def test_a_protected_document_put_aside_for_another_is_invalid(
    workshop: Workshop, complaints: Complaints, unpack: Unpack
) -> None:
    open_entry = workshop.resealed(signature_xml=unreferenced("OFD.xml"))
    assert verify_ofd(open_entry, workshop.bureau.trust).verdict is Verdict.VALID
    files = unpack(open_entry)
    files["OFD.xml"] = files["OFD.xml"].replace(b"Doc_0/Document.xml", b"Doc_1/Document.xml")
    files["Doc_1/Document.xml"] = files["Doc_0/Document.xml"]
    files["Doc_1/Pages/Page_0/Content.xml"] = b"<Page>something else</Page>"
    report = verify_ofd(write_archive(files), workshop.bureau.trust)
    assert complaints(report) == ["PAGES_UNCOVERED"]


# --- the signature ---------------------------------------------------------------------------------------------


def test_a_time_of_sealing_outside_the_certificate_is_invalid(workshop: Workshop, complaints: Complaints) -> None:
    seal = workshop.bureau.seal(valid_to=AT + 800 * DAY)
    report = verify_ofd(workshop.resealed(seal=seal, at=AT + 400 * DAY), workshop.bureau.trust)
    assert complaints(report) == ["SIGN_TIME_OUTSIDE_CERT"]


# --- the seal --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "validity",
    [{"valid_to": AT - DAY}, {"valid_from": AT + DAY}],
)
def test_a_seal_outside_its_validity_is_invalid(workshop: Workshop, complaints: Complaints, validity: Any) -> None:
    report = verify_ofd(workshop.resealed(seal=workshop.bureau.seal(**validity)), workshop.bureau.trust)
    assert complaints(report) == ["SEAL_NOT_VALID_AT_SIGN_TIME"]


def test_a_seal_used_before_its_makers_certificate_began_is_invalid(workshop: Workshop, complaints: Complaints) -> None:
    maker = workshop.bureau.authority.certify("Future", not_before=AT + 10 * DAY, not_after=AT + 90 * DAY)
    report = verify_ofd(workshop.resealed(seal=workshop.bureau.seal(made_by=maker)), workshop.bureau.trust)
    assert complaints(report) == ["SEAL_MAKER_CERT_NOT_VALID"]


@pytest.mark.parametrize(
    ("status", "verdict", "code"),
    [
        (SealStatus.ACTIVE, Verdict.VALID, None),
        (SealStatus.SUSPENDED, Verdict.INVALID, "SEAL_SUSPENDED"),
        (SealStatus.REVOKED, Verdict.INVALID, "SEAL_REVOKED"),
        (SealStatus.DESTROYED, Verdict.INVALID, "SEAL_DESTROYED"),
        (None, Verdict.VALID, "SEAL_UNKNOWN"),
    ],
)
def test_the_register_is_asked_about_the_time_of_sealing(
    workshop: Workshop, status: SealStatus | None, verdict: Verdict, code: str | None
) -> None:
    asked: list[tuple[str, datetime]] = []

    def register(esid: str, at: datetime) -> SealStatus | None:
        asked.append((esid, at))
        return status

    report = verify_ofd(workshop.resealed(), replace(workshop.bureau.trust, seal_status=register))
    assert asked == [("44030000000001", AT)]
    assert report.verdict is verdict
    assert code is None or code in {finding.code for finding in findings_of(report)}


def test_judging_as_of_another_time_asks_whether_it_would_hold_then(workshop: Workshop, complaints: Complaints) -> None:
    report = verify_ofd(workshop.resealed(), workshop.bureau.trust, AT + 600 * DAY)
    assert set(complaints(report)) == {"SIGN_TIME_OUTSIDE_CERT", "SEAL_NOT_VALID_AT_SIGN_TIME"}
    assert report.signatures[0].time == AT


@pytest.mark.parametrize(("place", "new"), [((0, 0), ia5("EX")), ((0, 1), integer(1)), ((0, 1), integer(7))])
def test_a_header_of_no_known_generation_is_invalid(
    workshop: Workshop, complaints: Complaints, place: tuple[int, int], new: bytes
) -> None:
    seal = remade(workshop.bureau, replaced(place, new)(seal_info(workshop.bureau)))
    # A number that no generation has is no better for being written twice.
    same = replaced((0,), new) if place == (0, 1) else bytes
    report = verify_ofd(workshop.resealed(seal=seal, tbs=same), workshop.bureau.trust)
    assert complaints(report) == ["SES_VERSION_MISMATCH"]


@pytest.mark.parametrize("token", [b"no token", b"\x01\x02\x03", b""])
def test_a_version_5_seal_with_a_broken_time_stamp_is_invalid(
    workshop: Workshop, complaints: Complaints, token: bytes
) -> None:
    document = workshop.resealed(seal=v5_seal(workshop.bureau, lambda _: token), tbs=AS_V5)
    assert complaints(verify_ofd(document, workshop.bureau.trust)) == ["TIMESTAMP_INVALID"]


def test_a_version_1_seal_signed_as_later_ones_are_is_invalid(workshop: Workshop, complaints: Complaints) -> None:
    first = FirstGeneration(workshop.bureau, over_info_alone=True)
    document = workshop.resealed(seal=first.seal, tbs=first.tbs, value=first.value)
    assert complaints(verify_ofd(document, workshop.bureau.trust)) == ["SEAL_SIGNATURE_INVALID"]


def test_a_time_stamp_that_is_none_is_invalid(workshop: Workshop, complaints: Complaints) -> None:
    def stamped(made: bytes) -> bytes:
        return sequence(*(node.raw for node in parse(made)), explicit(0, bit_string(b"no token")))

    report = verify_ofd(workshop.resealed(value=stamped), workshop.bureau.trust)
    assert complaints(report) == ["TIMESTAMP_INVALID"]


def test_a_thousand_faults_are_counted_not_listed(workshop: Workshop) -> None:
    rows = b"".join(b'<ofd:Reference FileRef="/none/%d"/>' % number for number in range(1000))
    document = workshop.resealed(
        signature_xml=lambda xml: xml.replace(b"</ofd:References>", rows + b"</ofd:References>")
    )
    (signature,) = verify_ofd(document, workshop.bureau.trust).signatures
    missing = [finding for finding in signature.findings if finding.code == "REFERENCE_MISSING"]
    assert len(missing) < 100
    assert "950 more" in missing[-1].detail


def test_findings_come_in_the_order_of_the_steps(workshop: Workshop) -> None:
    document = workshop.resealed(
        seal=workshop.bureau.seal(valid_to=AT - DAY),
        value=lambda made: made[:-1] + bytes((made[-1] ^ 1,)),
        files={PAGE: b"<Page/>"},
        data_hash=bytes(32),
    )
    (signature,) = verify_ofd(document, workshop.bureau.trust).signatures
    worse = [finding.code for finding in signature.findings if finding.verdict is not Verdict.VALID]
    assert worse == ["SIGNATURE_INVALID", "REFERENCE_MISMATCH", "DATA_HASH_MISMATCH", "SEAL_NOT_VALID_AT_SIGN_TIME"]
