"""Sessions in the database."""

from datetime import datetime

import sqlalchemy as sa

from idp.model import PersonId, Session, SessionId
from idp.store.tables import sessions


def insert(conn: sa.Connection, session: Session, secret_hash: str) -> None:
    """Add a session, known by the digest of its cookie."""
    conn.execute(
        sa.insert(sessions).values(
            id=session.id,
            secret_hash=secret_hash,
            person_id=session.person_id,
            authenticated_at=session.authenticated_at,
            amr=list(session.amr),
            created_at=session.created_at,
            expires_at=session.expires_at,
            ended_at=session.ended_at,
        )
    )


def hold(conn: sa.Connection, secret_hash: str) -> Session | None:
    """Give the session whose cookie has this digest, ended or not, and keep it as it is until the transaction ends."""
    row = conn.execute(sa.select(sessions).where(sessions.c.secret_hash == secret_hash).with_for_update()).first()
    return None if row is None else _session(row)


def find(conn: sa.Connection, session: SessionId) -> Session | None:
    """Give the session with this id, ended or not."""
    row = conn.execute(sa.select(sessions).where(sessions.c.id == session)).first()
    return None if row is None else _session(row)


def renew(  # noqa: PLR0913 - one column each
    conn: sa.Connection,
    session: SessionId,
    *,
    secret_hash: str,
    authenticated_at: datetime,
    amr: tuple[str, ...],
    expires_at: datetime,
) -> None:
    """Record that the same person authenticated again: a new cookie, a new time."""
    conn.execute(
        sa.update(sessions)
        .where(sessions.c.id == session)
        .values(secret_hash=secret_hash, authenticated_at=authenticated_at, amr=list(amr), expires_at=expires_at)
    )


def end(conn: sa.Connection, session: SessionId, at: datetime) -> bool:
    """End a session; False if it had ended before."""
    ended = conn.execute(
        sa.update(sessions).where(sessions.c.id == session, sessions.c.ended_at.is_(None)).values(ended_at=at)
    )
    return ended.rowcount == 1


def of_person(conn: sa.Connection, person: PersonId, now: datetime) -> tuple[Session, ...]:
    """Give the sessions in which this person is signed in."""
    alive = sa.select(sessions).where(
        sessions.c.person_id == person, sessions.c.ended_at.is_(None), sessions.c.expires_at > now
    )
    return tuple(_session(row) for row in conn.execute(alive))


def _session(row: "sa.Row[tuple[object, ...]]") -> Session:
    return Session(
        id=SessionId(row.id),
        person_id=PersonId(row.person_id),
        authenticated_at=row.authenticated_at,
        amr=tuple(row.amr),
        created_at=row.created_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
    )
