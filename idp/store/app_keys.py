"""App keys in the database, and the nonces that were used with them."""

from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from idp.model import AppKey, AppKeyId, ClientId
from idp.store.missing import insert_missing
from idp.store.tables import app_key_nonces, app_keys, clients
from kernel.db import record


def insert(conn: sa.Connection, key: AppKey) -> None:
    """Add an app key."""
    conn.execute(sa.insert(app_keys).values(asdict(key)))


def find(conn: sa.Connection, key: str) -> AppKey | None:
    """Give the app key with this id, alive or not."""
    row = conn.execute(sa.select(app_keys).where(app_keys.c.id == key)).first()
    return None if row is None else record(AppKey, row)


def hold_client(conn: sa.Connection, client: ClientId) -> None:
    """Let whoever makes app keys of one client take turns until the transaction ends."""
    conn.execute(sa.select(clients.c.id).where(clients.c.id == client).with_for_update(key_share=True))


def of_client(conn: sa.Connection, client: ClientId) -> tuple[AppKey, ...]:
    """Give every app key a client ever had, oldest first."""
    query = sa.select(app_keys).where(app_keys.c.client_id == client)
    rows = conn.execute(query.order_by(app_keys.c.created_at, app_keys.c.id))
    return tuple(record(AppKey, row) for row in rows)


def end(conn: sa.Connection, key: AppKeyId, now: datetime) -> bool:
    """End an app key; False if there is none that has not ended."""
    ending = sa.update(app_keys).where(app_keys.c.id == key, app_keys.c.ended_at.is_(None)).values(ended_at=now)
    return conn.execute(ending).rowcount == 1


def use_nonce(conn: sa.Connection, key: AppKeyId, nonce: str, expires_at: datetime) -> bool:
    """Use a nonce up; False if that was done before. Of many at once, one is told True."""
    return insert_missing(conn, app_key_nonces, {"app_key": key, "nonce": nonce, "expires_at": expires_at})


def in_use(conn: sa.Connection, key: AppKeyId) -> bool:
    """Tell whether a nonce of this app key is still kept: it signed something minutes ago."""
    query = sa.select(app_key_nonces.c.app_key).where(app_key_nonces.c.app_key == key).limit(1)
    return conn.execute(query).first() is not None
