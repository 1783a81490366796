"""Console sessions: begun by a sign-in at the provider, ended by idleness, age, sign-out, or the provider's own end."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from admin.console import store
from admin.console.party import Proved
from admin.console.store import ConsoleSession
from idp.digests import digest_of
from idp.model import Person, PersonId, SessionId
from idp.store import people
from idp.store import sessions as provided
from kernel.audit import AuditLog
from kernel.clock import Clock
from kernel.db import Database
from kernel.ids import new_id, new_secret

IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=8)
_TOLD_EVERY = timedelta(seconds=30)
"""How often at most a visit is written down: a session may end by so much sooner than ``IDLE`` after the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A live session and the person in it, who is still allowed."""

    session: ConsoleSession
    person: Person


class ConsoleSessions:
    """Keeps who is signed in to the console; safe to share between threads."""

    def __init__(self, *, db: Database, audit: AuditLog, clock: Clock) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock

    def begin(self, proved: Proved, *, before: str | None) -> str:
        """Let a person in whom the provider vouches for; give the cookie's new secret.

        The session of the cookie ``before``, if there is one, ends: a known cookie never becomes a signed-in one.
        """
        now, secret = self._clock.now(), new_secret()
        session = ConsoleSession(
            id=new_id(),
            secret_hash=digest_of(secret),
            person=proved.person,
            sid=proved.sid,
            id_token=proved.id_token,
            authenticated_at=proved.authenticated_at,
            begun_at=now,
            seen_at=now,
            expires_at=now + LONGEST,
        )
        with self._db.begin() as conn:
            store.sweep(conn, now, now - IDLE)
            earlier = store.find(conn, digest_of(before)) if before else None
            if earlier is not None:
                store.delete(conn, earlier.id)
            store.insert(conn, session)
            self._audit.append(conn, at=now, actor=session.person, action="console.signed_in", target=session.id)
        return secret

    def find(self, secret: str | None, *, active: bool = True) -> Stay | None:
        """Give who is signed in with this cookie. ``active`` says that a person did something, not a clock."""
        if not secret:
            return None
        now = self._clock.now()
        with self._db.read() as conn:
            session = store.find(conn, digest_of(secret))
            if session is None or now >= session.expires_at or now >= session.seen_at + IDLE:
                return None
            person = _vouched(conn, session, now)
        if person is None:
            return None
        if active and now >= session.seen_at + _TOLD_EVERY:
            with self._db.begin() as conn:
                store.touch(conn, session.id, now)
        return Stay(session=session, person=person)

    def end(self, session: ConsoleSession) -> None:
        """End a session at the person's wish."""
        with self._db.begin() as conn:
            if store.delete(conn, session.id):
                now = self._clock.now()
                self._audit.append(conn, at=now, actor=session.person, action="console.signed_out", target=session.id)


def _vouched(conn: sa.Connection, session: ConsoleSession, now: datetime) -> Person | None:
    """Give the person while the provider's session lives and they are allowed: stopped there is stopped here."""
    source = provided.find(conn, SessionId(session.sid))
    if source is None or not source.alive(now) or source.person_id != session.person:
        return None
    person = people.find(conn, PersonId(session.person))
    return person if person is not None and person.active else None
