"""What sealing keeps: seals, their credentials, every intent to seal, every attempt and every completion.

All rows are facts: inserted, never updated, never deleted. A seal's status at any time and a sealing's progress
are derived from them. Functions take the caller's connection and neither begin nor commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kernel.db import METADATA, Instant, database_now, record
from seal.model import SealStatus

SEALS = sa.Table(
    "seal_seals",
    METADATA,
    sa.Column("id", sa.String(14), primary_key=True),
    sa.Column("kind", sa.Integer, nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("owner", sa.String(18), nullable=False, index=True),
    sa.Column("owner_name", sa.String(200), nullable=False),
    sa.Column("valid_from", Instant, nullable=False),
    sa.Column("valid_to", Instant, nullable=False),
    sa.Column("png", sa.LargeBinary, nullable=False),
    sa.Column("width_mm", sa.Integer, nullable=False),
    sa.Column("height_mm", sa.Integer, nullable=False),
    sa.Column("seseal", sa.LargeBinary, nullable=False),
    sa.Column("made_at", Instant, nullable=False),
    sa.Column("made_by", sa.String(200), nullable=False),
)
STATUS_CHANGES = sa.Table(
    "seal_status_changes",
    METADATA,
    sa.Column("seal", sa.ForeignKey(SEALS.c.id), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    # None: changed before affairs were kept.
    sa.Column("affair", sa.String(26)),
)
CREDENTIALS = sa.Table(
    "seal_credentials",
    METADATA,
    sa.Column("seal", sa.ForeignKey(SEALS.c.id), primary_key=True),
    sa.Column("suite", sa.String(20), primary_key=True),
    sa.Column("key", sa.String(200), nullable=False),
    sa.Column("certificate", sa.LargeBinary, nullable=False),
    # Issuers above the certificate, nearest first: DER after DER.
    sa.Column("chain", sa.LargeBinary, nullable=False),
)
SEALINGS = sa.Table(
    "seal_sealings",
    METADATA,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("seal", sa.ForeignKey(SEALS.c.id), nullable=False),
    sa.Column("serial", sa.BigInteger, nullable=False),
    sa.Column("caller", sa.String(200), nullable=False),
    sa.Column("organisation", sa.String(18)),
    sa.Column("idempotency_key", sa.String(200)),
    sa.Column("request_hash", sa.String(64), nullable=False),
    sa.Column("document_before", sa.String(64), nullable=False),
    sa.Column("format", sa.String(40), nullable=False),
    sa.Column("document_kind", sa.String(200), nullable=False),
    sa.Column("case_number", sa.String(200)),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("intended_at", Instant, nullable=False),
    sa.UniqueConstraint("seal", "serial"),
    # NULLs are distinct on both databases: calls without a key never meet.
    sa.UniqueConstraint("caller", "idempotency_key"),
    # What the usage ledger is asked by, each in the order in which it is told.
    sa.Index("ix_seal_sealings_time", "intended_at", "id"),
    sa.Index("ix_seal_sealings_seal_time", "seal", "intended_at", "id"),
    sa.Index("ix_seal_sealings_caller_time", "caller", "intended_at", "id"),
    sa.Index("ix_seal_sealings_organisation_time", "organisation", "intended_at", "id"),
    sa.Index("ix_seal_sealings_case_time", "case_number", "intended_at", "id"),
    sa.Index("ix_seal_sealings_document_time", "document_before", "intended_at", "id"),
)
SOURCES = sa.Table(
    "seal_sealing_sources",
    METADATA,
    # With the intent: what was asked for, so that an interrupted sealing can be finished without its caller.
    # The document itself is the object whose key is the intent's document_before.
    sa.Column("sealing", sa.ForeignKey(SEALINGS.c.id), primary_key=True),
    sa.Column("asked", sa.Text, nullable=False),
)
ATTEMPTS = sa.Table(
    "seal_attempts",
    METADATA,
    sa.Column("sealing", sa.ForeignKey(SEALINGS.c.id), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("owner", sa.String(26), nullable=False),
    # On record before the key is touched: a signature over anything else is not ours.
    sa.Column("document_digest", sa.String(128), nullable=False),
    sa.Column("certificate", sa.String(64), nullable=False),
    sa.Column("sealed_at", Instant, nullable=False),
    # In the database's time, never a worker's: a worker's clock may be an hour off.
    sa.Column("lease_ends", Instant, nullable=False),
)
FAILURES = sa.Table(
    "seal_attempt_failures",
    METADATA,
    sa.Column("sealing", sa.String(26), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("code", sa.String(100), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.ForeignKeyConstraint(["sealing", "number"], [ATTEMPTS.c.sealing, ATTEMPTS.c.number]),
)
COMPLETIONS = sa.Table(
    "seal_completions",
    METADATA,
    # One completion a sealing: whatever else happens, nothing is sealed twice.
    sa.Column("sealing", sa.ForeignKey(SEALINGS.c.id), primary_key=True),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("object_key", sa.String(64), nullable=False, index=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("sealed_at", Instant, nullable=False),
    sa.Column("completed_at", Instant, nullable=False),
    # PAdES level; None in formats that have none, and in completions of an older version.
    sa.Column("level", sa.String(10)),
    # Where the time of sealing was from, "timestamp" or "claimed"; None in completions of an older version.
    sa.Column("time_source", sa.String(20)),
)

LONGEST_LEASE = timedelta(minutes=10)
"""No attempt may last longer; a lease that ends later was given before the database's clock was set back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRow:
    """What was registered once about a seal."""

    id: str
    kind: int
    name: str
    owner: str
    owner_name: str
    valid_from: datetime
    valid_to: datetime
    png: bytes
    width_mm: int
    height_mm: int
    seseal: bytes
    made_at: datetime
    made_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """One change of a seal's status; it holds from ``at`` until the next."""

    seal: str
    number: int
    status: str
    at: datetime
    reason: str
    actor: str
    affair: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialRow:
    """One key a seal signs with: its certificate and issuers, DER."""

    seal: str
    suite: str
    key: str
    certificate: bytes
    chain: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A sealing as it was meant, recorded before any key is touched."""

    id: str
    seal: str
    serial: int
    caller: str
    organisation: str | None
    idempotency_key: str | None
    request_hash: str
    document_before: str
    format: str
    document_kind: str
    case_number: str | None
    reason: str
    intended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at a sealing: who tries, which digest gets signed, until when it may be thought alive."""

    sealing: str
    number: int
    owner: str
    document_digest: str
    certificate: str
    sealed_at: datetime
    lease_ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """The end of a sealing: the finished file, by the SM3 of its octets."""

    sealing: str
    attempt: int
    object_key: str
    size: int
    sealed_at: datetime
    completed_at: datetime
    level: str | None
    time_source: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A sealing and how far it came. ``failure`` is the code of the last attempt's failure, if it has ended so."""

    intent: Intent
    attempt: Attempt
    failure: str | None
    completion: Completion | None
    lease_over: bool

    @property
    def running(self) -> bool:
        """Tell whether an attempt may still be at work."""
        return self.completion is None and self.failure is None and not self.lease_over


def insert(conn: sa.Connection, table: sa.Table, **values: object) -> None:
    """Record one fact."""
    conn.execute(sa.insert(table).values(**values))


def insert_all(conn: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Record facts, at least one."""
    conn.execute(sa.insert(table), rows)


# --- seals -----------------------------------------------------------------------------------------------------


def find_seal(conn: sa.Connection, seal: str) -> SealRow | None:
    """Find a seal by its number."""
    row = conn.execute(sa.select(SEALS).where(SEALS.c.id == seal)).first()
    return record(SealRow, row) if row else None


def list_seals(conn: sa.Connection, *, owner: str | None, after: str, limit: int) -> tuple[SealRow, ...]:
    """List seals by number, those of one owner or all, from the one after ``after`` on."""
    query = sa.select(SEALS).where(SEALS.c.id > after).order_by(SEALS.c.id).limit(limit)
    if owner is not None:
        query = query.where(SEALS.c.owner == owner)
    return tuple(record(SealRow, row) for row in conn.execute(query))


def lock_seal(conn: sa.Connection, seal: str) -> bool:
    """Hold the seal until the transaction ends, so that serials and status changes take turns; False if unknown."""
    # NO KEY UPDATE on PostgreSQL: foreign keys to the seal need not wait.
    query = sa.select(SEALS.c.id).where(SEALS.c.id == seal).with_for_update(key_share=True)
    return conn.execute(query).first() is not None


def highest_seal(conn: sa.Connection, region: str) -> str | None:
    """Find the highest seal number of a region."""
    query = sa.select(SEALS.c.id).where(SEALS.c.id.startswith(region)).order_by(SEALS.c.id.desc()).limit(1)
    row = conn.execute(query).first()
    return str(row.id) if row else None


def status_history(conn: sa.Connection, seal: str) -> tuple[StatusChange, ...]:
    """List a seal's status changes, oldest first."""
    query = sa.select(STATUS_CHANGES).where(STATUS_CHANGES.c.seal == seal).order_by(STATUS_CHANGES.c.number)
    return tuple(record(StatusChange, row) for row in conn.execute(query))


def status_at(history: Sequence[StatusChange], at: datetime) -> SealStatus | None:
    """Derive the status at an instant; None before the seal was made."""
    held = [change for change in history if change.at <= at]
    return SealStatus(held[-1].status) if held else None


# --- sealings --------------------------------------------------------------------------------------------------


def next_serial(conn: sa.Connection, seal: str) -> int:
    """Give the seal's next serial; the seal must be locked."""
    last = conn.execute(sa.select(sa.func.max(SEALINGS.c.serial)).where(SEALINGS.c.seal == seal)).scalar_one()
    return (last or 0) + 1


def lock_sealing(conn: sa.Connection, sealing: str) -> None:
    """Hold the sealing until the transaction ends, so that attempts and completions take turns."""
    conn.execute(sa.select(SEALINGS.c.id).where(SEALINGS.c.id == sealing).with_for_update(key_share=True))


def lock_sealings(conn: sa.Connection, sealings: Sequence[str]) -> None:
    """Hold several sealings, taken in one order by everybody, so that nobody waits for one who waits for them."""
    which = SEALINGS.c.id.in_(sealings)
    conn.execute(sa.select(SEALINGS.c.id).where(which).order_by(SEALINGS.c.id).with_for_update(key_share=True)).all()


def find_progress(conn: sa.Connection, sealing: str) -> Progress | None:
    """Find a sealing by its id."""
    return next(iter(_progress(conn, SEALINGS.c.id == sealing, limit=1)), None)


def find_progresses(conn: sa.Connection, sealings: Sequence[str]) -> dict[str, Progress]:
    """Find sealings by their ids."""
    found = _progress(conn, SEALINGS.c.id.in_(sealings), limit=len(sealings))
    return {each.intent.id: each for each in found}


def find_by_key(conn: sa.Connection, caller: str, idempotency_key: str) -> Progress | None:
    """Find the sealing a caller asked for under an Idempotency-Key."""
    mine = sa.and_(SEALINGS.c.caller == caller, SEALINGS.c.idempotency_key == idempotency_key)
    return next(iter(_progress(conn, mine, limit=1)), None)


def keys_taken(conn: sa.Connection, caller: str, idempotency_keys: Sequence[str]) -> set[str]:
    """Tell which Idempotency-Keys a caller has asked under before."""
    mine = (SEALINGS.c.caller == caller, SEALINGS.c.idempotency_key.in_(idempotency_keys))
    return {key for key in conn.execute(sa.select(SEALINGS.c.idempotency_key).where(*mine)).scalars() if key}


def find_asked(conn: sa.Connection, sealing: str) -> str | None:
    """Give what was asked for, as ``request.asked_text`` wrote it; None for sealings of an older version."""
    return conn.execute(sa.select(SOURCES.c.asked).where(SOURCES.c.sealing == sealing)).scalar_one_or_none()


def list_pending(conn: sa.Connection, *, limit: int) -> tuple[Progress, ...]:
    """List the oldest sealings that have no completion."""
    return _progress(conn, COMPLETIONS.c.sealing.is_(None), limit=limit)


def list_stuck(conn: sa.Connection, *, limit: int) -> tuple[Progress, ...]:
    """List the oldest sealings whose last attempt neither ended nor is at work any more."""
    stuck = sa.and_(COMPLETIONS.c.sealing.is_(None), FAILURES.c.sealing.is_(None), _lease_over(database_now(conn)))
    return _progress(conn, stuck, limit=limit)


def list_unsealed(
    conn: sa.Connection, which: sa.ColumnElement[bool], *, after: str | None, limit: int
) -> tuple[Progress, ...]:
    """List sealings that failed or were interrupted, oldest first, from the one after ``after`` on."""
    over = sa.or_(FAILURES.c.sealing.is_not(None), _lease_over(database_now(conn)))
    wanted = [COMPLETIONS.c.sealing.is_(None), over, which]
    if after is not None:
        last = sa.select(SEALINGS.c.intended_at).where(SEALINGS.c.id == after).scalar_subquery()
        later = sa.and_(SEALINGS.c.intended_at == last, SEALINGS.c.id > after)
        wanted.append(sa.or_(SEALINGS.c.intended_at > last, later))
    return _progress(conn, sa.and_(*wanted), limit=limit)


def _lease_over(now: datetime) -> sa.ColumnElement[bool]:
    return sa.not_(sa.and_(ATTEMPTS.c.lease_ends > now, ATTEMPTS.c.lease_ends <= now + LONGEST_LEASE))


_LATER = ATTEMPTS.alias("later")
_PROGRESS = (
    sa.select(SEALINGS, ATTEMPTS, FAILURES, COMPLETIONS)
    .select_from(SEALINGS)
    .join(ATTEMPTS, ATTEMPTS.c.sealing == SEALINGS.c.id)
    # The last attempt: the one without a later one.
    .outerjoin(_LATER, sa.and_(_LATER.c.sealing == ATTEMPTS.c.sealing, _LATER.c.number > ATTEMPTS.c.number))
    .outerjoin(FAILURES, sa.and_(FAILURES.c.sealing == ATTEMPTS.c.sealing, FAILURES.c.number == ATTEMPTS.c.number))
    .outerjoin(COMPLETIONS, COMPLETIONS.c.sealing == SEALINGS.c.id)
    .where(_LATER.c.sealing.is_(None))
    .order_by(SEALINGS.c.intended_at, SEALINGS.c.id)
)


def _progress(conn: sa.Connection, which: sa.ColumnElement[bool], *, limit: int) -> tuple[Progress, ...]:
    now = database_now(conn)
    return tuple(_as_progress(row, now) for row in conn.execute(_PROGRESS.where(which).limit(limit)))


def _as_progress(row: "sa.Row[*tuple[Any, ...]]", now: datetime) -> Progress:
    columns = row._mapping  # noqa: SLF001 - its public name, only with an underscore

    def part(table: sa.Table) -> dict[str, Any]:
        return {column.name: columns[column] for column in table.columns}

    attempt = record(Attempt, part(ATTEMPTS))
    return Progress(
        intent=record(Intent, part(SEALINGS)),
        attempt=attempt,
        failure=columns[FAILURES.c.code],
        completion=record(Completion, part(COMPLETIONS)) if columns[COMPLETIONS.c.sealing] else None,
        lease_over=not now < attempt.lease_ends <= now + LONGEST_LEASE,
    )


def lease_end(conn: sa.Connection, lease: timedelta) -> datetime:
    """Give the instant a lease that starts now is over, in the database's time."""
    return database_now(conn) + lease
