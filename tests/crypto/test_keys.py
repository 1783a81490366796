"""Public keys: what is read, what is refused, and what verifies."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import der
from crypto.digests import SHA1, SHA256, SHA384, SHA512, SM3, DigestAlgorithm
from crypto.engines import default_engine
from crypto.errors import KeyRefused
from crypto.keys import Pss, PublicKey, digest_to_sign
from crypto.sm2 import signature_to_der
from crypto.suites import ES256, RS256, SM2_SM3, KeyKind, Suite
from crypto.vaults.pkcs8 import private_key_info, read_private_key_info

VECTORS = Path(__file__).parents[1] / "vectors"
SM2_VECTOR = json.loads((VECTORS / "gbt32918_5_a2.json").read_text())
P256_VECTOR = json.loads((VECTORS / "rfc6979_a2_5.json").read_text())
SM2_POINT = bytes.fromhex(SM2_VECTOR["point"])
SM2_KEY = PublicKey.from_point(KeyKind.SM2, SM2_POINT)
RSA_PRIVATE = rsa.generate_private_key(65537, 2048)


def _spki(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | Ed25519PrivateKey | ed448.Ed448PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _der(vector: dict[str, str]) -> bytes:
    return der.sequence(der.integer(int(vector["r"], 16)), der.integer(int(vector["s"], 16)))


RSA_KEY = PublicKey.from_spki(_spki(RSA_PRIVATE))
P256_KEY = PublicKey.from_point(KeyKind.P256, bytes.fromhex(P256_VECTOR["point"]))
RSA_SIGNATURE = RSA_PRIVATE.sign(b"sample", padding.PKCS1v15(), hashes.SHA256())
SIGNED: dict[str, tuple[PublicKey, Suite, bytes, bytes]] = {
    "SM2": (SM2_KEY, SM2_SM3, b"message digest", _der(SM2_VECTOR)),
    "P-256": (P256_KEY, ES256, b"sample", _der(P256_VECTOR)),
    "RSA": (RSA_KEY, RS256, b"sample", RSA_SIGNATURE),
}


@pytest.mark.parametrize("name", SIGNED)
def test_a_good_signature_verifies_by_message_and_by_digest(name: str) -> None:
    key, suite, message, signature = SIGNED[name]
    assert key.verify(suite, message, signature)
    assert key.verify_digest(suite, digest_to_sign(suite, key, message), signature)


@pytest.mark.parametrize("name", SIGNED)
@settings(max_examples=40, deadline=None)
@given(bit=st.integers(0, 1 << 14))
def test_any_flipped_bit_of_message_or_signature_is_rejected(name: str, bit: int) -> None:
    key, suite, message, signature = SIGNED[name]
    assert not key.verify(suite, message, _flipped(signature, bit))
    assert not key.verify(suite, _flipped(message, bit), signature)


@pytest.mark.parametrize("name", SIGNED)
@given(signature=st.binary(max_size=300))
def test_no_octets_make_verifying_fail_otherwise(name: str, signature: bytes) -> None:
    key, suite, message, _ = SIGNED[name]
    assert not key.verify(suite, message, signature)


@pytest.mark.parametrize("name", SIGNED)
def test_another_suite_verifies_nothing(name: str) -> None:
    key, suite, message, signature = SIGNED[name]
    for other in {SM2_SM3.name: SM2_SM3, ES256.name: ES256, RS256.name: RS256}.values():
        assert key.verify(other, message, signature) is (other is suite)


@pytest.mark.parametrize("name", SIGNED)
def test_a_digest_of_another_size_verifies_nothing(name: str) -> None:
    key, suite, message, signature = SIGNED[name]
    assert not key.verify_digest(suite, digest_to_sign(suite, key, message)[:-1], signature)
    assert not key.verify_digest(suite, b"", signature)


def test_an_sm2_signature_may_be_raw() -> None:
    raw = bytes.fromhex(SM2_VECTOR["r"] + SM2_VECTOR["s"])
    assert SM2_KEY.verify(SM2_SM3, b"message digest", raw)
    assert not SM2_KEY.verify(SM2_SM3, b"message digest", raw[::-1])


def test_an_sm2_signature_is_read_in_both_shapes() -> None:
    engine = default_engine()
    scalar = engine.generate()
    key = PublicKey.from_point(KeyKind.SM2, engine.public_point(scalar))
    for message in (b"%d" % number for number in range(30)):
        raw = engine.sign(scalar, digest_to_sign(SM2_SM3, key, message))
        assert key.verify(SM2_SM3, message, raw)
        assert key.verify(SM2_SM3, message, signature_to_der(raw))


def test_keys_know_their_point_fingerprint_and_pem() -> None:
    assert SM2_KEY.point == SM2_POINT
    assert PublicKey.from_spki(SM2_KEY.spki) == SM2_KEY
    assert len(SM2_KEY.fingerprint) == 64
    assert SM2_KEY.fingerprint != P256_KEY.fingerprint
    pem = RSA_PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert RSA_KEY.pem() == pem.decode()
    with pytest.raises(KeyRefused):
        _ = RSA_KEY.point


def test_a_compressed_p256_point_of_a_foreign_key_is_expanded() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    compressed = private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    whole = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    algorithm = der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.2.840.10045.3.1.7"))
    assert PublicKey.from_spki(der.sequence(algorithm, der.bit_string(compressed))).point == whole


def test_an_sm2_key_under_the_curve_s_own_identifier_is_read() -> None:
    spki = der.sequence(der.sequence(der.oid("1.2.156.10197.1.301"), der.null()), der.bit_string(SM2_POINT))
    key = PublicKey.from_spki(spki)
    assert key.kind is KeyKind.SM2
    assert key.verify(SM2_SM3, b"message digest", _der(SM2_VECTOR))


SM2_ALGORITHM = der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.2.156.10197.1.301"))


@pytest.mark.parametrize(
    "spki",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x30\x00", id="an empty sequence"),
        pytest.param(bytes(9000), id="too large"),
        pytest.param(SM2_KEY.spki[:-1], id="cut short"),
        pytest.param(SM2_KEY.spki + b"\x00", id="trailing octet"),
        pytest.param(SM2_KEY.spki[:-1] + b"\x00", id="SM2 off the curve"),
        pytest.param(P256_KEY.spki[:-1] + b"\x00", id="P-256 off the curve"),
        pytest.param(der.sequence(SM2_ALGORITHM), id="SM2 without a point"),
        pytest.param(der.sequence(SM2_ALGORITHM, der.bit_string(b"\x02" + SM2_POINT[1:33])), id="SM2 compressed"),
        pytest.param(der.sequence(SM2_ALGORITHM, der.bit_string(b"\x00")), id="SM2 at infinity"),
        pytest.param(_spki(rsa.generate_private_key(65537, 1024)), id="RSA of 1024 bits"),  # noqa: S505 - to be refused
        pytest.param(_spki(ec.generate_private_key(ec.SECP256K1())), id="a curve not used"),
        pytest.param(_spki(ed448.Ed448PrivateKey.generate()), id="a kind not used"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused(spki: bytes) -> None:
    with pytest.raises(KeyRefused):
        PublicKey.from_spki(spki)


@given(st.binary(max_size=120))
def test_reading_a_key_never_fails_but_by_refusal(octets: bytes) -> None:
    with pytest.raises(KeyRefused):
        PublicKey.from_spki(octets)


@pytest.mark.parametrize("digest", [SHA1, SHA256, SHA384, SHA512])
@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_foreign_ecdsa_is_judged(curve: ec.EllipticCurve, digest: DigestAlgorithm) -> None:
    private = ec.generate_private_key(curve)
    key = PublicKey.from_spki(_spki(private))
    signature = private.sign(b"m", ec.ECDSA(digest.primitive()))
    assert key.verify_foreign(digest, digest.digest(b"m"), signature)
    assert not key.verify_foreign(digest, digest.digest(b"n"), signature)
    assert len(key.point) == 1 + 2 * ((curve.key_size + 7) // 8)


@pytest.mark.parametrize("digest", [SHA1, SHA256, SHA384, SHA512])
def test_foreign_rsa_is_judged_with_both_paddings(digest: DigestAlgorithm) -> None:
    hashed = digest.digest(b"m")
    plain = RSA_PRIVATE.sign(b"m", padding.PKCS1v15(), digest.primitive())
    scheme = padding.PSS(padding.MGF1(digest.primitive()), 20)
    pss = RSA_PRIVATE.sign(b"m", scheme, digest.primitive())
    stated = Pss(salt_size=20, mask=digest)
    assert RSA_KEY.verify_foreign(digest, hashed, plain)
    assert RSA_KEY.verify_foreign(digest, hashed, pss, pss=stated)
    assert not RSA_KEY.verify_foreign(digest, hashed, plain, pss=stated)
    assert not RSA_KEY.verify_foreign(digest, hashed, pss)
    assert not RSA_KEY.verify_foreign(digest, hashed, pss, pss=Pss(salt_size=32, mask=digest))


def test_foreign_ed25519_signs_the_message_itself() -> None:
    private = Ed25519PrivateKey.generate()
    key = PublicKey.from_spki(_spki(private))
    assert key.verify_foreign(None, b"m", private.sign(b"m"))
    assert not key.verify_foreign(None, b"n", private.sign(b"m"))
    with pytest.raises(KeyRefused):
        key.verify_foreign(SHA256, SHA256.digest(b"m"), private.sign(b"m"))


def test_what_a_key_cannot_verify_at_all_is_refused_not_called_forged() -> None:
    with pytest.raises(KeyRefused):
        SM2_KEY.verify_foreign(SHA256, bytes(32), b"")
    with pytest.raises(KeyRefused):
        SM2_KEY.verify_foreign(SM3, bytes(32), b"", pss=Pss(salt_size=32, mask=SM3))
    with pytest.raises(KeyRefused):
        P256_KEY.verify_foreign(None, b"m", b"")
    with pytest.raises(KeyRefused):
        P256_KEY.verify_foreign(SHA256, b"short", b"")


def test_only_keys_we_use_are_made_from_points() -> None:
    with pytest.raises(KeyRefused):
        PublicKey.from_point(KeyKind.P384, bytes(97))


@pytest.mark.parametrize(("suite", "vector"), [(SM2_SM3, SM2_VECTOR), (ES256, P256_VECTOR)], ids=["SM2", "P-256"])
def test_a_private_key_survives_pkcs8(suite: Suite, vector: dict[str, str]) -> None:
    scalar = bytes.fromhex(vector["scalar"])
    encoded = private_key_info(suite, scalar, bytes.fromhex(vector["point"]))
    assert read_private_key_info(encoded) == (suite, scalar)


def test_our_pkcs8_is_what_others_read_and_write() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    scalar = private.private_numbers().private_value.to_bytes(32, "big")
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    theirs = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert private_key_info(ES256, scalar, point) == theirs
    loaded = load_der_private_key(theirs, None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    assert loaded.private_numbers() == private.private_numbers()


@given(st.binary(max_size=80))
def test_octets_that_are_no_private_key_are_refused_without_being_shown(octets: bytes) -> None:
    with pytest.raises(KeyRefused) as refusal:
        read_private_key_info(octets)
    assert str(refusal.value) == "not the PKCS#8 of a private key on a known curve"


def test_an_rsa_key_is_no_key_on_a_curve() -> None:
    with pytest.raises(KeyRefused):
        read_private_key_info(RSA_PRIVATE.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def _flipped(value: bytes, bit: int) -> bytes:
    number = int.from_bytes(value, "big") ^ 1 << bit % (8 * len(value))
    return number.to_bytes(len(value), "big")
