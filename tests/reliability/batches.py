"""Batches whose workers are killed at any moment: all sealed once, serials in order, the end told."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from threading import Event
from time import monotonic

import sqlalchemy as sa

from crypto.vaults.soft import SoftVault
from kernel.audit import AuditLog
from kernel.clock import ManualClock
from kernel.db import Database
from kernel.jobs import Jobs, Worker
from kernel.objects import ObjectStore
from kernel.outbox import EVENTS, Outbox
from seal import store
from seal.batches import BatchService
from seal.batches import store as batch_tables
from seal.batches.model import BatchWish, ItemWish
from seal.batches.running import BatchRunner
from seal.model import Report, Verdict
from seal.pki.dev_ca import DevCa
from seal.register import SealRegister
from seal.request import SealRequest
from seal.sealing import SealService
from seal.verifying import verify_in_process
from seal.webhooks.store import listening
from tests.reliability.databases import fresh
from tests.reliability.killing import Tell, killed_at_random, rounds, whole
from tests.reliability.sealing import document, found
from tests.seal.conftest import CLERK, PASSPHRASE, SEAL, START

_WORKERS = 2
_DOCUMENTS = 60
_KILLS = 12
"""Of workers on one batch; then one more finishes it undisturbed."""
_LEASE = timedelta(seconds=2)
_PATIENCE = 120.0


class _Bench:
    """All that a worker needs, opened in its own process."""

    def __init__(self, url: str, folder: Path) -> None:
        db, audit, clock = Database(url), AuditLog(), ManualClock(START)
        objects = ObjectStore.folder(folder / "objects")
        vault = SoftVault.open(folder / "vault", PASSPHRASE)
        trust = DevCa.open(folder / "ca", vault, clock).trust()
        register, outbox = SealRegister(db, audit, clock), Outbox(listening)

        def judge(octets: bytes) -> Report:
            return verify_in_process(octets, trust)

        self.db, self.objects, self.judge = db, objects, judge
        self.batches = BatchService(db=db, audit=audit, clock=clock, objects=objects, register=register)
        sealing = SealService(
            db=db,
            audit=audit,
            clock=clock,
            objects=objects,
            vault=vault,
            register=register,
            judge=judge,
            outbox=outbox,
            lease=_LEASE,
        )
        runner = BatchRunner(
            db=db,
            audit=audit,
            clock=clock,
            batches=self.batches,
            sealing=sealing,
            outbox=outbox,
            examine=lambda _: None,
            jobs=Jobs(db, lease=_LEASE),
        )
        idle = timedelta(milliseconds=50)
        self.worker = Worker(Jobs(db, lease=_LEASE), runner.handlers, idle=idle)


def loop(engine: str, folder: Path, seconds: float, rng: Random, *, documents: int = _DOCUMENTS) -> dict[str, int]:
    """Kill until the time is over; AssertionError if a document is lost, sealed twice, or not valid."""
    (folder / "objects").mkdir()
    with fresh(engine) as url:
        whole(lambda _: found(folder, url))
        kills = sealed = 0
        for number in rounds(seconds):
            (batch,) = whole(partial(_create, url, folder, number, documents))
            killed = 0
            while killed < max(_KILLS, documents // 20):
                children = killed_at_random(rng, [partial(_work, url, folder)] * _WORKERS, longest=0.5)
                killed += sum(child.killed for child in children)
            kills += killed
            sealed += documents
            whole(partial(_finish, url, folder, batch))
            whole(partial(_look, url, folder, sealed, batch))
    return {"kills": kills, "documents": sealed}


def _create(url: str, folder: Path, number: int, documents: int, tell: Tell) -> None:
    bench = _Bench(url, folder)
    files = [bench.batches.upload(document(f"{number}-{each}"), CLERK).sm3 for each in range(documents)]
    items = [ItemWish(content=sm3, request=SealRequest(document=b"", seal=SEAL)) for sm3 in files]
    tell(bench.batches.create(BatchWish(seal=SEAL, items=items), CLERK).id)


def _work(url: str, folder: Path, tell: Tell) -> None:
    bench = _Bench(url, folder)
    tell(None)
    bench.worker.run(Event())


def _finish(url: str, folder: Path, batch: str, _: Tell) -> None:
    bench = _Bench(url, folder)
    _wait(lambda: bench.batches.find(batch, CLERK).state.value == "completed", bench.worker)


def _wait(done: Callable[[], bool], worker: Worker) -> None:
    """Work until it is done: what the dead had in hand is free again when their lease is over."""
    until = monotonic() + _PATIENCE
    pause = Event()
    while not done():
        assert monotonic() < until, "an item was never taken up again"
        if not worker.drain():
            pause.wait(0.05)


def _look(url: str, folder: Path, expected: int, batch: str, _: Tell) -> None:
    bench = _Bench(url, folder)
    with bench.db.read() as conn:
        serials = conn.execute(sa.select(store.SEALINGS.c.serial).order_by(store.SEALINGS.c.serial)).scalars().all()
        kept = conn.execute(sa.select(store.COMPLETIONS.c.object_key)).scalars().all()
        outcomes = conn.execute(sa.select(batch_tables.OUTCOMES.c.sealing, batch_tables.OUTCOMES.c.failure)).all()
        told = conn.execute(sa.select(EVENTS.c.id).where(EVENTS.c.key == f"batch:{batch}")).all()
        assert AuditLog().verify(conn).holds
    assert serials == list(range(1, expected + 1)), "a serial is missing, or stands twice"
    assert len(kept) == len(set(kept)) == expected
    assert len({row.sealing for row in outcomes if row.failure is None}) == expected
    assert len(told) == 1, "the end of the batch was not told once"
    items = bench.batches.items(batch, CLERK, limit=expected)
    assert {item.state.value for item in items} == {"sealed"}
    for item in items[:: max(1, len(items) // 10)]:
        assert bench.judge(bench.batches.sealed_file(item)).verdict is Verdict.VALID
