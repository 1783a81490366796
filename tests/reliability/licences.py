"""Issuing licences by two workers who are killed at any moment: one licence a request, one sealing a licence."""

import warnings
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random

import sqlalchemy as sa

from crypto.vaults.soft import KdfCost, SoftVault
from kernel.audit import AuditLog
from kernel.clock import ManualClock
from kernel.db import Database
from kernel.objects import ObjectStore
from license_store import store as licence_tables
from license_store.catalogue import Catalogue
from license_store.issuing import LicenseService
from license_store.model import IssuingInProgress
from license_store.public import PublicAnswer, PublicDesk
from license_store.render import Renderer
from seal import store as seal_tables
from seal.artwork import Design, draw
from seal.errors import SealingInProgress
from seal.fonts import packaged_font
from seal.model import Report
from seal.pki.dev_ca import DevCa
from seal.register import SealApplication, SealRegister
from seal.sealing import SealService
from seal.verifying import verify_in_process
from tests.given import START
from tests.license_store.town import BASE_URL, CLERK, OWNER, OWNER_NAME, SEAL, asked
from tests.reliability.databases import fresh
from tests.reliability.killing import Tell, killed_at_random, rounds, whole
from tests.sims.registrar import Registrar

_WORKERS = 2
_KEYS = 3
_PASSPHRASE = "a throw-away passphrase"


def loop(engine: str, folder: Path, seconds: float, rng: Random) -> dict[str, int]:
    """Kill until the time is over; AssertionError if a licence is lost, doubled, sealed twice or not shown as valid."""
    (folder / "objects").mkdir()
    with fresh(engine) as url:
        whole(lambda _: _found(folder, url))
        kills = issued = 0
        for number in rounds(seconds):
            keys = [f"{number}-{each}" for each in range(_KEYS)]
            works = [partial(_issue, url, folder, rng.sample(keys, _KEYS)) for _ in range(_WORKERS)]
            children = killed_at_random(rng, works, longest=0.6)
            kills += sum(child.killed for child in children)
            told = {tuple(fact) for child in children for fact in child.lines if fact}
            again = {tuple(fact) for fact in whole(partial(_issue, url, folder, keys)) if fact}
            assert told <= again, "an acknowledged licence became another"
            assert len(again) == _KEYS
            issued += _KEYS
            whole(partial(_look, url, folder, issued, [public_id for _, public_id in again]))
    return {"kills": kills, "licences": issued}


def _open(url: str, folder: Path) -> tuple[LicenseService, PublicDesk]:
    db, audit, clock = Database(url), AuditLog(), ManualClock(START)
    objects, catalogue = ObjectStore.folder(folder / "objects"), Catalogue()
    vault = SoftVault.open(folder / "vault", _PASSPHRASE)
    trust = DevCa.open(folder / "ca", vault, clock).trust()
    register = SealRegister(db, audit, clock)

    def judge(document: bytes) -> Report:
        return verify_in_process(document, trust)

    sealing = SealService(
        db=db,
        audit=audit,
        clock=clock,
        objects=objects,
        vault=vault,
        register=register,
        judge=judge,
        lease=timedelta(0),
    )
    service = LicenseService(
        db=db,
        audit=audit,
        clock=clock,
        objects=objects,
        catalogue=catalogue,
        renderer=Renderer(packaged_font()),
        seals=register,
        sealer=sealing,
        base_url=BASE_URL,
    )
    return service, PublicDesk(db=db, audit=audit, objects=objects, catalogue=catalogue, judge=judge, clock=clock)


def _found(folder: Path, url: str) -> None:
    vault = SoftVault.create(folder / "vault", _PASSPHRASE, cost=KdfCost(passes=1, memory_kib=64, lanes=1))
    clock = ManualClock(START)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ca = DevCa.create(folder / "ca", vault, clock)
    application = SealApplication(
        id=SEAL,
        kind=1,
        name=OWNER_NAME,
        owner=OWNER,
        owner_name=OWNER_NAME,
        picture=draw(Design(kind="department", name=OWNER_NAME, line="电子证照专用章")),
        valid_from=START,
        valid_to=START + timedelta(days=900),
    )
    keys = ca.issue_for_seal(SEAL, owner=OWNER, owner_name=OWNER_NAME)
    db = Database(url)
    registrar = Registrar(db, SealRegister(db, AuditLog(), clock), clock)
    registrar.make(application, keys=keys, maker=ca.maker())


def _issue(url: str, folder: Path, keys: list[str], tell: Tell) -> None:
    service = _open(url, folder)[0]
    tell(None)
    for key in keys:
        try:
            licence = service.issue(asked(key), CLERK)
        except (IssuingInProgress, SealingInProgress):
            continue  # the other worker is at it
        tell((key, licence.public_id))


def _look(url: str, folder: Path, expected: int, public_ids: list[str], _: Tell) -> None:
    desk = _open(url, folder)[1]
    with Database(url).read() as conn:
        licences = conn.execute(sa.select(sa.func.count()).select_from(licence_tables.LICENSES)).scalar()
        changes = conn.execute(sa.select(sa.func.count()).select_from(licence_tables.STATUS_CHANGES)).scalar()
        sealings = conn.execute(sa.select(sa.func.count()).select_from(seal_tables.SEALINGS)).scalar()
        completed = conn.execute(sa.select(sa.func.count()).select_from(seal_tables.COMPLETIONS)).scalar()
        assert AuditLog().verify(conn).holds
    assert (licences, changes, sealings, completed) == (expected,) * 4
    for public_id in public_ids:
        assert desk.view(public_id).answer is PublicAnswer.GENUINE_IN_FORCE
