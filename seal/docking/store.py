"""What docking keeps: what is to be reported of a seal, every attempt at it and every answer.

All rows are facts: inserted, never updated. How far a report came is derived from them. Functions take the caller's
connection and neither begin nor commit.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from kernel.db import METADATA, Instant, database_now, record
from seal import store
from seal.docking.national.model import INVALID_TYPES, Event
from seal.versions import VERSIONS

DOCKINGS = sa.Table(
    "seal_dockings",
    METADATA,
    sa.Column("seal", sa.ForeignKey(store.SEALS.c.id), primary_key=True),
    # Reports of one seal are sent in this order.
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("event", sa.String(20), nullable=False),
    # What made it due: one deed is reported once, whoever notices it.
    sa.Column("cause", sa.String(100), nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("due_at", Instant, nullable=False),
    sa.UniqueConstraint("seal", "event", "cause"),
)
ATTEMPTS = sa.Table(
    "seal_docking_attempts",
    METADATA,
    sa.Column("seal", sa.String(14), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("attempt", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("begun_at", Instant, nullable=False),
    # In the database's time.
    sa.Column("lease_ends", Instant, nullable=False),
    sa.ForeignKeyConstraint(["seal", "number"], [DOCKINGS.c.seal, DOCKINGS.c.number]),
)
ANSWERS = sa.Table(
    "seal_docking_answers",
    METADATA,
    sa.Column("seal", sa.String(14), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("attempt", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("state", sa.String(20), nullable=False),
    # Ours where there was none of the platform's.
    sa.Column("code", sa.String(100), nullable=False),
    sa.Column("request_id", sa.String(100)),
    sa.Column("at", Instant, nullable=False),
    sa.Column("next_at", Instant),
    sa.ForeignKeyConstraint(["seal", "number", "attempt"], [ATTEMPTS.c.seal, ATTEMPTS.c.number, ATTEMPTS.c.attempt]),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowVersion:
    """A seal made anew: when, and by which affair."""

    seal: str
    affair: str
    made_at: datetime


class State(StrEnum):
    """How far a report came."""

    DUE = "due"
    SENDING = "sending"
    REPORTED = "reported"
    REFUSED = "refused"
    """The platform, or its form, said no: an operator mends the cause."""
    WAITING = "waiting"
    """Nothing was done there; it is tried again."""
    UNKNOWN = "unknown"
    """It may have been done: that is looked up before it is sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Docking:
    """One thing the platform is to be told of a seal."""

    seal: str
    number: int
    event: str
    cause: str
    reason: str
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one attempt."""

    seal: str
    number: int
    attempt: int
    state: str
    code: str
    request_id: str | None
    at: datetime
    next_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A report, how often it was tried, and the answer that counts: a success, else the last one."""

    docking: Docking
    state: State
    attempts: int
    answer: Answer | None
    doubtful: bool
    """Whether any attempt may have come through without our knowing."""


def add(conn: sa.Connection, docking: Docking) -> None:
    """Record what is due."""
    fields = {name: getattr(docking, name) for name in ("seal", "number", "event", "cause", "reason", "due_at")}
    store.insert(conn, DOCKINGS, **fields)


def find(conn: sa.Connection, seal: str, event: Event, cause: str) -> Docking | None:
    """Find what one cause made due."""
    query = sa.select(DOCKINGS).where(
        DOCKINGS.c.seal == seal, DOCKINGS.c.event == event.value, DOCKINGS.c.cause == cause
    )
    row = conn.execute(query).first()
    return record(Docking, row) if row else None


def next_number(conn: sa.Connection, seal: str) -> int:
    """Give the seal's next number; the seal must be locked."""
    last = conn.execute(sa.select(sa.func.max(DOCKINGS.c.number)).where(DOCKINGS.c.seal == seal)).scalar_one()
    return (last or 0) + 1


def list_dockings(conn: sa.Connection, *, seal: str | None, after: tuple[str, int], limit: int) -> tuple[Docking, ...]:
    """List reports by seal and number, those of one seal or all, from the one after ``after`` on."""
    query = sa.select(DOCKINGS).order_by(DOCKINGS.c.seal, DOCKINGS.c.number).limit(limit)
    query = query.where(sa.tuple_(DOCKINGS.c.seal, DOCKINGS.c.number) > sa.tuple_(*map(sa.literal, after)))
    if seal is not None:
        query = query.where(DOCKINGS.c.seal == seal)
    return tuple(record(Docking, row) for row in conn.execute(query))


def _unreported() -> sa.ColumnElement[bool]:
    reported = sa.select(ANSWERS.c.seal).where(
        ANSWERS.c.seal == DOCKINGS.c.seal,
        ANSWERS.c.number == DOCKINGS.c.number,
        ANSWERS.c.state == State.REPORTED.value,
    )
    return ~reported.exists()


def open_seals(conn: sa.Connection, *, after: str, limit: int) -> tuple[str, ...]:
    """List the seals with a report that has not succeeded, by number."""
    query = sa.select(DOCKINGS.c.seal).where(_unreported(), DOCKINGS.c.seal > after)
    return tuple(conn.execute(query.distinct().order_by(DOCKINGS.c.seal).limit(limit)).scalars())


def earliest_open(conn: sa.Connection, seal: str) -> Progress | None:
    """Find the seal's first report that has not succeeded: those after it wait for it."""
    query = sa.select(DOCKINGS).where(_unreported(), DOCKINGS.c.seal == seal).order_by(DOCKINGS.c.number).limit(1)
    row = conn.execute(query).first()
    return progress(conn, record(Docking, row)) if row else None


def deactivated_before(conn: sa.Connection, docking: Docking) -> bool:
    """Tell whether an earlier report put the seal out of force already."""
    query = sa.select(DOCKINGS.c.number).where(
        DOCKINGS.c.seal == docking.seal,
        DOCKINGS.c.number < docking.number,
        DOCKINGS.c.event.in_([event.value for event in INVALID_TYPES]),
    )
    return conn.execute(query.limit(1)).first() is not None


def progress(conn: sa.Connection, docking: Docking) -> Progress:
    """Derive how far a report came."""
    mine = {"seal": docking.seal, "number": docking.number}
    begun = conn.execute(sa.select(ATTEMPTS).filter_by(**mine).order_by(ATTEMPTS.c.attempt)).all()
    told = [
        record(Answer, row) for row in conn.execute(sa.select(ANSWERS).filter_by(**mine).order_by(ANSWERS.c.attempt))
    ]
    answered = {each.attempt for each in told}
    now = database_now(conn)
    silent = [row for row in begun if row.attempt not in answered]
    success = next((each for each in told if each.state == State.REPORTED), None)
    state = _state(success, silent, told, now)
    doubtful = bool(silent) or any(each.state == State.UNKNOWN for each in told)
    last = success or (told[-1] if told else None)
    return Progress(docking=docking, state=state, attempts=len(begun), answer=last, doubtful=doubtful)


def _state(
    success: Answer | None, silent: "list[sa.Row[tuple[object, ...]]]", told: list[Answer], now: datetime
) -> State:
    if success is not None:
        return State.REPORTED
    if any(row.lease_ends > now for row in silent):
        return State.SENDING
    if silent and (not told or silent[-1].attempt > told[-1].attempt):
        return State.UNKNOWN
    return State(told[-1].state) if told else State.DUE


def begin(conn: sa.Connection, docking: Docking, attempt: int, at: datetime, lease: timedelta) -> None:
    """Record that an attempt begins; its lease runs in the database's time."""
    ends = store.lease_end(conn, lease)
    store.insert(
        conn, ATTEMPTS, seal=docking.seal, number=docking.number, attempt=attempt, begun_at=at, lease_ends=ends
    )


def unreported_changes(conn: sa.Connection, *, limit: int) -> tuple[store.StatusChange, ...]:
    """List status changes that no report speaks of and that the platform may have to hear of, by seal and number."""
    changes = store.STATUS_CHANGES
    cause = sa.literal(STATUS_CAUSE) + sa.cast(changes.c.number, sa.String)
    earlier = changes.alias("earlier")
    active_before = sa.select(earlier.c.seal).where(
        earlier.c.seal == changes.c.seal, earlier.c.number < changes.c.number, earlier.c.status == "active"
    )
    spoken = sa.select(DOCKINGS.c.seal).where(DOCKINGS.c.seal == changes.c.seal, DOCKINGS.c.cause == cause)
    wanted = sa.or_(
        sa.and_(changes.c.status == "active", ~active_before.exists()),
        sa.and_(changes.c.status.in_(tuple(EVENTS_OF_STATUS)), active_before.exists()),
    )
    query = sa.select(changes).where(wanted, ~spoken.exists()).order_by(changes.c.seal, changes.c.number).limit(limit)
    return tuple(record(store.StatusChange, row) for row in conn.execute(query))


def unreported_versions(conn: sa.Connection, *, limit: int) -> tuple[RowVersion, ...]:
    """List makings anew, after the seal was first active, that no report speaks of: new validity or certificates."""
    versions, changes = VERSIONS, store.STATUS_CHANGES
    active_before = sa.select(changes.c.seal).where(
        changes.c.seal == versions.c.seal, changes.c.status == "active", changes.c.at <= versions.c.made_at
    )
    cause = sa.literal(AFFAIR_CAUSE) + versions.c.affair
    spoken = sa.select(DOCKINGS.c.seal).where(
        DOCKINGS.c.seal == versions.c.seal, DOCKINGS.c.event == Event.RENEWAL.value, DOCKINGS.c.cause == cause
    )
    query = sa.select(versions.c.seal, versions.c.affair, versions.c.made_at).where(active_before.exists())
    # Nothing is known to bring a seal back that is out of force there: a lost one made anew is an operator's matter.
    ended = sa.select(changes.c.seal).where(
        changes.c.seal == versions.c.seal, changes.c.status.in_(tuple(EVENTS_OF_STATUS))
    )
    query = query.where(~spoken.exists(), ~ended.exists()).order_by(versions.c.seal, versions.c.number).limit(limit)
    return tuple(record(RowVersion, row) for row in conn.execute(query))


AFFAIR_CAUSE = "affair:"
STATUS_CAUSE = "status:"
EVENTS_OF_STATUS = {"revoked": Event.REVOKED, "lost": Event.LOST}
"""The first time a seal is active it is released. A seal that never was is no business of the platform's,
and one that is destroyed was revoked before: it is out of force there already."""


def event_of(change: store.StatusChange) -> Event:
    """Say what a change that ``unreported_changes`` gave is to the platform."""
    return EVENTS_OF_STATUS.get(change.status, Event.RELEASE)
