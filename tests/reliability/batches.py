"""Batches whose workers are killed at any moment, and whose clocks may be wrong: all sealed once, the end told.

A worker that is killed is replaced at once, as a service manager would. A clock is wrong by libfaketime where it is
installed and the database is another process, which keeps its own; else the worker's ``Clock`` is.
"""

import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from threading import Event

import sqlalchemy as sa

from kernel.clock import SystemClock
from kernel.outbox import EVENTS
from seal import store
from seal.batches import store as batch_tables
from seal.batches.model import BatchState, BatchWish, ItemWish
from seal.request import SealRequest
from tests.reliability.bench import Bench, Walking, settled
from tests.reliability.databases import fresh
from tests.reliability.killing import DONE, OVER, READY, Child, Crew, Start, Tell, rounds, whole
from tests.reliability.sealing import document, found
from tests.seal.conftest import CLERK, SEAL

HOUR = timedelta(hours=1)
_RIGHT = timedelta(0)
_PATIENCE = 300.0
"""Seconds in which nothing gets done; the longest is told. At the lowest priority a busy machine may be slow."""
_ROOT = Path(__file__).resolve().parents[2]
_FAKETIME = [
    Path(f"/usr/lib/{machine}/faketime/libfaketime.so.1") for machine in ("x86_64-linux-gnu", "aarch64-linux-gnu")
]


def loop(
    engine: str,
    folder: Path,
    seconds: float,
    rng: Random,
    *,
    documents: int | None = None,
    batch: int = 60,
    every: int = 2,
    shifts: Sequence[timedelta] = (_RIGHT, _RIGHT),
) -> dict[str, object]:
    """Kill until the time is over, or until so many ``documents`` are sealed, one batch after another.

    AssertionError if a document is lost, sealed twice, or not valid.
    """
    (folder / "objects").mkdir()
    kills = sealed = 0
    pause = 0.0
    with fresh(engine) as url:
        whole(lambda _: found(folder, url))
        began = SystemClock().now()
        for number in rounds(seconds):
            (name,) = whole(partial(_create, url, folder, str(number), batch, began))
            starts = [_member(engine, url, folder, name, began, shift) for shift in shifts]
            toll = Crew(rng, starts, every=every).run(patience=_PATIENCE)
            kills, sealed, pause = kills + toll.kills, sealed + batch, max(pause, toll.longest_pause)
            whole(partial(_look, url, folder, name, batch))
            if documents is not None and sealed >= documents:
                break
        ((verified, orphans),) = whole(partial(_settled, url, folder, sealed))
    how = {"clocks by": "libfaketime" if _by_library(engine) else "Clock"} if any(shifts) else {}
    return {
        "kills": kills,
        "documents": sealed,
        "verified anew": verified,
        "files nobody was given": orphans,
        "longest pause s": round(pause, 1),
        **how,
    }


def _member(engine: str, url: str, folder: Path, batch: str, began: datetime, shift: timedelta) -> Start:
    library = _by_library(engine)
    if not shift or library is None:
        return partial(Child.start, partial(work, url, folder, batch, began, shift))
    command = [sys.executable, "-m", __name__, url, str(folder), batch, began.isoformat()]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(_ROOT),
        "LD_PRELOAD": str(library),
        "FAKETIME": f"{shift.total_seconds():+.0f}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    return partial(Child.run, command, environment)


def _by_library(engine: str) -> Path | None:
    # SQLite takes the time of the process that asks: there the worker's clock and the database's cannot differ.
    return next((each for each in _FAKETIME if each.exists()), None) if engine == "postgresql" else None


def _create(url: str, folder: Path, name: str, documents: int, began: datetime, tell: Tell) -> None:
    bench = Bench(url, folder, Walking(began))
    files = [bench.batches.upload(document(f"{name}-{each}"), CLERK).sm3 for each in range(documents)]
    items = [ItemWish(content=sm3, request=SealRequest(document=b"", seal=SEAL)) for sm3 in files]
    tell(bench.batches.create(BatchWish(seal=SEAL, items=items), CLERK).id)


def work(url: str, folder: Path, batch: str, began: datetime, shift: timedelta, tell: Tell) -> None:
    """Work until the batch is completed."""
    bench, pause = Bench(url, folder, Walking(began, shift)), Event()
    tell(READY)
    while True:
        if bench.worker.step():
            tell(DONE)
        elif bench.batches.find(batch, CLERK).state is BatchState.COMPLETED:
            return tell(OVER)
        else:
            pause.wait(0.05)


def _look(url: str, folder: Path, batch: str, count: int, _: Tell) -> None:
    """Examine one batch: each item its own document, sealed under its own key; the end told once."""
    bench = Bench(url, folder)
    with bench.db.read() as conn:
        rows = conn.execute(
            sa.select(batch_tables.ITEMS.c.position, batch_tables.ITEMS.c.content, store.SEALINGS)
            .join(batch_tables.OUTCOMES, sa.and_(*_same_item()))
            .join(store.SEALINGS, store.SEALINGS.c.id == batch_tables.OUTCOMES.c.sealing)
            .where(batch_tables.ITEMS.c.batch == batch, batch_tables.OUTCOMES.c.failure.is_(None))
        ).all()
        told = conn.execute(sa.select(EVENTS.c.id).where(EVENTS.c.key == f"batch:{batch}")).all()
    assert len(rows) == count, f"{count - len(rows)} documents were lost"
    for row in rows:
        assert row.content == row.document_before, "an item's sealing is of another document"
        assert row.idempotency_key == f"batch:{batch}:{row.position}"
    assert len(told) == 1, "the end of the batch was not told once"


def _same_item() -> list[sa.ColumnElement[bool]]:
    items, outcomes = batch_tables.ITEMS.c, batch_tables.OUTCOMES.c
    return [outcomes.batch == items.batch, outcomes.position == items.position]


def _settled(url: str, folder: Path, sealed: int, tell: Tell) -> None:
    bench = Bench(url, folder)
    verified = settled(bench, sealed)
    # A worker that died between the file and its completion leaves one that nobody was given; its item has another.
    on_disk = sum(path.is_file() for path in (folder / "objects").rglob("*"))
    tell((verified, on_disk - 2 * sealed))


def main(url: str, folder: str, batch: str, began: str) -> None:
    """Be a worker with whatever clock the process was given."""

    def tell(fact: object) -> None:
        os.write(sys.stdout.fileno(), json.dumps(fact).encode() + b"\n")

    work(url, Path(folder), batch, datetime.fromisoformat(began), _RIGHT, tell)


if __name__ == "__main__":
    main(*sys.argv[1:])
