"""The header of a soft vault: the vault key, sealed under a passphrase or a key-encryption key.

format, kdf, salt   how the secret becomes the key that seals: Argon2id, or HMAC-SM3 of a key-encryption key
sealed              the vault key
next                while the vault key is being changed: the one that takes its place
"""

import json
import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.hmac import HMAC

from crypto import secrecy
from crypto.der import integer, octet_string, sequence, utf8
from crypto.errors import CryptoError, KeyRefused
from crypto.sm4 import KEY_SIZE, open_gcm, seal_gcm
from crypto.vaults.errors import VaultDamaged

FORMAT: Final = 1
SHORTEST_PASSPHRASE: Final = 8
KEK_SIZE: Final = 32
_SALT_SIZE: Final = 16
_ARGON2ID: Final = "argon2id"
_HMAC: Final = "hmac-sm3"
_CURRENT: Final = "vault key"
_NEXT: Final = "next vault key"


@dataclass(frozen=True, slots=True, kw_only=True)
class KdfCost:
    """What one guess at the passphrase costs (Argon2id); the default is the second choice of RFC 9106 4."""

    passes: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 4

    def check(self) -> None:
        """Refuse, with KeyRefused, what would exhaust the machine: a header is read before it is authenticated."""
        # RFC 9106 3.1: eight blocks of memory for each lane at least.
        least = 8 * self.lanes
        if not (1 <= self.passes <= 64 and 1 <= self.lanes <= 64 and least <= self.memory_kib <= 4 * 1024**2):  # noqa: PLR2004
            raise KeyRefused("the vault's key derivation cost is out of bounds")


DEFAULT_COST: Final = KdfCost()


@dataclass(frozen=True, slots=True, repr=False)
class KeyEncryptionKey(secrecy.Secret):
    """32 random octets that a key service or a module keeps for us, in the place of a passphrase."""

    octets: bytes

    def __post_init__(self) -> None:
        if len(self.octets) != KEK_SIZE:
            raise KeyRefused(f"a key-encryption key has {KEK_SIZE} octets, not {len(self.octets)}")


Secret: TypeAlias = str | KeyEncryptionKey


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class VaultKeys(secrecy.Secret):
    """The keys that key files are sealed under: one, and two while the one takes the other's place."""

    current: bytes
    next: bytes | None = None

    @property
    def newest(self) -> bytes:
        """Give the key that new files are sealed under."""
        return self.next or self.current

    @property
    def all(self) -> tuple[bytes, ...]:
        """Give every key that a file may be sealed under, the likelier first."""
        return (self.current,) if self.next is None else (self.next, self.current)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header as read, not authenticated before its keys open; ``cost`` is None for a key-encryption key."""

    cost: KdfCost | None
    salt: bytes
    sealed: bytes
    next: bytes | None

    @classmethod
    def read(cls, data: bytes, where: str) -> "Header":
        """Read a header; VaultDamaged for rubbish, KeyRefused for other versions and costs out of bounds."""
        try:
            record = mapping(json.loads(data))
            kdf = mapping(record["kdf"])
            known = record["format"] == FORMAT and kdf["name"] in (_ARGON2ID, _HMAC)
            cost = _cost(kdf) if kdf["name"] != _HMAC else None
            salt, sealed = bytes.fromhex(str(record["salt"])), bytes.fromhex(str(record["sealed"]))
            following = bytes.fromhex(str(record["next"])) if "next" in record else None
            _check_salt(salt)
        except (KeyError, ValueError, RecursionError):
            raise VaultDamaged(f"the header of the vault in {where} is damaged") from None
        if not known:
            raise KeyRefused(f"the vault in {where} was written by another version")
        if cost is not None:
            cost.check()
        return cls(cost=cost, salt=salt, sealed=sealed, next=following)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class HeaderKey(secrecy.Secret):
    """A secret made fit for one header; whoever holds it follows every change but that of the secret."""

    cost: KdfCost | None
    salt: bytes
    octets: bytes

    @classmethod
    def fresh(cls, secret: Secret, cost: KdfCost) -> "HeaderKey":
        """Derive the key of a new header; KeyRefused for a passphrase that is too short."""
        if isinstance(secret, str) and len(secret) < SHORTEST_PASSPHRASE:
            raise KeyRefused(f"a vault's passphrase has at least {SHORTEST_PASSPHRASE} characters")
        cost.check()
        return cls._derive(secret, os.urandom(_SALT_SIZE), cost if isinstance(secret, str) else None)

    @classmethod
    def of(cls, header: Header, secret: Secret, where: str) -> "HeaderKey":
        """Derive the key of an existing header; KeyRefused if it is closed by the other kind of secret."""
        if isinstance(secret, str) != (header.cost is not None):
            kind = "a passphrase" if header.cost is not None else "a key-encryption key"
            raise KeyRefused(f"the vault in {where} opens with {kind} and with nothing else")
        return cls._derive(secret, header.salt, header.cost)

    @classmethod
    def _derive(cls, secret: Secret, salt: bytes, cost: KdfCost | None) -> "HeaderKey":
        if isinstance(secret, str):
            octets = _stretch(secret, salt, cost or DEFAULT_COST)
        else:
            running = HMAC(secret.octets, SM3())
            running.update(b"xinyin soft vault header\x00" + salt)
            octets = running.finalize()[:KEY_SIZE]
        return cls(cost=cost, salt=salt, octets=octets)

    def fits(self, header: Header) -> bool:
        """Say whether ``header`` was written under the same secret, as far as it claims."""
        return (self.cost, self.salt) == (header.cost, header.salt)

    def open(self, header: Header) -> VaultKeys:
        """Give the vault keys of ``header``; CryptoError if it was sealed under another secret or altered."""
        current = open_gcm(self.octets, header.sealed, self._aad(_CURRENT))
        following = open_gcm(self.octets, header.next, self._aad(_NEXT)) if header.next is not None else None
        if any(len(key) != KEY_SIZE for key in (current, following or current)):
            raise CryptoError("a vault key has another size")
        return VaultKeys(current=current, next=following)

    def write(self, keys: VaultKeys) -> bytes:
        """Write the header that holds ``keys``."""
        kdf: dict[str, object] = {"name": _HMAC}
        if self.cost is not None:
            cost = self.cost
            kdf = {"name": _ARGON2ID, "passes": cost.passes, "memory_kib": cost.memory_kib, "lanes": cost.lanes}
        record: dict[str, object] = {"format": FORMAT, "kdf": kdf, "salt": self.salt.hex()}
        record["sealed"] = seal_gcm(self.octets, keys.current, self._aad(_CURRENT)).hex()
        if keys.next is not None:
            record["next"] = seal_gcm(self.octets, keys.next, self._aad(_NEXT)).hex()
        return json_of(record)

    def _aad(self, label: str) -> bytes:
        if self.cost is None:
            return sequence(utf8(label), integer(FORMAT), utf8(_HMAC), octet_string(self.salt))
        numbers = (FORMAT, self.cost.passes, self.cost.memory_kib, self.cost.lanes)
        return sequence(utf8(label), *map(integer, numbers), octet_string(self.salt))


def json_of(record: Mapping[str, object]) -> bytes:
    """Write a record as the vault's files hold it."""
    return (json.dumps(record, indent=2) + "\n").encode()


def mapping(value: object) -> Mapping[str, object]:
    """Give ``value`` if it is a JSON object; ValueError if not."""
    if not isinstance(value, dict):
        raise ValueError("an object is expected")  # noqa: TRY004 - damage, not a programmer's mistake
    return value


def _stretch(passphrase: str, salt: bytes, cost: KdfCost) -> bytes:
    # Input methods compose characters differently; what people see as the same passphrase is the same.
    try:
        secret = unicodedata.normalize("NFKC", passphrase).encode()
    except UnicodeEncodeError:
        # The cause is not chained: it carries the passphrase.
        raise KeyRefused("the passphrase is not text in UTF-8") from None
    return hash_secret_raw(
        secret,
        salt,
        time_cost=cost.passes,
        memory_cost=cost.memory_kib,
        parallelism=cost.lanes,
        hash_len=KEY_SIZE,
        type=Type.ID,
    )


def _cost(kdf: Mapping[str, object]) -> KdfCost:
    return KdfCost(passes=_count(kdf, "passes"), memory_kib=_count(kdf, "memory_kib"), lanes=_count(kdf, "lanes"))


def _check_salt(salt: bytes) -> None:
    if len(salt) != _SALT_SIZE:
        raise ValueError(f"a salt has {_SALT_SIZE} octets")


def _count(fields: Mapping[str, object], name: str) -> int:
    value = fields[name]
    if type(value) is not int:
        raise ValueError(f"{name} is a number")
    return value
