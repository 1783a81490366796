"""All that a worker needs, opened in its own process: a register, batches, sealing, and the jobs over them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from crypto.vaults.soft import SoftVault
from kernel.audit import AuditLog, entries
from kernel.clock import Clock, ManualClock, SystemClock
from kernel.db import Database
from kernel.jobs import Jobs, Worker
from kernel.objects import ObjectStore
from kernel.outbox import EVENTS, Outbox
from seal import store
from seal.batches import BatchService
from seal.batches.running import BatchRunner
from seal.later.service import LateStamps
from seal.model import Report, Verdict
from seal.pki.dev_ca import DevCa
from seal.register import SealRegister
from seal.sealing import SealService
from seal.stamping import Stamper
from seal.trust import Trust
from seal.unsealed import Unsealed
from seal.verifying import verify_in_process
from seal.webhooks.store import listening
from tests.seal.conftest import PASSPHRASE, START

LEASE = timedelta(seconds=2)
SAMPLED = 50
"""Of so many sealed files one is verified anew; every one is hashed."""


class Walking:
    """A clock that goes as the machine's does, from a day on which certificates hold; it may be wrong by ``shift``."""

    def __init__(self, began: datetime, shift: timedelta = timedelta(0)) -> None:
        self._offset = START + timedelta(days=1) - began + shift

    def now(self) -> datetime:
        """Give the present instant in UTC."""
        return SystemClock().now() + self._offset

    def advance(self, by: timedelta) -> None:
        """Let so much time pass at once."""
        self._offset += by


@dataclass
class Bench:
    """One worker's services over one database and one folder."""

    url: str
    folder: Path
    clock: Clock = field(default_factory=lambda: ManualClock(START))
    lease: timedelta = LEASE
    stamper: Stamper | None = None
    trust: Trust | None = None
    audit: AuditLog = field(default_factory=AuditLog)
    together: int = 4
    """Documents of a batch in hand at once: few, so that a small batch takes many steps."""

    def __post_init__(self) -> None:
        self.db = Database(self.url)
        self.objects = ObjectStore.folder(self.folder / "objects")
        vault = SoftVault.open(self.folder / "vault", PASSPHRASE)
        trust = self.trust or DevCa.open(self.folder / "ca", vault, ManualClock(START)).trust()
        register, outbox = SealRegister(self.db, self.audit, self.clock), Outbox(listening)

        self.believed = trust
        self._twist: Callable[[Report], Report] = lambda report: report

        def judge(octets: bytes) -> Report:
            return self._twist(verify_in_process(octets, trust))

        self.judge, self.register = judge, register
        ground = {"db": self.db, "audit": self.audit, "clock": self.clock}
        self.batches = BatchService(**ground, objects=self.objects, register=register)  # type: ignore[arg-type]
        self.sealing = SealService(
            **ground,  # type: ignore[arg-type]
            objects=self.objects,
            vault=vault,
            register=register,
            judge=judge,
            stamper=self.stamper,
            outbox=outbox,
            lease=self.lease,
        )
        self.unsealed = Unsealed(**ground, sealing=self.sealing, outbox=outbox)  # type: ignore[arg-type]
        self.jobs = Jobs(self.db, lease=self.lease)
        runner = BatchRunner(
            **ground,  # type: ignore[arg-type]
            batches=self.batches,
            sealing=self.sealing,
            outbox=outbox,
            examine=lambda _: None,
            jobs=self.jobs,
            together=self.together,
        )
        late = LateStamps(
            **ground,  # type: ignore[arg-type]
            objects=self.objects,
            register=register,
            judge=judge,
            stamper=self.stamper,
            outbox=outbox,
        )
        self.worker = Worker(self.jobs, {**runner.handlers, **late.handlers}, idle=timedelta(milliseconds=50))

    @contextmanager
    def judging(self, twist: Callable[[Report], Report]) -> Iterator[None]:
        """Let our own verifier say something else while the block runs."""
        before, self._twist = self._twist, twist
        try:
            yield
        finally:
            self._twist = before

    def close(self) -> None:
        self.db.dispose()


def settled(bench: Bench, sealings: int) -> int:
    """Examine the whole ledger: so many sealings, each completed, once, with its file, told once, logged once.

    Gives how many files were verified anew.
    """
    with bench.db.read() as conn:
        serials = conn.execute(sa.select(store.SEALINGS.c.serial).order_by(store.SEALINGS.c.serial)).scalars().all()
        kept = conn.execute(sa.select(store.COMPLETIONS.c.sealing, store.COMPLETIONS.c.object_key)).all()
        told = conn.execute(sa.select(EVENTS.c.key).where(EVENTS.c.type == "sealing.completed")).scalars().all()
        done = sa.select(entries.c.target).where(entries.c.action == "seal.sealing.completed")
        logged = conn.execute(done).scalars().all()
        assert bench.audit.verify(conn).holds, "the audit log does not hold"
    assert serials == list(range(1, sealings + 1)), f"{sealings} serials should be there, {len(serials)} are"
    completed = sorted(row.sealing for row in kept)
    assert len(completed) == sealings, f"{sealings - len(completed)} sealings were never completed"
    assert len({row.object_key for row in kept}) == sealings, "two sealings have one file"
    assert sorted(logged) == completed, "the log does not tell of each completion once"
    assert sorted(told) == sorted(f"sealing:{each}" for each in completed), "the outbox does not tell of each once"
    return checked(bench, [row.object_key for row in kept])


def checked(bench: Bench, keys: list[str]) -> int:
    """Read every file, hashed anew by the store, and verify some of them."""
    for place, key in enumerate(keys):
        file = bench.objects.get(key)
        if place % SAMPLED == 0:
            assert bench.judge(file).verdict is Verdict.VALID, "a recorded file does not verify"
    return -(-len(keys) // SAMPLED)
