"""Certificates and requests: issued by profile, read back, judged by others."""

import dataclasses
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import der
from crypto.errors import CertificateError, CryptoError
from crypto.suites import KeyKind
from crypto.x509 import (
    PROFILES,
    ROOT,
    SIGNER,
    SUB_CA,
    TSA,
    Certificate,
    CertificateProfile,
    make_certificate,
    make_csr,
    name,
    parse_csr,
    pem_bodies,
    random_serial,
)
from tests.crypto.authority import NOT_AFTER, NOT_BEFORE, Authority
from tests.judges import openssl


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


# --- issuing -----------------------------------------------------------------------------------------------------


def test_what_is_issued_reads_back_as_asked(authority: Authority) -> None:
    certificate = authority.signer.certificate

    assert (
        certificate.subject_text == "CN=某某局电子印章,organizationIdentifier=11440300007542000X,O=某某市人民政府,C=CN"
    )
    assert certificate.common_name == "某某局电子印章"
    assert certificate.organisation == "某某市人民政府"
    assert certificate.issuer_text.startswith("CN=签发 CA,")
    assert (certificate.not_before, certificate.not_after) == (NOT_BEFORE, NOT_AFTER)
    assert certificate.public_key == authority.signer.signer.public_key
    assert certificate.signature_oid == authority.suite.signature_oid


def test_a_certificate_names_its_issuers_key(authority: Authority) -> None:
    assert authority.signer.certificate.authority_key_id == authority.sub_ca.certificate.subject_key_id
    assert authority.sub_ca.certificate.authority_key_id == authority.root.certificate.subject_key_id


def test_the_issuers_signature_verifies_and_nobody_elses(authority: Authority) -> None:
    root, sub_ca, signer = (each.certificate for each in (authority.root, authority.sub_ca, authority.signer))

    assert root.issued_by(root)
    assert sub_ca.issued_by(root)
    assert signer.issued_by(sub_ca)
    assert not signer.issued_by(root)
    assert not root.issued_by(sub_ca)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_each_profile_grants_what_its_row_says(sm2: Authority, profile: CertificateProfile) -> None:
    made = sm2.issue("某某", profile, sm2.root).certificate

    assert made.key_usage == frozenset(profile.key_usage)
    assert made.is_ca is profile.ca
    assert made.path_length == profile.path_length
    assert made.extended_key_usage == frozenset(profile.extended_key_usage)
    assert not made.extensions.not_understood


def test_a_time_stamping_certificate_says_so_critically(sm2: Authority) -> None:
    assert sm2.issue("时间戳", TSA, sm2.root).certificate.extensions.extended_key_usage_critical


def test_addresses_of_revocation_services_are_written(sm2: Authority) -> None:
    made = make_certificate(
        subject=name("某某"),
        public_key=sm2.key("某某").public_key,
        issuer=sm2.root.certificate,
        issuer_key=sm2.root.signer,
        serial=random_serial(),
        not_before=NOT_BEFORE,
        not_after=datetime(2060, 1, 1, tzinfo=UTC),
        profile=SIGNER,
        crl_urls=("http://ca.example/crl", "ldap://ca.example/crl"),
        ocsp_urls=("http://ca.example/ocsp",),
    )

    assert made.crl_urls == ("http://ca.example/crl", "ldap://ca.example/crl")
    assert made.ocsp_urls == ("http://ca.example/ocsp",)
    assert made.not_after == datetime(2060, 1, 1, tzinfo=UTC)


def make(authority: Authority, **changes: object) -> Certificate:
    asked: dict[str, object] = {
        "subject": name("某某"),
        "public_key": authority.signer.signer.public_key,
        "issuer": authority.root.certificate,
        "issuer_key": authority.root.signer,
        "serial": 7,
        "not_before": NOT_BEFORE,
        "not_after": NOT_AFTER,
        "profile": SIGNER,
    }
    return make_certificate(**(asked | changes))  # type: ignore[arg-type]


def test_only_a_ca_issues(sm2: Authority) -> None:
    with pytest.raises(CertificateError, match="authority"):
        make(sm2, issuer=sm2.signer.certificate, issuer_key=sm2.signer.signer)


def test_only_the_issuers_key_issues(sm2: Authority) -> None:
    with pytest.raises(CertificateError, match="not the issuer's"):
        make(sm2, issuer_key=sm2.sub_ca.signer)
    with pytest.raises(CertificateError, match="not the issuer's"):
        make(sm2, issuer=None, issuer_key=sm2.sub_ca.signer, profile=ROOT)


@pytest.mark.parametrize("serial", [0, -1, 1 << 159])
def test_a_serial_is_positive_and_short(sm2: Authority, serial: int) -> None:
    with pytest.raises(CertificateError, match="serial"):
        make(sm2, serial=serial)


def test_a_validity_does_not_end_before_it_starts(sm2: Authority) -> None:
    with pytest.raises(CertificateError, match="never"):
        make(sm2, not_after=NOT_BEFORE)


def test_random_serials_are_positive_distinct_and_fit() -> None:
    serials = {random_serial() for _ in range(100)}

    assert len(serials) == 100
    assert all(0 < serial < 1 << 159 for serial in serials)


# --- reading -----------------------------------------------------------------------------------------------------


def test_pem_goes_round(sm2: Authority) -> None:
    certificate = sm2.signer.certificate

    assert Certificate.from_pem(certificate.pem()) == certificate
    assert Certificate.from_pem(b"text before\r\n" + certificate.pem().encode().replace(b"\n", b"\r\n")) == certificate


def test_a_text_without_a_certificate_is_refused() -> None:
    with pytest.raises(CertificateError):
        Certificate.from_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")


def test_broken_base64_is_refused() -> None:
    with pytest.raises(CertificateError):
        pem_bodies("-----BEGIN CERTIFICATE-----\nA!A=\n-----END CERTIFICATE-----", "CERTIFICATE")


def test_every_flipped_bit_of_what_was_signed_shows(sm2: Authority) -> None:
    certificate, issuer = sm2.signer.certificate, sm2.sub_ca.certificate
    start = certificate.raw.index(certificate.tbs)
    for at in range(start, start + len(certificate.tbs), 7):
        try:
            changed = Certificate.from_der(flipped(certificate.raw, at))
        except CertificateError:
            continue
        assert not changed.issued_by(issuer)


def test_two_signature_algorithms_in_one_certificate_are_refused(p256: Authority) -> None:
    tbs, _, value = der.parse(p256.root.certificate.raw).children()
    other = der.sequence(der.oid("1.2.840.10045.4.3.3"))

    with pytest.raises(CertificateError, match="two signature algorithms"):
        Certificate.from_der(der.sequence(tbs.raw, other, value.raw))


def with_extensions(certificate: Certificate, *extensions: bytes) -> Certificate:
    """The same certificate with other extensions; its signature no longer holds."""
    tbs, algorithm, value = der.parse(certificate.raw).children()
    kept = [node.raw for node in tbs if node.tag != der.context(3)]
    changed = der.sequence(*kept, der.explicit(3, der.sequence(*extensions)))
    return Certificate.from_der(der.sequence(changed, algorithm.raw, value.raw))


def extension(oid: str, value: bytes, critical: bytes = b"") -> bytes:
    return der.sequence(der.oid(oid), critical, der.octet_string(value))


def test_an_explicit_false_before_an_extension_is_read(sm2: Authority) -> None:
    usage = extension("2.5.29.15", b"\x03\x02\x06\xc0", der.boolean(value=False))

    assert with_extensions(sm2.signer.certificate, usage).key_usage == frozenset(
        ("digital_signature", "content_commitment")
    )


def test_an_unknown_extension_matters_only_when_it_is_critical(sm2: Authority) -> None:
    harmless = with_extensions(sm2.signer.certificate, extension("1.2.3", b"\x05\x00"))
    critical = with_extensions(sm2.signer.certificate, extension("1.2.3", b"\x05\x00", der.boolean(value=True)))

    assert not harmless.extensions.not_understood
    assert critical.extensions.not_understood == {"1.2.3"}


def test_an_unreadable_address_costs_nothing_else_but_an_unreadable_restriction_is_kept_in_mind(sm2: Authority) -> None:
    made = with_extensions(
        sm2.signer.certificate,
        extension("2.5.29.31", b"rubbish"),
        extension("2.5.29.19", b"rubbish"),
        extension("2.5.29.14", der.octet_string(b"id")),
    )

    assert made.subject_key_id == b"id"
    assert made.crl_urls == ()
    assert made.extensions.not_understood == {"2.5.29.19"}


def test_an_extension_that_is_there_twice_is_not_understood(sm2: Authority) -> None:
    usage = extension("2.5.29.15", b"\x03\x02\x06\xc0"), extension("2.5.29.15", b"\x03\x02\x02\x04")

    made = with_extensions(sm2.signer.certificate, *usage)

    assert made.key_usage == frozenset(("digital_signature", "content_commitment"))
    assert made.extensions.not_understood == {"2.5.29.15"}


def test_a_key_that_cannot_be_used_is_refused_only_when_it_is_asked_for(sm2: Authority) -> None:
    good = sm2.signer.certificate
    bad_point = dataclasses.replace(good, spki=flipped(good.spki, len(good.spki) - 1))

    with pytest.raises(CertificateError):
        _ = bad_point.public_key
    assert not good.signed_by(bad_point.spki)


@settings(max_examples=200)
@given(data=st.data())
def test_mutated_certificates_are_read_or_refused_and_nothing_else(
    authorities: Mapping[str, Authority], data: st.DataObject
) -> None:
    raw = bytearray(authorities["SM2-SM3"].signer.certificate.raw)
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        certificate = Certificate.from_der(bytes(raw))
        certificate.issued_by(certificate)
        assert certificate.subject_text is not None
        _ = certificate.public_key
    except CryptoError:
        return


# --- requests ----------------------------------------------------------------------------------------------------


def test_a_request_proves_its_key(authority: Authority) -> None:
    signer = authority.signer.signer

    request = parse_csr(make_csr(name("某某局", "某某市"), signer))

    assert request.subject_text == "CN=某某局,O=某某市,C=CN"
    assert request.public_key == signer.public_key
    assert pem_bodies(request.pem(), "CERTIFICATE REQUEST") == [request.raw]


def test_a_request_for_another_name_or_key_than_was_signed_is_refused(sm2: Authority) -> None:
    wish, algorithm, value = der.parse(make_csr(name("某某局"), sm2.signer.signer)).children()
    renamed = wish.raw.replace("某某局".encode(), "财政局".encode())

    with pytest.raises(CertificateError, match="does not verify"):
        parse_csr(der.sequence(renamed, algorithm.raw, value.raw))


@pytest.mark.parametrize("rubbish", [b"", b"\x30\x00", b"\x30\x06\x30\x00\x30\x00\x03\x00", b"x" * 50])
def test_a_request_that_is_none_is_refused(rubbish: bytes) -> None:
    with pytest.raises(CertificateError):
        parse_csr(rubbish)


# --- judges ------------------------------------------------------------------------------------------------------


def test_openssl_accepts_our_certificates_one_step_at_a_time(authority: Authority) -> None:
    root, sub_ca, signer = (each.certificate for each in (authority.root, authority.sub_ca, authority.signer))

    assert openssl.accepts_certificate(sub_ca, root)
    assert openssl.accepts_certificate(signer, sub_ca)
    assert not openssl.accepts_certificate(signer, root)


def test_openssl_refuses_a_changed_certificate(sm2: Authority) -> None:
    signer = sm2.signer.certificate
    changed = Certificate.from_der(signer.raw.replace("某某局".encode(), "财政局".encode()))

    assert not openssl.accepts_certificate(changed, sm2.sub_ca.certificate)


def test_openssl_accepts_our_requests(authority: Authority) -> None:
    request = make_csr(name("某某局"), authority.signer.signer)

    assert openssl.accepts_csr(request, sm2=authority.suite.key is KeyKind.SM2)


def test_openssl_reads_the_usages_we_wrote(sm2: Authority) -> None:
    assert "X509v3 Key Usage: critical\n                Digital Signature, Non Repudiation" in openssl.text_of(
        sm2.signer.certificate
    )
    assert "CA:TRUE, pathlen:0" in openssl.text_of(sm2.issue("签发", SUB_CA, sm2.root).certificate)


# --- real certificates -------------------------------------------------------------------------------------------


def enclosed(node: der.Node) -> Iterator[bytes]:
    """Every OCTET STRING, and every SEQUENCE in a [0], that is long enough for a certificate."""
    if node.tag == der.OCTET_STRING and len(node.content) > 200 and node.content[:2] == b"\x30\x82":
        yield node.content
    elif node.tag & 0x20:
        for child in node:
            yield from enclosed(child)


def test_every_certificate_of_the_corpus_is_read(corpus: Path) -> None:
    files = [
        *corpus.glob("ofd/seal/*.esl"),
        *corpus.glob("ofd/detached/**/*.dat"),
        *corpus.glob("ofd/detached/**/*.esl"),
    ]
    values = [file.read_bytes() for file in files]
    for package in corpus.glob("ofd/ofd/*.ofd"):
        with zipfile.ZipFile(package) as opened:
            values += [
                opened.read(each) for each in opened.namelist() if each.lower().endswith(("signedvalue.dat", ".esl"))
            ]
    found = [Certificate.from_pem(file.read_bytes()) for file in corpus.glob("ofd/certs/*.pem")]
    for value in values:
        if value[:1] == b"\x30":
            found += [Certificate.from_der(raw) for raw in enclosed(der.parse_prefix(value)) if is_certificate(raw)]

    assert len(found) > 50
    for certificate in found:
        assert certificate.public_key.kind is KeyKind.SM2
        assert certificate.subject_text
        assert not certificate.extensions.not_understood


def is_certificate(raw: bytes) -> bool:
    """Whether the octets have the outline of one: three members, the first beginning with a version."""
    members = der.parse(raw).children()
    return len(members) == 3 and members[0].tag == der.SEQUENCE and members[0][0].tag == der.context(0)


def test_real_chains_verify(corpus: Path) -> None:
    certificates = {file.stem: Certificate.from_pem(file.read_bytes()) for file in corpus.glob("ofd/certs/*.pem")}
    root, civil = certificates["gmca_ROOTCA"], certificates["gmca_Civil_Servant_ROOT"]

    assert root.issued_by(root)
    assert civil.issued_by(civil)
    assert certificates["gmca_TJCA"].issued_by(civil)
    assert certificates["gmca_Taier_CA"].issued_by(root)
    assert certificates["gmca_Ant_Financial_Certification_Authority_S1"].issued_by(root)
    assert not certificates["gmca_TJCA"].issued_by(root)
    assert certificates["USER_cert"].issued_by(certificates["ROOT_cert"])


def test_validity_counts_both_its_ends(sm2: Authority) -> None:
    certificate = sm2.signer.certificate

    assert certificate.valid_at(NOT_BEFORE)
    assert certificate.valid_at(NOT_AFTER)
    assert not certificate.valid_at(NOT_BEFORE - timedelta(seconds=1))
    assert not certificate.valid_at(NOT_AFTER + timedelta(seconds=1))
