"""The soft vault: private keys in files that SM4-GCM seals under a passphrase.

    vault.json          format, Argon2id cost and salt, and the vault key sealed under the passphrase
    keys/<id>.json      one key: format, id, suite, public key, and its PKCS#8 sealed under the vault key

A file opens only under its own id, suite and public key: all of them are authenticated with the sealed part, so
files cannot be swapped or relabelled. Files are written once and never changed. Whoever can read this
process's memory has the keys: it is a vault for development and small offices, not a certified module.
"""

import json
import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, NoReturn

from argon2.low_level import Type, hash_secret_raw

from crypto.der import integer, octet_string, sequence, utf8
from crypto.engines import Sm2Engine, default_engine
from crypto.errors import CryptoError, KeyRefused
from crypto.keys import KeyId, PublicKey
from crypto.sm4 import KEY_SIZE, open_gcm, seal_gcm
from crypto.suites import SUITES, Suite
from crypto.vaults.files import make_folder, write_once
from crypto.vaults.software import SignDigest, make_key, open_key

FORMAT: Final = 1
SHORTEST_PASSPHRASE: Final = 8
_SALT_SIZE: Final = 16
_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_KEYS_OPEN: Final = 4096


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


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _OpenKey:
    suite: Suite
    public_key: PublicKey
    sign: SignDigest


class SoftVault:
    """A ``KeyVault`` in one folder; any number of processes may have it open and add keys at once."""

    def __init__(self, folder: Path, vault_key: bytes, engine: Sm2Engine) -> None:
        """Use ``create`` or ``open`` instead: they prove the passphrase."""
        self._folder = folder
        self._keys = folder / "keys"
        self._engine = engine
        self.__vault_key = vault_key
        self._open_key = lru_cache(maxsize=_KEYS_OPEN)(self._load)

    @classmethod
    def create(
        cls, folder: Path, passphrase: str, engine: Sm2Engine | None = None, *, cost: KdfCost = DEFAULT_COST
    ) -> "SoftVault":
        """Make an empty vault; KeyRefused if there is one already or the passphrase is too short."""
        if len(passphrase) < SHORTEST_PASSPHRASE:
            raise KeyRefused(f"a vault's passphrase has at least {SHORTEST_PASSPHRASE} characters")
        cost.check()
        engine = engine or default_engine()
        vault_key = os.urandom(KEY_SIZE)
        salt = os.urandom(_SALT_SIZE)
        sealed = seal_gcm(_derive(passphrase, salt, cost), vault_key, _header_aad(salt, cost))
        header = {
            "format": FORMAT,
            "kdf": {"name": "argon2id", "passes": cost.passes, "memory_kib": cost.memory_kib, "lanes": cost.lanes},
            "salt": salt.hex(),
            "sealed": sealed.hex(),
        }
        make_folder(folder)
        make_folder(folder / "keys")
        try:
            write_once(folder / "vault.json", _json(header))
        except FileExistsError:
            raise KeyRefused(f"{folder} holds a vault already") from None
        return cls(folder, vault_key, engine)

    @classmethod
    def open(cls, folder: Path, passphrase: str, engine: Sm2Engine | None = None) -> "SoftVault":
        """Open a vault; KeyRefused if there is none, it is damaged, or the passphrase is another."""
        header = _read_json(folder / "vault.json", f"{folder} holds no vault: create one first")
        try:
            kdf = _mapping(header["kdf"])
            cost = KdfCost(
                passes=_count(kdf, "passes"), memory_kib=_count(kdf, "memory_kib"), lanes=_count(kdf, "lanes")
            )
            salt, sealed = bytes.fromhex(str(header["salt"])), bytes.fromhex(str(header["sealed"]))
            known = header["format"] == FORMAT and kdf["name"] == "argon2id"
            _check_salt(salt)
        except (KeyError, ValueError):
            raise KeyRefused(f"the header of the vault in {folder} is damaged") from None
        if not known:
            raise KeyRefused(f"the vault in {folder} was written by another version")
        cost.check()
        try:
            vault_key = open_gcm(_derive(passphrase, salt, cost), sealed, _header_aad(salt, cost))
        except CryptoError:
            raise KeyRefused(f"the vault in {folder} does not open with this passphrase") from None
        return cls(folder, vault_key, engine or default_engine())

    def generate(self, suite: Suite) -> KeyId:
        """Make a key; its id names the suite and begins the fingerprint of its public half."""
        fresh = make_key(suite, self._engine)
        key = KeyId(f"{suite.name.lower()}-{fresh.public_key.fingerprint[:24]}")
        spki = fresh.public_key.spki
        sealed = seal_gcm(self.__vault_key, fresh.pkcs8, _key_aad(key, suite, spki))
        record = {"format": FORMAT, "id": key, "suite": suite.name, "public": spki.hex(), "sealed": sealed.hex()}
        write_once(self._path(key), _json(record))
        return key

    def public_key(self, key: KeyId) -> PublicKey:
        """Give the public half."""
        return self._open_key(key).public_key

    def suite(self, key: KeyId) -> Suite:
        """Give the one suite the key signs with."""
        return self._open_key(key).suite

    def sign_digest(self, key: KeyId, digest: bytes) -> bytes:
        """Sign a digest of the suite's size: DER r, s for the curves, PKCS#1 v1.5 octets for RSA."""
        return self._open_key(key).sign(digest)

    def keys(self) -> tuple[KeyId, ...]:
        """List every key by id, those of other processes included."""
        return tuple(sorted(KeyId(path.stem) for path in self._keys.glob("*.json") if _ID.fullmatch(path.stem)))

    def _path(self, key: KeyId) -> Path:
        if not _ID.fullmatch(key):
            raise KeyRefused("that is no id of a key")
        return self._keys / f"{key}.json"

    def _load(self, key: KeyId) -> _OpenKey:
        record = _read_json(self._path(key), f"there is no key {key}")
        if record.get("format") != FORMAT:
            raise KeyRefused(f"the key {key} was written by another version")
        try:
            suite = SUITES[str(record["suite"])]
            spki, sealed = bytes.fromhex(str(record["public"])), bytes.fromhex(str(record["sealed"]))
            pkcs8 = open_gcm(self.__vault_key, sealed, _key_aad(key, suite, spki))
        except (KeyError, ValueError, CryptoError):
            raise KeyRefused(f"the file of key {key} is damaged or belongs to another vault") from None
        return _OpenKey(suite=suite, public_key=PublicKey.from_spki(spki), sign=open_key(suite, self._engine, pkcs8))

    def __repr__(self) -> str:
        return f"SoftVault({str(self._folder)!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a vault is not copied to where its keys would be readable")


def _derive(passphrase: str, salt: bytes, cost: KdfCost) -> bytes:
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


def _header_aad(salt: bytes, cost: KdfCost) -> bytes:
    numbers = (FORMAT, cost.passes, cost.memory_kib, cost.lanes)
    return sequence(utf8("vault key"), *map(integer, numbers), octet_string(salt))


def _key_aad(key: KeyId, suite: Suite, spki: bytes) -> bytes:
    return sequence(utf8("private key"), integer(FORMAT), utf8(key), utf8(suite.name), octet_string(spki))


def _json(record: Mapping[str, object]) -> bytes:
    return (json.dumps(record, indent=2) + "\n").encode()


def _read_json(path: Path, absent: str) -> Mapping[str, object]:
    try:
        return _mapping(json.loads(path.read_bytes()))
    except FileNotFoundError:
        raise KeyRefused(absent) from None
    except (ValueError, RecursionError):
        raise KeyRefused(f"{path.name} is damaged") from None


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError("an object is expected")  # noqa: TRY004 - damage, not a programmer's mistake
    return value


def _check_salt(salt: bytes) -> None:
    if len(salt) != _SALT_SIZE:
        raise ValueError(f"a salt has {_SALT_SIZE} octets")


def _count(fields: Mapping[str, object], name: str) -> int:
    value = fields[name]
    if type(value) is not int:
        raise ValueError(f"{name} is a number")
    return value
