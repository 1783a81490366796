"""Signature algorithms as other people's certificates and messages name them: one row each, and one verifier.

``crypto.suites`` says what this product signs with; this table says what it can judge, weak and foreign ones included.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from crypto import der
from crypto.digests import DIGESTS_BY_OID, MD5, SHA1, SHA224, SHA256, SHA384, SHA512, SM3, DigestAlgorithm
from crypto.errors import DerError, KeyRefused
from crypto.keys import RSA_FEWEST_BITS, Pss, PublicKey, digest_to_sign
from crypto.suites import ED25519, ES256, MGF1_OID, PS256, RS256, SM2_SM3, KeyKind

_GM = frozenset((KeyKind.SM2,))
_ECDSA = frozenset((KeyKind.P256, KeyKind.P384, KeyKind.P521))
_RSA = frozenset((KeyKind.RSA,))
_ED25519 = frozenset((KeyKind.ED25519,))
_LARGEST_SALT = 512
_MGF1 = MGF1_OID
_WEAK_RSA_BITS = range(1024, RSA_FEWEST_BITS)
_LARGEST_WEAK_SPKI = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """One way of signing: the kinds of key it fits and its digest; Ed25519 brings its own and has None."""

    keys: frozenset[KeyKind]
    digest: DigestAlgorithm | None
    pss: Pss | None = None

    @property
    def weak(self) -> bool:
        """Whether the digest is one that no new signature may use."""
        return self.digest is not None and self.digest.weak


_PSS = PS256.signature_oid
_SCHEMES: Mapping[str, Scheme] = {
    SM2_SM3.signature_oid: Scheme(keys=_GM, digest=SM3),
    "1.2.840.10045.4.1": Scheme(keys=_ECDSA, digest=SHA1),
    "1.2.840.10045.4.3.1": Scheme(keys=_ECDSA, digest=SHA224),
    ES256.signature_oid: Scheme(keys=_ECDSA, digest=SHA256),
    "1.2.840.10045.4.3.3": Scheme(keys=_ECDSA, digest=SHA384),
    "1.2.840.10045.4.3.4": Scheme(keys=_ECDSA, digest=SHA512),
    "1.2.840.113549.1.1.4": Scheme(keys=_RSA, digest=MD5),
    "1.2.840.113549.1.1.5": Scheme(keys=_RSA, digest=SHA1),
    "1.2.840.113549.1.1.14": Scheme(keys=_RSA, digest=SHA224),
    RS256.signature_oid: Scheme(keys=_RSA, digest=SHA256),
    "1.2.840.113549.1.1.12": Scheme(keys=_RSA, digest=SHA384),
    "1.2.840.113549.1.1.13": Scheme(keys=_RSA, digest=SHA512),
    ED25519.signature_oid: Scheme(keys=_ED25519, digest=None),
}
# CMS often names only the key; the digest then is the SignerInfo's own (RFC 3370 3.2; GB/T 35275 for SM2).
_BARE_KEYS: Mapping[str, frozenset[KeyKind]] = {
    RS256.key_oid: _RSA,
    ES256.key_oid: _ECDSA,
    **dict.fromkeys(SM2_SM3.aliases, _GM),
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
    keys = _BARE_KEYS.get(oid)
    if keys is None or digest is None:
        return None
    return Scheme(keys=keys, digest=digest)


@lru_cache(maxsize=1024)
def judging_key(spki: bytes) -> PublicKey:
    """Read a key to judge old documents by: as ``PublicKey.from_spki``, but RSA from 1024 bits; else KeyRefused.

    Whoever trusts the result looks at ``is_weak`` too.
    """
    try:
        return PublicKey.from_spki(spki)
    except KeyRefused:
        if len(spki) <= _LARGEST_WEAK_SPKI and _rsa_bits(spki) in _WEAK_RSA_BITS:
            return PublicKey(kind=KeyKind.RSA, spki=spki)
        raise


def is_weak(key: PublicKey) -> bool:
    """Whether the key is one that no new signature may use: RSA below 2048 bits."""
    return key.kind is KeyKind.RSA and _rsa_bits(key.spki) < RSA_FEWEST_BITS


def _rsa_bits(spki: bytes) -> int:
    """Give the size of an RSA modulus; 0 for other keys."""
    try:
        algorithm, bits = der.parse(spki)[0], der.parse(spki)[1]
        if algorithm[0].as_oid() != RS256.key_oid:
            return 0
        # Not read as a number: a modulus may be longer than any number that is.
        return int.from_bytes(der.parse(bits.as_bits())[0].expect(der.INTEGER).content, "big").bit_length()
    except DerError:
        return 0


def verify(scheme: Scheme, key: PublicKey, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` is the key's over ``message`` (SM2: under the default signer identifier).

    KeyRefused when such a key cannot sign that way at all, which is not the same as a bad signature.
    """
    if key.kind not in scheme.keys:
        raise KeyRefused(f"a {key.kind.value} key cannot have made this kind of signature")
    if key.kind is KeyKind.SM2 and scheme.digest is SM3:
        signed = digest_to_sign(SM2_SM3, key, message)
    else:
        signed = message if scheme.digest is None else scheme.digest.digest(message)
    return key.verify_foreign(scheme.digest, signed, signature, pss=scheme.pss)


def verify_digest(scheme: Scheme, key: PublicKey, digest: bytes, signature: bytes) -> bool:
    """Like ``verify`` over the message's bare digest; KeyRefused for SM2 and Ed25519, which sign more than that."""
    if key.kind not in scheme.keys or key.kind is KeyKind.SM2 or scheme.digest is None:
        raise KeyRefused(f"a {key.kind.value} key does not sign a bare digest this way")
    return key.verify_foreign(scheme.digest, digest, signature, pss=scheme.pss)


def made_by(spki: bytes, scheme: Scheme | None, message: bytes, signature: bytes) -> bool:
    """Tell whether the key in ``spki`` made a signature that still counts: by a scheme known here, nothing weak."""
    if scheme is None or scheme.weak:
        return False
    try:
        key = judging_key(spki)
        return not is_weak(key) and verify(scheme, key, message, signature)
    except KeyRefused:
        return False


def _read_pss(algorithm: der.Node) -> Scheme | None:
    """Read RSASSA-PSS-params (RFC 4055 3.1): hash [0] SHA-1, mask [1] MGF1 of SHA-1, salt [2] 20, trailer [3] 1."""
    fields = {node.tag: node.inner() for node in algorithm[1].expect(der.SEQUENCE)} if len(algorithm) > 1 else {}
    hash_field, mask_field, salt_field = (fields.get(der.context(number)) for number in range(3))
    digest = SHA1 if hash_field is None else DIGESTS_BY_OID.get(hash_field[0].as_oid())
    mask = SHA1 if mask_field is None else _mask_digest(mask_field)
    salt = 20 if salt_field is None else salt_field.as_int()
    if digest is None or mask is None or not 0 <= salt <= _LARGEST_SALT:
        return None
    return Scheme(keys=_RSA, digest=digest, pss=Pss(salt_size=salt, mask=mask))


def _mask_digest(mask: der.Node) -> DigestAlgorithm | None:
    return DIGESTS_BY_OID.get(mask[1][0].as_oid()) if mask[0].as_oid() == _MGF1 else None
