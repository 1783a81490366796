"""Keys that are the same in every run, so that a seed is the same octets and an input is named by its number."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from crypto.digests import sm3
from crypto.engines import default_engine, default_multiplier
from crypto.keys import KeyId, PublicKey
from crypto.sm2 import BASE_POINT, N, signature_to_der
from crypto.suites import ED25519, ES256, SM2_SM3, KeyKind, Suite


@dataclass
class FixedVault:
    """A ``KeyVault`` whose nth key and whose every signature follow from their numbers. Protects nothing."""

    suites: dict[KeyId, Suite] = field(default_factory=dict)

    def generate(self, suite: Suite) -> KeyId:
        if suite not in (SM2_SM3, ES256, ED25519):
            raise ValueError(f"no key of {suite.name} follows from a number")
        key = KeyId(f"{suite.name}-{len(self.suites)}")
        self.suites[key] = suite
        return key

    def suite(self, key: KeyId) -> Suite:
        return self.suites[key]

    def keys(self) -> tuple[KeyId, ...]:
        return tuple(self.suites)

    def public_key(self, key: KeyId) -> PublicKey:
        secret = self.secret(key)
        match self.suites[key].key:
            case KeyKind.SM2:
                return PublicKey.from_point(KeyKind.SM2, default_engine().public_point(secret))
            case KeyKind.P256:
                return _public(_p256(secret))
            case _:
                return _public(Ed25519PrivateKey.from_private_bytes(secret))

    def sign_digest(self, key: KeyId, digest: bytes) -> bytes:
        secret = self.secret(key)
        match self.suites[key].key:
            case KeyKind.SM2:
                return signature_to_der(_sign_sm2(secret, digest))
            case KeyKind.P256:
                return _p256(secret).sign(digest, ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=True))
            case _:
                return Ed25519PrivateKey.from_private_bytes(secret).sign(digest)

    def secret(self, key: KeyId) -> bytes:
        return sm3(b"no secret at all", key.encode())


def _public(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> PublicKey:
    return PublicKey.from_spki(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _p256(secret: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())


def _sign_sm2(secret: bytes, digest: bytes) -> bytes:
    """GB/T 32918.2 6.1 with a k that follows from key and digest."""
    d, e, k = int.from_bytes(secret, "big"), int.from_bytes(digest, "big"), sm3(secret, digest)
    x = int.from_bytes(default_multiplier().multiply(BASE_POINT, k)[1:33], "big")
    r = (e + x) % N
    s = pow(1 + d, -1, N) * (int.from_bytes(k, "big") - r * d) % N
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
