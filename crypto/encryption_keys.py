"""Encryption keys: vaults that decrypt, and the envelope in which a key centre delivers a pair (GM/T 0009 7.4)."""

from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB

from crypto.der import bit_string, null, oid, parse, sequence
from crypto.engines import Sm2Multiplier
from crypto.errors import CryptoError, DerError, KeyRefused
from crypto.keys import KeyId, PublicKey
from crypto.secrecy import Secret
from crypto.sm2 import POINT_SIZE, SCALAR_SIZE, on_curve
from crypto.sm2_encryption import Sm2Ciphertext, decrypt, encrypt
from crypto.sm4 import KEY_SIZE

SM4_ECB_OIDS: Final = ("1.2.156.10197.1.104.1", "1.2.156.10197.1.104")
"""Names of SM4 in ECB: the one written here, and the one of SM4 alone, which issuers write for it."""
_MAX_ENVELOPE: Final = 4096
_MEMBERS: Final = 4
_REFUSED: Final = "the envelope does not open with this key, or holds no fitting pair"


@runtime_checkable
class DecryptingVault(Protocol):
    """A vault's further ability: SM2 keys that decrypt and never sign, as the other half of a pair of certificates.

    Such keys are apart from signing ones: ``KeyVault.keys`` does not list them, ``sign_digest`` and ``suite`` refuse
    them, and ``decrypt`` refuses signing keys (WrongPurpose). ``public_key`` gives the public half of either.
    """

    def generate_encryption_key(self) -> KeyId:
        """Make an SM2 encryption key; when this returns, the key survives a crash."""

    def encryption_keys(self) -> tuple[KeyId, ...]:
        """List every encryption key, in a stable order."""

    def public_key(self, key: KeyId) -> PublicKey:
        """Give the public half."""

    def decrypt(self, key: KeyId, ciphertext: Sm2Ciphertext) -> bytes:
        """Give the message; CryptoError, with one text for every cause, where the ciphertext does not open."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class KeyPair(Secret):
    """An encryption pair taken out of its envelope; not shown, because ``scalar`` is the secret."""

    scalar: bytes
    point: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopedKey:
    """SM2EnvelopedKey: a pair whose private half is under an SM4 key, which is under the receiver's signing key.

    That is the one thing a signing key ever decrypts: the standard has it so, for it is all that the receiver and the
    key centre share (GM/T 0009 7.4).
    """

    wrapped: Sm2Ciphertext
    """The SM4 key."""
    point: bytes
    sealed: bytes
    """The private scalar in SM4-ECB: two blocks, without padding."""

    @classmethod
    def from_der(cls, octets: bytes) -> "EnvelopedKey":
        """Read an envelope; CryptoError for what is none."""
        structure = parse(octets, max_size=_MAX_ENVELOPE)
        if len(structure) != _MEMBERS or structure[0][0].as_oid() not in SM4_ECB_OIDS:
            raise DerError("not an SM2EnvelopedKey under SM4-ECB")
        wrapped = Sm2Ciphertext.from_der(structure[1].raw)
        point, sealed = structure[2].as_bits(), structure[3].as_bits()
        if not on_curve(point) or len(sealed) not in (SCALAR_SIZE, 2 * SCALAR_SIZE):
            raise DerError("not an SM2EnvelopedKey: the pair has other sizes")
        return cls(wrapped=wrapped, point=point, sealed=sealed)

    def der(self) -> bytes:
        """Write the envelope."""
        algorithm = sequence(oid(SM4_ECB_OIDS[0]), null())
        return sequence(algorithm, self.wrapped.der(), bit_string(self.point), bit_string(self.sealed))

    def open(self, scalar: bytes, engine: Sm2Multiplier | None = None) -> KeyPair:
        """Take the pair out with the receiver's private ``scalar``; KeyRefused, with one text for every cause."""
        try:
            key = decrypt(scalar, self.wrapped, engine)
        except CryptoError:
            raise KeyRefused(_REFUSED) from None
        if len(key) != KEY_SIZE:
            raise KeyRefused(_REFUSED)
        running = Cipher(SM4(key), ECB()).decryptor()  # noqa: S305 - the standard's: two blocks of a random number
        opened = running.update(self.sealed) + running.finalize()
        # Some centres fill the number up to 64 octets, as the interface of tokens does (GM/T 0016).
        return KeyPair(scalar=_unfilled(opened), point=self.point)


def envelop(receiver: bytes, pair: KeyPair, key: bytes, engine: Sm2Multiplier | None = None) -> EnvelopedKey:
    """Put ``pair`` under the fresh SM4 ``key``, and that under the ``receiver``'s point: a key centre's part."""
    if len(key) != KEY_SIZE or len(pair.scalar) != SCALAR_SIZE or len(pair.point) != POINT_SIZE:
        raise KeyRefused("an envelope holds an SM2 pair under an SM4 key")
    running = Cipher(SM4(key), ECB()).encryptor()  # noqa: S305 - as above
    sealed = running.update(pair.scalar) + running.finalize()
    return EnvelopedKey(wrapped=encrypt(receiver, key, engine), point=pair.point, sealed=sealed)


def _unfilled(opened: bytes) -> bytes:
    filling, scalar = opened[:-SCALAR_SIZE], opened[-SCALAR_SIZE:]
    if any(filling):
        raise KeyRefused(_REFUSED)
    return scalar
