"""A process that acts as an authority and may be killed at a chosen step; run as a program by test_journal.py.

Arguments: database URL, folder, act (issue, revoke, publish, churn), step at which it is killed, request or serial.
"""

import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from crypto.revoked import RevocationReason
from crypto.vaults.soft import SoftVault
from kernel.audit import AuditLog
from kernel.clock import ManualClock
from kernel.db import Database
from seal.pki.authorities import Authorities
from seal.pki.errors import AlreadyRevoked
from seal.pki.policy import SEAL_SIGNER
from tests.given import PASSPHRASE, START

STEPS = ("intent open", "intended", "signed", "kept", "completion open", "completed")


def killing(step: str, killed_at: str | None, work: Callable[[], Any]) -> Any:
    """Do ``work``, and die after it if this is the step."""
    answer = work()
    if step == killed_at:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer


def build(url: str, folder: Path, killed_at: str | None) -> Authorities:
    """Open the authorities with collaborators that die at one step."""
    vault = SoftVault.open(folder / "vault", PASSPHRASE)

    class Audit(AuditLog):
        def append(self, conn: Any, **named: Any) -> int:
            step = "intent open" if named["action"].endswith("intended") else "completion open"
            seq: int = killing(step, killed_at, lambda: super(Audit, self).append(conn, **named))
            return seq

    class Vault:
        def sign_digest(self, key: Any, digest: bytes) -> Any:
            killing("intended", killed_at, lambda: None)
            return killing("signed", killed_at, lambda: vault.sign_digest(key, digest))

        def __getattr__(self, name: str) -> Any:
            return getattr(vault, name)

    clock = ManualClock(START + timedelta(minutes=1))
    made = Authorities(
        folder / "ca",
        vault=Vault(),
        clock=clock,
        db=Database(url),
        audit=Audit(),
        public_url="https://pki.example.test",
    )
    ledger = made.get("sm2").ledger
    for verb in ("issue", "revoke", "publish"):
        write = getattr(ledger, verb)

        def kept(*given: Any, write: Any = write, **named: Any) -> None:
            killing("kept", killed_at, lambda: write(*given, **named))

        setattr(ledger, verb, kept)
    return made


def churn(made: Authorities, folder: Path) -> None:
    """Issue, revoke and publish beside others that do the same."""
    authority = made.get("sm2")
    for request in sorted((folder / "requests").iterdir()):
        certificate = authority.issue(request.read_bytes(), SEAL_SIGNER)
        try:
            authority.revoke(certificate.serial, RevocationReason.SUPERSEDED, by="ra", why="")
            authority.revoke(int((folder / "contended").read_text(), 16), RevocationReason.SUPERSEDED, by="ra", why="")
        except AlreadyRevoked:
            continue
        finally:
            authority.publish()


def main(url: str, folder: str, act: str, killed_at: str, given: str) -> None:
    """Do one act."""
    made = build(url, Path(folder), killed_at)
    authority = made.get("sm2")
    if act == "issue":
        authority.issue(Path(given).read_bytes(), SEAL_SIGNER)
    elif act == "revoke":
        authority.revoke(int(given, 16), RevocationReason.SUPERSEDED, by="ra", why="换发")
    elif act == "publish":
        authority.publish()
    else:
        churn(made, Path(folder))
    killing("completed", killed_at, lambda: None)


if __name__ == "__main__":
    main(*sys.argv[1:])
