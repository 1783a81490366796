"""Attempts: failed logins counted per account and per address, and the waiting that follows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from idp.digests import digest_of
from idp.store.missing import insert_missing
from idp.store.tables import attempts

_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(minutes=15)
_FORGOTTEN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many failures of one kind are free before waiting begins; each further one doubles the wait."""

    kind: str
    free: int


# A whole service hall may share one address.
ACCOUNT, ADDRESS = Limit(kind="account", free=5), Limit(kind="address", free=50)


def begin(conn: sa.Connection, limit: Limit, who: str, now: datetime) -> datetime | None:
    """Count an attempt before it is judged, so that many at once cannot all be tried; give until when to wait.

    None lets the attempt go on. Whoever does not exist is counted like everybody else.
    """
    key = _key(limit, who)
    insert_missing(conn, attempts, {"key": key, "tries": 0, "last_at": now, "locked_until": None})
    row = conn.execute(sa.select(attempts).where(attempts.c.key == key).with_for_update()).one()
    if row.locked_until is not None and now < row.locked_until:
        locked: datetime = row.locked_until
        return locked
    count = 1 if now - row.last_at > _FORGOTTEN_AFTER else row.tries + 1
    conn.execute(
        sa.update(attempts)
        .where(attempts.c.key == key)
        .values(tries=count, last_at=now, locked_until=_locked_until(limit, count, now))
    )
    return None


def begin_login(conn: sa.Connection, login: str, address: str, now: datetime) -> datetime | None:
    """Count a login attempt against its account and its address; give until when to wait.

    An attempt that is not judged counts against neither: a locked service hall locks nobody's account, and a locked
    account not its neighbours' address.
    """
    wait = begin(conn, ACCOUNT, login, now)
    if wait is None:
        wait = begin(conn, ADDRESS, address, now)
        if wait is not None:
            take_back(conn, ACCOUNT, login, now)
    return wait


def forget(conn: sa.Connection, limit: Limit, who: str) -> None:
    """Forget every failure: the right password was given for this account."""
    conn.execute(sa.delete(attempts).where(attempts.c.key == _key(limit, who)))


def take_back(conn: sa.Connection, limit: Limit, who: str, now: datetime) -> None:
    """Take back the one attempt just counted: it succeeded, and says nothing about the others from this address."""
    key = _key(limit, who)
    row = conn.execute(sa.select(attempts).where(attempts.c.key == key).with_for_update()).first()
    if row is not None:
        count = max(row.tries - 1, 0)
        locked_until = row.locked_until if count >= limit.free else None
        changed = {"tries": count, "last_at": now, "locked_until": locked_until}
        conn.execute(sa.update(attempts).where(attempts.c.key == key).values(changed))


def _locked_until(limit: Limit, count: int, now: datetime) -> datetime | None:
    if count < limit.free:
        return None
    doublings = min(count - limit.free, 10)
    wait: timedelta = _FIRST_WAIT * 2**doublings
    return now + min(wait, _LONGEST_WAIT)


def _key(limit: Limit, who: str) -> str:
    return digest_of(f"{limit.kind}\0{who}")
