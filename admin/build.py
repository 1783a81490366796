"""Build: the one function that puts the whole service together, and the one place where all floors meet."""

import dataclasses
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from admin import schema
from admin.settings import Settings, SettingsRefused
from crypto.engines import settle_engine
from crypto.keys import KeyId, KeyVault, Signer, VaultSigner
from crypto.suites import ES256
from crypto.vaults.files import make_folder, write_once
from crypto.vaults.soft import SoftVault
from idp.realname import RealNames
from idp.registry import Registry
from idp.service import Idp
from kernel.audit import AuditLog
from kernel.clock import Clock, SystemClock
from kernel.db import Database
from kernel.objects import ObjectStore
from kernel.page import Pages
from kernel.principal import Principal, PrincipalKind
from license_store.catalogue import Catalogue
from license_store.issuing import LicenseService
from license_store.public import PublicDesk
from license_store.render import Renderer
from seal.fonts import packaged_font
from seal.register import SealRegister
from seal.sealing import SealService
from seal.trust import Trust
from seal.verifying import Verifier, verify_in_process


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The data folder: where each thing in it is."""

    root: Path

    @property
    def vault(self) -> Path:
        """Sealed key files."""
        return self.root / "vault"

    @property
    def objects(self) -> Path:
        """Documents by their SM3."""
        return self.root / "objects"

    @property
    def trust(self) -> Path:
        """Pinned anchor certificates."""
        return self.root / "trust"

    @property
    def database(self) -> Path:
        """SQLite's file, unless the settings name a database elsewhere."""
        return self.root / "xinyin.db"

    @property
    def form_key(self) -> Path:
        """The key that signs form tokens."""
        return self.root / "forms.key"

    @property
    def identity_key(self) -> Path:
        """The id of the vault's key that signs tokens."""
        return self.root / "identity-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The whole service, every part built; the faces are made from it."""

    settings: Settings
    clock: Clock
    database: Database
    vault: KeyVault
    signer: Signer
    audit: AuditLog
    register: SealRegister
    sealing: SealService
    verifier: Verifier
    catalogue: Catalogue
    licenses: LicenseService
    desk: PublicDesk
    registry: Registry
    idp: Idp
    pages: Pages


def prepare(settings: Settings) -> None:
    """Make what is missing of the data folder and bring the database up to date; run again, it changes nothing."""
    home = Home(root=settings.home)
    passphrase = settings.vault_passphrase.get_secret_value()
    if not passphrase:
        raise SettingsRefused("XINYIN_VAULT_PASSPHRASE is empty: the key vault cannot be made or opened.")
    for folder in (home.root, home.objects, home.trust):
        make_folder(folder)
    if not home.form_key.exists():
        write_once(home.form_key, secrets.token_bytes(32))
    settle_engine(settings.sm2_engine or None)
    if (home.vault / "vault.json").exists():
        vault = SoftVault.open(home.vault, passphrase)
    else:
        vault = SoftVault.create(home.vault, passphrase)
    if not home.identity_key.exists():
        write_once(home.identity_key, vault.generate(ES256).encode())
    if not settings.database_url:
        # The folder may be another's work and open to all; SQLite gives the files beside it the same mode.
        home.database.touch(mode=0o600)
    database = Database(settings.database)
    try:
        schema.upgrade(database)
    finally:
        database.dispose()


@contextmanager
def services(
    settings: Settings, *, clock: Clock | None = None, real_names: RealNames | None = None
) -> Iterator[Service]:
    """Build the service on a prepared data folder, and close it when the block ends.

    Without ``real_names``, the door to the population register, nobody can raise their identity level online.

    SettingsRefused tells what is missing and which command makes it.
    """
    home = Home(root=settings.home)
    if not home.form_key.exists():
        raise SettingsRefused(
            f"{settings.home} is no data folder of Xinyin: run `xinyin migrate` first, or set XINYIN_HOME."
        )
    settle_engine(settings.sm2_engine or None)
    database = Database(settings.database)
    try:
        if not schema.is_current(database):
            raise SettingsRefused("The database is of another version: run `xinyin migrate`.")
        service = _compose(settings, home, database, clock or SystemClock(), real_names)
        try:
            yield service
        finally:
            service.verifier.close()
    finally:
        database.dispose()


def _compose(settings: Settings, home: Home, database: Database, clock: Clock, real_names: RealNames | None) -> Service:
    audit = AuditLog()
    vault = SoftVault.open(home.vault, settings.vault_passphrase.get_secret_value())
    objects = ObjectStore.folder(home.objects)
    register = SealRegister(database, audit, clock)
    trust = dataclasses.replace(Trust.load(home.trust), seal_status=register.status_at)
    verifier = Verifier(trust)
    sealing = SealService(
        db=database,
        audit=audit,
        clock=clock,
        objects=objects,
        vault=vault,
        register=register,
        judge=lambda document: verify_in_process(document, trust),
    )
    catalogue = Catalogue()
    licenses = LicenseService(
        db=database,
        audit=audit,
        clock=clock,
        objects=objects,
        catalogue=catalogue,
        renderer=Renderer(packaged_font()),
        seals=register,
        sealer=sealing,
        base_url=settings.public_url,
    )
    pages = Pages(("idp", "license_store", "admin"), csrf_key=home.form_key.read_bytes(), secure=settings.secure)
    signer = VaultSigner(vault, KeyId(home.identity_key.read_text()))
    idp = Idp(
        issuer=settings.public_url,
        database=database,
        audit=audit,
        clock=clock,
        signer=signer,
        real_names=real_names,
    )
    return Service(
        settings=settings,
        clock=clock,
        database=database,
        vault=vault,
        signer=signer,
        audit=audit,
        register=register,
        sealing=sealing,
        verifier=verifier,
        catalogue=catalogue,
        licenses=licenses,
        desk=PublicDesk(
            db=database, audit=audit, objects=objects, catalogue=catalogue, judge=verifier.verify, clock=clock
        ),
        registry=idp.registry,
        idp=idp,
        pages=pages,
    )


def operator(*rights: str) -> Principal:
    """Give the principal of whoever has this data folder and its passphrase in their hands."""
    return Principal(subject="operator", kind=PrincipalKind.OPERATOR, rights=frozenset(rights))
