"""kill -9 at every step of a sealing: nothing is lost, nothing is sealed twice, nothing is unknown."""

import json
import os
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from seal import store
from seal.model import Verdict

from .conftest import House


def test_a_worker_killed_at_any_step_leaves_nothing_half_done(house: House, ofd: bytes, tmp_path: Path) -> None:
    document = tmp_path / "document.ofd"
    document.write_bytes(ofd)
    objects = tmp_path / "objects"
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run(
        [sys.executable, "-m", "tests.seal.kill_worker", house.db.url, house.authority.folder, objects, document],
        cwd=root,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert {name: row["ended"] for name, row in told.items()} == dict.fromkeys(told, -9)
    # What was open is rolled back; what was kept is shown until somebody finishes it.
    shown = {name: row["pending"] for name, row in told.items()}
    assert shown == {
        "source stored": 0,
        "intent open": 0,
        "intent kept": 1,
        "signed": 1,
        "judged": 1,
        "stored": 1,
        "completion open": 1,
        "completed": 0,
    }
    assert {row["again"] for row in told.values()} == {0}
    with house.db.read() as conn:
        sealings = conn.execute(sa.select(store.SEALINGS.c.serial).order_by(store.SEALINGS.c.serial)).scalars().all()
        kept = conn.execute(sa.select(store.COMPLETIONS.c.object_key)).scalars().all()
        assert house.audit.verify(conn).holds
    assert sealings == list(range(1, len(told) + 1))
    assert len(kept) == len(told)
    assert house.service().pending() == ()
    assert {house.judge(house.objects.get(key)).verdict for key in kept} == {Verdict.VALID}
