"""The command line as a whole: its table of families, and what a call loads."""

import subprocess
import sys
from pathlib import Path

from admin.cli import FAMILIES, commands_of

ROOT = Path(__file__).resolve().parents[2]


def test_every_family_offers_the_commands_that_the_table_says() -> None:
    for family in set(FAMILIES.values()):
        assert set(commands_of(family)) == {name for name, its in FAMILIES.items() if its == family}


def test_every_family_is_in_the_table() -> None:
    modules = {
        path.stem for path in (ROOT / "admin" / "cli").glob("*.py") if "def register(" in path.read_text("utf-8")
    }
    assert set(FAMILIES.values()) == modules


def test_a_call_loads_no_other_family() -> None:
    program = "import sys; from admin.cli import app; app(['bench', '--list'], standalone_mode=False); "
    asked = subprocess.run(
        [sys.executable, "-c", program + "print(*(n for n in sys.modules if n.startswith('admin.cli.')))"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert asked.stdout.splitlines()[-1] == "admin.cli.bench"
