"""Housekeeping: rows that have served, removed."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from idp.store.tables import app_key_nonces, attempts, codes, flows

# A replayed code is recognised for as long as its row stands: longer than any token it gave can live.
_CODES_KEPT = timedelta(days=1)
_ATTEMPTS_KEPT = timedelta(days=1)


def sweep(conn: sa.Connection, now: datetime) -> int:
    """Remove flows that have ended, codes, nonces and attempt counters that no longer matter; tell how many rows."""
    gone = (
        sa.delete(flows).where(flows.c.expires_at < now),
        sa.delete(codes).where(codes.c.expires_at < now - _CODES_KEPT),
        sa.delete(attempts).where(attempts.c.last_at < now - _ATTEMPTS_KEPT),
        sa.delete(app_key_nonces).where(app_key_nonces.c.expires_at < now),
    )
    return sum(conn.execute(statement).rowcount for statement in gone)
