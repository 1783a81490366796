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
    seal, seal_all = SealService.seal, SealService.seal_all

    def one(self: SealService, request: Any, principal: Any) -> Any:
        return seal(self, replace(request, idempotency_key=None), principal)

    def many(self: SealService, requests: Any, principal: Any, **named: Any) -> Any:
        return seal_all(self, [replace(each, idempotency_key=None) for each in requests], principal, **named)

    _put(SealService, "seal", one)
    _put(batches, "_PATIENCE", 20.0)
    _put(SealService, "seal_all", many)


def _unrecorded() -> None:
    insert, number = store.insert_all, count(1)

    def forgetful(conn: Any, table: Any, rows: Any) -> None:
        insert(conn, table, rows if table is not store.COMPLETIONS else [row for row in rows if next(number) % 10])

    _put(store, "insert_all", forgetful)


def _careless_log() -> None:
    append = AuditLog.append_all

    def careless(self: AuditLog, conn: Any, deeds: Any) -> int:
        try:
            with conn.begin_nested():
                return append(self, conn, deeds)
        except Exception:  # noqa: BLE001 - the defect itself
            return 0

    _put(AuditLog, "append_all", careless)


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
