"""kill -9 at every step of a late stamp: stamped exactly once, and told exactly once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from kernel.audit import entries
from kernel.jobs import JOBS
from kernel.outbox import EVENTS
from seal.later import store
from seal.later.model import STAMP
from tests.seal.conftest import House


def test_a_worker_killed_at_any_step_leaves_one_stamp(house: House, ofd: bytes, tmp_path: Path) -> None:
    document = tmp_path / "document.ofd"
    document.write_bytes(ofd)
    root = Path(__file__).resolve().parents[3]
    places: list[str | Path] = [house.db.url, house.authority.folder, tmp_path / "objects", document]
    run = subprocess.run(
        [sys.executable, "-m", "tests.seal.later.kill_worker", *places],
        cwd=root,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert {tuple(ended) for ended in told.values()} == {(0, -9, 0)}
    with house.db.read() as conn:
        owed = set(conn.execute(sa.select(store.OWED.c.sealing)).scalars())
        settled = conn.execute(sa.select(store.SETTLED.c.sealing, store.SETTLED.c.object_key)).all()
        actions = conn.execute(sa.select(entries.c.target).where(entries.c.action == "seal.sealing.stamped"))
        assert set(actions.scalars()) == owed
        events = list(conn.execute(sa.select(EVENTS.c.key).where(EVENTS.c.type == "sealing.stamped")).scalars())
        assert conn.execute(sa.select(JOBS.c.id).where(JOBS.c.kind == STAMP)).all() == []
        assert house.audit.verify(conn).holds
    assert len(owed) == len(told)
    assert {row.sealing for row in settled} == owed
    assert sorted(events) == sorted(f"sealing:{each}:stamped" for each in owed)
    assert all(house.objects.has(row.object_key) for row in settled)
