"""Sessions: who is signed in at this browser, from login to logout."""

from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from idp.digests import digest_of
from idp.model import SESSION_LIFETIME, Person, PersonId, Session, SessionId
from idp.store import grants, people, sessions
from kernel.ids import new_id, new_secret


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A live session and the person in it, who is still allowed."""

    session: Session
    person: Person


def signed_in(conn: sa.Connection, secret: str | None, now: datetime) -> SignedIn | None:
    """Tell who is signed in with this cookie, for as long as the write transaction lasts.

    A logout waits for it: else a grant made at that moment would outlive the session it was made in.
    """
    session = sessions.hold(conn, digest_of(secret)) if secret else None
    if session is None or not session.alive(now):
        return None
    person = people.find(conn, session.person_id)
    return SignedIn(session=session, person=person) if person is not None and person.active else None


def sign_in(
    conn: sa.Connection, person: PersonId, *, before: SignedIn | None, amr: tuple[str, ...], now: datetime
) -> tuple[Session, str]:
    """Sign a person in and give the session with its new cookie secret.

    The secret is new at every login (session fixation). The same person keeps the session's id, so that what
    relying parties know as ``sid`` goes on; anybody else before is signed out.
    """
    secret = new_secret()
    expires_at = now + SESSION_LIFETIME
    if before is not None and before.person.id == person:
        sessions.renew(
            conn,
            before.session.id,
            secret_hash=digest_of(secret),
            authenticated_at=now,
            amr=amr,
            expires_at=expires_at,
        )
        return replace(before.session, authenticated_at=now, amr=amr, expires_at=expires_at), secret
    if before is not None:
        sign_out(conn, before.session.id, now)
    session = Session(
        id=SessionId(new_id()),
        person_id=person,
        authenticated_at=now,
        amr=amr,
        created_at=now,
        expires_at=expires_at,
        ended_at=None,
    )
    sessions.insert(conn, session, digest_of(secret))
    return session, secret


def sign_out(conn: sa.Connection, session: SessionId, now: datetime) -> int:
    """End a session with every grant made in it; tell how many grants were revoked."""
    sessions.end(conn, session, now)
    return grants.revoke_session(conn, session, now)
