"""Documents: read once before they are sent, and written whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, TypeAlias

from cryptography.hazmat.primitives.hashes import SM3, Hash

from xinyin_sdk.errors import DocumentDamaged

Source: TypeAlias = bytes | str | os.PathLike[str] | BinaryIO
"""A document: its octets, the path of a file, or a file that is open for reading octets."""
MOST_OCTETS = 64 * 1024 * 1024
"""The service takes no larger document."""
PDF, OFD, OCTETS = "application/pdf", "application/ofd", "application/octet-stream"
_HEAD = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A document in memory, ready to be sent as often as it takes."""

    octets: bytes = field(repr=False)
    name: str | None

    @property
    def media_type(self) -> str:
        """What the first octets say it is; the service looks for itself."""
        head = self.octets[:_HEAD]
        return PDF if b"%PDF-" in head else OFD if b"PK\x03\x04" in head else OCTETS


def read(source: Source) -> Content:
    """Read a document; ValueError for one that is empty or larger than the service takes."""
    if isinstance(source, bytes):
        octets, name = source, None
    elif isinstance(source, (str, os.PathLike)):
        path = Path(source)
        with path.open("rb") as opened:
            octets, name = opened.read(MOST_OCTETS + 1), path.name
    else:
        octets, name = source.read(MOST_OCTETS + 1), None
        if not isinstance(octets, bytes):
            raise TypeError("the file is open for text: open it with 'rb'")
    if not octets:
        raise ValueError(f"{name or 'the document'} is empty")
    if len(octets) > MOST_OCTETS:
        raise ValueError(f"{name or 'the document'} is larger than the {MOST_OCTETS} octets that the service takes")
    return Content(octets=octets, name=name)


def confirm(octets: bytes, *recorded: str | None) -> bytes:
    """Give ``octets`` if their SM3 is among those on record."""
    digest = Hash(SM3())
    digest.update(octets)
    if digest.finalize().hex() not in recorded:
        raise DocumentDamaged("The file that came is not the one that was sealed: fetch it again.")
    return octets


def save(octets: bytes, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a file whole or not at all; FileExistsError if it is there, unless it may be written over."""
    with whole_file(path, overwrite=overwrite) as target:
        target.write(octets)
    return Path(path)


@contextmanager
def whole_file(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[IO[bytes]]:
    """Open a file that takes its name when the block ends well, and is gone when it does not."""
    final = Path(path)
    if not overwrite and final.exists():
        raise FileExistsError(f"{final} exists already")
    part = final.with_name(f".{final.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as target:
            yield target
            target.flush()
            os.fsync(target.fileno())
        if overwrite:
            part.replace(final)
        else:
            _put_in_place(part, final)
    finally:
        part.unlink(missing_ok=True)


def _put_in_place(part: Path, final: Path) -> None:
    """Give a file its name, but never the place of one that somebody else wrote meanwhile, as renaming would."""
    try:
        os.link(part, final)
    except FileExistsError:
        raise
    except OSError:  # some shared folders know no links: the name is taken first, and then filled
        final.open("xb").close()
        part.replace(final)
