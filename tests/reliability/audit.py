"""The audit chain under four writers, each killed again and again."""

from functools import partial
from pathlib import Path
from random import Random

from kernel.audit import AuditLog
from kernel.clock import SystemClock
from kernel.db import Database
from tests.reliability.databases import fresh
from tests.reliability.killing import Tell, killed_at_random, rounds, whole

WRITERS = 4


def loop(engine: str, _: Path, seconds: float, rng: Random) -> dict[str, int]:
    """Kill until the time is over; AssertionError if the chain breaks, or an entry that was acknowledged is gone."""
    with fresh(engine) as url:
        acknowledged: set[int] = set()
        kills = 0
        for _number in rounds(seconds):
            children = killed_at_random(rng, [partial(_write, url)] * WRITERS, longest=0.4)
            kills += sum(child.killed for child in children)
            told = [seq for child in children for seq in child.lines if seq]
            assert acknowledged.isdisjoint(told), "a number was given twice"
            acknowledged.update(told)
            ((entries, problems),) = whole(partial(_look, url))
            assert not problems, problems
            assert acknowledged <= set(range(1, entries + 1)), "an acknowledged entry is gone"
            # What was committed and not acknowledged any more: one entry a kill at most.
            assert entries - len(acknowledged) <= kills
    return {"kills": kills, "entries": entries}


def _write(url: str, tell: Tell) -> None:
    database, clock = Database(url), SystemClock()
    tell(0)
    while True:
        with database.begin() as conn:
            seq = AuditLog().append(conn, at=clock.now(), actor="loop", action="loop.write", target="t", facts={"n": 1})
        tell(seq)


def _look(url: str, tell: Tell) -> None:
    database = Database(url)
    with database.read() as conn:
        verdict = AuditLog().verify(conn)
    tell((verdict.entries, [str(problem) for problem in verdict.problems]))
