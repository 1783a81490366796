"""Defects that the loops must find: with ``--defect NAME`` one is put in, and no loop that it concerns may hold.

It is put into the process that starts all others, which inherit it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

from kernel import objects
from kernel.audit import AuditLog
from kernel.jobs import Jobs
from seal import store
from seal.pki.tsa_client import TimestampClient
from seal.sealing import SealService
from tests.reliability import batches

_HOUR = timedelta(hours=1)


def _keyless() -> None:
    seal = SealService.seal

    def sealed(self: SealService, request: Any, principal: Any) -> Any:
        return seal(self, replace(request, idempotency_key=None), principal)

    _put(SealService, "seal", sealed)


def _unrecorded() -> None:
    insert, number = store.insert, count(1)

    def forgetful(conn: Any, table: Any, **values: Any) -> None:
        if table is not store.COMPLETIONS or next(number) % 10:
            insert(conn, table, **values)

    _put(store, "insert", forgetful)


def _careless_log() -> None:
    append = AuditLog.append

    def careless(self: AuditLog, conn: Any, **named: Any) -> int:
        try:
            with conn.begin_nested():
                return append(self, conn, **named)
        except Exception:  # noqa: BLE001 - the defect itself
            return 0

    _put(AuditLog, "append", careless)


def _credulous() -> None:
    _put(TimestampClient, "_check_token", lambda *_: None)
    _put(TimestampClient, "_check_trust", lambda *_: None)


def _thrown_away() -> None:
    @contextmanager
    def available(**_: object) -> Iterator[None]:
        try:
            yield
        except Exception:  # noqa: BLE001 - the defect itself
            return

    _put(objects, "_available", available)


def _endless_lease() -> None:
    begin = Jobs.__init__

    def greedy(self: Jobs, db: Any, **_: Any) -> None:
        begin(self, db, lease=_HOUR)

    _put(Jobs, "__init__", greedy)
    _put(batches, "_PATIENCE", 20.0)


def _put(owner: Any, name: str, defect: Any) -> None:
    setattr(owner, name, defect)


DEFECTS: Mapping[str, Callable[[], None]] = {
    # Idempotency-Keys are forgotten: what is asked for again is sealed again.
    "keyless": _keyless,
    # One completion in ten is told and not recorded.
    "unrecorded": _unrecorded,
    # Whoever cannot write to the log goes on without.
    "careless-log": _careless_log,
    # Whatever comes from a time-stamp authority is believed.
    "credulous": _credulous,
    # A file that could not be kept is told as kept.
    "thrown-away": _thrown_away,
    # Those who die hold their jobs for an hour.
    "endless-lease": _endless_lease,
}
