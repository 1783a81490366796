"""`xinyin seal ask | requests | approve | use | ledger`: one use by two people, and the ledger that tells of it."""

import json
import re
import zipfile
from pathlib import Path

from tests.admin.conftest import Done, Town, Xinyin

SAMPLE = Path(__file__).resolve().parents[2] / "examples" / "samples" / "approval.ofd"
LOGIN, PASSWORD = "qian", "a long pass phrase of one"


def _told(done: Done, name: str) -> str:
    assert done.code == 0, done.err
    found = re.search(rf"^{name} +(\S+)", done.out, re.MULTILINE)
    assert found, done.out
    return found[1]


def test_a_use_is_asked_for_approved_made_and_exported(xinyin: Xinyin, town: Town, tmp_path: Path) -> None:
    def run(*words: object, officer: bool = False) -> Done:
        named = ("--as", LOGIN) if officer else ()
        return xinyin("seal", *words, *named, typed=f"{PASSWORD}\n", **town.given)

    seal = town.world.seal
    xinyin("person", "add", LOGIN, "某人", typed=f"{PASSWORD}\n", **town.given)
    assert xinyin("affair", "officer", LOGIN, "--right", f"seal.use.approve:{seal}", **town.given).code == 0
    asked = run("ask", SAMPLE, "--seal", seal, "--reason", "准予许可", "--case", "YJ-ASKED-1", "--amount", 100)
    number = _told(asked, "request")
    assert number in run("requests", "--waiting", officer=True).out
    early = run("use", number, "--out", tmp_path / "sealed.ofd")
    assert (early.code, "use_request_not_approved" in early.err) == (64, True)

    shown = run("approve", number, "--out", tmp_path / "read.ofd", officer=True)
    assert (tmp_path / "read.ofd").read_bytes() == SAMPLE.read_bytes()
    assert _told(shown, "amount") == "100"
    decided = run("approve", number, "--sm3", _told(shown, "sm3"), "--note", "同意", officer=True)
    assert _told(decided, "stands") == "approved"
    used = run("use", number, "--out", tmp_path / "sealed.ofd")
    assert used.code == 0, used.err
    assert xinyin("verify", tmp_path / "sealed.ofd", **town.given).code == 0

    (row,) = [json.loads(line) for line in run("ledger", "--case", "YJ-ASKED-1", "--json").out.splitlines()]
    assert (row["approval"], row["state"], row["caller"]) == (number, "completed", "operator")
    assert "YJ-ASKED-1" in run("ledger").out
    assert run("ledger", "--since", "yesterday").code == 64
    assert run("ledger", "--month", "2026-11").code == 64
    done = run("ledger", "--month", row["intended_at"][:7], "--out", tmp_path / "ledger.zip")
    assert done.code == 0, done.err
    assert "manifest.json.p7s" in zipfile.ZipFile(tmp_path / "ledger.zip").namelist()
