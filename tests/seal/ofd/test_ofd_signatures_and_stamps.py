"""Plain GB/T 35275 signatures in their three shapes, and time stamps over a seal's signature."""

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crypto.cms import CmsTemplate
from crypto.cms_build import signing_certificate_v2
from crypto.der import (
    bit_string,
    explicit,
    generalized_time,
    integer,
    null,
    octet_string,
    oid,
    parse,
    sequence,
    set_of,
    tlv,
    utc_time,
)
from crypto.digests import sm3
from crypto.sm2 import signature_from_der
from crypto.suites import SM2_SM3
from crypto.x509 import TSA
from seal.formats.ofd import verify_ofd
from seal.formats.ofd.archive import write_archive
from seal.model import Report, TimeSource, Verdict

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
FIRST = "Doc_0/Signs/Sign_0"
GM_DATA, GM_SIGNED_DATA = "1.2.156.10197.6.1.4.2.1", "1.2.156.10197.6.1.4.2.2"
PKCS7_DATA = "1.2.840.113549.1.7.1"
TST_INFO = "1.2.840.113549.1.9.16.1.4"
Complaints = Callable[[Report], list[str]]
Unpack = Callable[[bytes], dict[str, bytes]]
Value = Callable[[bytes], bytes]


def message(holder: Any, content: bytes, signature: bytes, *, enclose: bool = True) -> bytes:
    """Write a GB/T 35275 message without attributes around a content."""
    digest = sequence(oid("1.2.156.10197.1.401"), null())
    inner = sequence(oid(GM_DATA), explicit(0, octet_string(content)))
    certificate = holder.certificate
    signer = sequence(
        integer(1),
        sequence(certificate.issuer, integer(certificate.serial)),
        digest,
        sequence(oid("1.2.156.10197.1.301.1"), null()),
        octet_string(signature),
    )
    certificates = [explicit(0, certificate.raw)] if enclose else []
    signed = sequence(integer(1), set_of([digest]), inner, *certificates, set_of([signer]))
    return sequence(oid(GM_SIGNED_DATA), explicit(0, signed))


def enclosed_hash(holder: Any) -> Value:
    return lambda xml: message(holder, sm3(xml), holder.signer.sign(sm3(xml)))


def enclosed_text(holder: Any) -> Value:
    def value(xml: bytes) -> bytes:
        text = base64.b64encode(sm3(xml))
        return message(holder, text, holder.signer.sign(text))

    return value


def enclosed_raw(holder: Any) -> Value:
    return lambda xml: message(holder, sm3(xml), signature_from_der(holder.signer.sign(sm3(xml))))


def with_attributes(holder: Any) -> Value:
    def value(xml: bytes) -> bytes:
        template = CmsTemplate(holder.certificate, (), SM2_SM3, "gbt35275")
        attributes = template.attributes(sm3(xml), signing_time=AT)
        return template.assemble(attributes, holder.signer.sign(attributes))

    return value


def with_attributes_otherwise(holder: Any) -> Value:
    """Write attributes as one vendor does: content of the PKCS #7 type, SM2 named by its signature, value r and s."""

    def value(xml: bytes) -> bytes:
        rows = ((3, oid(PKCS7_DATA)), (5, utc_time(AT)), (4, octet_string(sm3(xml))))
        attributes = set_of([sequence(oid(f"1.2.840.113549.1.9.{number}"), set_of([row])) for number, row in rows])
        digest = sequence(oid("1.2.156.10197.1.401"), null())
        certificate = holder.certificate
        signer = sequence(
            integer(1),
            sequence(certificate.issuer, integer(certificate.serial)),
            digest,
            b"\xa0" + attributes[1:],
            sequence(oid("1.2.156.10197.1.501"), null()),
            octet_string(signature_from_der(holder.signer.sign(attributes))),
        )
        content = sequence(oid(PKCS7_DATA))
        signed = sequence(integer(1), set_of([digest]), content, explicit(0, certificate.raw), set_of([signer]))
        return sequence(oid(GM_SIGNED_DATA), explicit(0, signed))

    return value


SHAPES = [enclosed_hash, enclosed_text, enclosed_raw, with_attributes, with_attributes_otherwise]


@pytest.fixture
def signed(workshop: Any, unpack: Unpack) -> Callable[..., bytes]:
    """Turn the sealed document into one with a plain signature of Type Sign."""

    def make(value: Value, *, timed: bool = True) -> bytes:
        files = unpack(workshop.document)
        del files[f"{FIRST}/Seal.esl"]
        xml = files[f"{FIRST}/Signature.xml"]
        xml = re.sub(rb"<ofd:StampAnnot.*?/>|<ofd:Seal>.*?</ofd:Seal>", b"", xml)
        xml = re.sub(rb'<ofd:Reference FileRef="[^"]*Seal.esl">.*?</ofd:Reference>', b"", xml)
        if not timed:
            xml = re.sub(rb"<ofd:SignatureDateTime>.*?</ofd:SignatureDateTime>", b"", xml)
        files[f"{FIRST}/Signature.xml"] = xml
        files["Doc_0/Signs/Signatures.xml"] = files["Doc_0/Signs/Signatures.xml"].replace(b'"Seal"', b'"Sign"')
        files[f"{FIRST}/SignedValue.dat"] = value(xml)
        return write_archive(files)

    return make


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_plain_signature_is_valid(
    workshop: Any, signed: Callable[..., bytes], shape: Callable[[Any], Value]
) -> None:
    report = verify_ofd(signed(shape(workshop.bureau.signer)), workshop.bureau.trust)
    assert report.verdict is Verdict.VALID
    (signature,) = report.signatures
    assert (signature.format, signature.time) == ("ofd-gbt35275", AT)
    assert signature.signer is not None
    assert "44030000000001" in signature.signer


@pytest.mark.parametrize("shape", SHAPES)
def test_a_plain_signature_over_another_file_is_invalid(
    workshop: Any, signed: Callable[..., bytes], complaints: Complaints, shape: Callable[[Any], Value]
) -> None:
    value = shape(workshop.bureau.signer)
    report = verify_ofd(signed(lambda xml: value(xml + b" ")), workshop.bureau.trust)
    assert complaints(report) == ["DATA_HASH_MISMATCH"]


def test_a_plain_signature_with_a_wrong_value_is_invalid(
    workshop: Any, other_bureau: Any, signed: Callable[..., bytes], complaints: Complaints
) -> None:
    def value(xml: bytes) -> bytes:
        return message(workshop.bureau.signer, sm3(xml), other_bureau.signer.signer.sign(sm3(xml)))

    assert complaints(verify_ofd(signed(value), workshop.bureau.trust)) == ["SIGNATURE_INVALID"]


def test_without_the_signers_certificate_nothing_can_be_said(
    workshop: Any, signed: Callable[..., bytes], complaints: Complaints
) -> None:
    holder = workshop.bureau.signer
    values: tuple[Value, ...] = (
        lambda xml: holder.signer.sign(xml),  # noqa: PLW0108 - the type is spelt out
        lambda xml: signature_from_der(holder.signer.sign(xml)),
        lambda xml: message(holder, sm3(xml), holder.signer.sign(sm3(xml)), enclose=False),
    )
    for value in values:
        report = verify_ofd(signed(value), workshop.bureau.trust)
        assert report.verdict is Verdict.INDETERMINATE
        assert complaints(report) == ["SIGNER_CERT_MISSING"]


def test_a_plain_signature_that_names_no_time_cannot_be_judged(
    workshop: Any, signed: Callable[..., bytes], complaints: Complaints
) -> None:
    document = signed(enclosed_hash(workshop.bureau.signer), timed=False)
    assert complaints(verify_ofd(document, workshop.bureau.trust)) == ["SIGN_TIME_UNKNOWN"]


@pytest.mark.parametrize("rubbish", [b"", b"rubbish", sequence(oid(GM_SIGNED_DATA)), sequence()])
def test_a_plain_signature_that_is_none_is_invalid(
    workshop: Any, signed: Callable[..., bytes], complaints: Complaints, rubbish: bytes
) -> None:
    report = verify_ofd(signed(lambda _: rubbish), workshop.bureau.trust)
    assert complaints(report) == ["CMS_MALFORMED"]


# --- time stamps -----------------------------------------------------------------------------------------------


def token(tsa: Any, stamped: bytes, at: datetime) -> bytes:
    """Write a time-stamp token over ``stamped`` (RFC 3161 2.4.2)."""
    algorithm = sequence(oid("1.2.156.10197.1.401"))
    imprint = sequence(algorithm, octet_string(sm3(stamped)))
    info = sequence(integer(1), oid("1.2.3.4"), imprint, integer(7), generalized_time(at))

    def attribute(name: str, value: bytes) -> bytes:
        return sequence(oid(name), tlv(0x31, value))

    attributes = set_of(
        [
            attribute("1.2.840.113549.1.9.3", oid(TST_INFO)),
            attribute("1.2.840.113549.1.9.4", octet_string(sm3(info))),
            signing_certificate_v2(tsa.certificate, SM2_SM3),
        ]
    )
    certificate = tsa.certificate
    signer = sequence(
        integer(1),
        sequence(certificate.issuer, integer(certificate.serial)),
        algorithm,
        b"\xa0" + attributes[1:],
        sequence(oid("1.2.156.10197.1.501")),
        octet_string(tsa.signer.sign(attributes)),
    )
    content = sequence(oid(TST_INFO), explicit(0, octet_string(info)))
    signed = sequence(integer(3), set_of([algorithm]), content, explicit(0, certificate.raw), set_of([signer]))
    return sequence(oid("1.2.840.113549.1.7.2"), explicit(0, signed))


@pytest.fixture(scope="module")
def tsa(authority: Any) -> Any:
    return authority.certify("Time Stamper", profile=TSA)


def stamped(tsa: Any, *, at: datetime, over: bytes | None = None) -> Value:
    def value(made: bytes) -> bytes:
        fields = parse(made)
        stamp = token(tsa, over or fields[3].as_bits(), at)
        return sequence(*(node.raw for node in fields), explicit(0, bit_string(stamp)))

    return value


def test_a_time_stamp_proves_the_time_of_sealing(workshop: Any, tsa: Any) -> None:
    document = workshop.resealed(value=stamped(tsa, at=AT + timedelta(minutes=1)))
    report = verify_ofd(document, workshop.bureau.trust)
    assert report.verdict is Verdict.VALID
    (signature,) = report.signatures
    assert (signature.time, signature.time_source) == (AT + timedelta(minutes=1), TimeSource.TIMESTAMP)


@pytest.mark.parametrize("claimed", [AT + timedelta(hours=1), AT + timedelta(days=3)])
def test_a_time_claimed_after_the_stamp_is_invalid(
    workshop: Any, tsa: Any, complaints: Complaints, claimed: datetime
) -> None:
    document = workshop.resealed(at=claimed, value=stamped(tsa, at=AT))
    assert complaints(verify_ofd(document, workshop.bureau.trust)) == ["TIMESTAMP_INVALID"]


def test_a_time_stamp_over_something_else_is_invalid(workshop: Any, tsa: Any, complaints: Complaints) -> None:
    document = workshop.resealed(value=stamped(tsa, at=AT, over=b"something else"))
    report = verify_ofd(document, workshop.bureau.trust)
    assert complaints(report) == ["TIMESTAMP_INVALID"]
    assert report.signatures[0].time_source is TimeSource.CLAIMED


def test_a_time_stamp_of_a_certificate_that_is_not_for_it_is_invalid(workshop: Any, complaints: Complaints) -> None:
    document = workshop.resealed(value=stamped(workshop.bureau.maker, at=AT))
    assert complaints(verify_ofd(document, workshop.bureau.trust)) == ["TIMESTAMP_INVALID"]


def test_a_time_stamp_of_an_unknown_stamper_proves_nothing_and_spoils_nothing(workshop: Any, stranger: Any) -> None:
    unknown = stranger.certify("Somebody's Clock", profile=replace(TSA, name="tsa"))
    document = workshop.resealed(value=stamped(unknown, at=AT + timedelta(days=9)))
    report = verify_ofd(document, workshop.bureau.trust)
    assert report.verdict is Verdict.VALID
    assert "TIMESTAMP_UNTRUSTED" in {finding.code for finding in report.signatures[0].findings}
    assert (report.signatures[0].time, report.signatures[0].time_source) == (AT, TimeSource.CLAIMED)
