"""Sealing by three workers who are killed at any moment: nothing is lost, nothing is sealed twice."""

import warnings
from datetime import date
from functools import partial
from pathlib import Path
from random import Random

import sqlalchemy as sa

from crypto.vaults.soft import KdfCost, SoftVault
from kernel.audit import AuditLog
from kernel.clock import ManualClock
from kernel.db import Database
from seal import store
from seal.artwork import Design, draw
from seal.errors import SealingInProgress
from seal.fonts import packaged_seal_font
from seal.formats.ofd import Page, Text, write_simple_ofd
from seal.model import SealId, Verdict
from seal.pki.dev_ca import DevCa
from seal.register import SealRegister
from seal.request import SealRequest
from tests.reliability.databases import fresh
from tests.reliability.killing import Tell, killed_at_random, rounds, whole
from tests.seal import conftest as house
from tests.seal.kill_worker import CALLER, build
from tests.sims.registrar import Registrar

_WORKERS = 3
_KEYS = 6
"""Documents a round, each asked for by every worker."""


def loop(engine: str, folder: Path, seconds: float, rng: Random) -> dict[str, int]:
    """Kill until the time is over; AssertionError if a sealing is lost, doubled, unknown or not valid."""
    objects = folder / "objects"
    objects.mkdir()
    with fresh(engine) as url:
        whole(lambda _: found(folder, url))
        kills = sealed = 0
        for number in rounds(seconds):
            keys = [f"{number}-{each}" for each in range(_KEYS)]
            works = [partial(_seal, url, folder, rng.sample(keys, _KEYS)) for _ in range(_WORKERS)]
            children = killed_at_random(rng, works, longest=0.25)
            kills += sum(child.killed for child in children)
            told = {tuple(fact) for child in children for fact in child.lines if fact}
            again = {tuple(fact) for fact in whole(partial(_seal, url, folder, keys)) if fact}
            assert told <= again, "an acknowledged sealing became another"
            assert len(again) == _KEYS
            sealed += _KEYS
            whole(partial(_look, url, folder, sealed))
    return {"kills": kills, "sealings": sealed}


def found(folder: Path, url: str) -> None:
    vault = SoftVault.create(folder / "vault", house.PASSPHRASE, cost=KdfCost(passes=1, memory_kib=64, lanes=1))
    clock = ManualClock(house.START)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ca = DevCa.create(folder / "ca", vault, clock)
    keys = ca.issue_for_seal(house.SEAL, owner=house.OWNER, owner_name=house.OWNER_NAME)
    picture = draw(
        Design(kind="department", name=house.OWNER_NAME, line="审批专用章"), font=packaged_seal_font(), dpi=300
    )
    authority = house.Authority(folder, vault, ca, keys, picture)
    db = Database(url)
    registrar = Registrar(db, SealRegister(db, AuditLog(), clock), clock)
    registrar.make(house.application(authority), keys=keys, maker=ca.maker())
    db.dispose()


def document(key: str) -> bytes:
    page = Page(items=(Text(x_mm=30, y_mm=40, text=f"准予行政许可决定书 {key}", size_mm=8),))
    return write_simple_ofd([page], doc_id="0" * 32, title=key, created=date(2026, 11, 22))


def _seal(url: str, folder: Path, keys: list[str], tell: Tell) -> None:
    service = build(url, folder, folder / "objects", None)
    tell(None)
    for key in keys:
        request = SealRequest(document=document(key), seal=SealId(house.SEAL), idempotency_key=key)
        try:
            made = service.seal(request, CALLER)
        except SealingInProgress:
            continue  # another worker is at it
        tell((key, made.id))


def _look(url: str, folder: Path, expected: int, tell: Tell) -> None:
    service = build(url, folder, folder / "objects", None)
    database = Database(url)
    assert service.pending() == ()
    with database.read() as conn:
        serials = conn.execute(sa.select(store.SEALINGS.c.serial).order_by(store.SEALINGS.c.serial)).scalars().all()
        kept = conn.execute(sa.select(store.COMPLETIONS.c.object_key)).scalars().all()
        assert AuditLog().verify(conn).holds
    assert serials == list(range(1, expected + 1)), "a serial is missing, or stands twice"
    assert len(kept) == len(set(kept)) == expected
    for key in kept[-_KEYS:]:
        assert service._judge(service._objects.get(key)).verdict is Verdict.VALID
    tell(len(serials))
