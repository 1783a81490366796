"""Fields at rest: sealed to their place in a table, and found again by blind indexes (GB/T 32907, GB/T 15852.2).

A sealed field opens only in the table, row and column it was sealed for, so that whoever can write to the database
cannot move one person's value to another's row. A blind index says only that two values of one purpose are equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final, NewType

from crypto import cbor, sm4
from crypto.errors import CryptoError, FieldError, KeyRefused
from crypto.kdf import hmac_sm3
from crypto.secrecy import Secret

KeyVersion = NewType("KeyVersion", int)

SECRET_SIZE: Final = 32
INDEX_SIZE: Final = 16
"""Octets of a blind index: among 2^32 values two that differ meet by chance once in 2^64 tries."""
_VERSION_SIZE: Final = 4
_LATEST: Final = (1 << 8 * _VERSION_SIZE) - 1
_SEAL, _INDEX = "field", "index"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FieldKeys(Secret):
    """The secrets of fields by version: ``active`` seals, older ones still open. Not shown, because it is secret."""

    active: KeyVersion
    secrets: Mapping[KeyVersion, bytes]

    def __post_init__(self) -> None:
        if self.active not in self.secrets:
            raise KeyRefused(f"the active version {self.active} of the field keys is missing")
        for version, secret in self.secrets.items():
            if not 0 < version <= _LATEST or len(secret) != SECRET_SIZE:
                raise KeyRefused(f"version {version} of the field keys is not {SECRET_SIZE} octets under a number")
        object.__setattr__(self, "secrets", MappingProxyType(dict(self.secrets)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a field stands; its seal holds nowhere else."""

    table: str
    row: str
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindIndex:
    """What is stored beside a sealed field to find it again: equal for equal values of one purpose and version."""

    version: KeyVersion
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Column:
    """A column's key, and what is authenticated with each of its fields before and after the row's name."""

    key: bytes
    before: bytes
    after: bytes

    def bound(self, row: str) -> bytes:
        return self.before + cbor.encode(row) + self.after


class FieldCipher(Secret):
    """Seals and opens fields, under one key for each table, column and version."""

    def __init__(self, keys: FieldKeys) -> None:
        self._keys = keys
        # A key for each column: 2^32 sealings a column and version, not for all of the database (SP 800-38D 8.3).
        self._column = cache(self._derive)

    @property
    def active(self) -> KeyVersion:
        """The version that seals."""
        return self._keys.active

    def seal(self, place: Place, value: bytes) -> bytes:
        """Seal ``value`` to ``place`` under the active version: version||nonce||ciphertext||tag."""
        version = self._keys.active
        column = self._column(version, place.table, place.field)
        return version.to_bytes(_VERSION_SIZE, "big") + sm4.seal_gcm(column.key, value, column.bound(place.row))

    def open(self, place: Place, sealed: bytes) -> bytes:
        """Give what was sealed to ``place``; FieldError if it was altered, moved, or its key is gone."""
        version = version_of(sealed)
        if version not in self._keys.secrets:
            raise FieldError(f"version {version} of the field keys is not here")
        column = self._column(version, place.table, place.field)
        try:
            return sm4.open_gcm(column.key, sealed[_VERSION_SIZE:], column.bound(place.row))
        except CryptoError as error:
            raise FieldError(f"a sealed {place.table}.{place.field} does not open") from error

    def renew(self, place: Place, sealed: bytes) -> bytes | None:
        """Seal anew what an older version sealed; None if it is under the active version already."""
        if version_of(sealed) == self.active:
            return None
        return self.seal(place, self.open(place, sealed))

    def _derive(self, version: KeyVersion, table: str, field: str) -> _Column:
        key = hmac_sm3(self._keys.secrets[version], cbor.encode([_SEAL, version, table, field]))[: sm4.KEY_SIZE]
        # The associated data is the array [version, table, row, field], written so that no two places are alike.
        whole, row, last = cbor.encode([version, table, "", field]), cbor.encode(""), cbor.encode(field)
        return _Column(key=key, before=whole[: -len(row + last)], after=last)


class BlindIndexes(Secret):
    """Computes the blind indexes of one purpose, such as ``holder``; those of two purposes tell nothing together."""

    def __init__(self, keys: FieldKeys, purpose: str) -> None:
        self._active = keys.active
        self._keys = {
            version: hmac_sm3(secret, cbor.encode([_INDEX, version, purpose]))
            for version, secret in keys.secrets.items()
        }

    def of(self, value: str) -> BlindIndex:
        """Give the index to store. ``value`` is in its one normal form: the caller sees to that."""
        return self._under(self._active, value)

    def candidates(self, value: str) -> tuple[BlindIndex, ...]:
        """Give every index ``value`` may be stored under while versions change, the active one first."""
        older = sorted(self._keys.keys() - {self._active}, reverse=True)
        return tuple(self._under(version, value) for version in (self._active, *older))

    def _under(self, version: KeyVersion, value: str) -> BlindIndex:
        try:
            octets = value.encode()
        except UnicodeEncodeError as error:
            raise FieldError("half a surrogate pair is no value") from error
        return BlindIndex(version=version, value=hmac_sm3(self._keys[version], octets)[:INDEX_SIZE])


def version_of(sealed: bytes) -> KeyVersion:
    """Say which version sealed a field, without opening it."""
    if len(sealed) < _VERSION_SIZE + sm4.NONCE_SIZE + sm4.TAG_SIZE:
        raise FieldError("a sealed field is cut short")
    return KeyVersion(int.from_bytes(sealed[:_VERSION_SIZE], "big"))
