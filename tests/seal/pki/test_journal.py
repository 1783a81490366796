"""Nothing comes about without a record: whenever the process dies, and whoever acts beside it."""

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from crypto.revoked import RevocationReason, Revoked
from crypto.suites import SM2_SM3
from crypto.vaults.soft import SoftVault
from crypto.x509 import Certificate
from kernel.audit import AuditLog, entries
from kernel.clock import ManualClock
from kernel.db import Database
from seal.pki.authorities import Authorities
from seal.pki.journal import Act
from seal.pki.policy import SEAL_SIGNER
from tests.given import PASSPHRASE
from tests.seal.pki.authority_worker import STEPS
from tests.seal.pki.conftest import CHEAP, new_key, wish

ROOT = Path(__file__).resolve().parents[3]
ACTS = {"issue": Act.ISSUE, "revoke": Act.REVOKE, "publish": Act.PUBLISH}


class House:
    """An installation on disk, as several processes see it."""

    def __init__(self, folder: Path, database: Database, clock: ManualClock) -> None:
        self.folder = folder
        self.database = database
        self.clock = clock
        self.vault = SoftVault.create(folder / "vault", PASSPHRASE, cost=CHEAP)
        self.open().found(folder / "roots", self.vault, "某某市")

    def open(self) -> Authorities:
        return Authorities(
            self.folder / "ca",
            vault=self.vault,
            clock=self.clock,
            db=self.database,
            audit=AuditLog(),
            public_url="https://pki.example.test",
        )

    def start(self, act: str, killed_at: str = "", given: object = "") -> subprocess.Popen[bytes]:
        program = [sys.executable, "-m", "tests.seal.pki.authority_worker"]
        arguments = [self.database.url, str(self.folder), act, killed_at, str(given)]
        return subprocess.Popen([*program, *arguments], cwd=ROOT, stderr=subprocess.PIPE)

    def told(self) -> list[tuple[str, str]]:
        with self.database.read() as conn:
            assert AuditLog().verify(conn).holds
            rows = conn.execute(sa.select(entries.c.action, entries.c.target).order_by(entries.c.seq))
            return [(action, target[7:]) for action, target in rows if target.startswith("ca/sm2/")]

    def everything(self) -> set[tuple[Act, str]]:
        """What the ledger of the SM2 authority holds, as the journal names it."""
        ledger = self.open().get("sm2").ledger
        issued = {(Act.ISSUE, f"{each.serial:x}") for each in ledger.certificates()}
        revoked = {(Act.REVOKE, f"{each.serial:x}") for each in ledger.all_revoked()}
        return issued | revoked | {(Act.PUBLISH, f"list-{number + 1}") for number in range(ledger.last_number())}

    def request(self) -> bytes:
        return wish(new_key(self.vault, SM2_SM3))

    def issue(self) -> Certificate:
        return self.open().get("sm2").issue(self.request(), SEAL_SIGNER)


@pytest.fixture
def house(tmp_path: Path, database: Database, clock: ManualClock) -> House:
    return House(tmp_path, database, clock)


# Every step of issuing; of the others those where they differ. Kills at any moment: tests/reliability.
_KILLED = [("issue", step) for step in STEPS]
_KILLED += [(act, step) for act in ("revoke", "publish") for step in ("intended", "kept")]


@pytest.mark.parametrize(("act", "step"), _KILLED)
def test_what_was_done_when_a_process_was_killed_is_on_record_before_and_after(
    tmp_path: Path, fresh_sqlite: Callable[[], str], clock: ManualClock, act: str, step: str
) -> None:
    house = House(tmp_path, Database(fresh_sqlite()), clock)
    (request := tmp_path / "request.der").write_bytes(house.request())
    given = {"issue": request, "revoke": f"{house.issue().serial:x}", "publish": ""}[act]
    before = house.everything()
    killable = act != "revoke" or step not in {"intended", "signed"}  # No key is needed to revoke.

    process = house.start(act, step, given)
    _, said = process.communicate(timeout=120)

    assert process.returncode == (-signal.SIGKILL if killable else 0), said.decode()
    new = house.everything() - before
    assert len(new) == (step not in {"intent open", "intended", "signed"} or not killable)
    told = house.told()
    for kind, what in new:
        assert (kind.intent, what) in told
    clock.advance(timedelta(minutes=3))
    house.open().get("sm2").settle()
    settled = house.told()
    for kind, what in new:
        assert settled.count((kind.completion, what)) == 1
    assert house.open().get("sm2").settle() == 0
    done = {what for action, what in settled if action == ACTS[act].completion}
    assert {what for kind, what in house.everything() if kind is ACTS[act]} <= done
    house.database.dispose()


def test_an_intent_that_came_to_nothing_is_never_called_done(house: House, clock: ManualClock) -> None:
    with house.database.begin() as conn:
        AuditLog().append(conn, at=clock.now(), actor="ra", action=Act.ISSUE.intent, target="ca/sm2/abc")
    clock.advance(timedelta(minutes=3))

    assert house.open().get("sm2").settle() == 0
    assert (Act.ISSUE.completion, "abc") not in house.told()


def test_another_processs_fresh_intent_is_left_alone(house: House, clock: ManualClock) -> None:
    made = house.issue()
    with house.database.begin() as conn:
        AuditLog().append(conn, at=clock.now(), actor="ra", action=Act.REVOKE.intent, target=f"ca/sm2/{made.serial:x}")
    authority = house.open().get("sm2")
    authority.ledger.revoke(_superseded(made, clock), by="ra", why="")

    assert authority.settle() == 0
    clock.advance(timedelta(minutes=2))
    assert authority.settle() == 1


def _superseded(made: Certificate, clock: ManualClock) -> Revoked:
    return Revoked(serial=made.serial, at=clock.now(), reason=RevocationReason.SUPERSEDED)


def test_processes_that_issue_revoke_and_publish_at_once_neither_lose_nor_double(house: House) -> None:
    (house.folder / "contended").write_text(f"{house.issue().serial:x}")
    (house.folder / "requests").mkdir()
    for number in range(5):
        (house.folder / "requests" / str(number)).write_bytes(house.request())

    both = [house.start("churn") for _ in range(2)]
    for each in both:
        _, said = each.communicate(timeout=120)
        assert each.returncode == 0, said.decode()

    told, held = house.told(), house.everything()
    assert sum(kind is Act.REVOKE for kind, _ in held) == 11
    for kind, what in held:
        assert (kind.intent, what) in told
        assert told.count((kind.completion, what)) == 1
    newest = house.open().get("sm2").publish()
    assert len(newest) == 11
