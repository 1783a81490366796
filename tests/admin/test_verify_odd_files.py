"""`xinyin verify` on files from anywhere: endless, missing, or named to fool a terminal."""

import errno
import json
import os
from pathlib import Path
from unittest.mock import Mock

import pytest

from seal.verifying import MAX_DOCUMENT
from tests.admin.conftest import Xinyin

SAMPLE = Path(__file__).parents[2] / "examples" / "samples" / "approval.pdf"


@pytest.fixture
def anchors(tmp_path: Path) -> Path:
    folder = tmp_path / "anchors"
    folder.mkdir()
    return folder


def test_what_cannot_be_read_is_64_and_the_rest_is_judged_all_the_same(
    xinyin: Xinyin, anchors: Path, tmp_path: Path
) -> None:
    done = xinyin("verify", "--json", "--anchors", anchors, tmp_path, tmp_path / "missing", SAMPLE)
    assert done.err.count("\n") == 2
    assert json.loads(done.out)["verdict"] == "unsigned"
    assert done.code == 3


def test_a_file_without_end_is_read_no_further_than_the_largest_document(xinyin: Xinyin, anchors: Path) -> None:
    done = xinyin("verify", "--anchors", anchors, "/dev/zero")
    assert (done.code, done.out) == (64, "")
    assert f"{MAX_DOCUMENT} are taken" in done.err


def test_a_name_gives_the_terminal_no_commands(xinyin: Xinyin, anchors: Path, tmp_path: Path) -> None:
    odd = tmp_path / "a\x1b[31m[bold]\u202efdp.pdf"
    odd.write_bytes(SAMPLE.read_bytes())
    for arguments in ((odd,), ("--json", odd), (odd.with_suffix(".missing"),)):
        done = xinyin("verify", "--anchors", anchors, *arguments)
        assert "\x1b[31m" not in done.out + done.err
    assert r"a\x1b[31m[bold]\u202efdp.pdf" in xinyin("verify", "--anchors", anchors, odd).out.replace("\n", "")


def test_a_name_that_is_no_text_is_shown_all_the_same(xinyin: Xinyin, anchors: Path, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"\xff.pdf")
    odd.write_bytes(SAMPLE.read_bytes())
    assert json.loads(xinyin("verify", "--json", "--anchors", anchors, odd).out)["file"] == str(odd)
    assert r"\udcff.pdf" in xinyin("verify", "--anchors", anchors, odd).out


def test_a_full_disk_or_a_bug_is_never_a_verdict(
    xinyin: Xinyin, anchors: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error, code in ((OSError(errno.ENOSPC, "No space left on device"), 64), (RuntimeError("a bug"), 70)):
        monkeypatch.setattr("typer.echo", Mock(side_effect=error))
        done = xinyin("verify", "--json", "--anchors", anchors, SAMPLE)
        assert (done.code, done.out) == (code, "")
        assert str(error.args[-1]) in done.err
