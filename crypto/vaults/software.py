"""Private keys in this process's memory: how each suite makes one and signs with one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from crypto.encryption_keys import EnvelopedKey
from crypto.engines import Sm2Engine, Sm2Multiplier, default_multiplier
from crypto.errors import KeyRefused
from crypto.keys import PublicKey
from crypto.secrecy import Secret
from crypto.sm2 import scalar_fits, signature_to_der
from crypto.sm2_encryption import Sm2Ciphertext, decrypt
from crypto.suites import ED25519, ES256, PS256, RS256, SM2_SM3, KeyKind, Suite
from crypto.vaults.pkcs8 import private_key_info, read_private_key_info

SignDigest: TypeAlias = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FreshKey(Secret):
    """A key pair just made; it is not shown, because ``pkcs8`` is the secret."""

    pkcs8: bytes
    public_key: PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How keys of one suite are made, and how a PKCS#8 becomes something that signs digests."""

    make: Callable[[Sm2Engine], FreshKey]
    open: Callable[[Sm2Engine, bytes], SignDigest]


def make_key(suite: Suite, engine: Sm2Engine) -> FreshKey:
    """Make a key pair; KeyRefused for a suite that is not made in software."""
    return _way(suite).make(engine)


def open_key(suite: Suite, engine: Sm2Engine, pkcs8: bytes) -> SignDigest:
    """Give a function that signs digests as ``KeyVault.sign_digest`` does."""
    sign = _way(suite).open(engine, pkcs8)

    def checked(digest: bytes) -> bytes:
        if len(digest) != suite.digest.size and not suite.whole_message:
            raise KeyRefused(f"{suite.name} signs digests of {suite.digest.size} octets, not {len(digest)}")
        return sign(digest)

    return checked


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Decrypt(Secret):
    """An SM2 private key as something that decrypts; what may be asked of it is its vault's to decide."""

    pkcs8: bytes
    engine: Sm2Engine

    def open(self, ciphertext: Sm2Ciphertext) -> bytes:
        """Give the message; CryptoError where the ciphertext does not open."""
        return decrypt(self._scalar(), ciphertext, self._multiplier())

    def unwrap(self, envelope: EnvelopedKey) -> FreshKey:
        """Give the pair enveloped to this key; KeyRefused where that does not open, or its halves do not fit."""
        pair = envelope.open(self._scalar(), self._multiplier())
        if not scalar_fits(pair.scalar) or self.engine.public_point(pair.scalar) != pair.point:
            raise KeyRefused("the two halves of the enveloped pair do not fit each other")
        public_key = PublicKey.from_point(KeyKind.SM2, pair.point)
        return FreshKey(pkcs8=private_key_info(SM2_SM3, pair.scalar, pair.point), public_key=public_key)

    def _scalar(self) -> bytes:
        return _scalar(SM2_SM3, self.pkcs8)

    def _multiplier(self) -> Sm2Multiplier:
        return self.engine if isinstance(self.engine, Sm2Multiplier) else default_multiplier()


def _way(suite: Suite) -> _Way:
    try:
        return _WAYS[suite.name]
    except KeyError:
        raise KeyRefused(f"no keys for {suite.name} are made here") from None


def _scalar(suite: Suite, pkcs8: bytes) -> bytes:
    found, scalar = read_private_key_info(pkcs8)
    if found is not suite:
        raise KeyRefused(f"the private key is not one for {suite.name}")
    return scalar


def _make_sm2(engine: Sm2Engine) -> FreshKey:
    scalar = engine.generate()
    point = engine.public_point(scalar)
    return FreshKey(pkcs8=private_key_info(SM2_SM3, scalar, point), public_key=PublicKey.from_point(KeyKind.SM2, point))


def _open_sm2(engine: Sm2Engine, pkcs8: bytes) -> SignDigest:
    scalar = _scalar(SM2_SM3, pkcs8)
    return lambda digest: signature_to_der(engine.sign(scalar, digest))


def _make_p256(_: Sm2Engine) -> FreshKey:
    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    scalar = key.private_numbers().private_value.to_bytes(32, "big")
    return FreshKey(pkcs8=private_key_info(ES256, scalar, point), public_key=PublicKey.from_point(KeyKind.P256, point))


def _open_p256(_: Sm2Engine, pkcs8: bytes) -> SignDigest:
    key = ec.derive_private_key(int.from_bytes(_scalar(ES256, pkcs8), "big"), ec.SECP256R1())
    algorithm = ec.ECDSA(Prehashed(ES256.digest.primitive()))
    return lambda digest: key.sign(digest, algorithm)


def _rsa(suite: Suite) -> _Way:
    return _Way(make=partial(_make_rsa, suite), open=partial(_open_rsa, suite))


def _make_rsa(suite: Suite, _: Sm2Engine) -> FreshKey:
    if suite.key_bits is None:
        raise KeyRefused(f"{suite.name} does not say how large its keys are")
    return _fresh(rsa.generate_private_key(65537, suite.key_bits))


def _open_rsa(suite: Suite, _: Sm2Engine, pkcs8: bytes) -> SignDigest:
    key = _load(pkcs8)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise KeyRefused("the private key is not an RSA key")
    primitive = suite.digest.primitive()
    scheme: padding.AsymmetricPadding = padding.PKCS1v15()
    if suite.pss_salt is not None:
        scheme = padding.PSS(padding.MGF1(primitive), suite.pss_salt)
    algorithm = Prehashed(primitive)
    return lambda digest: key.sign(digest, scheme, algorithm)


def _make_ed25519(_: Sm2Engine) -> FreshKey:
    return _fresh(Ed25519PrivateKey.generate())


def _open_ed25519(_: Sm2Engine, pkcs8: bytes) -> SignDigest:
    key = _load(pkcs8)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRefused("the private key is not an Ed25519 key")
    return key.sign


def _fresh(key: rsa.RSAPrivateKey | Ed25519PrivateKey) -> FreshKey:
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pkcs8 = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return FreshKey(pkcs8=pkcs8, public_key=PublicKey.from_spki(spki))


def _load(pkcs8: bytes) -> object:
    try:
        return load_der_private_key(pkcs8, None)
    except (ValueError, UnsupportedAlgorithm):
        # The cause is not chained: its traceback would carry the key's octets.
        raise KeyRefused("the private key cannot be read") from None


_WAYS: Final[Mapping[str, _Way]] = {
    SM2_SM3.name: _Way(make=_make_sm2, open=_open_sm2),
    ES256.name: _Way(make=_make_p256, open=_open_p256),
    RS256.name: _rsa(RS256),
    PS256.name: _rsa(PS256),
    ED25519.name: _Way(make=_make_ed25519, open=_open_ed25519),
}
