"""The whole story: by the one command that a newcomer types, and on PostgreSQL."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from admin import devworld
from admin.build import services
from admin.demo import story
from admin.demo.story import Scene
from admin.demo.ticks import Ticks
from tests.admin.conftest import emptied
from tests.databases import Fresh
from tests.journeys.conftest import Staged

ROOT = Path(__file__).resolve().parents[2]
SEALED = ("approval-sm2.pdf", "approval-p256.pdf", "approval.ofd", "licence.pdf")
TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What one telling of the story left behind."""

    code: int
    said: str
    out: Path
    home: Path
    environment: dict[str, str]

    @property
    def report(self) -> dict[str, Any]:
        """The report."""
        return dict(json.loads((self.out / "report.json").read_text("utf-8")))

    def xinyin(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run another command on the same folder."""
        command = [sys.executable, "-m", "admin", *arguments]
        return subprocess.run(command, cwd=self.out, env=self.environment, capture_output=True, check=False)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("demo")
    out, home = folder / "out", folder / "home"
    bare = {name: value for name, value in os.environ.items() if not name.startswith("XINYIN_")}
    environment = {**bare, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    command = [sys.executable, "-m", "admin", "demo", "--exit", "--out", str(out), "--home", str(home)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False, timeout=300)
    world = devworld.read(home)
    passphrase = world.passphrase if world else ""
    return Told(
        code=done.returncode,
        said=(done.stdout + done.stderr).decode(),
        out=out,
        home=home,
        environment={**environment, "XINYIN_HOME": str(home), "XINYIN_VAULT_PASSPHRASE": passphrase},
    )


def test_every_step_of_the_story_holds(told: Told) -> None:
    assert told.code == 0, told.said
    assert told.report["held"] is True
    steps = told.report["steps"]
    assert all(step["ok"] and step["error"] is None for step in steps)
    words = " ".join(step["name"] for step in steps)
    for part in ("portal login", "logout", "PDF, PAdES", "OFD", "verify", "issue", "scan", "change one byte", "revoke"):
        assert part in words
    assert told.said.count("✓") == len(steps)


def test_what_the_story_leaves_behind_can_be_verified_by_anyone(told: Told) -> None:
    done = told.xinyin("verify", "--json", *SEALED, *(f"forged/{name}" for name in SEALED))
    verdicts = {answer["file"]: answer["verdict"] for answer in map(json.loads, done.stdout.splitlines())}
    assert verdicts == dict.fromkeys(SEALED, "valid") | {f"forged/{name}": "invalid" for name in SEALED}
    assert done.returncode == 1
    assert "证照真实，当前有效" in (told.out / "scan.html").read_text("utf-8")
    assert "证照已被吊销" in (told.out / "scan-revoked.html").read_text("utf-8")


def test_each_forgery_differs_from_what_was_sealed_in_content_alone(told: Told) -> None:
    for name in SEALED:
        if name.endswith(".pdf"):
            good, forged = (told.out / name).read_bytes(), (told.out / "forged" / name).read_bytes()
            assert len(good) == len(forged)
            assert sum(one != other for one, other in zip(good, forged, strict=True)) == 1


def test_the_audit_chain_of_the_story_holds(told: Told) -> None:
    settings = devworld.settings_of(devworld.load(home=told.home, port=8000))
    with services(settings) as service, service.database.read() as conn:
        assert service.audit.verify(conn).holds
        assert service.audit.head(conn).seq >= 15


def test_the_logs_of_the_story_hold_no_secret_and_nobody(told: Told) -> None:
    world = devworld.read(told.home)
    assert world
    texts = {path.name: path.read_text("utf-8") for path in told.out.glob("*.log")}
    assert set(texts) == {"service.log", "portal.log"}
    assert '"event": "request"' in texts["service.log"]
    secrets = (world.passphrase, world.portal_secret, world.department_secret, world.citizen_password)
    people = (devworld.CITIZEN_NAME, "欧阳示例", "虚构数据科技", *devworld.RESIDENTS)
    for name, text in texts.items():
        for unwanted in (*secrets, *people):
            assert unwanted not in text, name
        assert not TOKEN.search(text), name
        assert not re.search(r"[?&](code|state|code_challenge|id_token_hint)=", text), name
        assert "Traceback" not in text, name
        assert '"level": "error"' not in text, name
    # Of the service's own lines, whatever is not the greeting is JSON.
    lines = [line for line in texts["service.log"].splitlines() if line.startswith("{")]
    assert all(isinstance(json.loads(line), dict) for line in lines)
    assert "[warning" not in texts["service.log"]


def test_the_report_tells_no_secret(told: Told) -> None:
    world = devworld.read(told.home)
    assert world
    text = (told.out / "report.json").read_text("utf-8")
    for secret in (world.passphrase, world.portal_secret, world.department_secret, world.citizen_password):
        assert secret not in text


@pytest.fixture
def scene(fresh_postgresql: Fresh, tmp_path: Path, staged: Staged) -> Iterator[Scene]:
    # The command keeps its invented world out of any database but its own; here it is given one.
    with staged(tmp_path, emptied(fresh_postgresql())) as scene:
        yield scene


def test_the_same_story_holds_on_postgresql(scene: Scene) -> None:
    ticks = Ticks(Console(file=io.StringIO()))
    story.login_and_logout(ticks, scene)
    sealed = story.seal_documents(ticks, scene)
    story.verify_documents(ticks, scene, sealed)
    licence = story.issue_licence(ticks, scene)
    address = story.scan(ticks, scene, licence)
    story.forge(ticks, scene, sealed)
    story.revoke(ticks, scene, licence, address)
    assert ticks.held
    with services(scene.settings) as service, service.database.read() as conn:
        assert service.database.dialect == "postgresql"
        assert service.audit.verify(conn).holds
        assert service.audit.head(conn).seq >= 15
