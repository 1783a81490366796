"""ofdrw as an independent judge, maker and reader of sealed OFD documents; skips where it is absent.

One Java process stays for the whole session. ofdrw checks the references, the data hash, the signature value and that
the seal's file is the seal that signed; it looks at no certificate chain, no seal's signature and no time. Use it to
confirm what we accept and where it stands, never to excuse what we refuse.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.judges import jvm

OfdrwFailed = jvm.JvmFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """One appearance of a seal as ofdrw reads it; ``page`` counts from 1, boxes are x, y, width, height in mm."""

    signature: int
    version: str
    esid: str
    page: int
    boundary: tuple[float, ...]
    clip: tuple[float, ...] | None


class Ofdrw:
    """The running program."""

    def __init__(self, program: jvm.Jvm) -> None:
        self._ask = program.ask
        self._program = program

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
            self._ask("world", picture, self._program.folder)
        return {name: (self._program.folder / f"{name}.cer").read_bytes() for name in ("root", "maker", "user")}

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

    def _filed(self, octets: bytes) -> AbstractContextManager[Path]:
        return self._program.filed(octets, ".ofd")


def absence() -> str | None:
    """Say in one line what is missing for this judge; None if it can be started."""
    return jvm.absence("ofdrw")


@cache
def start() -> Ofdrw:
    """Start the program, once a session."""
    return Ofdrw(jvm.start("ofdrw", "-Duser.timezone=Asia/Shanghai"))
