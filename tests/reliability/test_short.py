"""The loops that have no other short form, for a moment: killed at any time, nothing is lost and nothing is doubled.

Sealing is killed at every step by tests/seal/test_kill.py, an authority by tests/seal/pki/test_journal.py and a
vault's changes by tests/crypto/test_soft_vault_changes.py; the audit chain's writers run side by side in
tests/kernel/test_audit.py.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["objects", "licences-sqlite", "batches-sqlite"])
def test_what_was_acknowledged_outlives_the_process_that_was_killed(name: str) -> None:
    run = subprocess.run(
        [sys.executable, "tests/reliability/run.py", name, "--seconds", "0", "--json"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    figures = json.loads(run.stdout)[name]
    assert figures["held"]
    # Whoever issues licences may be done before the blow falls; the others go on for ever.
    assert figures["kills"] > 0 or name == "licences-sqlite"
