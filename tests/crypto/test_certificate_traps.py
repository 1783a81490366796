"""Certificates as they are met, not as they should be: version 1, strange serials, strange strings, strange times."""

from collections.abc import Callable
from pathlib import Path

import pytest

from crypto import der
from crypto.certificate import Certificate
from crypto.errors import CertificateError
from crypto.names import same_name
from crypto.suites import KeyKind
from tests.crypto.authority import Authority

Fields = list[bytes]


def changed(certificate: Certificate, change: Callable[[Fields], None]) -> bytes:
    """The certificate with members of what was signed exchanged; its signature no longer holds."""
    tbs, algorithm, value = der.parse(certificate.raw).children()
    fields = [each.raw for each in tbs]
    change(fields)
    return der.sequence(der.sequence(*fields), algorithm.raw, value.raw)


def read(certificate: Certificate, change: Callable[[Fields], None]) -> Certificate:
    return Certificate.from_der(changed(certificate, change))


def put(place: int, octets: bytes) -> Callable[[Fields], None]:
    def change(fields: Fields) -> None:
        fields[place] = octets

    return change


def named(tag: int, octets: bytes) -> bytes:
    """A name of one common name, in a string of any type."""
    return der.sequence(der.set_of((der.sequence(der.oid("2.5.4.3"), der.tlv(tag, octets)),)))


def test_a_certificate_of_version_1_is_read_and_is_no_authority(sm2: Authority) -> None:
    def first_version(fields: Fields) -> None:
        del fields[0]  # [0] version
        del fields[-1]  # [3] extensions

    certificate = read(sm2.root.certificate, first_version)
    assert certificate.serial == sm2.root.certificate.serial
    assert certificate.public_key == sm2.root.certificate.public_key
    assert not certificate.is_ca
    assert certificate.key_usage is None
    assert certificate.extensions.oids == frozenset()


@pytest.mark.parametrize("serial", [-1, -(2**63), 0, 2**64, 2**200], ids=str)
def test_a_serial_of_any_sign_and_size_is_read_as_it_stands(sm2: Authority, serial: int) -> None:
    octets = serial.to_bytes(26, "big", signed=True).lstrip(b"\x00" if serial >= 0 else b"")
    octets = b"\x00" + octets if serial >= 0 else octets
    certificate = read(sm2.signer.certificate, put(1, der.tlv(der.INTEGER, octets)))
    assert certificate.serial == serial


@pytest.mark.parametrize(
    ("tag", "octets", "text"),
    [
        (0x0C, "电子印章".encode(), "电子印章"),
        (0x13, b"Seal", "Seal"),
        (0x13, "电子印章".encode(), None),  # UTF-8 in a PrintableString: met in the field
        (0x14, b"Seal", "Seal"),
        (0x16, b"a@b", "a@b"),
        (0x1E, "电子印章".encode("utf-16-be"), "电子印章"),
        (0x1E, b"\x00", None),
        (0x1C, "电子印章".encode("utf-32-be"), "电子印章"),
        (0x12, b"110105", "110105"),
        (0x0C, b"\xff\xfe", None),
        (0x0C, b"", ""),
        (0x04, b"octets", None),
    ],
    ids=str,
)
def test_a_name_of_any_string_type_is_read_or_shown_as_octets(
    sm2: Authority, tag: int, octets: bytes, text: str | None
) -> None:
    certificate = read(sm2.signer.certificate, put(5, named(tag, octets)))
    if text is None:
        assert der.tlv(tag, octets).hex() in certificate.subject_text.lower() or "CN=" in certificate.subject_text
    else:
        assert certificate.common_name == text
    assert certificate.subject_text.startswith("CN=")
    assert certificate.public_key.kind is KeyKind.SM2


@pytest.mark.parametrize(
    "time",
    [der.tlv(der.UTC_TIME, b"2601010000Z"), der.tlv(der.GENERALIZED_TIME, b"20260101000000Z")],
    ids=["UTCTime without seconds", "GeneralizedTime before 2050"],
)
def test_a_validity_is_read_as_issuers_write_it(sm2: Authority, time: bytes) -> None:
    end = der.tlv(der.GENERALIZED_TIME, b"99991231235959Z")
    certificate = read(sm2.signer.certificate, put(4, der.sequence(time, end)))
    assert (certificate.not_before.year, certificate.not_after.year) == (2026, 9999)


@pytest.mark.parametrize("time", [b"", b"2026", b"20261301000000Z", b"99999999999999Z", b"\xff" * 15])
def test_a_validity_that_is_none_is_refused(sm2: Authority, time: bytes) -> None:
    with pytest.raises(CertificateError):
        read(sm2.signer.certificate, put(4, der.sequence(*[der.tlv(der.GENERALIZED_TIME, time)] * 2)))


@pytest.mark.parametrize("place", range(7))
def test_a_member_of_another_kind_is_refused(sm2: Authority, place: int) -> None:
    with pytest.raises(CertificateError):
        read(sm2.signer.certificate, put(place, der.null()))


def test_unique_identifiers_before_the_extensions_are_passed_over(sm2: Authority) -> None:
    def with_identifiers(fields: Fields) -> None:
        fields[-1:-1] = [der.tlv(0x81, b"\x00\x01"), der.tlv(0x82, b"\x00\x02")]

    certificate = read(sm2.signer.certificate, with_identifiers)
    assert certificate.key_usage == sm2.signer.certificate.key_usage


def test_certificates_of_real_authorities_are_used_as_they_say(corpus: Path) -> None:
    for file in corpus.glob("ofd/certs/gmca_*.pem"):
        certificate = Certificate.from_pem(file.read_bytes())
        assert certificate.is_ca, file.name
        assert certificate.key_usage is None or "key_cert_sign" in certificate.key_usage, file.name
        assert certificate.public_key.kind is KeyKind.SM2


def test_names_that_differ_in_octets_that_are_no_text_are_not_the_same() -> None:
    assert not same_name(named(0x0C, b"Seal\xff"), named(0x0C, b"Seal\xfe"))
    assert same_name(named(0x0C, b"Seal"), named(0x13, b"SEAL"))
