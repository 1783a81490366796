"""Keys: public halves that verify, and the protocols by which private halves sign without leaving their vault."""

import base64
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, NewType, Protocol, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from crypto import sm2
from crypto.der import OID, bit_string, oid, parse, sequence
from crypto.digests import DigestAlgorithm, sm3
from crypto.engines import default_engine
from crypto.errors import DerError, KeyRefused, SuiteRefused
from crypto.suites import SHAPES, SM2_SM3, SUITES, KeyKind, Suite, Usage

KeyId = NewType("KeyId", str)

_Foreign: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | Ed25519PublicKey

RSA_FEWEST_BITS: Final = 2048
RSA_NEW_BITS: Final = min(row.key_bits for row in SUITES.values() if row.key_bits is not None)
_RSA_MOST_BITS: Final = 16384  # A modulus from an untrusted file may not cost seconds.
_MAX_SPKI: Final = 8192
_CURVES: Final = {row.library: row.kind for row in SHAPES.values() if row.library is not None}
_SUITE_OF_POINT: Final = {row.key: row for row in SUITES.values() if row.curve_oid is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pss:
    """RSASSA-PSS parameters as the signer states them (RFC 4055 3.1)."""

    salt_size: int
    mask: DigestAlgorithm


@dataclass(frozen=True, kw_only=True)
class PublicKey:
    """A public key that has been looked at: an SM2 point lies on its curve, an RSA modulus has 2048 bits or more.

    ``spki`` is the DER SubjectPublicKeyInfo as it was received. Make one with ``from_spki`` or ``from_point``.
    """

    kind: KeyKind
    spki: bytes

    @classmethod
    def from_spki(cls, der: bytes) -> "PublicKey":
        """Read a SubjectPublicKeyInfo; KeyRefused for unknown kinds, weak keys and points off the curve."""
        if len(der) > _MAX_SPKI:
            raise KeyRefused("the public key is larger than any that is used here")
        try:
            point = _sm2_point(der)
        except DerError as error:
            raise KeyRefused(f"the public key cannot be read: {error}") from error
        if point is None:
            return cls(kind=_kind(_load(der)), spki=der)
        if not sm2.on_curve(point):
            raise KeyRefused("the SM2 public key is not a point of the curve")
        return cls(kind=KeyKind.SM2, spki=der)

    @classmethod
    def from_point(cls, kind: KeyKind, point: bytes) -> "PublicKey":
        """Make the key of an uncompressed point on the SM2 or the P-256 curve."""
        suite = _SUITE_OF_POINT.get(kind)
        if suite is None:
            raise KeyRefused(f"no key of kind {kind.value} is made from a point")
        return cls.from_spki(sequence(algorithm_identifier(suite), bit_string(point)))

    @cached_property
    def point(self) -> bytes:
        """Give the uncompressed point 04||x||y; KeyRefused for a key that is none."""
        size = SHAPES[self.kind].point_size
        if size is None:
            raise KeyRefused(f"a key of kind {self.kind.value} is no point")
        point = self.bits
        if len(point) == size:
            return point
        x_only = (size + 1) // 2  # A compressed point of a foreign certificate.
        if len(point) != x_only:
            raise KeyRefused("the public key is not a point")
        return _uncompressed(self.spki)

    @cached_property
    def bits(self) -> bytes:
        """Give the octets of subjectPublicKey: a point, an Ed25519 key, the DER of an RSA one."""
        return parse(self.spki)[1].as_bits()

    @cached_property
    def rsa_bits(self) -> int | None:
        """Give the size of an RSA modulus; None for other keys."""
        if self.kind is not KeyKind.RSA:
            return None
        return parse(self.bits)[0].as_int().bit_length()

    @cached_property
    def fingerprint(self) -> str:
        """Identify the key by the SM3 of its SubjectPublicKeyInfo, in hexadecimal."""
        return sm3(self.spki).hex()

    @cached_property
    def canonical(self) -> "PublicKey":
        """Give the same key in the octets in which it is written here, whatever habits its ``spki`` was written by."""
        if self.kind in _SUITE_OF_POINT:
            return PublicKey.from_point(self.kind, self.point)
        return PublicKey.from_spki(_load(self.spki).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    def pem(self) -> str:
        """Write the key as PEM (RFC 7468)."""
        text = base64.b64encode(self.spki).decode("ascii")
        lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
        return f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"

    def verify(self, suite: Suite, message: bytes, signature: bytes) -> bool:
        """Say whether ``signature`` signs ``message``; for SM2 under the default signer identifier."""
        return suite.key is self.kind and self.verify_digest(suite, digest_to_sign(suite, self, message), signature)

    def verify_digest(self, suite: Suite, digest: bytes, signature: bytes) -> bool:
        """Say whether ``signature`` signs ``digest``, as ``digest_to_sign`` gives it.

        Signatures are shaped as by ``KeyVault.sign_digest``; SM2 also accepts raw r||s. Never raises for a bad
        signature.
        """
        if suite.key is not self.kind:
            return False
        if suite.whole_message:
            return self.verify_foreign(None, digest, signature)
        if len(digest) != suite.digest.size:
            return False
        if self.kind is KeyKind.SM2:
            return _verify_sm2(self.point, digest, signature)
        pss = None if suite.pss_salt is None else Pss(salt_size=suite.pss_salt, mask=suite.digest)
        return self.verify_foreign(suite.digest, digest, signature, pss=pss)

    def verify_foreign(
        self, algorithm: DigestAlgorithm | None, signed: bytes, signature: bytes, *, pss: Pss | None = None
    ) -> bool:
        """Say whether ``signature`` is good under a digest that need not belong to a suite: for others' documents.

        ``signed`` is the digest by ``algorithm``, or with None the message itself (Ed25519). KeyRefused where this
        key cannot verify with that digest at all, which is not the same as a bad signature.
        """
        if self.kind is KeyKind.SM2:
            if algorithm is not SM2_SM3.digest or pss is not None:
                raise KeyRefused("SM2 signs SM3 digests only")
            return _verify_sm2(self.point, signed, signature)
        try:
            _verify_foreign(_load(self.spki), algorithm, signed, signature, pss)
        except InvalidSignature:
            return False
        except (UnsupportedAlgorithm, ValueError) as error:
            raise KeyRefused(f"a {self.kind.value} key cannot verify this: {error}") from error
        return True


def algorithm_identifier(suite: Suite) -> bytes:
    """Write the AlgorithmIdentifier of a suite's keys on a curve (RFC 5480 2.1.1, GB/T 35276 7.1)."""
    if suite.curve_oid is None:
        raise KeyRefused(f"{suite.name} has no curve")
    return sequence(oid(suite.key_oid), oid(suite.curve_oid))


def digest_to_sign(suite: Suite, public_key: PublicKey, message: bytes) -> bytes:
    """Hash ``message`` as ``suite`` signs it; SM2 puts Z_A of the default identifier before it.

    Ed25519 hashes inside: for it this is ``message`` itself.
    """
    if suite.key is KeyKind.SM2:
        return sm2.message_digest(public_key.point, message)
    if suite.whole_message:
        return message
    return suite.digest.digest(message)


def require_fit(suite: Suite, public_key: PublicKey, usage: Usage) -> None:
    """Refuse, with SuiteRefused, to begin signing: another use, another kind of key, an RSA key that is too short.

    RSA keys shorter than new ones are made verify what they signed before, and sign nothing any more.
    """
    suite.require(usage)
    if suite.key is not public_key.kind:
        raise SuiteRefused(f"a {public_key.kind.value} key does not sign with {suite.name}")
    require_strong(public_key)


def require_strong(public_key: PublicKey) -> None:
    """Refuse, with SuiteRefused, an RSA key shorter than new ones are made."""
    bits, least = public_key.rsa_bits, RSA_NEW_BITS
    if bits is not None and bits < least:
        raise SuiteRefused(f"an RSA key of {bits} bits signs nothing new: {least} is the least")


class KeyVault(Protocol):
    """Signs with private keys that never leave it; safe to share between threads.

    Signing is synchronous and never retried by callers. Every method refuses an unknown key with KeyRefused.
    """

    def generate(self, suite: Suite) -> KeyId:
        """Make a key; when this returns, the key survives a crash."""

    def public_key(self, key: KeyId) -> PublicKey:
        """Give the public half."""

    def sign_digest(self, key: KeyId, digest: bytes) -> bytes:
        """Sign what ``digest_to_sign`` gives: a digest of the suite's size, or for Ed25519 the message.

        The value is DER SEQUENCE{r, s} for SM2 and P-256, and the one form that RSA and Ed25519 signatures have.
        """

    def suite(self, key: KeyId) -> Suite:
        """Give the one suite the key signs with."""

    def keys(self) -> tuple[KeyId, ...]:
        """List every key, in a stable order."""


def sign(vault: KeyVault, key: KeyId, message: bytes) -> bytes:
    """Hash ``message`` as the key's suite demands and have the vault sign it."""
    return vault.sign_digest(key, digest_to_sign(vault.suite(key), vault.public_key(key), message))


class Signer(Protocol):
    """One key as something that signs messages; where the key lives is its own affair."""

    @property
    def suite(self) -> Suite:
        """Give the suite it signs with."""

    @property
    def public_key(self) -> PublicKey:
        """Give the key that verifies what it signs."""

    def sign(self, message: bytes) -> bytes:
        """Sign ``message``; the value is shaped as by ``KeyVault.sign_digest``."""


@dataclass(frozen=True)
class VaultSigner:
    """A ``Signer`` for one key of a vault."""

    vault: KeyVault
    key: KeyId

    @cached_property
    def suite(self) -> Suite:
        """Give the key's suite."""
        return self.vault.suite(self.key)

    @cached_property
    def public_key(self) -> PublicKey:
        """Give the key's public half."""
        return self.vault.public_key(self.key)

    def sign(self, message: bytes) -> bytes:
        """Hash ``message`` as the suite demands and have the vault sign it."""
        return self.vault.sign_digest(self.key, digest_to_sign(self.suite, self.public_key, message))


def _sm2_point(spki: bytes) -> bytes | None:
    """Give the point of an SM2 SubjectPublicKeyInfo; None if it names another algorithm."""
    structure = parse(spki)
    # Some issuers put the curve's own identifier in the place of id-ecPublicKey, hence: anywhere among the OIDs.
    names = [member.as_oid() for member in structure[0] if member.tag == OID]
    return structure[1].as_bits() if SM2_SM3.curve_oid in names else None


def _verify_sm2(point: bytes, e: bytes, signature: bytes) -> bool:
    if len(signature) != sm2.RAW_SIGNATURE_SIZE:
        try:
            signature = sm2.signature_from_der(signature)
        except DerError:
            return False
    return default_engine().verify(point, e, signature)


@lru_cache(maxsize=4096)
def _load(spki: bytes) -> _Foreign:
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyRefused("the public key cannot be read") from error
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | Ed25519PublicKey):
        raise KeyRefused("keys of this kind are not used here")
    return key


def _kind(key: _Foreign) -> KeyKind:
    if isinstance(key, rsa.RSAPublicKey):
        if not RSA_FEWEST_BITS <= key.key_size <= _RSA_MOST_BITS:
            raise KeyRefused(f"an RSA key of {key.key_size} bits is not used here: {RSA_FEWEST_BITS} is the least")
        return KeyKind.RSA
    if isinstance(key, Ed25519PublicKey):
        return KeyKind.ED25519
    if key.curve.name not in _CURVES:
        raise KeyRefused(f"the curve {key.curve.name} is not used here")
    return _CURVES[key.curve.name]


def _uncompressed(spki: bytes) -> bytes:
    key = _load(spki)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise KeyRefused("the public key is not a point")
    numbers = key.public_numbers()
    size = (key.curve.key_size + 7) // 8
    return b"\x04" + numbers.x.to_bytes(size, "big") + numbers.y.to_bytes(size, "big")


def _verify_foreign(
    key: _Foreign, algorithm: DigestAlgorithm | None, signed: bytes, signature: bytes, pss: Pss | None
) -> None:
    if isinstance(key, Ed25519PublicKey):
        if algorithm is not None:
            raise ValueError("Ed25519 signs messages, not digests")
        key.verify(signature, signed)
        return
    if algorithm is None or len(signed) != algorithm.size:
        raise ValueError("a digest and its algorithm are needed")
    prehashed = Prehashed(algorithm.primitive())
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, signed, ec.ECDSA(prehashed))
    elif pss is None:
        key.verify(signature, signed, padding.PKCS1v15(), prehashed)
    else:
        key.verify(signature, signed, padding.PSS(padding.MGF1(pss.mask.primitive()), pss.salt_size), prehashed)
