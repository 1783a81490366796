"""A house whose time-stamp authority fails and recovers, with the worker that has stamped what was left without."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from crypto.suites import SM2_SM3
from kernel.db import database_now
from kernel.jobs import JOBS, Jobs, Worker
from seal.later import store
from seal.later.model import STAMP, Settled
from seal.later.service import LateStamps
from seal.pki.tsa_client import Tsa
from seal.request import SealedDocument
from seal.sealing import SealService
from seal.stamping import AuthorityStamper, Stamper
from tests.crypto.authority import Authority as Issuer
from tests.seal.conftest import CLERK, START, Authority, House, request
from tests.sims.tsa import Mood, TsaSimulator

AHEAD = timedelta(seconds=3)
"""By how much the authority's clock is before ours: its times are never ours by chance."""
REST = timedelta(seconds=31)
"""Longer than anybody is left alone who failed."""


@dataclass
class Post:
    """The sealing service, the authority it asks, and the worker behind it."""

    house: House
    sim: TsaSimulator
    stamper: Stamper
    service: SealService

    def late(self, **changes: Any) -> LateStamps:
        house = self.house
        parts: dict[str, Any] = {
            "db": house.db,
            "audit": house.audit,
            "clock": house.clock,
            "objects": house.objects,
            "register": house.register,
            "judge": house.judge,
            "stamper": self.stamper,
            "outbox": house.outbox,
        }
        return LateStamps(**(parts | changes))

    def worker(self, *, lease: timedelta = timedelta(minutes=2), **changes: Any) -> Worker:
        return Worker(Jobs(self.house.db, lease=lease), self.late(**changes).handlers)

    def work(self, worker: Worker | None = None) -> int:
        """Let time pass until every job is due, and do them."""
        self.house.clock.advance(REST)
        self.ripen()
        return (worker or self.worker()).drain()

    def ripen(self) -> None:
        with self.house.db.begin() as conn:
            due = database_now(conn) - timedelta(seconds=1)
            conn.execute(sa.update(JOBS).where(JOBS.c.kind == STAMP).values(due=due, owner=None))

    def seal(self, document: bytes, **changes: object) -> SealedDocument:
        return self.service.seal(request(document, **changes), CLERK)

    def jobs(self) -> int:
        with self.house.db.read() as conn:
            query = sa.select(sa.func.count()).select_from(JOBS).where(JOBS.c.kind == STAMP)
            return int(conn.execute(query).scalar_one())

    def settled(self, sealing: str) -> Settled | None:
        with self.house.db.read() as conn:
            return store.find_settled(conn, sealing)


@pytest.fixture(scope="session")
def issuer(authority: Authority) -> Issuer:
    """Whoever certifies the time-stamp authority: not the root of our seals."""
    return Issuer(authority.vault, SM2_SM3)


@pytest.fixture(scope="session")
def sim(issuer: Issuer) -> Iterator[TsaSimulator]:
    """One authority for all tests; ``post`` sets its clock."""
    with TsaSimulator(issuer, lambda: START) as one:
        yield one


@pytest.fixture
def patience() -> timedelta:
    """Long: nobody is silent but where a test wants it, and a busy machine may be slow."""
    return timedelta(seconds=30)


@pytest.fixture
def post(house: House, issuer: Issuer, sim: TsaSimulator, patience: timedelta) -> Iterator[Post]:
    house.trust = replace(house.trust, anchors=(*house.trust.anchors, issuer.root.certificate))
    sim.mood, sim.asked, sim._now = Mood.CLOSES, 0, lambda: house.clock.now() + AHEAD
    # The first refuses every connection.
    authorities = [Tsa(name="tsa-0", url="http://127.0.0.1:1/"), Tsa(name="tsa-1", url=sim.url)]
    stamper = AuthorityStamper(authorities, trust=lambda: house.trust, clock=house.clock, timeout=patience)
    yield Post(house, sim, stamper, house.service(stamper=stamper))
    sim.mood = Mood.GOOD
