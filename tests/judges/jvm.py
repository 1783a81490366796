"""A Java program that stays: compiled once, asked in lines over pipes; skips where it cannot be had.

Its jars are what Maven brings for ``java/NAME/pom.xml`` into .cache/judges/NAME. A question is a line of words with
tabs between; the answer is rows of such words, ended by a line with a dot. "failed EXCEPTION MESSAGE" is an answer too.
"""

import atexit
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_SECONDS = 120


class JvmFailed(Exception):
    """The program could not do what it was asked: the name of its exception and its message."""


class Jvm:
    """The running program, with a folder of its own for what it is given and what it makes."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self._process = process
        self.folder = folder

    def ask(self, *words: str | Path) -> list[list[str]]:
        """Ask one question; JvmFailed if the program failed at it, or ended."""
        watch = threading.Timer(_PATIENCE_SECONDS, self._process.kill)
        watch.start()
        try:
            self._questions.write("\t".join(map(str, words)) + "\n")
            self._questions.flush()
            rows = [line.split("\t") for line in self._answer()]
        finally:
            watch.cancel()
        if rows and rows[0][0] == "failed":
            raise JvmFailed(*rows[0][1:])
        return rows

    def _answer(self) -> Iterator[str]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line == ".\n":
                return
            yield line.removesuffix("\n")
        raise JvmFailed("the program ended")

    @property
    def _questions(self) -> IO[str]:
        assert self._process.stdin is not None
        return self._process.stdin

    @contextmanager
    def filed(self, octets: bytes, suffix: str) -> Iterator[Path]:
        """Put octets into a file for one question."""
        handle, name = tempfile.mkstemp(dir=self.folder, suffix=suffix)
        with os.fdopen(handle, "wb") as file:
            file.write(octets)
        try:
            yield Path(name)
        finally:
            Path(name).unlink()

    def close(self) -> None:
        """End the program and remove what it left."""
        with self._process as process:
            process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def absence(name: str) -> str | None:
    """Say in one line what is missing for the program; None if it can be started."""
    missing = [tool for tool in ("java", "javac") if shutil.which(tool) is None]
    if missing:
        return f"no {name} judge: {', '.join(missing)} missing"
    if not any((_home(name) / "lib").glob("xinyin-*")):
        return f"no {name} judge: make judges brings it"
    return None


def start(name: str, *options: str) -> Jvm:
    """Start the program; its end comes with ours."""
    why_not = absence(name)
    if why_not:
        pytest.skip(why_not)
    folder = Path(tempfile.mkdtemp(prefix="xinyin-judge-"))
    command = ["java", "-XX:+UseSerialGC", "-Djava.awt.headless=true", *options, f"-Djava.io.tmpdir={folder}"]
    command += ["-cp", _class_path(name, [_compiled(name)]), "Main"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    )
    started = Jvm(process, folder)
    atexit.register(started.close)
    return started


def _home(name: str) -> Path:
    return _ROOT / ".cache" / "judges" / name


def _compiled(name: str) -> Path:
    """Compile the program, once for each state of its sources."""
    sources = sorted((Path(__file__).parent / "java" / name).glob("*.java"))
    state = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    classes = _home(name) / f"classes-{state}"
    if not classes.is_dir():
        made = Path(tempfile.mkdtemp(prefix="classes-", dir=_home(name)))
        command = ["javac", "-nowarn", "-d", str(made), "-cp", _class_path(name, []), *map(str, sources)]
        subprocess.run(command, capture_output=True, check=True, timeout=_PATIENCE_SECONDS)
        try:
            made.rename(classes)
        except OSError:  # another process was quicker
            shutil.rmtree(made)
    return classes


def _class_path(name: str, more: Sequence[Path]) -> str:
    return ":".join([*map(str, more), f"{_home(name) / 'lib'}/*"])
