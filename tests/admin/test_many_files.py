"""Many files in one call: what is told at a terminal, what is not in a pipe, failures, and Ctrl-C."""

import fcntl
import io
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from admin.cli import app
from admin.cli.progress import Meter
from tests.admin.conftest import Town, Xinyin
from tests.reliability.sealing import document

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def outgoing(tmp_path: Path) -> Path:
    folder = tmp_path / "outgoing"
    folder.mkdir()
    (tmp_path / "sealed").mkdir()
    for number in range(3):
        (folder / f"{number}.ofd").write_bytes(document(str(number)))
    (folder / "broken.pdf").write_bytes(b"%PDF- it is none")
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_many_files_are_sealed_past_a_failure_and_a_second_call_does_what_is_left(
    xinyin: Xinyin, pattern: Town, outgoing: Path, tmp_path: Path
) -> None:
    command = ("seal", "--seal", pattern.world.seal, "--out-dir", tmp_path / "sealed")
    done = xinyin(*command, *sorted(outgoing.iterdir()), **pattern.given)
    assert done.code == 1
    assert names(tmp_path / "sealed") == ["0.ofd", "1.ofd", "2.ofd"]
    assert [line.split()[0] for line in done.out.splitlines()] == ["✓"] * 3
    failure, summary = done.err.splitlines()
    assert re.search(r"broken\.pdf: .* \[document_\w+\]$", failure)
    assert summary == "xinyin: 3 sealed, 1 failed"
    (outgoing / "broken.pdf").unlink()
    (outgoing / "3.ofd").write_bytes(document("3"))
    before = (tmp_path / "sealed/0.ofd").read_bytes()
    done = xinyin(*command, *sorted(outgoing.iterdir()), **pattern.given)
    assert (done.code, done.err) == (0, "xinyin: 1 sealed, 3 there already\n")
    assert (tmp_path / "sealed/0.ofd").read_bytes() == before
    judged = xinyin("verify", *sorted((tmp_path / "sealed").iterdir()), **pattern.given)
    assert (judged.code, judged.err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["a/1.ofd", "b/1.ofd", "--out-dir", "sealed"], "would both be"),
        (["a/1.ofd", "--out-dir", "a"], "another folder"),
        (["a/1.ofd", "--out-dir", "nowhere"], "not a folder"),
        (["a/1.ofd", "a/2.ofd", "--out", "one.ofd"], "--out-dir"),
        (["a/1.ofd"], "--out-dir"),
        (["a/1.ofd", "--out", "one.ofd", "--out-dir", "sealed"], "--out-dir"),
        (["a/1.ofd", "--out-dir", "sealed", "--seal", "99010000000009"], "seal_unknown"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_sealed(
    xinyin: Xinyin, pattern: Town, tmp_path: Path, arguments: list[str], told: str
) -> None:
    for folder in ("a", "b", "sealed"):
        (tmp_path / folder).mkdir()
    for name in ("a/1.ofd", "a/2.ofd", "b/1.ofd"):
        (tmp_path / name).write_bytes(document(name))
    done = xinyin("seal", "--seal", pattern.world.seal, *arguments, **pattern.given)
    assert done.code == 64
    assert told in done.err
    assert done.err.count("\n") == 1
    assert names(tmp_path / "sealed") == []


def environment(town: Town) -> dict[str, str]:
    given = {f"XINYIN_{name.upper()}": str(value) for name, value in town.given.items()}
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("XINYIN_", "COV_"))}
    return {**bare, **given, "TERM": "xterm-256color", "COLUMNS": "100", "PYTHONPATH": str(ROOT)}


class Terminal:
    """A program whose error stream is a terminal; standard output is a pipe."""

    def __init__(self, town: Town, *arguments: object) -> None:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        self._ours = ours
        self.process = subprocess.Popen(
            [sys.executable, "-m", "admin", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=theirs,
            env=environment(town),
        )
        os.close(theirs)
        self.shown = b""

    def lines(self) -> Iterator[bytes]:
        """Give what the terminal is sent, as it comes, until nobody writes there any more."""
        while True:
            try:
                part = os.read(self._ours, 65536)
            except OSError:  # how Linux says that the other side is closed
                return
            self.shown += part
            yield part

    def end(self) -> bytes:
        """Give standard output, after the program has ended."""
        for _ in self.lines():
            pass
        out, _ = self.process.communicate(timeout=60)
        os.close(self._ours)
        return out


def test_at_a_terminal_a_bar_counts_and_ctrl_c_ends_after_a_whole_file(pattern: Town, tmp_path: Path) -> None:
    outgoing, sealed = tmp_path / "outgoing", tmp_path / "sealed"
    outgoing.mkdir()
    sealed.mkdir()
    for number in range(40):
        (outgoing / f"{number:02}.ofd").write_bytes(document("0"))
    terminal = Terminal(pattern, "seal", *sorted(outgoing.iterdir()), "--seal", pattern.world.seal, "--out-dir", sealed)
    for _ in terminal.lines():
        if re.search(rb"[1-9]\d*/40", terminal.shown):
            terminal.process.send_signal(signal.SIGINT)
            break
    out = terminal.end()
    assert terminal.process.returncode == 130
    assert re.search(rb"xinyin: \d+ sealed, \d+ left", terminal.shown)
    assert b"sealing" in terminal.shown
    # What scripts read has neither bar nor colours, and tells of every file there is.
    told = [line.split()[1] for line in out.decode().splitlines()]
    assert [Path(each).name for each in told] == names(sealed)
    assert 0 < len(told) < 40
    assert all((sealed / name).read_bytes().startswith(b"PK") for name in names(sealed))


class Screen(io.StringIO):
    """Says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_of_a_single_file_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    with redirect_stderr(Screen()) as one, Meter("judging", 1) as meter:
        meter.done()
    with redirect_stderr(Screen()) as two, Meter("judging", 2) as meter:
        meter.done()
    assert one.getvalue() == ""
    assert "1/2" in two.getvalue()


def test_a_bar_counts_what_is_judged(pattern: Town, outgoing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    (outgoing / "broken.pdf").unlink()
    command = ["verify", "--json", "--anchors", str(pattern.home / "trust"), *map(str, sorted(outgoing.iterdir()))]
    with redirect_stderr(Screen()) as screen, redirect_stdout(io.StringIO()) as out:
        assert app(command, standalone_mode=False) == 3
    assert "verifying" in screen.getvalue()
    assert "3/3" in screen.getvalue()
    assert out.getvalue().count("\n") == 3
    assert "\x1b" not in out.getvalue()
