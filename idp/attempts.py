"""Attempts: failed logins counted per account and per address, and the waiting that follows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

import sqlalchemy as sa

from idp.digests import digest_of
from idp.store.missing import insert_missing
from idp.store.tables import attempts

_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(minutes=15)
_HOUR = timedelta(hours=1)
_SUBSCRIBER_BITS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many failures of one kind are free before waiting begins; each further one doubles the wait.

    An hour forgives as many as are free, evenly: an address that is never quiet is not locked for good.
    """

    kind: str
    free: int


# A whole service hall may share one address. Proofs of a name are counted apart: no login name can be mistaken for one.
ACCOUNT, ADDRESS, PROOF = Limit(kind="account", free=5), Limit(kind="address", free=50), Limit(kind="proof", free=5)


def begin(conn: sa.Connection, limit: Limit, who: str, now: datetime) -> datetime | None:
    """Count an attempt before it is judged, so that many at once cannot all be tried; give until when to wait.

    None lets the attempt go on. Whoever does not exist is counted like everybody else.
    """
    key = _key(limit, who)
    row = None
    while row is None:  # once, unless another transaction forgets the row between the two statements
        insert_missing(conn, attempts, {"key": key, "tries": 0, "last_at": now, "locked_until": None})
        row = conn.execute(sa.select(attempts).where(attempts.c.key == key).with_for_update()).first()
    if row.locked_until is not None and now < row.locked_until:
        locked: datetime = row.locked_until
        return locked
    left, since = _unforgiven(limit, row.tries, row.last_at, now)
    count = left + 1
    conn.execute(
        sa.update(attempts)
        .where(attempts.c.key == key)
        .values(tries=count, last_at=since, locked_until=_locked_until(limit, count, now))
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
            take_back(conn, ACCOUNT, login)
    return wait


def forget(conn: sa.Connection, limit: Limit, who: str) -> None:
    """Forget every failure: the right password was given for this account."""
    conn.execute(sa.delete(attempts).where(attempts.c.key == _key(limit, who)))


def take_back(conn: sa.Connection, limit: Limit, who: str) -> None:
    """Take back the one attempt just counted: it succeeded, and says nothing about the others from this address.

    The lock goes with it: who was let through found none, so it is this attempt's own.
    """
    fewer = sa.case((attempts.c.tries > 0, attempts.c.tries - 1), else_=0)
    conn.execute(sa.update(attempts).where(attempts.c.key == _key(limit, who)).values(tries=fewer, locked_until=None))


def network_of(address: str) -> str:
    """Give what to count in place of an address: one IPv6 subscriber has 2**64 of them (RFC 6177)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), _SUBSCRIBER_BITS), strict=False))


def _unforgiven(limit: Limit, tries: int, since: datetime, now: datetime) -> tuple[int, datetime]:
    """Give how many failures still count, and the instant up to which forgiveness has been given."""
    each = _HOUR / limit.free
    left = tries - max((now - since) // each, 0)
    return (left, since + (tries - left) * each) if left > 0 else (0, now)


def _locked_until(limit: Limit, count: int, now: datetime) -> datetime | None:
    if count < limit.free:
        return None
    doublings = min(count - limit.free, 10)
    wait: timedelta = _FIRST_WAIT * 2**doublings
    return now + min(wait, _LONGEST_WAIT)


def _key(limit: Limit, who: str) -> str:
    return digest_of(f"{limit.kind}\0{who}")
