"""Defects that a loop must find: put in on purpose with ``--defect NAME``, the loop must not hold.

A defect is put into the process that starts all others, which inherit it.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from kernel import jobs
from kernel.audit import AuditLog
from kernel.db import Database
from kernel.objects import ObjectStore
from seal.batches.running import BatchRunner
from seal.pki.tsa_client import TimestampClient
from seal.sealing import SealService
from seal.unsealed import Unsealed
from tests.reliability import cluster


def _no_key() -> None:
    """Seal items of a batch under no key: one that is taken up again is another sealing."""
    seal = SealService.seal

    def keyless(self: SealService, request: Any, principal: Any) -> Any:
        return seal(self, replace(request, idempotency_key=None), principal)

    _put(SealService, "seal", keyless)


def _lost_file() -> None:
    """Keep no sealed file but tell its key."""
    put = ObjectStore.put
    number = iter(range(10**9))

    def forgetful(self: ObjectStore, data: bytes) -> str:
        key = put(self, data)
        if next(number) % 10 == 9 and b"Signature" in data:
            self._backend.delete(f"{key[:2]}/{key[2:4]}/{key}")
        return key

    _put(ObjectStore, "put", forgetful)


def _own_clock() -> None:
    """Let leases run on each worker's own clock."""
    _put(jobs, "database_now", lambda _: Database.now())  # type: ignore[attr-defined]


def _no_log() -> None:
    """Go on when the log cannot be written."""
    append = AuditLog.append

    def careless(self: AuditLog, conn: Any, **named: Any) -> int:
        try:
            with conn.begin_nested():
                return append(self, conn, **named)
        except Exception:  # noqa: BLE001 - that is the defect
            return 0

    _put(AuditLog, "append", careless)
