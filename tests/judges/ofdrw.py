"""ofdrw as an independent judge, maker and reader of sealed OFD documents; skips where it is absent.

One Java process stays for the whole session. ofdrw checks the references, the data hash, the signature value and that
the seal's file is the seal that signed; it looks at no certificate chain, no seal's signature and no time. Use it to
confirm what we accept and where it stands, never to excuse what we refuse.
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
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_SOURCES = Path(__file__).parent / "java" / "ofdrw"
_FOLDER = _ROOT / ".cache" / "judges" / "ofdrw"
_PATIENCE_SECONDS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """One appearance of a seal as ofdrw reads it; ``page`` counts from 1, boxes are x, y, width, height in mm."""

    signature: int
    version: str
    esid: str
    page: int
    boundary: tuple[float, ...]
    clip: tuple[float, ...] | None


class OfdrwFailed(Exception):
    """ofdrw could not do what it was asked: the name of its exception and its message."""


class Ofdrw:
    """The running program."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self._process = process
        self._folder = folder

    # --- questions about documents -----------------------------------------------------------------------------

    def refusal(self, document: bytes) -> str | None:
        """Say why ofdrw refuses the document, "EXCEPTION MESSAGE"; None if it finds every signature right."""
        with self._filed(document) as file:
            rows = self._ask("verify", file)
        return " ".join(rows[0][1:]) if rows else None

    def stamps(self, document: bytes) -> list[Stamped]:
        """List every appearance of every seal."""
        with self._filed(document) as file:
            rows = self._ask("stamps", file)
        return [
            Stamped(
                signature=int(signature),
                version=version,
                esid=esid,
                page=int(page),
                boundary=tuple(map(float, boundary.split())),
                clip=tuple(map(float, clip.split())) if clip else None,
            )
            for _, signature, version, esid, page, boundary, clip in rows
        ]

    def integrity_holds(self, document: bytes) -> bool:
        """Say what ofdrw thinks of the integrity file (GM/T 0099)."""
        with self._filed(document) as file:
            return self._ask("integrity", file) == [["true"]]

    def page(self, document: bytes, number: int, *, dots_per_mm: float) -> bytes:
        """Draw a page, PNG; pages count from 1."""
        with self._filed(document) as file, self._filed(b"") as out:
            self._ask("render", file, str(number), str(dots_per_mm), out)
            return out.read_bytes()

    def times(self, document: bytes, runs: int) -> tuple[list[int], list[int], int]:
        """Verify ``runs`` times: ns by the clock of each, ns of its thread, ns of the whole process for all of them."""
        with self._filed(document) as file:
            *rows, (_, process) = self._ask("time", file, str(runs))
        return [int(wall) for _, wall, _ in rows], [int(cpu) for _, _, cpu in rows], int(process)

    # --- documents of its making -------------------------------------------------------------------------------

    def make_world(self, picture_png: bytes) -> dict[str, bytes]:
        """Have it make a root, a seal maker and a signer; give their certificates by these names, DER."""
        with self._filed(picture_png) as picture:
            self._ask("world", picture, self._folder)
        return {name: (self._folder / f"{name}.cer").read_bytes() for name in ("root", "maker", "user")}

    def sign(self, document: bytes, container: str, *places: str, mode: str = "continue") -> bytes:
        """Have it seal or sign the document; Main.java says what may be asked for."""
        with self._filed(document) as file, self._filed(b"") as out:
            self._ask("sign", file, out, container, mode, *places)
            return out.read_bytes()

    def protect(self, document: bytes) -> bytes:
        """Have it add an integrity file."""
        with self._filed(document) as file, self._filed(b"") as out:
            self._ask("protect", file, out)
            return out.read_bytes()

    # --- the process -------------------------------------------------------------------------------------------

    def _ask(self, *words: str | Path) -> list[list[str]]:
        watch = threading.Timer(_PATIENCE_SECONDS, self._process.kill)
        watch.start()
        try:
            self._questions.write("\t".join(map(str, words)) + "\n")
            self._questions.flush()
            rows = [line.split("\t") for line in self._answer()]
        finally:
            watch.cancel()
        if rows and rows[0][0] == "failed":
            raise OfdrwFailed(*rows[0][1:])
        return rows

    def _answer(self) -> Iterator[str]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line == ".\n":
                return
            yield line.removesuffix("\n")
        raise OfdrwFailed("the program ended")

    @property
    def _questions(self) -> IO[str]:
        assert self._process.stdin is not None
        return self._process.stdin

    @contextmanager
    def _filed(self, octets: bytes) -> Iterator[Path]:
        handle, name = tempfile.mkstemp(dir=self._folder, suffix=".ofd")
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
        shutil.rmtree(self._folder, ignore_errors=True)


def absence() -> str | None:
    """Say in one line what is missing for this judge; None if it can be started."""
    missing = [tool for tool in ("java", "javac") if shutil.which(tool) is None]
    if missing:
        return f"no ofdrw judge: {', '.join(missing)} missing"
    if not any((_FOLDER / "lib").glob("xinyin-*")):
        return "no ofdrw judge: make judges brings it"
    return None


@cache
def start() -> Ofdrw:
    """Start the program, once a session."""
    why_not = absence()
    if why_not:
        pytest.skip(why_not)
    folder = Path(tempfile.mkdtemp(prefix="xinyin-judge-"))
    command = ["java", "-XX:+UseSerialGC", "-Djava.awt.headless=true", "-Duser.timezone=Asia/Shanghai"]
    command += [f"-Djava.io.tmpdir={folder}", "-cp", _class_path([_compiled()]), "Main"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    )
    started = Ofdrw(process, folder)
    atexit.register(started.close)
    return started


def _compiled() -> Path:
    """Compile the program, once for each state of its sources."""
    sources = sorted(_SOURCES.glob("*.java"))
    state = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    classes = _FOLDER / f"classes-{state}"
    if not classes.is_dir():
        made = Path(tempfile.mkdtemp(prefix="classes-", dir=_FOLDER))
        command = ["javac", "-nowarn", "-d", str(made), "-cp", _class_path([]), *map(str, sources)]
        subprocess.run(command, capture_output=True, check=True, timeout=_PATIENCE_SECONDS)
        try:
            made.rename(classes)
        except OSError:  # another process was quicker
            shutil.rmtree(made)
    return classes


def _class_path(more: Sequence[Path]) -> str:
    return ":".join([*map(str, more), f"{_FOLDER / 'lib'}/*"])
