"""Docking: the accounts at other bodies' seal systems, read from the private files that the settings name."""

import ssl
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from admin.settings import DEV_MARK, Settings, SettingsRefused
from crypto.certificate import Certificate
from crypto.encryption_keys import DecryptingVault
from crypto.errors import CertificateError, KeyRefused
from crypto.keys import KeyId, KeyVault, PublicKey, VaultSigner
from crypto.suites import Suite
from crypto.vaults.files import read_private
from kernel.clock import Clock
from seal.docking.national.model import Account
from seal.docking.national.platform import NationalPlatform
from seal.docking.upstream.login import HmacLogin, NoHeaders
from seal.docking.upstream.vault import Upstream, UpstreamVault
from seal.pki.http_post import HttpPost

_Address = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?$", max_length=500)]
_Said = Annotated[str, Field(min_length=1, max_length=200)]
_HERE = frozenset({"127.0.0.1", "::1", "localhost"})
Read = TypeVar("Read", bound=BaseModel)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _National(_File):
    """The docking file."""

    url: _Address
    client: _Said
    secret: _Said
    user: _Said
    password: _Said
    salt: Annotated[str, Field(max_length=200)] = ""
    identity: _Said
    key: _Said
    authorities: str = ""
    """PEM of those who may vouch for the platform over TLS; empty for the system's."""


class _Upstream(_File):
    """One table of the upstream file."""

    url: _Address
    keys: Annotated[dict[str, str], Field(min_length=1, max_length=1000)]
    """Certificate files by the department's own names of its keys."""
    timeout: Annotated[int, Field(ge=1, le=60)] = 10
    client: str = ""
    secret: str = ""
    authorities: str = ""
    certificate: str = ""
    certificate_key: str = ""


def platform_of(settings: Settings, vault: KeyVault, clock: Clock) -> NationalPlatform | None:
    """Give the national platform's client, None where no docking file is set."""
    if not settings.docking_file:
        return None
    name, path = "XINYIN_DOCKING_FILE", Path(settings.docking_file)
    account = _parsed(name, path, _National, _table(name, path))
    _require_tls(name, account.url)
    if (settings.home / DEV_MARK).exists() and not _is_here(account.url):
        raise SettingsRefused(f"{name}: the seals of {settings.home} are invented: they are not told to {account.url}.")
    context = _context(name, path.parent, account.authorities)
    named = account.model_dump(exclude={"key", "authorities"})
    signer = VaultSigner(vault, KeyId(account.key))
    try:
        return NationalPlatform(Account(**named), signer=signer, clock=clock, post=HttpPost(context))
    except KeyRefused as refused:
        raise SettingsRefused(f"{name}: its key cannot sign for the platform: {refused}.") from refused


def upstreams_of(settings: Settings, clock: Clock) -> tuple[UpstreamVault, ...]:
    """Give the departments' systems that sign for us."""
    if not settings.upstream_file:
        return ()
    name, path = "XINYIN_UPSTREAM_FILE", Path(settings.upstream_file)
    tables = _table(name, path)
    return tuple(_upstream(name, path, called, table, clock) for called, table in tables.items())


class WithUpstreams:
    """Our own vault, and departments' systems beside it: one ``KeyVault``, whose keys' names say where they are."""

    def __init__(self, own: KeyVault, upstreams: tuple[UpstreamVault, ...]) -> None:
        self.own = own
        self._of_key = {key: each for each in upstreams for key in each.keys()}  # noqa: SIM118 - a vault's keys, no mapping's
        # What our own vault can do beside signing stays possible; sealing keys of others decrypt nothing.
        if isinstance(own, DecryptingVault):
            self.generate_encryption_key = own.generate_encryption_key
            self.encryption_keys = own.encryption_keys
            self.decrypt = own.decrypt

    def generate(self, suite: Suite) -> KeyId:
        """Make a key in our own vault."""
        return self.own.generate(suite)

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
        """List every key, our own first."""
        return (*self.own.keys(), *sorted(self._of_key))

    def _of(self, key: KeyId) -> KeyVault:
        return self._of_key.get(key, self.own)


def _table(name: str, path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(read_private(path).decode())
    except FileNotFoundError:
        raise SettingsRefused(f"{name}: there is no file {path}.") from None
    except KeyRefused as refused:
        raise SettingsRefused(f"{name}: {refused}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        # The parser's words quote the line, and the line may be a secret.
        raise SettingsRefused(f"{name}: {path} is no TOML.") from None


def _parsed(name: str, path: Path, kind: type[Read], table: object) -> Read:
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsRefused(f"{name}: {where or 'a table'} in {path}: {first['msg']}.") from None


def _is_here(url: str) -> bool:
    return (urlsplit(url).hostname or "") in _HERE


def _require_tls(name: str, url: str) -> None:
    if url.startswith("http://") and not _is_here(url):
        raise SettingsRefused(f"{name}: {url} must be https://, for secrets go there; http:// only on this machine.")


def _context(name: str, folder: Path, authorities: str, certificate: str = "", key: str = "") -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(folder / authorities) if authorities else None)
        if certificate:
            context.load_cert_chain(folder / certificate, folder / key if key else None)
    except (OSError, ValueError) as error:
        raise SettingsRefused(f"{name}: certificates or key for TLS cannot be read: {error}.") from None
    return context


def _upstream(name: str, path: Path, called: str, table: object, clock: Clock) -> UpstreamVault:
    given = _parsed(name, path, _Upstream, table)
    _require_tls(name, given.url)
    if bool(given.client) != bool(given.secret):
        raise SettingsRefused(f"{name}: {called} in {path}: client and secret go together.")
    if not given.client and not given.certificate:
        raise SettingsRefused(f"{name}: {called} in {path}: give client and secret, or a certificate for mutual TLS.")
    context = _context(name, path.parent, given.authorities, given.certificate, given.certificate_key)
    try:
        keys = {key: Certificate.from_pem((path.parent / file).read_bytes()) for key, file in given.keys.items()}
        login = (
            HmacLogin(client=given.client, secret=given.secret.encode(), clock=clock) if given.client else NoHeaders()
        )
        upstream = Upstream(name=called, url=given.url, keys=keys, timeout=timedelta(seconds=given.timeout))
    except (KeyRefused, CertificateError, OSError) as refused:
        raise SettingsRefused(f"{name}: {called} in {path}: {refused}.") from None
    return UpstreamVault(upstream, clock=clock, login=login, tls=context)
