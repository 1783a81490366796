"""Files that are written once, whole and durably, readable by their owner alone."""

import os
import secrets
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make ``folder`` for its owner alone, parents included; one that exists is kept as it is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_once(path: Path, data: bytes) -> None:
    """Create ``path`` with ``data``; FileExistsError, and nothing changed, if it exists.

    When this returns the file survives a crash; a crash before that leaves no file of this name, at most a
    hidden one beside it.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)  # Atomic, and unlike a rename it refuses to replace.
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
