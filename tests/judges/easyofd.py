"""easyofd as an independent reader of sealed OFD documents; skips where it is absent.

It lives in a Python environment of its own. It verifies nothing: it shows texts and takes seals' pictures out of
signatures, of each seal where it stands last.
"""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_FOLDER = _ROOT / ".cache" / "judges" / "easyofd"
_SCRIPT = Path(__file__).with_name("read_with_easyofd.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A seal as easyofd reads it: page from 0, box as written, SHA-256 of the RGBA points of every picture found."""

    page: int
    boundary: str
    pictures: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What easyofd reads in a document."""

    pages: int
    texts: tuple[str, ...]
    seals: tuple[Seal, ...]


def read(*documents: bytes) -> list[Reading]:
    """Have easyofd read the documents, all in one start: its import alone takes seconds."""
    if not (_FOLDER / "complete").exists():
        pytest.skip("no easyofd: make judges brings it")
    with tempfile.TemporaryDirectory(prefix="xinyin-judge-") as folder:
        files = [Path(folder) / f"{number}.ofd" for number in range(len(documents))]
        for file, document in zip(files, documents, strict=True):
            file.write_bytes(document)
        command = [str(_FOLDER / "bin" / "python"), "-P", str(_SCRIPT), *map(str, files)]
        answer = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=120)
    return [_reading(json.loads(line)) for line in answer.stdout.splitlines()]


def _reading(row: dict[str, object]) -> Reading:
    match row:
        case {"pages": int(pages), "texts": list(texts), "seals": list(seals)}:
            return Reading(
                pages=pages,
                texts=tuple(map(str, texts)),
                seals=tuple(Seal(**{**seal, "pictures": tuple(seal["pictures"])}) for seal in seals),
            )
    raise ValueError("not an answer")
