"""Clients in the database."""

from dataclasses import asdict

import sqlalchemy as sa

from idp.model import AuthMethod, Client, ClientId, ClientKind, ConsentPolicy, PkcePolicy
from idp.store.missing import insert_missing
from idp.store.tables import clients

_SETS = ("grant_types", "redirect_uris", "post_logout_uris", "scopes", "rights")


def insert(conn: sa.Connection, client: Client) -> bool:
    """Add a client; False if the identifier is taken."""
    values = asdict(client)
    return insert_missing(conn, clients, {**values, **{name: sorted(values[name]) for name in _SETS}})


def find(conn: sa.Connection, client: str) -> Client | None:
    """Give the client with this id, active or not."""
    row = conn.execute(sa.select(clients).where(clients.c.id == client)).first()
    return None if row is None else _client(row)


def listed(conn: sa.Connection) -> tuple[Client, ...]:
    """Give every client, oldest first."""
    return tuple(_client(row) for row in conn.execute(sa.select(clients).order_by(clients.c.created_at, clients.c.id)))


def set_secret(conn: sa.Connection, client: ClientId, secret_hash: str) -> None:
    """Replace the digest of the client's secret."""
    conn.execute(sa.update(clients).where(clients.c.id == client).values(secret_hash=secret_hash))


def set_active(conn: sa.Connection, client: ClientId, *, active: bool) -> bool:
    """Allow or stop the client; False if there is none."""
    return conn.execute(sa.update(clients).where(clients.c.id == client).values(active=active)).rowcount == 1


def _client(row: "sa.Row[tuple[object, ...]]") -> Client:
    values = row._asdict()
    return Client(
        id=ClientId(row.id),
        name=row.name,
        kind=ClientKind(row.kind),
        auth_method=AuthMethod(row.auth_method),
        secret_hash=row.secret_hash,
        pkce=PkcePolicy(row.pkce),
        consent=ConsentPolicy(row.consent),
        organisation=row.organisation,
        active=row.active,
        created_at=row.created_at,
        **{name: frozenset(values[name]) for name in _SETS},
    )
