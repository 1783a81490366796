"""A sealing worker that is killed at a chosen step; run as a program by test_kill.py.

Arguments: database URL, folder with vault and authority, folder of objects, document. Prints one JSON object.
"""

import json
import os
import signal
import sys
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")

from crypto.vaults.soft import SoftVault  # noqa: E402 - after the filter: the development authority warns
from kernel.audit import AuditLog  # noqa: E402
from kernel.clock import ManualClock  # noqa: E402
from kernel.db import Database  # noqa: E402
from kernel.objects import ObjectStore  # noqa: E402
from kernel.principal import Principal, PrincipalKind  # noqa: E402
from seal.model import SealId  # noqa: E402
from seal.pki.dev_ca import DevCa  # noqa: E402
from seal.register import SealRegister  # noqa: E402
from seal.request import SealRequest  # noqa: E402
from seal.sealing import SealService  # noqa: E402
from seal.verifying import verify_in_process  # noqa: E402
from tests.given import PASSPHRASE, SEAL_NUMBER, START  # noqa: E402

CALLER = Principal(subject="batch", kind=PrincipalKind.CLIENT, rights=frozenset({"seal.use:*"}))
STEPS = ("source stored", "intent open", "intent kept", "signed", "judged", "stored", "completion open", "completed")


def build(url: str, folder: Path, objects: Path, killed_at: str | None) -> SealService:
    """Put a service together whose collaborators die at one step."""
    clock = ManualClock(START)
    db = Database(url)
    vault = SoftVault.open(folder / "vault", PASSPHRASE)
    trust = DevCa.open(folder / "ca", vault, clock).trust()

    def step(name: str, work: Callable[..., Any], *args: Any, **named: Any) -> Any:
        answer = work(*args, **named)
        if name == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    class Audit(AuditLog):
        def append_all(self, conn: Any, deeds: Any) -> int:
            opened = {"seal.sealing.intended": "intent open", "seal.sealing.completed": "completion open"}
            told = tuple(deeds)
            seq: int = step(opened.get(told[0].action, ""), super().append_all, conn, told)
            return seq

    class Vault:
        def sign_digest(self, key: Any, digest: bytes) -> Any:
            step("intent kept", lambda: None)
            return step("signed", vault.sign_digest, key, digest)

        def __getattr__(self, name: str) -> Any:
            return getattr(vault, name)

    class Objects:
        inner = ObjectStore.folder(objects)

        puts = 0

        def put(self, data: bytes) -> Any:
            self.puts += 1  # first what is to be sealed, then what was
            return step(("stored", "source stored")[self.puts % 2], self.inner.put, data)

        def get(self, key: str) -> Any:
            return self.inner.get(key)

    audit = Audit()
    return SealService(
        db=db,
        audit=audit,
        clock=clock,
        objects=Objects(),  # type: ignore[arg-type]
        vault=Vault(),
        register=SealRegister(db, audit, clock),
        judge=lambda document: step("judged", verify_in_process, document, trust),
        lease=timedelta(0),
    )


def main(url: str, folder: str, objects: str, document: str) -> None:
    """Kill one child at each step, then finish its work in another, and tell what was found."""
    octets = Path(document).read_bytes()
    places = (url, Path(folder), Path(objects))

    def work(key: str, killed_at: str | None) -> None:
        service = build(*places, killed_at)
        service.seal(SealRequest(document=octets, seal=SealId(SEAL_NUMBER), idempotency_key=key), CALLER)
        if killed_at == "completed":
            os.kill(os.getpid(), signal.SIGKILL)

    def child(do: Callable[[], object]) -> int:
        pid = os.fork()
        if pid == 0:
            do()
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    told: dict[str, object] = {}
    reading, writing = os.pipe()
    for name in STEPS:
        ended = child(lambda name=name: work(name, name))  # type: ignore[misc]
        seen = child(lambda: os.write(writing, b"%d" % len(build(*places, None).pending())))
        pending = int(os.read(reading, 10))
        again = child(lambda name=name: work(name, None))  # type: ignore[misc]
        told[name] = {"ended": ended, "pending": pending, "seen": seen, "again": again}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
