"""The outbox: what others are to be told, on record in the same transaction as what happened."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from kernel.audit import Fact, canonical
from kernel.db import METADATA, Instant, insert_new, record
from kernel.ids import new_id
from kernel.jobs import Jobs
from kernel.logs import is_personal

DELIVERY = "webhook.delivery"
"""The kind of job that brings an event to one who listens; its key is event and listener, with a colon between."""

EVENTS = sa.Table(
    "outbox_events",
    METADATA,
    sa.Column("id", sa.String(26), primary_key=True),
    # What happened, named by what it happened to: the same is never told as two events.
    sa.Column("key", sa.String(200), nullable=False, unique=True),
    sa.Column("type", sa.String(50), nullable=False),
    sa.Column("client", sa.String(200)),
    sa.Column("organisation", sa.String(18)),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, for ``client`` alone or for all clients of ``organisation``; ``data`` is JSON."""

    id: str
    key: str
    type: str
    client: str | None
    organisation: str | None
    data: str
    at: datetime


Listeners = Callable[[sa.Connection, Event], Sequence[str]]
"""Tells, within the transaction, who wants to hear of an event."""


class Outbox:
    """Takes events in; whoever listens then is told by a job of the kind ``DELIVERY``."""

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners

    def add(  # noqa: PLR0913 - an event's parts
        self,
        conn: sa.Connection,
        *,
        key: str,
        kind: str,
        at: datetime,
        data: Mapping[str, Fact],
        client: str | None = None,
        organisation: str | None = None,
    ) -> bool:
        """Put an event on record and let those who listen be told; False if ``key`` is on record already.

        ``data`` holds ids, states and digests only: names that stand for personal data are refused.
        """
        return self.add_all(
            conn, [news(key=key, kind=kind, at=at, data=data, client=client, organisation=organisation)]
        )

    def add_all(self, conn: sa.Connection, events: Sequence[Event]) -> bool:
        """Put events on record, as ``news`` makes them, those of new keys; False if one of the keys was on record."""
        rows = [{name: getattr(event, name) for name in Event.__slots__} for event in events]
        made = insert_new(conn, EVENTS, rows)
        if made < len(rows):
            ids = [event.id for event in events]
            new = set(conn.execute(sa.select(EVENTS.c.id).where(EVENTS.c.id.in_(ids))).scalars())
            events = [event for event in events if event.id in new]
        listening: dict[tuple[str, str | None, str | None], Sequence[str]] = {}
        for event in events:
            like = (event.type, event.client, event.organisation)
            if like not in listening:
                listening[like] = self._listeners(conn, event)
        keys = [f"{each.id}:{to}" for each in events for to in listening[each.type, each.client, each.organisation]]
        Jobs.put(conn, DELIVERY, keys)
        return made == len(rows)


def news(  # noqa: PLR0913 - an event's parts
    *,
    key: str,
    kind: str,
    at: datetime,
    data: Mapping[str, Fact],
    client: str | None = None,
    organisation: str | None = None,
) -> Event:
    """Make an event for the outbox; ``data`` as ``Outbox.add`` takes it."""
    if (client is None) == (organisation is None):
        raise ValueError("an event is for one client, or for the clients of one organisation")
    if personal := sorted(filter(is_personal, data)):
        raise ValueError(f"{personal[0]!r} names personal data or a secret, which no event carries")
    return Event(id=new_id(), key=key, type=kind, client=client, organisation=organisation, data=canonical(data), at=at)


def find_event(conn: sa.Connection, event: str) -> Event | None:
    """Find an event by its id."""
    row = conn.execute(sa.select(EVENTS).where(EVENTS.c.id == event)).one_or_none()
    return None if row is None else record(Event, row)


def body_of(event: Event) -> bytes:
    """Write an event as receivers get it: type, timestamp and data (Standard Webhooks), always the same octets."""
    told = {"type": event.type, "timestamp": event.at.isoformat(), "data": json.loads(event.data)}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
