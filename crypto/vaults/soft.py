"""The soft vault: private keys in files that SM4-GCM seals under a passphrase or a key-encryption key.

    vault.json          the vault key, sealed under the secret (crypto.vaults.header)
    vault.lock          held by writers: together to add keys, alone to change what keys are sealed under
    keys/<id>.json      one key: format, id, suite, public key, and its PKCS#8 sealed under the vault key;
                        "purpose" where it is for encryption

A file opens only under its own id, suite, public key and purpose: all of them are authenticated with the sealed part,
so files cannot be swapped or relabelled. A key file is written once and changes only when ``rotate`` seals it anew.
Whoever can read this process's memory has the keys: it is a vault for development and small offices, not a
certified module.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace as replace_field
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Final, NoReturn

from crypto import secrecy
from crypto.der import integer, octet_string, sequence, utf8
from crypto.encryption_keys import EnvelopedKey
from crypto.engines import Sm2Engine, default_engine
from crypto.errors import CryptoError, KeyRefused
from crypto.keys import KeyId, PublicKey
from crypto.sm2_encryption import Sm2Ciphertext
from crypto.sm4 import KEY_SIZE, open_gcm, seal_gcm
from crypto.suites import SM2_SM3, SUITES, Suite
from crypto.vaults.errors import UnknownKey, VaultDamaged, WrongPurpose
from crypto.vaults.files import check_folder, locked, make_folder, read_private, remove_drafts, replace, write_once
from crypto.vaults.header import (
    DEFAULT_COST,
    FORMAT,
    SHORTEST_PASSPHRASE,
    Header,
    HeaderKey,
    KdfCost,
    KeyEncryptionKey,
    Secret,
    VaultKeys,
    json_of,
    mapping,
)
from crypto.vaults.software import Decrypt, FreshKey, SignDigest, make_key, open_key

__all__ = ["DEFAULT_COST", "FORMAT", "SHORTEST_PASSPHRASE", "KdfCost", "KeyEncryptionKey", "Secret", "SoftVault"]

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_KEYS_OPEN: Final = 4096
_ENCRYPTION_PREFIX: Final = "sm2-encryption-"


class _Purpose(Enum):
    """What a key is for, and the word for it that is authenticated with its file."""

    SIGN = "private key"
    ENCRYPT = "encryption key"


_ENCRYPT: Final = "encrypt"
_PURPOSES: Final[Mapping[object, _Purpose]] = {None: _Purpose.SIGN, _ENCRYPT: _Purpose.ENCRYPT}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _OpenKey(secrecy.Secret):
    suite: Suite
    public_key: PublicKey
    purpose: _Purpose
    sign: SignDigest
    decrypt: Decrypt


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _KeyFile:
    """A key file as it was read; ``bound`` is all that is authenticated with what is sealed."""

    key: KeyId
    suite: Suite
    spki: bytes
    sealed: bytes
    purpose: _Purpose

    @property
    def bound(self) -> bytes:
        return sequence(
            utf8(self.purpose.value), integer(FORMAT), utf8(self.key), utf8(self.suite.name), octet_string(self.spki)
        )

    @property
    def octets(self) -> bytes:
        members = {"format": FORMAT, "id": self.key, "suite": self.suite.name, "public": self.spki.hex()}
        purpose = {"purpose": _ENCRYPT} if self.purpose is _Purpose.ENCRYPT else {}
        return json_of(members | purpose | {"sealed": self.sealed.hex()})


class SoftVault:
    """A ``KeyVault`` in one folder; any number of processes may have it open and add keys at once."""

    def __init__(self, folder: Path, header_key: HeaderKey, vault_keys: VaultKeys, engine: Sm2Engine) -> None:
        """Use ``create`` or ``open`` instead: they prove the secret."""
        self._folder = folder
        self._keys = folder / "keys"
        self._lock = folder / "vault.lock"
        self._engine = engine
        self.__header_key = header_key
        self.__vault_keys = vault_keys
        self._open_key = lru_cache(maxsize=_KEYS_OPEN)(self._load)

    @classmethod
    def create(
        cls, folder: Path, secret: Secret, engine: Sm2Engine | None = None, *, cost: KdfCost = DEFAULT_COST
    ) -> "SoftVault":
        """Make an empty vault; KeyRefused if there is one already or the passphrase is too short.

        ``secret`` is a passphrase, which ``cost`` makes slow to guess, or a key-encryption key.
        """
        header_key = HeaderKey.fresh(secret, cost)
        engine = engine or default_engine()
        vault_keys = VaultKeys(current=os.urandom(KEY_SIZE))
        for place in (folder, folder / "keys"):
            make_folder(place)
            check_folder(place)
        try:
            write_once(folder / "vault.json", header_key.write(vault_keys))
        except FileExistsError:
            raise KeyRefused(f"{folder} holds a vault already") from None
        return cls(folder, header_key, vault_keys, engine)

    @classmethod
    def open(cls, folder: Path, secret: Secret, engine: Sm2Engine | None = None) -> "SoftVault":
        """Open a vault; KeyRefused if there is none, it is damaged or exposed, or the secret is another."""
        header = _read_header(folder)
        check_folder(folder)
        check_folder(folder / "keys")
        header_key = HeaderKey.of(header, secret, str(folder))
        try:
            vault_keys = header_key.open(header)
        except CryptoError:
            kind = "passphrase" if isinstance(secret, str) else "key-encryption key"
            raise KeyRefused(f"the vault in {folder} does not open with this {kind}, or is damaged") from None
        return cls(folder, header_key, vault_keys, engine or default_engine())

    def generate(self, suite: Suite) -> KeyId:
        """Make a key; its id names the suite and begins the fingerprint of its public half."""
        return self._keep(suite, make_key(suite, self._engine), _Purpose.SIGN)

    def generate_encryption_key(self) -> KeyId:
        """Make an SM2 key that decrypts and never signs."""
        return self._keep(SM2_SM3, make_key(SM2_SM3, self._engine), _Purpose.ENCRYPT)

    def import_encryption_key(self, under: KeyId, envelope: EnvelopedKey) -> KeyId:
        """Keep the pair that a key centre enveloped to the SM2 signing key ``under``; KeyRefused if it does not open.

        A pair that was imported before gives its id again.
        """
        receiver = self._open_key(under)
        if receiver.purpose is not _Purpose.SIGN or receiver.suite is not SM2_SM3:
            raise WrongPurpose(f"the key {under} receives no enveloped keys: an SM2 signing key does")
        return self._keep(SM2_SM3, receiver.decrypt.unwrap(envelope), _Purpose.ENCRYPT)

    def encryption_keys(self) -> tuple[KeyId, ...]:
        """List every encryption key by id, those of other processes included."""
        return self._listed(encryption=True)

    def decrypt(self, key: KeyId, ciphertext: Sm2Ciphertext) -> bytes:
        """Give the message; CryptoError where the ciphertext does not open, WrongPurpose for a signing key."""
        found = self._open_key(key)
        if found.purpose is not _Purpose.ENCRYPT:
            raise WrongPurpose(f"the key {key} signs and does not decrypt")
        return found.decrypt.open(ciphertext)

    def _keep(self, suite: Suite, fresh: FreshKey, purpose: _Purpose) -> KeyId:
        word = _ENCRYPTION_PREFIX if purpose is _Purpose.ENCRYPT else f"{suite.name.lower()}-"
        key = KeyId(word + fresh.public_key.fingerprint[:24])
        # Under the lock, or a change of the vault key that is at its end would not see the new file.
        with locked(self._lock, alone=False):
            vault_key = self._follow().newest
            file = _KeyFile(key=key, suite=suite, spki=fresh.public_key.spki, sealed=b"", purpose=purpose)
            try:
                write_once(self._path(key), _seal(file, fresh.pkcs8, vault_key).octets)
            except FileExistsError:
                # A number never drawn twice: only an envelope that came twice. It opens, or this is refused.
                _unseal(self._read(key), self.__vault_keys)
        return key

    def public_key(self, key: KeyId) -> PublicKey:
        """Give the public half."""
        return self._open_key(key).public_key

    def suite(self, key: KeyId) -> Suite:
        """Give the one suite the key signs with; WrongPurpose for an encryption key."""
        return self._signing(key).suite

    def sign_digest(self, key: KeyId, digest: bytes) -> bytes:
        """Sign a digest of the suite's size: DER r, s for the curves, PKCS#1 v1.5 octets for RSA."""
        return self._signing(key).sign(digest)

    def keys(self) -> tuple[KeyId, ...]:
        """List every signing key by id, those of other processes included."""
        return self._listed(encryption=False)

    def _signing(self, key: KeyId) -> _OpenKey:
        found = self._open_key(key)
        if found.purpose is not _Purpose.SIGN:
            raise WrongPurpose(f"the key {key} is for encryption and does not sign")
        return found

    def _listed(self, *, encryption: bool) -> tuple[KeyId, ...]:
        return tuple(key for key in self._all_keys() if key.startswith(_ENCRYPTION_PREFIX) is encryption)

    def _all_keys(self) -> tuple[KeyId, ...]:
        return tuple(sorted(KeyId(path.stem) for path in self._keys.glob("*.json") if _ID.fullmatch(path.stem)))

    @property
    def rotating(self) -> bool:
        """Whether a change of the vault key was begun and not ended; ``rotate`` ends it."""
        return _read_header(self._folder).next is not None

    def change_secret(self, secret: Secret, *, cost: KdfCost = DEFAULT_COST) -> None:
        """Close the vault with another secret, of either kind, from now on; the old one opens it no more.

        An old copy of vault.json still opens with the old secret: ``rotate`` afterwards if that one is known to
        others. Processes that have the vault open go on, and are refused only what needs the header again.
        """
        header_key = HeaderKey.fresh(secret, cost)
        with locked(self._lock, alone=True):
            vault_keys = self._follow()
            replace(self._folder / "vault.json", header_key.write(vault_keys))
            self.__header_key = header_key

    def rotate(self) -> int:
        """Seal every key file under a new vault key and forget the old one; give how many were sealed anew.

        Cut off at any point, all keys still open, and the next call goes on with the same new key. Signing goes
        on meanwhile, in other processes too; adding keys waits. Refuses before it changes anything if a key file
        does not open.
        """
        # 1. Nobody adds keys meanwhile, and every file opens: a file that does not is for an operator to decide on.
        # 2. The header names both keys.   3. Each file changes to the new one.   4. The header names that one alone.
        with locked(self._lock, alone=True):
            vault_keys = self._follow()
            for key in self._all_keys():
                _unseal(self._read(key), vault_keys)
            remove_drafts(self._folder)
            remove_drafts(self._keys)
            if vault_keys.next is None:
                vault_keys = self._write_header(VaultKeys(current=vault_keys.current, next=os.urandom(KEY_SIZE)))
            changed = sum(self._reseal(key, vault_keys) for key in self._all_keys())
            self._write_header(VaultKeys(current=vault_keys.newest))
        return changed

    def _reseal(self, key: KeyId, vault_keys: VaultKeys) -> bool:
        file = self._read(key)
        pkcs8, under = _unseal(file, vault_keys)
        if under == vault_keys.newest:
            return False
        replace(self._path(key), _seal(file, pkcs8, vault_keys.newest).octets)
        return True

    def _write_header(self, vault_keys: VaultKeys) -> VaultKeys:
        replace(self._folder / "vault.json", self.__header_key.write(vault_keys))
        self.__vault_keys = vault_keys
        return vault_keys

    def _follow(self) -> VaultKeys:
        """Give the vault keys as the header has them now: another process may have changed them."""
        header = _read_header(self._folder)
        if not self.__header_key.fits(header):
            raise KeyRefused(f"the secret of the vault in {self._folder} was changed: open it again with the new one")
        try:
            self.__vault_keys = self.__header_key.open(header)
        except CryptoError:
            raise VaultDamaged(f"the header of the vault in {self._folder} is damaged") from None
        return self.__vault_keys

    def _path(self, key: KeyId) -> Path:
        if not _ID.fullmatch(key):
            raise UnknownKey("that is no id of a key")
        return self._keys / f"{key}.json"

    def _read(self, key: KeyId) -> _KeyFile:
        try:
            record = mapping(json.loads(read_private(self._path(key))))
            suite, version = SUITES[str(record["suite"])], record["format"]
            spki, sealed = bytes.fromhex(str(record["public"])), bytes.fromhex(str(record["sealed"]))
            purpose = _PURPOSES[record.get("purpose")]
        except FileNotFoundError:
            raise UnknownKey(f"there is no key {key}") from None
        except (KeyError, ValueError, RecursionError):
            raise VaultDamaged(f"the file of key {key} is damaged") from None
        if version != FORMAT:
            raise KeyRefused(f"the key {key} was written by another version")
        return _KeyFile(key=key, suite=suite, spki=spki, sealed=sealed, purpose=purpose)

    def _load(self, key: KeyId) -> _OpenKey:
        file = self._read(key)
        try:
            pkcs8, _ = _unseal(file, self.__vault_keys)
        except VaultDamaged:
            # Perhaps it is not: another process may have changed the vault key, and this file after we read it.
            vault_keys = self._follow()
            pkcs8, _ = _unseal(file := self._read(key), vault_keys)
        return _OpenKey(
            suite=file.suite,
            public_key=PublicKey.from_spki(file.spki),
            purpose=file.purpose,
            decrypt=Decrypt(pkcs8=pkcs8, engine=self._engine),
            sign=open_key(file.suite, self._engine, pkcs8),
        )

    def __repr__(self) -> str:
        return f"SoftVault({str(self._folder)!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a vault is not copied to where its keys would be readable")


def _read_header(folder: Path) -> Header:
    try:
        return Header.read(read_private(folder / "vault.json"), str(folder))
    except FileNotFoundError:
        raise KeyRefused(f"{folder} holds no vault: create one first") from None


def _seal(file: _KeyFile, pkcs8: bytes, vault_key: bytes) -> _KeyFile:
    return replace_field(file, sealed=seal_gcm(vault_key, pkcs8, file.bound))


def _unseal(file: _KeyFile, vault_keys: VaultKeys) -> tuple[bytes, bytes]:
    """Give the PKCS#8 in ``file`` and the vault key it was sealed under."""
    for vault_key in vault_keys.all:
        try:
            return open_gcm(vault_key, file.sealed, file.bound), vault_key
        except CryptoError:
            continue
    raise VaultDamaged(f"the file of key {file.key} is damaged or belongs to another vault")
