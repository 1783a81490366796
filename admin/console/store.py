"""What the console keeps: who is signed in to it, from sign-in to sign-out. Rows that have served are removed."""

from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from kernel.db import METADATA, Instant, record

SESSIONS = sa.Table(
    "console_sessions",
    METADATA,
    sa.Column("id", sa.String(26), primary_key=True),
    # The cookie itself is kept by the browser alone.
    sa.Column("secret_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("person", sa.String(26), nullable=False),
    # The provider's session: when it ends, so does this one.
    sa.Column("sid", sa.String(26), nullable=False),
    sa.Column("id_token", sa.Text, nullable=False),
    sa.Column("authenticated_at", Instant, nullable=False),
    sa.Column("begun_at", Instant, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSession:
    """A person's stay in the console, at one browser."""

    id: str
    secret_hash: str = field(repr=False)
    person: str
    sid: str
    id_token: str = field(repr=False)
    """Shown to the provider when the person signs out: it names the session that is to end."""
    authenticated_at: datetime
    """When the person last proved to the provider who they are."""
    begun_at: datetime
    seen_at: datetime
    expires_at: datetime


def insert(conn: sa.Connection, session: ConsoleSession) -> None:
    """Record that somebody is signed in."""
    columns = {column.name: getattr(session, column.name) for column in SESSIONS.columns}
    conn.execute(sa.insert(SESSIONS).values(**columns))


def find(conn: sa.Connection, secret_hash: str) -> ConsoleSession | None:
    """Find a session by the digest of its cookie, over or not."""
    row = conn.execute(sa.select(SESSIONS).where(SESSIONS.c.secret_hash == secret_hash)).first()
    return record(ConsoleSession, row) if row else None


def touch(conn: sa.Connection, session: str, at: datetime) -> None:
    """Record that the person did something; nothing if the session was ended meanwhile."""
    conn.execute(sa.update(SESSIONS).where(SESSIONS.c.id == session).values(seen_at=at))


def delete(conn: sa.Connection, session: str) -> bool:
    """Remove a session; False if it was gone."""
    return conn.execute(sa.delete(SESSIONS).where(SESSIONS.c.id == session)).rowcount == 1


def sweep(conn: sa.Connection, now: datetime, idle_since: datetime) -> None:
    """Remove sessions that are over."""
    over = sa.or_(SESSIONS.c.expires_at <= now, SESSIONS.c.seen_at <= idle_since)
    conn.execute(sa.delete(SESSIONS).where(over))
