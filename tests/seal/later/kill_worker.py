"""A worker that is killed at a chosen step of a late stamp; run as a program by test_killed_stamping.py.

Arguments: database URL, folder with vault and authority, folder of objects, document. Prints one JSON object.
"""

import json
import os
import signal
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")

import sqlalchemy as sa  # noqa: E402 - after the filter: the development authority warns

from crypto.digests import DigestAlgorithm  # noqa: E402
from crypto.vaults.soft import SoftVault  # noqa: E402
from kernel.audit import AuditLog  # noqa: E402
from kernel.clock import ManualClock  # noqa: E402
from kernel.db import Database, database_now  # noqa: E402
from kernel.jobs import JOBS, Jobs, Worker  # noqa: E402
from kernel.objects import ObjectStore  # noqa: E402
from kernel.outbox import Outbox  # noqa: E402
from kernel.principal import Principal, PrincipalKind  # noqa: E402
from seal.later.model import STAMP  # noqa: E402
from seal.later.service import LateStamps  # noqa: E402
from seal.model import SealId  # noqa: E402
from seal.pki.dev_ca import DevCa  # noqa: E402
from seal.pki.errors import TimestampUnavailable  # noqa: E402
from seal.pki.tsa_client import Stamped  # noqa: E402
from seal.register import SealRegister  # noqa: E402
from seal.request import SealRequest  # noqa: E402
from seal.sealing import SealService  # noqa: E402
from seal.trust import Trust  # noqa: E402
from seal.verifying import verify_in_process  # noqa: E402
from seal.webhooks.store import listening  # noqa: E402
from tests.seal.conftest import PASSPHRASE, SEAL, START  # noqa: E402
from tests.seal.test_levels import Desk, Roots  # noqa: E402

CALLER = Principal(subject="batch", kind=PrincipalKind.CLIENT, rights=frozenset({"seal.use:*"}))
STEPS = ("asked", "judged", "stored", "settle open", "settled")


class Down:
    """The ``Stamper`` that is not there."""

    def stamp(self, digest: DigestAlgorithm, value: bytes) -> Stamped:
        raise TimestampUnavailable(f"down: {digest.name} {value.hex()}")


@dataclass
class World:
    """What all children share: places, keys and trust, and nothing that is open."""

    url: str
    objects: Path
    vault: SoftVault
    roots: Roots
    trust: Trust
    clock: ManualClock

    def seal(self, document: bytes) -> None:
        db, audit = Database(self.url), AuditLog()
        SealService(
            db=db,
            audit=audit,
            clock=self.clock,
            objects=ObjectStore.folder(self.objects),
            vault=self.vault,
            register=SealRegister(db, audit, self.clock),
            judge=lambda octets: verify_in_process(octets, self.trust, now=START + timedelta(minutes=1)),
            stamper=Down(),
        ).seal(SealRequest(document=document, seal=SealId(SEAL)), CALLER)

    def work(self, killed_at: str | None) -> None:
        """Do what is due, with collaborators that die at one step."""
        db, clock, objects = Database(self.url), self.clock, ObjectStore.folder(self.objects)
        desk, trust = Desk(self, self.roots), self.trust  # type: ignore[arg-type]

        def step(name: str, answer: Any) -> Any:
            if name == killed_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        class Audit(AuditLog):
            def append(self, conn: Any, **named: Any) -> int:
                seq: int = step("settle open", super().append(conn, **named))
                return seq

        class Stamper:
            def stamp(self, digest: DigestAlgorithm, value: bytes) -> Stamped:
                stamped: Stamped = step("asked", desk.stamp(digest, value))
                return stamped

        class Objects:
            def put(self, data: bytes) -> Any:
                return step("stored", objects.put(data))

            def get(self, key: str) -> bytes:
                return objects.get(key)

        late = LateStamps(
            db=db,
            audit=Audit(),
            clock=clock,
            objects=Objects(),  # type: ignore[arg-type]
            register=SealRegister(db, AuditLog(), clock),
            judge=lambda octets: step("judged", verify_in_process(octets, trust, now=START + timedelta(minutes=1))),
            stamper=Stamper(),
            outbox=Outbox(listening),
        )
        with db.begin() as conn:
            # The lease of whoever was killed is over, and what was put off is due.
            due = database_now(conn) - timedelta(seconds=1)
            conn.execute(sa.update(JOBS).where(JOBS.c.kind == STAMP).values(due=due))
        Worker(Jobs(db), late.handlers).drain()
        step("settled", None)


def main(url: str, folder: str, objects: str, document: str) -> None:
    """Kill one child at each step, let another do its work, and tell how both ended."""
    clock, vault = ManualClock(START), SoftVault.open(Path(folder) / "vault", PASSPHRASE)
    ca = DevCa.open(Path(folder) / "ca", vault, clock)

    @dataclass
    class Held:
        vault: SoftVault
        ca: DevCa

    roots = Roots(Held(vault, ca))  # type: ignore[arg-type]
    world = World(url, Path(objects), vault, roots, replace(ca.trust(), facts=roots.facts()), clock)
    octets = Path(document).read_bytes()

    def child(do: Callable[[], object]) -> int:
        pid = os.fork()
        if pid == 0:
            do()
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    told = {}
    for name in STEPS:
        sealed = child(lambda: world.seal(octets))
        ended = child(lambda name=name: world.work(name))  # type: ignore[misc]
        told[name] = (sealed, ended, child(lambda: world.work(None)))
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
