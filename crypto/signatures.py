"""Signature algorithms as other people's certificates and messages name them: one row each, and one verifier.

``crypto.suites`` says what this product signs with; this table says what it can judge, weak and foreign ones included.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_der_public_key

from crypto import der
from crypto.digests import DIGESTS_BY_OID, MD5, SHA1, SHA224, SHA256, SHA384, SHA512, SM3, DigestAlgorithm
from crypto.errors import CryptoError, DerError
from crypto.keys import PublicKey
from crypto.suites import SM2_SM3


class Family(Enum):
    """How a signature value is made once the digest is chosen."""

    SM2 = "sm2"
    ECDSA = "ecdsa"
    RSA = "rsa"
    RSA_PSS = "rsa_pss"
    ED25519 = "ed25519"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """One way of signing: a family with its digest; Ed25519 brings its own and has None."""

    family: Family
    digest: DigestAlgorithm | None
    salt_length: int | None = None
    """RSA-PSS only, in octets."""

    @property
    def weak(self) -> bool:
        """Whether the digest is one that no new signature may use."""
        return self.digest is not None and self.digest.weak


_RSA, _EC, _GM = "1.2.840.113549.1.1", "1.2.840.10045", "1.2.156.10197.1"
_PSS = f"{_RSA}.10"
_SCHEMES: Mapping[str, Scheme] = {
    SM2_SM3.signature_oid: Scheme(family=Family.SM2, digest=SM3),
    f"{_EC}.4.1": Scheme(family=Family.ECDSA, digest=SHA1),
    f"{_EC}.4.3.1": Scheme(family=Family.ECDSA, digest=SHA224),
    f"{_EC}.4.3.2": Scheme(family=Family.ECDSA, digest=SHA256),
    f"{_EC}.4.3.3": Scheme(family=Family.ECDSA, digest=SHA384),
    f"{_EC}.4.3.4": Scheme(family=Family.ECDSA, digest=SHA512),
    f"{_RSA}.4": Scheme(family=Family.RSA, digest=MD5),
    f"{_RSA}.5": Scheme(family=Family.RSA, digest=SHA1),
    f"{_RSA}.14": Scheme(family=Family.RSA, digest=SHA224),
    f"{_RSA}.11": Scheme(family=Family.RSA, digest=SHA256),
    f"{_RSA}.12": Scheme(family=Family.RSA, digest=SHA384),
    f"{_RSA}.13": Scheme(family=Family.RSA, digest=SHA512),
    "1.3.101.112": Scheme(family=Family.ED25519, digest=None),
}
# CMS often names only the key; the digest then is the SignerInfo's own (RFC 3370 3.2; GB/T 35275 for SM2).
_BARE_KEYS: Mapping[str, Family] = {
    f"{_RSA}.1": Family.RSA,
    f"{_EC}.2.1": Family.ECDSA,
    f"{_GM}.301.1": Family.SM2,
    f"{_GM}.301": Family.SM2,
}


def scheme_of(algorithm: der.Node, digest: DigestAlgorithm | None = None) -> Scheme | None:
    """Read a signature AlgorithmIdentifier; None when it is not one we can judge.

    ``digest`` completes identifiers that name only the key, as CMS may.
    """
    oid = algorithm[0].as_oid()
    if oid == _PSS:
        return _read_pss(algorithm)
    known = _SCHEMES.get(oid)
    if known is not None:
        return known
    family = _BARE_KEYS.get(oid)
    if family is None or digest is None or (family is Family.SM2) != (digest is SM3):
        return None
    return Scheme(family=family, digest=digest)


def verify(scheme: Scheme, spki: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` is the key's over ``message``; malformed or unfitting keys and values are a plain no."""
    if scheme.family is Family.SM2:
        return _verify_sm2(spki, message, signature)
    return _verify_classic(scheme, spki, message, signature, prehashed=False)


def verify_prehashed(scheme: Scheme, spki: bytes, digest: bytes, signature: bytes) -> bool:
    """Like ``verify`` for a digest already made; SM2 and Ed25519 sign more than a digest and always fail here."""
    if scheme.family in (Family.SM2, Family.ED25519):
        return False
    return _verify_classic(scheme, spki, digest, signature, prehashed=True)


def _verify_sm2(spki: bytes, message: bytes, signature: bytes) -> bool:
    try:
        return PublicKey.from_spki(spki).verify(SM2_SM3, message, signature)
    except CryptoError:
        return False


def _verify_classic(scheme: Scheme, spki: bytes, message: bytes, signature: bytes, *, prehashed: bool) -> bool:
    try:
        key = load_der_public_key(spki)
        check = _CHECKS[scheme.family]
        return check(scheme, key, message, signature, prehashed)
    except InvalidSignature:
        return False
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # A key that does not load or a value of impossible size is no signature of anybody's.
        return False


def _hash(scheme: Scheme, *, prehashed: bool) -> "ec.hashes.HashAlgorithm | Prehashed":
    if scheme.digest is None:
        raise ValueError("the scheme has no digest")
    algorithm = scheme.digest.primitive()
    return Prehashed(algorithm) if prehashed else algorithm
