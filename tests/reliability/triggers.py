"""Failing statements: a trigger lets the n-th change of a kind to one table fail, and every later one.

Which statements there are is found out by watching each story once with nothing failing. Then each is told again for
every one of them: whatever was promised half must not be seen, what was begun is listed as unsealed, and once the
trigger is gone the same request ends as if nothing had been.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random

import sqlalchemy as sa

from kernel.audit import entries
from kernel.db import METADATA, Database, database_now
from kernel.errors import Refusal
from kernel.ids import new_id
from kernel.jobs import JOBS
from kernel.outbox import EVENTS
from seal import store
from seal.batches import store as tables
from seal.batches.model import BatchState, BatchWish, ItemWish
from seal.model import Report
from seal.request import SealRequest
from seal.store import Progress
from seal.webhooks.model import Endpoint, EventType
from seal.webhooks.store import add_endpoint
from tests.reliability.bench import Bench, settled
from tests.reliability.databases import fresh
from tests.reliability.killing import Tell, whole
from tests.reliability.sealing import document, found
from tests.seal.conftest import CLERK, SEAL, START

_OPERATIONS = ("INSERT", "UPDATE", "DELETE")
_STEPS = 40
"""More than any story takes."""
# Names of our own tables are put in.
_NOTING = "BEGIN INSERT INTO seen VALUES ('{name}', '{operation}'); END"
_MET = "(SELECT count(*) FROM seen WHERE name = '{name}' AND operation = '{operation}') >= {most}"
_WATCHED = """CREATE FUNCTION watched() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN INSERT INTO seen VALUES (TG_TABLE_NAME, TG_OP); RETURN NULL; END$$"""
_INJECTED = """CREATE FUNCTION injected() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN
  IF {met} THEN RAISE EXCEPTION 'injected' USING ERRCODE = 'disk_full'; END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END$$"""


@dataclass(frozen=True)
class Fault:
    """The ``number``-th change of this kind to this table fails, and every later one."""

    table: str
    operation: str
    number: int


class Died(BaseException):
    """What a process that is killed looks like from within."""


class Triggers:
    """Watches every table of a database, and lets statements fail inside it, as a bad block or a full disk would."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._postgresql = db.dialect == "postgresql"
        _listen(db)
        self._run("CREATE TABLE seen (name TEXT, operation TEXT)")
        if self._postgresql:
            self._run(_WATCHED)
        noting = "EXECUTE FUNCTION watched()" if self._postgresql else _NOTING
        for name in METADATA.tables:
            for operation in _OPERATIONS:
                watch = f"CREATE TRIGGER watch_{name}_{operation} AFTER {operation} ON {name} FOR EACH ROW "
                self._run(watch + noting.format(name=name, operation=operation))

    def _run(self, *statements: str) -> None:
        with self._db.begin() as conn:
            for statement in statements:
                conn.exec_driver_sql(statement)

    def seen(self) -> dict[tuple[str, str], int]:
        """Tell how many rows of which table were changed in which way since this was last asked."""
        with self._db.begin() as conn:
            query = sa.text("SELECT name, operation, count(*) FROM seen GROUP BY name, operation")
            found = {(row[0], row[1]): row[2] for row in conn.execute(query)}
            conn.exec_driver_sql("DELETE FROM seen")
        return found

    @contextmanager
    def failing(self, fault: Fault) -> Iterator[None]:
        """Let statements fail while the block runs; forgets what was seen before."""
        self.seen()
        name, operation = fault.table, fault.operation
        met = _MET.format(name=name, operation=operation, most=fault.number - 1)
        if self._postgresql:
            make = [
                _INJECTED.format(met=met),
                f"CREATE TRIGGER injected BEFORE {operation} ON {name} FOR EACH ROW EXECUTE FUNCTION injected()",
            ]
            drop = "DROP FUNCTION injected CASCADE"
        else:
            before = f"CREATE TRIGGER injected BEFORE {operation} ON {name} WHEN {met}"
            make = [f"{before} BEGIN SELECT RAISE(ABORT, 'injected'); END"]
            drop = "DROP TRIGGER injected"
        self._run(*make)
        try:
            yield
        finally:
            self._run(drop)


def _listen(db: Database) -> None:
    """Let somebody want to hear of everything, so that events become jobs."""
    with db.begin() as conn:
        endpoint = Endpoint(
            id=new_id(),
            client=CLERK.subject,
            organisation=None,
            url="https://127.0.0.1/hook",
            events=frozenset(EventType),
            created_at=START - timedelta(days=1),
        )
        add_endpoint(conn, endpoint)


# --- stories ---------------------------------------------------------------------------------------------------


def _asked(key: str) -> SealRequest:
    return SealRequest(document=document(key), seal=SEAL, idempotency_key=key)


def _seal(bench: Bench, key: str) -> None:
    bench.sealing.seal(_asked(key), CLERK)


def _rejected(bench: Bench, key: str) -> None:
    """Have a sealing refused by our own verifier, then try again."""
    with bench.judging(lambda report: replace(report, signatures=())), suppress(Refusal):
        _seal(bench, key)
    _seal(bench, key)


def _swept(bench: Bench, key: str) -> None:
    """Leave a sealing in the middle, as one who is killed does; the sweeper takes it up."""

    def dies(_: Report) -> Report:
        raise Died

    with bench.judging(dies), suppress(Died):
        _seal(bench, key)
    bench.unsealed.sweep()
    _seal(bench, key)


def _batch(bench: Bench, key: str) -> None:
    contents = [bench.batches.upload(document(f"{key}-{place}"), CLERK).sm3 for place in range(2)]
    items = [ItemWish(content=each, request=SealRequest(document=b"", seal=SEAL)) for each in contents]
    made = bench.batches.create(BatchWish(seal=SEAL, items=items, idempotency_key=key), CLERK)
    _hurry(bench)
    bench.worker.drain(_STEPS)
    if bench.batches.find(made.id, CLERK).state is not BatchState.COMPLETED:
        raise Unfinished


class Unfinished(Exception):
    """A batch did not come to its end: nobody is told, its jobs will be taken again."""


def _hurry(bench: Bench) -> None:
    """Let the time pass after which jobs are taken again."""
    with bench.db.begin() as conn:
        late = JOBS.c.kind == "seal.batch_item", JOBS.c.due > database_now(conn)
        if conn.execute(sa.select(JOBS.c.id).where(*late)).first():
            conn.execute(sa.update(JOBS).where(*late).values(due=database_now(conn), owner=None))


STORIES: Mapping[str, tuple[Callable[[Bench, str], None], int]] = {
    "sealing": (_seal, 1),
    "refused, then sealed": (_rejected, 1),
    "cut off, then swept": (_swept, 1),
    "batch": (_batch, 2),
}
"""What is told, and how many sealings come of it."""


# --- looking ---------------------------------------------------------------------------------------------------


def consistent(bench: Bench) -> tuple[Progress, ...]:
    """Examine that nothing stands half; give the sealings that are not completed, all of which are listed."""
    with bench.db.read() as conn:

        def all_of(*columns: sa.ColumnElement[object]) -> list[tuple[object, ...]]:
            return sorted(tuple(row) for row in conn.execute(sa.select(*columns)))

        def logged(action: str) -> list[tuple[object, ...]]:
            return sorted(tuple(row) for row in conn.execute(_told(action)))

        def events(start: str) -> list[str]:
            keys = conn.execute(sa.select(EVENTS.c.key).where(EVENTS.c.key.like(f"{start}%"))).scalars()
            return sorted(map(str, keys))

        sealings, completions = all_of(store.SEALINGS.c.id), all_of(store.COMPLETIONS.c.sealing)
        failures = all_of(store.FAILURES.c.sealing, store.FAILURES.c.number)
        assert sealings == all_of(store.SOURCES.c.sealing), "an intent without what was asked for"
        assert sealings == sorted({row[:1] for row in all_of(store.ATTEMPTS.c.sealing, store.ATTEMPTS.c.number)})
        assert sealings == logged("seal.sealing.intended"), "an intent without its entry in the log, or the reverse"
        assert completions == logged("seal.sealing.completed"), "a completion without its entry in the log"
        assert sorted(row[:1] for row in failures) == logged("seal.sealing.failed"), "a failure without its entry"
        told = [f"sealing:{each}" for (each,) in completions]
        told += [f"sealing:{each}:failed:{number}" for each, number in failures]
        assert sorted(told) == events("sealing:"), "an event without what it tells of, or the reverse"
        ended = all_of(tables.OUTCOMES.c.batch, tables.OUTCOMES.c.position)
        jobs = set(conn.execute(sa.select(JOBS.c.key).where(JOBS.c.kind == "seal.batch_item")).scalars())
        items = all_of(tables.ITEMS.c.batch, tables.ITEMS.c.position)
        waiting = {f"{batch}:{position}" for batch, position in items if (batch, position) not in ended}
        assert jobs == waiting, "an item without its job, or a job without its item"
        batches = conn.execute(sa.select(tables.BATCHES.c.id, tables.BATCHES.c.total)).all()
        for batch, total in batches:
            assert sum(item[0] == batch for item in items) == total, "a batch without all of its items"
        assert sorted((batch,) for batch, _ in batches) == logged("seal.batch.created")
        assert logged("seal.batch.completed") == [(each.removeprefix("batch:"),) for each in events("batch:")]
        assert bench.audit.verify(conn).holds
        files = conn.execute(sa.select(store.COMPLETIONS.c.object_key)).scalars().all()
    assert all(map(bench.objects.has, files))
    open_now = {each for (each,) in sealings} - {each for (each,) in completions}
    listed = bench.unsealed.list(CLERK, limit=1000)
    assert {each.intent.id for each in listed} == open_now, "what was begun and not completed is not all listed"
    return listed


def _told(action: str) -> sa.Select[tuple[str]]:
    return sa.select(entries.c.target).where(entries.c.action == action)


# --- telling ---------------------------------------------------------------------------------------------------


def tell(bench: Bench, triggers: Triggers, name: str, *, new_to: set[tuple[str, str]] | None = None) -> tuple[int, int]:
    """Tell one story with each of its statements failing; give how many failed and how many sealings were made.

    With ``new_to`` only the first change of a kind fails, and only of kinds that are not in it; they are added to it.
    """
    story, sealings = STORIES[name]
    triggers.seen()
    story(bench, f"{name} 0")
    changes = triggers.seen()
    if new_to is not None:
        changes = dict.fromkeys(changes.keys() - new_to, 1)
        new_to.update(changes)
    faults = [Fault(*each, number) for each, count in sorted(changes.items()) for number in range(1, count + 1)]
    for place, fault in enumerate(faults, 1):
        _fail(bench, triggers, partial(story, bench, f"{name} {place}"), fault)
    return len(faults), (len(faults) + 1) * sealings


def _fail(bench: Bench, triggers: Triggers, story: Callable[[], None], fault: Fault) -> None:
    try:
        with triggers.failing(fault):
            # A story ends in an error, or it did without what failed, as a sweeper's work can be done by a caller.
            with suppress(sa.exc.SQLAlchemyError, Refusal, Unfinished):
                story()
            consistent(bench)
        story()
        assert consistent(bench) == (), "a retry did not come to the end"
    except (AssertionError, sa.exc.SQLAlchemyError, Refusal, Unfinished) as error:
        raise AssertionError(f"{type(error).__name__}: {error} when {fault}") from error


def loop(engine: str, folder: Path, _: float, __: Random) -> dict[str, object]:
    """Let every statement of every story fail once; AssertionError if a half state is seen or a retry fails."""
    (folder / "objects").mkdir()
    with fresh(engine) as url:
        whole(lambda _: found(folder, url))
        ((faults, sealings),) = whole(partial(_all, url, folder))
    return {"statements failed": faults, "sealings": sealings}


def _all(url: str, folder: Path, told: Tell) -> None:
    bench = Bench(url, folder, lease=timedelta(0))
    triggers = Triggers(bench.db)
    done = [tell(bench, triggers, name) for name in STORIES]
    faults, sealings = map(sum, zip(*done, strict=True))
    settled(bench, sealings)
    told((faults, sealings))
