"""What webhooks keep: endpoints, their ends, the versions of their secrets, and every try to deliver. All are facts."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kernel.db import METADATA, Instant, record
from kernel.outbox import EVENTS, Event
from seal.webhooks.model import Attempt, Endpoint, EventType

ENDPOINTS = sa.Table(
    "webhook_endpoints",
    METADATA,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("client", sa.String(200), nullable=False, index=True),
    sa.Column("organisation", sa.String(18), index=True),
    sa.Column("url", sa.String(500), nullable=False),
    sa.Column("events", sa.String(200), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)
ENDS = sa.Table(
    "webhook_endpoint_ends",
    METADATA,
    sa.Column("endpoint", sa.ForeignKey(ENDPOINTS.c.id), primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("reason", sa.String(50), nullable=False),
)
SECRETS = sa.Table(
    "webhook_secrets",
    METADATA,
    # Only which versions there are: the secrets are made from a key outside the database.
    sa.Column("endpoint", sa.ForeignKey(ENDPOINTS.c.id), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("since", Instant, nullable=False),
)
ATTEMPTS = sa.Table(
    "webhook_attempts",
    METADATA,
    sa.Column("endpoint", sa.ForeignKey(ENDPOINTS.c.id), primary_key=True),
    sa.Column("event", sa.ForeignKey(EVENTS.c.id), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("status", sa.Integer),
    sa.Column("fault", sa.String(200)),
    sa.Column("last", sa.Boolean, nullable=False),
)
_LIVE = sa.select(ENDPOINTS).outerjoin(ENDS, ENDS.c.endpoint == ENDPOINTS.c.id).where(ENDS.c.endpoint.is_(None))


def _endpoint(row: "sa.Row[*tuple[Any, ...]]") -> Endpoint:
    columns = row._asdict()
    return record(Endpoint, {**columns, "events": frozenset(map(EventType, columns["events"].split()))})


def add_endpoint(conn: sa.Connection, endpoint: Endpoint) -> None:
    """Record an endpoint."""
    values = {**asdict(endpoint), "events": " ".join(sorted(endpoint.events))}
    conn.execute(sa.insert(ENDPOINTS).values(values))


def end_endpoint(conn: sa.Connection, endpoint: str, at: datetime, reason: str) -> None:
    """Record that an endpoint is told nothing any more."""
    conn.execute(sa.insert(ENDS).values(endpoint=endpoint, at=at, reason=reason))


def find_endpoint(conn: sa.Connection, endpoint: str, *, lock: bool = False) -> Endpoint | None:
    """Find an endpoint that has not ended; ``lock`` lets its changes take turns."""
    query = _LIVE.where(ENDPOINTS.c.id == endpoint)
    row = conn.execute(query.with_for_update(of=ENDPOINTS) if lock else query).one_or_none()
    return None if row is None else _endpoint(row)


def endpoints_of(conn: sa.Connection, client: str) -> tuple[Endpoint, ...]:
    """List a client's endpoints, oldest first."""
    query = _LIVE.where(ENDPOINTS.c.client == client).order_by(ENDPOINTS.c.created_at, ENDPOINTS.c.id)
    return tuple(map(_endpoint, conn.execute(query)))


def listening(conn: sa.Connection, event: Event) -> tuple[str, ...]:
    """Tell which endpoints an event is for: registered before it, of its client or organisation, and of its type."""
    whose = (
        ENDPOINTS.c.client == event.client
        if event.client is not None
        else ENDPOINTS.c.organisation == event.organisation
    )
    found = map(_endpoint, conn.execute(_LIVE.where(whose, ENDPOINTS.c.created_at <= event.at)))
    return tuple(each.id for each in found if event.type in each.events)


def add_secret(conn: sa.Connection, endpoint: str, at: datetime) -> int:
    """Record a new version of an endpoint's secret; the endpoint must be locked, or new."""
    last = conn.execute(sa.select(sa.func.max(SECRETS.c.version)).where(SECRETS.c.endpoint == endpoint)).scalar_one()
    version = (last or 0) + 1
    conn.execute(sa.insert(SECRETS).values(endpoint=endpoint, version=version, since=at))
    return int(version)


def secret_versions(conn: sa.Connection, endpoint: str) -> tuple[tuple[int, datetime], ...]:
    """List the versions of an endpoint's secret with when each began, newest first."""
    query = sa.select(SECRETS.c.version, SECRETS.c.since).where(SECRETS.c.endpoint == endpoint)
    return tuple((row.version, row.since) for row in conn.execute(query.order_by(SECRETS.c.version.desc())))


def add_attempt(conn: sa.Connection, attempt: Attempt) -> None:
    """Record a try."""
    conn.execute(sa.insert(ATTEMPTS).values(asdict(attempt)))


def attempts_at(conn: sa.Connection, endpoint: str, event: str) -> tuple[Attempt, ...]:
    """List the tries to tell an endpoint of an event, oldest first."""
    query = sa.select(ATTEMPTS).where(ATTEMPTS.c.endpoint == endpoint, ATTEMPTS.c.event == event)
    return tuple(record(Attempt, row) for row in conn.execute(query.order_by(ATTEMPTS.c.number)))


def deliveries(
    conn: sa.Connection, endpoint: str, *, before: tuple[datetime, str] | None, limit: int
) -> tuple[tuple[Event, tuple[Attempt, ...]], ...]:
    """List the events that an endpoint was told of, newest first, each with its tries."""
    tried = sa.select(ATTEMPTS.c.event).where(ATTEMPTS.c.endpoint == endpoint)
    query = sa.select(EVENTS).where(EVENTS.c.id.in_(tried)).order_by(EVENTS.c.at.desc(), EVENTS.c.id.desc())
    if before is not None:
        at, event = before
        query = query.where(sa.or_(EVENTS.c.at < at, sa.and_(EVENTS.c.at == at, EVENTS.c.id < event)))
    events = [record(Event, row) for row in conn.execute(query.limit(limit))]
    return tuple((event, attempts_at(conn, endpoint, event.id)) for event in events)


def events_since(
    conn: sa.Connection, endpoint: Endpoint, since: datetime, *, event: str | None, limit: int
) -> Sequence[str]:
    """List the events that are for an endpoint, since an instant or the one named, oldest first."""
    mine = EVENTS.c.client == endpoint.client
    if endpoint.organisation is not None:
        mine = sa.or_(mine, EVENTS.c.organisation == endpoint.organisation)
    query = sa.select(EVENTS.c.id).where(mine, EVENTS.c.type.in_([each.value for each in endpoint.events]))
    query = query.where(EVENTS.c.at >= since) if event is None else query.where(EVENTS.c.id == event)
    return conn.execute(query.order_by(EVENTS.c.at).limit(limit)).scalars().all()
