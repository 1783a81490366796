"""Build: the one function that puts the whole service together, and the one place where all floors meet."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from admin import docking, key_events, schema, vaulting
from admin.console import registration
from admin.console.registration import ConsoleClient
from admin.deferring import Deferred, Ground, deferred, outbox
from admin.key_health import KeyHealth, KeyUse, keys_in_use
from admin.settings import DEV_MARK, Settings, SettingsRefused, addresses, require_vault
from crypto.digests import SHA256
from crypto.engines import settle_engine
from crypto.keys import KeyId, KeyVault
from crypto.suites import ES256
from crypto.vaults.files import make_folder, write_once
from crypto.x509 import Certificate
from idp.appkeys import AppKeys
from idp.passwords import Passwords
from idp.realname import RealNames
from idp.registry import Registry
from idp.service import Idp
from idp.signatures import RequestSignatures
from idp.token_keys import TokenKeyRegister
from kernel.audit import AuditLog
from kernel.clock import Clock, SystemClock
from kernel.db import Database
from kernel.objects import ObjectStore
from kernel.page import Pages
from kernel.principal import Principal, PrincipalKind
from license_store.catalogue import Catalogue
from license_store.issuing import LicenseService
from license_store.letters.printing import LetterPrinter
from license_store.letters.service import LetterService
from license_store.letters.source import SOURCE, LetterSource
from license_store.public import PublicDesk
from license_store.render import Renderer
from license_store.typesetting import Typesetter
from seal.affairs.carrying import Carrier
from seal.affairs.officers import Officers
from seal.affairs.service import AffairService
from seal.digests import DIGEST_FORMATS, judge_any
from seal.docking.reporting import DockingService
from seal.docking.upstream.vault import PREFIX as UPSTREAM
from seal.fonts import packaged_font
from seal.formats_table import SEALING_FORMATS
from seal.model import Report
from seal.pki.authorities import Authorities
from seal.pki.own_facts import AuthorityFacts
from seal.pki.tsa_client import Tsa
from seal.register import SealRegister
from seal.renewing import RenewalService
from seal.sealing import SealService
from seal.ses.read import parse_seseal
from seal.stamping import AuthorityStamper, DigestStamper, Stamper
from seal.trust import OwnLedgers, TrustFolder, TrustSource
from seal.trust.evidence import TrustEvidence
from seal.trust.refresh import Refresher
from seal.usage.ledger import UsageLedger
from seal.usage.requests import UseRequests
from seal.usage.signing import OfficeSigner
from seal.verifying import Verifier


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
    def authorities(self) -> Path:
        """What our certification authorities did."""
        return self.root / "ca"

    @property
    def database(self) -> Path:
        """SQLite's file, unless the settings name a database elsewhere."""
        return self.root / "xinyin.db"

    @property
    def form_key(self) -> Path:
        """The key that signs form tokens."""
        return self.root / "forms.key"

    @property
    def webhook_key(self) -> Path:
        """The key that the secrets of webhook endpoints are made from."""
        return self.root / "webhooks.key"

    @property
    def app_key_key(self) -> Path:
        """The key that the secrets of app keys are made from."""
        return self.root / "appkeys.key"

    @property
    def console_client(self) -> Path:
        """The console's name and secret at our own provider."""
        return self.root / "console-client"

    @property
    def identity_key(self) -> Path:
        """The file that named the key signing tokens, before the database did; gone after `xinyin migrate`."""
        return self.root / "identity-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The whole service, every part built; the faces are made from it."""

    settings: Settings
    clock: Clock
    database: Database
    vault: KeyVault
    audit: AuditLog
    authorities: Authorities
    register: SealRegister
    affairs: AffairService
    officers: Officers
    sealing: SealService
    ledger: UsageLedger
    uses: UseRequests
    renewal: RenewalService
    verifier: Verifier
    trust: TrustFolder
    refresher: Refresher
    docking: DockingService
    catalogue: Catalogue
    licenses: LicenseService
    letters: LetterService
    desk: PublicDesk
    registry: Registry
    idp: Idp
    app_keys: AppKeys
    signatures: RequestSignatures
    health: KeyHealth
    pages: Pages
    deferred: Deferred
    console_client: ConsoleClient | None
    """None until `xinyin migrate` has registered the console at this address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    vault: KeyVault
    database: Database
    audit: AuditLog
    clock: Clock


def prepare(settings: Settings) -> None:
    """Make what is missing of the data folder and bring the database up to date; run again, it changes nothing."""
    home = Home(root=settings.home)
    require_vault(settings)
    for folder in (home.root, home.objects, home.trust):
        make_folder(folder)
    for key in (home.form_key, home.webhook_key, home.app_key_key):
        if not key.exists():
            write_once(key, secrets.token_bytes(32))
    settle_engine(settings.sm2_engine or None)
    with vaulting.opened(settings, home.vault, create=True) as vault:
        if not settings.database_url:
            # The folder may be another's work and open to all; SQLite gives the files beside it the same mode.
            home.database.touch(mode=0o600)
        database = Database(settings.database)
        try:
            schema.upgrade(database)
            _begin_token_keys(home, database, vault)
            people = Registry(database=database, audit=AuditLog(), clock=SystemClock(), passwords=Passwords())
            registration.register(people, home.console_client, settings.public_url)
        finally:
            database.dispose()


def _begin_token_keys(home: Home, database: Database, vault: KeyVault) -> None:
    """Let a key sign tokens if none does yet: the one an older version named in a file, else a new one."""
    kept = _Kept(vault=vault, database=database, audit=AuditLog(), clock=SystemClock())
    keys = TokenKeyRegister(database=database, audit=kept.audit, clock=kept.clock, vault=vault)
    if not keys.rows():
        named = home.identity_key.read_text().strip() if home.identity_key.exists() else ""
        keys.begin(KeyId(named) if named else key_events.make_key(kept, ES256))
    # It has served: were it to stay, it would name an old key for ever.
    home.identity_key.unlink(missing_ok=True)


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
        with vaulting.opened(settings, home.vault) as vault:
            service = _compose(settings, home, database, vault, clock or SystemClock(), real_names)
            try:
                yield service
            finally:
                service.verifier.close()
    finally:
        database.dispose()


def _compose(  # noqa: PLR0913, PLR0917 - what everything else is made of
    settings: Settings,
    home: Home,
    database: Database,
    vault: KeyVault,
    clock: Clock,
    real_names: RealNames | None,
) -> Service:
    audit = AuditLog()
    objects = ObjectStore.folder(home.objects)
    register = SealRegister(database, audit, clock)
    trust = TrustFolder(home.trust, own=OwnLedgers(home.authorities), seal_status=register.status_at)
    verifier = Verifier(trust, clock=clock)
    authorities = authorities_of(settings, home, database, vault, clock)
    evidence = TrustEvidence(trust, clock, own=AuthorityFacts(authorities))
    stamper = _stamper(settings, trust, clock)

    told = outbox()

    def judge(document: bytes) -> Report:
        return judge_any(document, trust(), now=clock.now())

    sealing = SealService(
        db=database,
        audit=audit,
        clock=clock,
        objects=objects,
        vault=vault,
        register=register,
        judge=judge,
        trust=trust,
        stamper=stamper,
        evidence=evidence,
        outbox=told,
        formats={**SEALING_FORMATS, **DIGEST_FORMATS},
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
    printer = LetterPrinter(Typesetter(packaged_font()))
    letters = LetterService(db=database, audit=audit, clock=clock, printer=printer)
    pages = Pages(("idp", "license_store", "admin"), csrf_key=home.form_key.read_bytes(), secure=settings.secure)
    idp = Idp(
        issuer=settings.public_url,
        database=database,
        audit=audit,
        clock=clock,
        vault=vault,
        real_names=real_names,
    )
    app_keys = AppKeys(database=database, audit=audit, clock=clock, key=home.app_key_key.read_bytes)
    return Service(
        settings=settings,
        clock=clock,
        database=database,
        vault=vault,
        audit=audit,
        authorities=authorities,
        register=register,
        affairs=AffairService(
            db=database,
            audit=audit,
            clock=clock,
            objects=objects,
            carrier=Carrier(register=register, objects=objects, vault=vault),
        ),
        officers=Officers(db=database, audit=audit, clock=clock),
        sealing=sealing,
        ledger=UsageLedger(db=database, audit=audit, clock=clock, signer=OfficeSigner(authorities)),
        uses=UseRequests(db=database, audit=audit, clock=clock, objects=objects, sealing=sealing),
        renewal=RenewalService(
            db=database, audit=audit, clock=clock, judge=judge, stamper=stamper, evidence=evidence, objects=objects
        ),
        verifier=verifier,
        trust=trust,
        refresher=Refresher(
            home.trust,
            trust=trust,
            clock=clock,
            known=lambda: own_certificates(register),
            hosts=filter(None, (host.strip() for host in settings.trust_hosts.split(","))),
        ),
        docking=DockingService(
            db=database,
            audit=audit,
            clock=clock,
            register=register,
            platform=lambda: docking.platform_of(settings, vault, clock),
        ),
        catalogue=catalogue,
        licenses=licenses,
        letters=letters,
        desk=PublicDesk(
            db=database, audit=audit, objects=objects, catalogue=catalogue, judge=verifier.verify, clock=clock
        ),
        registry=idp.registry,
        idp=idp,
        app_keys=app_keys,
        signatures=RequestSignatures(keys=app_keys, database=database, clock=clock),
        health=KeyHealth(vault, lambda: _own_keys(keys_in_use(register, idp.keys, authorities)), clock),
        pages=pages,
        deferred=deferred(
            Ground(
                database=database,
                audit=audit,
                clock=clock,
                objects=objects,
                register=register,
                sealing=sealing,
                verifier=verifier,
                registry=idp.registry,
                outbox=told,
                sources={SOURCE: LetterSource(db=database, letters=letters, printer=printer)},
                judge=judge,
                stamper=stamper,
                keep_sources=timedelta(days=settings.keep_sources_days),
            ),
            webhook_key=home.webhook_key.read_bytes,
            webhook_hosts=settings.webhook_hosts,
        ),
        console_client=registration.held(home.console_client, settings.public_url),
    )


def _own_keys(uses: tuple[KeyUse, ...]) -> tuple[KeyUse, ...]:
    """Leave out keys of others' systems: these are not asked every few seconds, nor is their silence ours."""
    return tuple(use for use in uses if not use.key.startswith(UPSTREAM))


def authorities_of(settings: Settings, home: Home, database: Database, vault: KeyVault, clock: Clock) -> Authorities:
    """Open the certification authorities of a data folder, those that are there."""
    return Authorities(
        home.authorities,
        vault=vault,
        clock=clock,
        db=database,
        audit=AuditLog(),
        public_url=settings.public_url,
        # An invented certificate would be asked about at an address where nobody is any more.
        addressed=not (home.root / DEV_MARK).exists(),
    )


def _stamper(settings: Settings, trust: TrustSource, clock: Clock) -> Stamper | None:
    """Give whoever stamps time, believed under the anchors of our own verifier; None where nobody is to."""
    usual = _asking(settings.tsa, "tsa", trust, clock)
    other = _asking(settings.tsa_p256, "tsa-p256", trust, clock)
    return usual if usual is None or other is None else DigestStamper(usual, {SHA256: other})


def _asking(listed: str, called: str, trust: TrustSource, clock: Clock) -> AuthorityStamper | None:
    # An address may hold a token, and refusals name the authority: it is called by its place in the list.
    named = [Tsa(name=f"{called}-{number}", url=url) for number, url in enumerate(addresses(listed), 1)]
    return AuthorityStamper(named, trust=trust, clock=clock) if named else None


def own_certificates(register: SealRegister) -> tuple[Certificate, ...]:
    """Give the certificates our seals sign with and were made with, and those above them."""
    found: dict[Certificate, None] = {}
    after = ""
    while page := register.list(after=after):
        after = page[-1].id
        for seal in page:
            for seseal in register.seseals(seal):
                found[Certificate.from_der(parse_seseal(seseal).maker_certificate)] = None
            for held in register.credentials(seal):
                found.update(dict.fromkeys((held.credential.certificate, *held.credential.chain)))
    return tuple(found)


def operator(*rights: str) -> Principal:
    """Give the principal of whoever has this data folder and its passphrase in their hands."""
    return Principal(subject="operator", kind=PrincipalKind.OPERATOR, rights=frozenset(rights))
