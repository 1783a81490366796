"""What is kept of late time stamps: each that is owed, and what became of it. Rows are facts, as elsewhere."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from crypto.digests import DigestAlgorithm
from kernel.db import METADATA, Instant, database_now, record
from kernel.jobs import JOBS, Jobs
from seal.later.model import STAMP, Backlog, Manner, Owed, Settled, Standing, TrustedTime, Waiting
from seal.model import TimeSource
from seal.store import COMPLETIONS, SEALINGS, Completion, insert_all

OWED = sa.Table(
    "seal_stamps_owed",
    METADATA,
    # In the transaction of the completion, with the job.
    sa.Column("sealing", sa.ForeignKey(COMPLETIONS.c.sealing), primary_key=True),
    sa.Column("manner", sa.String(20), nullable=False),
    sa.Column("digest", sa.String(20), nullable=False),
    sa.Column("owed_at", Instant, nullable=False, index=True),
)
SETTLED = sa.Table(
    "seal_stamps_settled",
    METADATA,
    # One end a stamp: whatever else happens, nothing is stamped twice.
    sa.Column("sealing", sa.ForeignKey(OWED.c.sealing), primary_key=True),
    sa.Column("object_key", sa.String(64), index=True),
    sa.Column("size", sa.BigInteger),
    sa.Column("level", sa.String(10)),
    sa.Column("proved_at", Instant),
    sa.Column("authority", sa.String(100)),
    sa.Column("refusal", sa.String(500)),
    sa.Column("settled_at", Instant, nullable=False),
)
FIRST_TRY = timedelta(seconds=5)
_AFTER = timedelta(milliseconds=1)
_OPEN = SETTLED.c.sealing.is_(None)
_SINCE_SEALING = {TimeSource.TIMESTAMP.value: TrustedTime.PROVED, TimeSource.CLAIMED.value: TrustedTime.NONE}


def owe(conn: sa.Connection, stamps: Mapping[str, tuple[Manner, DigestAlgorithm]], at: datetime) -> None:
    """Put on record which stamps are owed to sealings, and that they are to be asked for."""
    if not stamps:
        return
    rows = [
        {"sealing": sealing, "manner": manner.value, "digest": digest.name, "owed_at": at}
        for sealing, (manner, digest) in stamps.items()
    ]
    insert_all(conn, OWED, rows)
    for name in {digest.name for _, digest in stamps.values()}:
        asked = [sealing for sealing, (_, digest) in stamps.items() if digest.name == name]
        # Not at once: the authorities have just failed.
        Jobs.put(conn, STAMP, asked, series=series(name), after=FIRST_TRY)


def series(digest: str) -> str:
    """Name what all stamps over such a digest belong to: the same authorities give them."""
    return f"stamps:{digest}"[:26]


def find_owed(conn: sa.Connection, sealing: str) -> Owed | None:
    """Find the stamp that is or was owed to a sealing."""
    row = conn.execute(sa.select(OWED).where(OWED.c.sealing == sealing)).one_or_none()
    return None if row is None else record(Owed, row)


def find_settled(conn: sa.Connection, sealing: str) -> Settled | None:
    """Find what became of the stamp that was owed to a sealing."""
    row = conn.execute(sa.select(SETTLED).where(SETTLED.c.sealing == sealing)).one_or_none()
    return None if row is None else record(Settled, row)


def standing_of(conn: sa.Connection, completion: Completion) -> Standing:
    """Say how a sealing's time stands, and which files there are of it."""
    settled = find_settled(conn, completion.sealing)
    if settled is not None:
        return Standing(
            trusted_time=TrustedTime.NONE if settled.object_key is None else TrustedTime.PROVED,
            level=settled.level or completion.level,
            proved_at=settled.proved_at,
            refusal=settled.refusal,
            first_key=completion.object_key,
            stamped_key=settled.object_key,
        )
    owed = find_owed(conn, completion.sealing)
    return Standing(
        trusted_time=TrustedTime.PENDING if owed else _SINCE_SEALING.get(completion.time_source or ""),
        level=completion.level,
        owed_at=owed.owed_at if owed else None,
        first_key=completion.object_key,
    )


def newest_file(conn: sa.Connection, sealing: str, first: str) -> str:
    """Give the newest file of a completed sealing, where ``first`` is the one that was handed out."""
    query = sa.select(SETTLED.c.object_key).where(SETTLED.c.sealing == sealing)
    return conn.execute(query).scalar_one_or_none() or first


def list_waiting(
    conn: sa.Connection, which: sa.ColumnElement[bool], *, after: str | None, limit: int
) -> tuple[Waiting, ...]:
    """List the sealings that wait for a stamp, longest first, from the one after ``after`` on."""
    query = (
        sa.select(SEALINGS, COMPLETIONS.c.object_key.label("file"), OWED.c.owed_at, OWED.c.sealing)
        .select_from(OWED)
        .join(SEALINGS, SEALINGS.c.id == OWED.c.sealing)
        .join(COMPLETIONS, COMPLETIONS.c.sealing == OWED.c.sealing)
        .outerjoin(SETTLED, SETTLED.c.sealing == OWED.c.sealing)
        .where(_OPEN, which)
        .order_by(OWED.c.owed_at, OWED.c.sealing)
        .limit(limit)
    )
    if after is not None:
        last = sa.select(OWED.c.owed_at).where(OWED.c.sealing == after).scalar_subquery()
        later = sa.and_(OWED.c.owed_at == last, OWED.c.sealing > after)
        query = query.where(sa.or_(OWED.c.owed_at > last, later))
    return tuple(record(Waiting, row) for row in conn.execute(query))


def backlog(conn: sa.Connection) -> Backlog:
    """Count the stamps that are owed."""
    query = (
        sa.select(sa.func.count(), sa.type_coerce(sa.func.min(OWED.c.owed_at), Instant))
        .select_from(OWED)
        .outerjoin(SETTLED, SETTLED.c.sealing == OWED.c.sealing)
        .where(_OPEN)
    )
    count, oldest = conn.execute(query).one()
    return Backlog(count=count, oldest=oldest)


def list_forgotten(conn: sa.Connection, *, limit: int) -> tuple[Owed, ...]:
    """List stamps that are owed and that no job is about."""
    query = (
        sa.select(OWED)
        .outerjoin(SETTLED, SETTLED.c.sealing == OWED.c.sealing)
        .outerjoin(JOBS, sa.and_(JOBS.c.kind == STAMP, JOBS.c.key == OWED.c.sealing))
        .where(_OPEN, JOBS.c.id.is_(None))
        .limit(limit)
    )
    return tuple(record(Owed, row) for row in conn.execute(query))


def put_off(conn: sa.Connection, digest: str, after: timedelta) -> None:
    """Let all that ask for stamps over such a digest wait as long as the one that just asked in vain, and behind it."""
    due = database_now(conn) + after + _AFTER
    # Rows that somebody is taking are left alone: two who put off never wait for one another.
    sooner = (
        sa.select(JOBS.c.id)
        .where(JOBS.c.series == series(digest), JOBS.c.owner.is_(None), JOBS.c.due < due)
        .with_for_update(skip_locked=True)
    )
    conn.execute(sa.update(JOBS).where(JOBS.c.id.in_(sooner)).values(due=due))
