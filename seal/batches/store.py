"""What batches keep: uploads, batches, items, steps and outcomes. All are facts; states are derived from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kernel.db import METADATA, Instant, database_now, record
from kernel.jobs import JOBS
from seal.batches.model import ITEM, Batch, BatchState, Item, ItemState, Step, Tally
from seal.store import COMPLETIONS, SEALINGS, SEALS

UPLOADS = sa.Table(
    "seal_uploads",
    METADATA,
    sa.Column("id", sa.String(26), primary_key=True),
    # Whose file it is: the organisation, or the caller who acts for none.
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("sm3", sa.String(64), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("caller", sa.String(200), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    # Whether the file was found harmless to seal when it came; None: by an older version, which looked later.
    sa.Column("examined", sa.Boolean),
    sa.Index("ix_seal_uploads_owner_sm3", "owner", "sm3"),
)
BATCHES = sa.Table(
    "seal_batches",
    METADATA,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("seal", sa.ForeignKey(SEALS.c.id), nullable=False),
    sa.Column("caller", sa.String(200), nullable=False),
    sa.Column("caller_kind", sa.String(20), nullable=False),
    sa.Column("organisation", sa.String(18)),
    sa.Column("source", sa.String(50), nullable=False),
    sa.Column("stop_on_error", sa.Boolean, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("idempotency_key", sa.String(200)),
    sa.Column("request_hash", sa.String(64), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    # From where, and by whose hand, it was asked for: each of its uses is told with them.
    sa.Column("client_address", sa.String(64)),
    sa.Column("person", sa.String(200)),
    sa.UniqueConstraint("caller", "idempotency_key"),
)
ITEMS = sa.Table(
    "seal_batch_items",
    METADATA,
    sa.Column("batch", sa.ForeignKey(BATCHES.c.id), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    # What the source makes the document from: for files their SM3.
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("asked", sa.Text, nullable=False),
)
STEPS = sa.Table(
    "seal_batch_steps",
    METADATA,
    sa.Column("batch", sa.ForeignKey(BATCHES.c.id), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("step", sa.String(20), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
)
OUTCOMES = sa.Table(
    "seal_batch_outcomes",
    METADATA,
    sa.Column("batch", sa.String(26), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sealing", sa.ForeignKey(SEALINGS.c.id)),
    sa.Column("failure", sa.String(100)),
    sa.Column("detail", sa.String(500)),
    sa.Column("at", Instant, nullable=False),
    sa.ForeignKeyConstraint(["batch", "position"], [ITEMS.c.batch, ITEMS.c.position]),
)
_LOOKED_UP_AT_ONCE = 500


def insert(conn: sa.Connection, table: sa.Table, *rows: dict[str, Any]) -> None:
    """Record facts."""
    conn.execute(sa.insert(table), list(rows))


# --- uploads ---------------------------------------------------------------------------------------------------


def uploads_at_hand(conn: sa.Connection, owner: str, digests: Sequence[str], now: datetime) -> set[str]:
    """Tell which of ``digests`` were uploaded for ``owner`` and have not expired."""
    found: set[str] = set()
    for start in range(0, len(digests), _LOOKED_UP_AT_ONCE):
        part = digests[start : start + _LOOKED_UP_AT_ONCE]
        query = sa.select(UPLOADS.c.sm3).where(
            UPLOADS.c.owner == owner, UPLOADS.c.sm3.in_(part), UPLOADS.c.expires_at > now
        )
        found.update(conn.execute(query).scalars())
    return found


def examined(conn: sa.Connection, digests: Sequence[str]) -> set[str]:
    """Tell which files were examined when somebody uploaded them."""
    query = sa.select(UPLOADS.c.sm3).where(UPLOADS.c.sm3.in_(digests), UPLOADS.c.examined.is_(True))
    return set(conn.execute(query).scalars())


# --- batches ---------------------------------------------------------------------------------------------------


def lock(conn: sa.Connection, batch: str) -> None:
    """Hold a batch until the transaction ends, so that its steps and outcomes take turns."""
    conn.execute(sa.select(BATCHES.c.id).where(BATCHES.c.id == batch).with_for_update(key_share=True))


def find(conn: sa.Connection, batch: str) -> Batch | None:
    """Find a batch with its state of now."""
    return _batch(conn, BATCHES.c.id == batch)


def find_by_key(conn: sa.Connection, caller: str, idempotency_key: str) -> Batch | None:
    """Find the batch a caller asked for under an Idempotency-Key."""
    return _batch(conn, sa.and_(BATCHES.c.caller == caller, BATCHES.c.idempotency_key == idempotency_key))


def _batch(conn: sa.Connection, which: sa.ColumnElement[bool]) -> Batch | None:
    query = sa.select(BATCHES, STEPS.c.step, STEPS.c.at).join(STEPS, STEPS.c.batch == BATCHES.c.id).where(which)
    row = conn.execute(query.order_by(STEPS.c.number.desc()).limit(1)).first()
    return _as_batch(row) if row else None


def list_batches(
    conn: sa.Connection, which: sa.ColumnElement[bool], *, after: str | None, limit: int
) -> tuple[Batch, ...]:
    """List batches, newest first, from the one after ``after`` on."""
    newest = STEPS.alias("newest")
    last = sa.select(sa.func.max(newest.c.number)).where(newest.c.batch == BATCHES.c.id).scalar_subquery()
    query = (
        sa.select(BATCHES, STEPS.c.step, STEPS.c.at)
        .select_from(BATCHES)
        .join(STEPS, sa.and_(STEPS.c.batch == BATCHES.c.id, STEPS.c.number == last))
        .where(which)
        .order_by(BATCHES.c.created_at.desc(), BATCHES.c.id.desc())
        .limit(limit)
    )
    if after is not None:
        since = sa.select(BATCHES.c.created_at).where(BATCHES.c.id == after).scalar_subquery()
        same = sa.and_(BATCHES.c.created_at == since, BATCHES.c.id < after)
        query = query.where(sa.or_(BATCHES.c.created_at < since, same))
    return tuple(map(_as_batch, conn.execute(query)))


def _as_batch(row: "sa.Row[*tuple[Any, ...]]") -> Batch:
    return record(Batch, {**row._asdict(), "state": Step(row.step).state, "state_since": row.at})


def add_step(conn: sa.Connection, batch: str, step: Step, at: datetime, actor: str) -> None:
    """Record a step; the batch must be locked, or new."""
    last = conn.execute(sa.select(sa.func.max(STEPS.c.number)).where(STEPS.c.batch == batch)).scalar_one()
    insert(conn, STEPS, {"batch": batch, "number": (last or 0) + 1, "step": step.value, "at": at, "actor": actor[:200]})


def open_positions(conn: sa.Connection, batch: str) -> Sequence[int]:
    """List the items that came to no end."""
    query = (
        sa.select(ITEMS.c.position)
        .outerjoin(OUTCOMES, sa.and_(OUTCOMES.c.batch == ITEMS.c.batch, OUTCOMES.c.position == ITEMS.c.position))
        .where(ITEMS.c.batch == batch, OUTCOMES.c.batch.is_(None))
        .order_by(ITEMS.c.position)
    )
    return conn.execute(query).scalars().all()


def ended(conn: sa.Connection, batch: str, positions: Sequence[int]) -> set[int]:
    """Tell which items came to an end."""
    query = sa.select(OUTCOMES.c.position).where(OUTCOMES.c.batch == batch, OUTCOMES.c.position.in_(positions))
    return set(conn.execute(query).scalars())


def tally(conn: sa.Connection, batch: Batch) -> Tally:
    """Count a batch's items; what failed first and was sealed later is sealed."""
    query = (
        sa.select(sa.func.count(COMPLETIONS.c.sealing), sa.func.count())
        .select_from(OUTCOMES)
        .outerjoin(COMPLETIONS, COMPLETIONS.c.sealing == OUTCOMES.c.sealing)
        .where(OUTCOMES.c.batch == batch.id)
    )
    sealed, ended = conn.execute(query).one()
    return Tally(total=batch.total, sealed=sealed, failed=ended - sealed)


# --- items -----------------------------------------------------------------------------------------------------

_JOB_KEY = ITEMS.c.batch + sa.literal(":") + sa.cast(ITEMS.c.position, sa.String)
_ITEMS = (
    sa.select(
        ITEMS,
        OUTCOMES.c.sealing,
        OUTCOMES.c.failure,
        OUTCOMES.c.detail,
        OUTCOMES.c.at,
        COMPLETIONS.c.object_key.label("file"),
        SEALINGS.c.format,
        JOBS.c.owner.label("worker"),
        JOBS.c.due,
    )
    .select_from(ITEMS)
    .outerjoin(OUTCOMES, sa.and_(OUTCOMES.c.batch == ITEMS.c.batch, OUTCOMES.c.position == ITEMS.c.position))
    .outerjoin(SEALINGS, SEALINGS.c.id == OUTCOMES.c.sealing)
    .outerjoin(COMPLETIONS, COMPLETIONS.c.sealing == OUTCOMES.c.sealing)
    .outerjoin(JOBS, sa.and_(JOBS.c.kind == ITEM, JOBS.c.key == _JOB_KEY))
    .order_by(ITEMS.c.position)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An item as it was asked for."""

    position: int
    content: str
    asked: str


def wanted(conn: sa.Connection, batch: Batch, positions: Sequence[int]) -> tuple[Wanted, ...]:
    """Give items as they were asked for, by position."""
    columns = (ITEMS.c.position, ITEMS.c.content, ITEMS.c.asked)
    query = sa.select(*columns).where(ITEMS.c.batch == batch.id, ITEMS.c.position.in_(positions))
    return tuple(record(Wanted, row) for row in conn.execute(query.order_by(ITEMS.c.position)))


def items(conn: sa.Connection, batch: Batch, *, after: int, limit: int) -> tuple[Item, ...]:
    """List a batch's items by position, from the one after ``after`` on."""
    now = database_now(conn)
    query = _ITEMS.where(ITEMS.c.batch == batch.id, ITEMS.c.position > after).limit(limit)
    return tuple(_item(row._asdict(), batch.state, now) for row in conn.execute(query))


def _item(columns: dict[str, Any], batch: BatchState, now: datetime) -> Item:
    if columns["file"] is not None:
        state = ItemState.SEALED
        columns |= {"failure": None, "detail": None}
    elif columns["failure"] is not None:
        state = ItemState.FAILED
    elif columns["worker"] is not None and columns["due"] > now:
        state = ItemState.RUNNING
    else:
        state = ItemState.CANCELLED if batch is BatchState.CANCELLED else ItemState.WAITING
    return record(Item, {**columns, "state": state})
