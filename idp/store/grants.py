"""Grants, codes, consents in the database."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from idp.model import ClientId, Code, Grant, GrantId, PersonId, SessionId
from idp.store.missing import insert_missing
from idp.store.tables import codes, consents, grants
from kernel.db import record


def insert(conn: sa.Connection, grant: Grant, code: Code) -> None:
    """Add a grant and the code that stands for it."""
    conn.execute(
        sa.insert(grants).values(
            id=grant.id,
            client_id=grant.client_id,
            person_id=grant.person_id,
            session_id=grant.session_id,
            scope=list(grant.scope),
            nonce=grant.nonce,
            acr=grant.acr,
            amr=list(grant.amr),
            authenticated_at=grant.authenticated_at,
            created_at=grant.created_at,
            revoked_at=grant.revoked_at,
        )
    )
    conn.execute(
        sa.insert(codes).values(
            digest=code.digest,
            grant_id=code.grant_id,
            client_id=code.client_id,
            redirect_uri=code.redirect_uri,
            code_challenge=code.code_challenge,
            expires_at=code.expires_at,
            used_at=code.used_at,
        )
    )


def find(conn: sa.Connection, grant: str) -> Grant | None:
    """Give the grant with this id, revoked or not."""
    row = conn.execute(sa.select(grants).where(grants.c.id == grant)).first()
    if row is None:
        return None
    return Grant(
        id=GrantId(row.id),
        client_id=ClientId(row.client_id),
        person_id=PersonId(row.person_id),
        session_id=SessionId(row.session_id),
        scope=tuple(row.scope),
        nonce=row.nonce,
        acr=row.acr,
        amr=tuple(row.amr),
        authenticated_at=row.authenticated_at,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )


def revoke(conn: sa.Connection, grant: GrantId, at: datetime) -> bool:
    """Revoke a grant; False if it was revoked before."""
    revoked = conn.execute(
        sa.update(grants).where(grants.c.id == grant, grants.c.revoked_at.is_(None)).values(revoked_at=at)
    )
    return revoked.rowcount == 1


def revoke_session(conn: sa.Connection, session: SessionId, at: datetime) -> int:
    """Revoke every grant made in a session and tell how many."""
    revoked = conn.execute(
        sa.update(grants).where(grants.c.session_id == session, grants.c.revoked_at.is_(None)).values(revoked_at=at)
    )
    return revoked.rowcount


def code(conn: sa.Connection, digest: str) -> Code | None:
    """Give the code with this digest, used or not."""
    row = conn.execute(sa.select(codes).where(codes.c.digest == digest)).first()
    return None if row is None else record(Code, row)


def use_code(conn: sa.Connection, digest: str, at: datetime) -> bool:
    """Take the one use of a code; False if it was taken. Of many at once exactly one is told True."""
    used = conn.execute(sa.update(codes).where(codes.c.digest == digest, codes.c.used_at.is_(None)).values(used_at=at))
    return used.rowcount == 1


def consented(conn: sa.Connection, person: PersonId, client: ClientId) -> frozenset[str]:
    """Give the scopes this person has agreed to for this client."""
    given = sa.select(consents.c.scope).where(consents.c.person_id == person, consents.c.client_id == client)
    return frozenset(conn.execute(given).scalars())


def keep_consent(conn: sa.Connection, person: PersonId, client: ClientId, scopes: Iterable[str], at: datetime) -> None:
    """Remember that this person agreed."""
    for scope in sorted(scopes):
        row = {"person_id": person, "client_id": client, "scope": scope, "given_at": at}
        insert_missing(conn, consents, row)
