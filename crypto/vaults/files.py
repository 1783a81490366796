"""Files that are written whole and durably, and readable by their owner alone."""

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from crypto.errors import KeyRefused
from crypto.vaults.errors import VaultDamaged, VaultExposed

_LARGEST: Final = 64 * 1024
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def make_folder(folder: Path) -> None:
    """Make ``folder`` for its owner alone, parents included; one that exists is kept as it is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def check_folder(folder: Path) -> None:
    """Refuse, with VaultExposed, a folder that other users can enter or list."""
    try:
        mode = folder.stat().st_mode
    except OSError as error:
        raise KeyRefused(f"{folder} cannot be read: {error.strerror}") from None
    if mode & _OTHERS:
        raise VaultExposed(f"{folder} is open to other users of this machine: run chmod 700 {folder}")


def read_private(path: Path) -> bytes:
    """Give the octets of a small file of its owner's; FileNotFoundError if there is none.

    VaultExposed if other users can read or change it, VaultDamaged for what is no file of a vault at all.
    """
    try:
        # Without O_NONBLOCK a pipe put in the file's place would hold us for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(descriptor).st_mode
            if mode & _OTHERS:
                raise VaultExposed(f"{path} is open to other users of this machine: run chmod 600 {path}")
            data = file.read(_LARGEST + 1) if stat.S_ISREG(mode) else b""
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KeyRefused(f"{path} cannot be read: {error.strerror}") from None
    if not 0 < len(data) <= _LARGEST:
        raise VaultDamaged(f"{path.name} is damaged: it is empty, too large or no file")
    return data


def write_once(path: Path, data: bytes) -> None:
    """Create ``path`` with ``data``; FileExistsError, and nothing changed, if it exists.

    When this returns the file survives a crash; a crash before that leaves no file of this name, at most a
    hidden one beside it.
    """
    with _draft(path, data) as draft:
        path.hardlink_to(draft)  # Atomic, and unlike a rename it refuses to replace.
    _sync_folder(path.parent)


def replace(path: Path, data: bytes) -> None:
    """Put ``data`` in the place of what ``path`` holds: after a crash it holds the one or the other, whole."""
    with _draft(path, data) as draft:
        draft.replace(path)
    _sync_folder(path.parent)


def remove_drafts(folder: Path) -> None:
    """Remove what writers that crashed left in ``folder``; only for who keeps every writer out."""
    for draft in folder.glob(".*.new"):
        draft.unlink(missing_ok=True)


@contextmanager
def locked(path: Path, *, alone: bool) -> Iterator[None]:
    """Hold the lock ``path`` together with others, or alone; waits. A process that dies lets go."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise KeyRefused(f"{path} cannot be locked: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _draft(path: Path, data: bytes) -> Iterator[Path]:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
