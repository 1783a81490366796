"""Vaulting: the one place that opens the key vault the settings describe."""

import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from admin.docking import WithUpstreams, upstreams_of
from admin.settings import Settings, SettingsRefused, numbers, require_vault
from crypto.errors import KeyRefused
from crypto.keys import KeyId, KeyVault, PublicKey
from crypto.suites import SM2_SM3, Suite
from crypto.vaults.files import read_private
from crypto.vaults.header import KEK_SIZE
from crypto.vaults.pkcs11 import Pkcs11Vault, Sm2Numbers
from crypto.vaults.pool import Limits
from crypto.vaults.sdf import SdfVault
from crypto.vaults.soft import KeyEncryptionKey, Secret, SoftVault
from kernel.clock import SystemClock

_OF_DEVICE: Final = "sdf-"


@dataclass(frozen=True)
class DeviceAndFiles:
    """A device with SM2 keys, and a software vault beside it for the keys it does not make: one ``KeyVault``."""

    device: SdfVault
    files: SoftVault

    def generate(self, suite: Suite) -> KeyId:
        """Make a key in files; an SM2 key is the device's to make, and refused."""
        return self._making(suite).generate(suite)

    def public_key(self, key: KeyId) -> PublicKey:
        """Give the public half."""
        return self._of(key).public_key(key)

    def suite(self, key: KeyId) -> Suite:
        """Give the one suite the key signs with."""
        return self._of(key).suite(key)

    def sign_digest(self, key: KeyId, digest: bytes) -> bytes:
        """Sign where the key is."""
        return self._of(key).sign_digest(key, digest)

    def keys(self) -> tuple[KeyId, ...]:
        """List every key, the device's first."""
        return (*self.device.keys(), *self.files.keys())

    def close(self) -> None:
        """Let go of the device."""
        self.device.close()

    def _making(self, suite: Suite) -> KeyVault:
        return self.device if suite is SM2_SM3 else self.files

    def _of(self, key: KeyId) -> KeyVault:
        return self.device if key.startswith(_OF_DEVICE) else self.files


OwnVault = SoftVault | DeviceAndFiles | Pkcs11Vault
Vault = OwnVault | WithUpstreams


@contextmanager
def opened(settings: Settings, folder: Path, *, create: bool = False) -> Iterator[Vault]:
    """Open the vault that ``settings`` describe until the block ends; key files are in ``folder``.

    With ``create``, key files that are not there yet are begun; a device or a token is never made here, and opened
    when a key is first used. SettingsRefused for settings that are missing or contradict one another, KeyRefused
    where the vault does not open.
    """
    require_vault(settings)
    upstreams = upstreams_of(settings, SystemClock())
    vault = _open(settings, folder, create=create)
    try:
        yield WithUpstreams(vault, upstreams) if upstreams else vault
    finally:
        if not isinstance(vault, SoftVault):
            vault.close()


def files_of(vault: KeyVault) -> SoftVault:
    """Give the part of a vault that is key files; KeyRefused if all its keys are in a token."""
    own = vault.own if isinstance(vault, WithUpstreams) else vault
    found = own.files if isinstance(own, DeviceAndFiles) else own
    if not isinstance(found, SoftVault):
        raise KeyRefused("the keys are in a token, which keeps and closes them itself: use its vendor's tool")
    return found


def key_file(path: str, *, setting: str = "XINYIN_VAULT_KEY_FILE") -> KeyEncryptionKey:
    """Read a key-encryption key: a private file of 32 octets, or of their hexadecimal."""
    try:
        octets = read_private(Path(path))
    except FileNotFoundError:
        raise SettingsRefused(
            f"{setting}: there is no file {path}. Make one with: (umask 077; head -c {KEK_SIZE} /dev/urandom > {path})"
        ) from None
    except KeyRefused as error:
        raise SettingsRefused(f"{setting}: {error}.") from None
    if len(octets) != KEK_SIZE:
        try:
            octets = binascii.unhexlify(octets.strip())
        except binascii.Error:
            octets = b""
    if len(octets) != KEK_SIZE:
        raise SettingsRefused(f"{setting}: {path} holds neither {KEK_SIZE} octets nor their hexadecimal.")
    return KeyEncryptionKey(octets)


def _secret(settings: Settings) -> Secret:
    return (
        key_file(settings.vault_key_file) if settings.vault_key_file else settings.vault_passphrase.get_secret_value()
    )


def _open(settings: Settings, folder: Path, *, create: bool) -> OwnVault:
    if settings.vault == "pkcs11":
        return _pkcs11(settings)
    files = _files(settings, folder, create=create)
    return files if settings.vault == "soft" else DeviceAndFiles(_sdf(settings), files)


def _files(settings: Settings, folder: Path, *, create: bool) -> SoftVault:
    secret = _secret(settings)
    if create and not (folder / "vault.json").exists():
        return SoftVault.create(folder, secret)
    return SoftVault.open(folder, secret)


def _sdf(settings: Settings) -> SdfVault:
    passwords = {index: password.get_secret_value() for index, password in settings.vault_access.items()}
    limits = Limits(sessions=settings.vault_sessions)
    with _library():
        return SdfVault(
            settings.vault_library, passwords, limits=limits, failures=frozenset(numbers(settings.vault_failures))
        )


def _pkcs11(settings: Settings) -> Pkcs11Vault:
    sm2 = None
    if settings.vault_sm2:
        key_type, generate, sign = numbers(settings.vault_sm2)
        sm2 = Sm2Numbers(key_type=key_type, generate=generate, sign=sign)
    pin, limits = settings.vault_pin.get_secret_value(), Limits(sessions=settings.vault_sessions)
    with _library():
        return Pkcs11Vault(settings.vault_library, settings.vault_token, pin, sm2=sm2, limits=limits)


@contextmanager
def _library() -> Iterator[None]:
    try:
        yield
    except KeyRefused as error:
        raise SettingsRefused(f"XINYIN_VAULT_LIBRARY: {error}.") from None
