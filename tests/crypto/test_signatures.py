"""Other people's signature algorithms: judged over what another library made."""

from datetime import timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from crypto import der, signatures
from crypto.ber import definite
from crypto.chain import ChainProblem, build_chain
from crypto.cms import CmsProblem, parse_signed_data, verify_signer
from crypto.digests import SHA256, SM3
from crypto.errors import DerError, KeyRefused
from crypto.keys import PublicKey
from crypto.suites import KeyKind
from crypto.x509 import Certificate
from tests.crypto.authority import NOW, Authority

CONTENT = b"somebody else's document"


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


P384, P521 = (ec.generate_private_key(curve) for curve in (ec.SECP384R1(), ec.SECP521R1()))


def pss(digest: hashes.HashAlgorithm) -> padding.PSS:
    return padding.PSS(padding.MGF1(digest), digest.digest_size)


def foreign(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey,
    digest: hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None,
    *,
    use_pss: bool = False,
) -> Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Foreign")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(5)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, digest, rsa_padding=pss(digest) if use_pss and digest else None)
    )
    return Certificate.from_der(built.public_bytes(serialization.Encoding.DER))


FOREIGN = {
    "RSA SHA-256": lambda: foreign(rsa_key(), hashes.SHA256()),
    "RSA SHA-384": lambda: foreign(rsa_key(), hashes.SHA384()),
    "RSA SHA-512": lambda: foreign(rsa_key(), hashes.SHA512()),
    "PSS SHA-256": lambda: foreign(rsa_key(), hashes.SHA256(), use_pss=True),
    "PSS SHA-512": lambda: foreign(rsa_key(), hashes.SHA512(), use_pss=True),
    "P-256 SHA-512": lambda: foreign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA512()),
    "P-384 SHA-384": lambda: foreign(P384, hashes.SHA384()),
    "P-521 SHA-512": lambda: foreign(P521, hashes.SHA512()),
    "Ed25519": lambda: foreign(ed25519.Ed25519PrivateKey.generate(), None),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_certificates_signed_in_other_ways_verify_and_changed_ones_do_not(kind: str) -> None:
    certificate = FOREIGN[kind]()
    changed = Certificate.from_der(certificate.raw.replace(b"Foreign", b"foreign"))

    assert certificate.issued_by(certificate)
    assert not changed.issued_by(changed)


def test_an_algorithm_of_another_kind_of_key_is_no_signature() -> None:
    scheme = signatures.scheme_of(der.parse(der.sequence(der.oid("1.2.840.10045.4.3.2"))))
    assert scheme is not None
    key = rsa_key()
    value = key.sign(CONTENT, padding.PKCS1v15(), hashes.SHA256())
    spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    with pytest.raises(KeyRefused):
        signatures.verify(scheme, PublicKey.from_spki(spki), CONTENT, value)


def test_an_rsa_key_of_1024_bits_judges_old_documents_and_is_weak() -> None:
    certificate = foreign(rsa_key(1024), hashes.SHA256())

    assert certificate.issued_by(certificate)
    assert signatures.is_weak(signatures.judging_key(certificate.spki))
    with pytest.raises(KeyRefused):
        PublicKey.from_spki(certificate.spki)


def test_a_path_that_rests_on_a_short_key_is_weak() -> None:
    root_key, name = rsa_key(1024), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Foreign")])
    root = foreign(root_key, hashes.SHA256())
    built = x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(name).public_key(P384.public_key())
    built = built.serial_number(6).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    constrained = built.add_extension(x509.PolicyConstraints(0, None), critical=True)
    leaf, limited = (
        Certificate.from_der(each.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))
        for each in (built, constrained)
    )

    assert build_chain(leaf, intermediates=[], anchors=[root], at=NOW).problems == (ChainProblem.WEAK_SIGNATURE,)
    assert ChainProblem.CRITICAL_EXTENSION in build_chain(limited, intermediates=[], anchors=[root], at=NOW).problems


def test_a_key_that_names_no_digest_takes_the_messages() -> None:
    bare = der.parse(der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null()))

    assert signatures.scheme_of(bare) is None
    scheme = signatures.scheme_of(bare, SHA256)
    assert scheme is not None
    assert scheme.keys == frozenset((KeyKind.RSA,))
    assert scheme.digest is SHA256


def test_an_sm2_key_with_another_digest_than_sm3_is_refused(sm2: Authority) -> None:
    scheme = signatures.scheme_of(der.parse(der.sequence(der.oid("1.2.156.10197.1.301.1"))), SHA256)
    assert scheme is not None

    with pytest.raises(KeyRefused):
        signatures.verify(scheme, sm2.root.signer.public_key, CONTENT, sm2.root.signer.sign(CONTENT))
    with pytest.raises(KeyRefused):
        signatures.verify_digest(scheme, sm2.root.signer.public_key, SM3.digest(CONTENT), b"")


@pytest.mark.parametrize("kind", ["attributes", "no attributes", "PSS", "P-384"])
def test_messages_made_by_another_library_verify(kind: str) -> None:
    key = P384 if kind == "P-384" else rsa_key()
    certificate = foreign(key, hashes.SHA384())
    loaded = x509.load_der_x509_certificate(certificate.raw)
    padded = pss(hashes.SHA384()) if kind == "PSS" else None
    builder = pkcs7.PKCS7SignatureBuilder().set_data(CONTENT)
    builder = builder.add_signer(loaded, key, hashes.SHA384(), rsa_padding=padded)
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
    if kind == "no attributes":
        options.append(pkcs7.PKCS7Options.NoAttributes)
    signed = parse_signed_data(builder.sign(serialization.Encoding.DER, options))
    (signer,) = signed.signers

    assert signer.certificate == certificate
    assert verify_signer(signed, signer, lambda digest: digest.digest(CONTENT)) == ()
    wrong = verify_signer(signed, signer, lambda digest: digest.digest(b"another"))
    assert wrong == (CmsProblem.SIGNATURE_INVALID if kind == "no attributes" else CmsProblem.DIGEST_MISMATCH,)


def test_cryptography_reads_our_certificates_and_accepts_the_classic_ones(authority: Authority) -> None:
    ours, issuer = (
        x509.load_der_x509_certificate(each.certificate.raw) for each in (authority.signer, authority.sub_ca)
    )

    assert ours.extensions.get_extension_for_class(x509.KeyUsage).value.content_commitment
    assert issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    if authority.suite.digest is not SM3:
        ours.verify_directly_issued_by(issuer)


# --- indefinite lengths ------------------------------------------------------------------------------------------


def test_definite_lengths_are_left_as_they_are(sm2: Authority) -> None:
    raw = sm2.signer.certificate.raw

    assert definite(raw + b"rest") == (raw, len(raw))


def test_an_octet_string_in_pieces_is_put_together() -> None:
    pieces = b"\x24\x80" + der.octet_string(b"some") + der.octet_string(b"body") + b"\x00\x00"

    assert definite(b"\xa0\x80" + pieces + b"\x00\x00") == (der.explicit(0, der.octet_string(b"somebody")), 20)


@pytest.mark.parametrize("broken", ["", "30", "3080", "308000", "04800000", "248002010000", "3f800000", "3085"])
def test_broken_lengths_are_refused(broken: str) -> None:
    with pytest.raises(DerError):
        definite(bytes.fromhex(broken))
