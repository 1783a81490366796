"""Jobs: what is still to be done, one row each, taken by one worker at a time for as long as a lease lasts.

A job is a note that something is due, never the fact itself: handlers look at the facts, do what they still ask
for, and may be called again for what is done already. Leases run on the database's time; the same statements serve
SQLite, where writers take turns, and PostgreSQL, where workers pass over rows that another has locked.
"""

import random
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from kernel.db import METADATA, Database, Instant, database_now, insert_new, record
from kernel.ids import new_id

_log = structlog.get_logger("xinyin.jobs")
LEASE = timedelta(minutes=2)
IDLE = timedelta(seconds=1)
FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(minutes=10)
_AT_ONCE = 500

JOBS = sa.Table(
    "jobs",
    METADATA,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("kind", sa.String(50), nullable=False),
    sa.Column("key", sa.String(200), nullable=False),
    # What the job belongs to, so that all of it can be put off at once.
    sa.Column("series", sa.String(26), index=True),
    # When it may be taken; while somebody has it, the end of their lease. In the database's time.
    sa.Column("due", Instant, nullable=False, index=True),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("owner", sa.String(26)),
    sa.UniqueConstraint("kind", "key"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job in hand: until ``due`` nobody else takes it."""

    id: str
    kind: str
    key: str
    series: str | None
    due: datetime
    attempt: int
    owner: str


Handler = Callable[[Job], timedelta | None]
"""Does a job: None if it is done with, else after how long it is to be taken again. May be called twice for one job."""


class Jobs:
    """The list of jobs. Methods with a connection work within the caller's transaction.

    All workers on one list give leases of the same length.
    """

    def __init__(self, db: Database, *, lease: timedelta = LEASE) -> None:
        self._db = db
        self._lease = lease

    @staticmethod
    def put(
        conn: sa.Connection,
        kind: str,
        keys: Iterable[str],
        *,
        series: str | None = None,
        after: timedelta = timedelta(0),
    ) -> int:
        """Note what is to be done; what is noted already stays as it is. Tell how many are new."""
        due = database_now(conn) + after
        return insert_new(
            conn,
            JOBS,
            [
                {"id": new_id(), "kind": kind, "key": key, "series": series, "due": due, "attempt": 0, "owner": None}
                for key in keys
            ],
        )

    @staticmethod
    def drop(conn: sa.Connection, series: str) -> int:
        """Strike out the jobs of a series that nobody has in hand."""
        free = sa.or_(JOBS.c.owner.is_(None), JOBS.c.due <= database_now(conn))
        return conn.execute(sa.delete(JOBS).where(JOBS.c.series == series, free)).rowcount

    def claim(self, kinds: Iterable[str], owner: str) -> Job | None:
        """Take the job that has been due longest; None if none of ``kinds`` is due."""
        with self._db.begin() as conn:
            now = database_now(conn)
            taken = self._take(conn, now, owner, 1, JOBS.c.kind.in_(tuple(kinds)))
        return taken[0] if taken else None

    def claim_beside(self, job: Job, most: int) -> tuple[Job, ...]:
        """Take up to ``most`` others of the series and kind of ``job`` that were never begun."""
        alike = (JOBS.c.kind == job.kind, JOBS.c.series == job.series, JOBS.c.attempt == 0, JOBS.c.id != job.id)
        with self._db.begin() as conn:
            return self._take(conn, database_now(conn), job.owner, most, *alike)

    def _take(
        self, conn: sa.Connection, now: datetime, owner: str, most: int, *which: sa.ColumnElement[bool]
    ) -> tuple[Job, ...]:
        # Nobody can hold a job for longer than a lease: one that says so was taken before the clock was set back.
        adrift = sa.and_(JOBS.c.owner.is_not(None), JOBS.c.due > now + 2 * self._lease)
        first = (
            sa.select(JOBS.c.id)
            .where(sa.or_(JOBS.c.due <= now, adrift), *which)
            .order_by(JOBS.c.due)
            .limit(most)
            .with_for_update(skip_locked=True)
            # Named, so that it is looked up once: looked up again, it would lock more rows.
            .cte("first")
        )
        taken = (
            sa.update(JOBS)
            .where(JOBS.c.id.in_(sa.select(first.c.id)))
            .values(owner=owner, due=now + self._lease, attempt=JOBS.c.attempt + 1)
            .returning(*JOBS.c)
        )
        return tuple(record(Job, row) for row in conn.execute(taken).all())

    @staticmethod
    def any_of(conn: sa.Connection, series: str) -> bool:
        """Tell whether a series has jobs, in hand or not."""
        return conn.execute(sa.select(JOBS.c.id).where(JOBS.c.series == series).limit(1)).first() is not None

    @staticmethod
    def done(conn: sa.Connection, job: Job) -> bool:
        """Strike out a job; False if it is not in our hands any more."""
        return conn.execute(sa.delete(JOBS).where(*_ours(job))).rowcount == 1

    @staticmethod
    def again(conn: sa.Connection, job: Job, after: timedelta) -> bool:
        """Put a job back, to be taken after a while; False if it is not in our hands any more."""
        back = sa.update(JOBS).where(*_ours(job)).values(owner=None, due=database_now(conn) + after)
        return conn.execute(back).rowcount == 1

    @staticmethod
    def settle(conn: sa.Connection, jobs: Sequence[Job], again: Mapping[str, timedelta]) -> None:
        """Strike out jobs that were taken together; those whose ids are in ``again`` are put back for a while."""
        if over := [job for job in jobs if job.id not in again]:
            owners = {job.owner for job in over}
            conn.execute(sa.delete(JOBS).where(JOBS.c.id.in_([job.id for job in over]), JOBS.c.owner.in_(owners)))
        for job in jobs:
            if job.id in again:
                Jobs.again(conn, job, again[job.id])

    def finish(self, job: Job, after: timedelta | None) -> bool:
        """Strike a job out, or put it back if ``after`` is given, in a transaction of its own."""
        with self._db.begin() as conn:
            return self.done(conn, job) if after is None else self.again(conn, job, after)


def _ours(job: Job) -> tuple[sa.ColumnElement[bool], ...]:
    # Owners are one claim's alone: a lease that ended and was taken by the same process is another's.
    return JOBS.c.id == job.id, JOBS.c.owner == job.owner


class Worker:
    """Takes jobs one after another and does them."""

    def __init__(self, jobs: Jobs, handlers: Mapping[str, Handler], *, idle: timedelta = IDLE) -> None:
        self._jobs = jobs
        self._handlers = dict(handlers)
        self._idle = idle

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set: what is in hand is finished, and nothing new is taken."""
        while not stop.is_set():
            try:
                worked = self.step()
            except Exception:  # noqa: BLE001 - the loop's edge: the database may be back in a moment
                _log.exception("no_job_taken")
                worked = False
            if not worked:
                stop.wait(self._idle.total_seconds())

    def step(self) -> bool:
        """Do one job; False if none was due."""
        job = self._jobs.claim(self._handlers, new_id())
        if job is None:
            return False
        # False where the handler has settled its job along with the facts, or another took it over: both are well.
        self._jobs.finish(job, self._handled(job))
        return True

    def drain(self, most: int = _AT_ONCE) -> int:
        """Do jobs until none is due, or ``most``; tell how many."""
        done = 0
        while done < most and self.step():
            done += 1
        return done

    def _handled(self, job: Job) -> timedelta | None:
        try:
            return self._handlers[job.kind](job)
        except Exception:  # noqa: BLE001 - a bug in one job must not keep the others waiting
            _log.exception("job_failed", kind=job.kind, attempt=job.attempt)
            return delay(job.attempt)


def delay(attempt: int, *, first: timedelta = FIRST_DELAY, longest: timedelta = LONGEST_DELAY) -> timedelta:
    """Tell how long to wait after the ``attempt``-th failure: doubling up to ``longest``, a quarter of it by lot."""
    whole: timedelta = min(first * 2 ** min(max(attempt - 1, 0), 30), longest)
    return whole * random.uniform(0.75, 1.0)  # noqa: S311 - spreads load, guards nothing
