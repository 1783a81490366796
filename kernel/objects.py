"""Objects: files kept under the hash of their content, written once and never changed."""

import ctypes
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore
from obstore.store import ObjectStore as Backend

from crypto.digests import sm3
from kernel.errors import Reason, Refusal

_log = structlog.get_logger("xinyin.objects")
_KEY = re.compile(r"[0-9a-f]{64}")
_LARGEST = 64 * 1024 * 1024
_MANY = 8
"""From so many files on, asking once for all that the file system holds back is faster than asking for each."""


class ObjectNotFound(Refusal):
    """Nothing is kept under this key."""

    reason, code = Reason.NOT_FOUND, "object_not_found"


class ObjectCorrupt(Refusal):
    """What is kept under this key is not what was put there: an operator restores it from a copy."""

    reason, code = Reason.UNAVAILABLE, "object_corrupt"


class ObjectTooLarge(Refusal):
    """The content is larger than this store takes."""

    reason, code = Reason.TOO_LARGE, "object_too_large"


class ObjectsUnavailable(Refusal):
    """The store cannot be written or read now: full, gone or unreachable."""

    reason, code = Reason.UNAVAILABLE, "objects_unavailable"


class ObjectStore:
    """Keeps octets under their SM3 hash, in lower-case hex, at ``ab/cd/<hex>``.

    ``put`` never overwrites, so a key means one content for ever; when it returns, the content would survive a
    power cut. ``settle`` makes that true for paths just written (a remote backend needs none). Safe to share
    between threads; a process must open its own after a fork.
    """

    def __init__(
        self, backend: Backend, *, settle: Callable[[Sequence[str]], object] = lambda _: None, largest: int = _LARGEST
    ) -> None:
        self._backend = backend
        self._settle = settle
        self._largest = largest

    @classmethod
    def folder(cls, root: Path, *, largest: int = _LARGEST) -> "ObjectStore":
        """Open the store in the folder ``root``, which exists: a store never creates itself in production."""
        root = root.resolve(strict=True)
        return cls(LocalStore(root), settle=lambda paths: _flush(root, paths), largest=largest)

    def put(self, data: bytes) -> str:
        """Keep ``data`` and give its key; the same content again is the same key and costs no room."""
        return self.put_all([data])[0]

    def put_all(self, contents: Sequence[bytes]) -> tuple[str, ...]:
        """Keep each of ``contents`` and give their keys; when it returns, all of them would survive a power cut."""
        for data in contents:
            if len(data) > self._largest:
                raise ObjectTooLarge(f"The object has {len(data)} octets; at most {self._largest} are kept.")
        keys = tuple(sm3(data).hex() for data in contents)
        with _available(missing=ObjectsUnavailable):
            try:
                self._keep(keys, contents)
            except FileNotFoundError:
                # One was there, and was set aside at this very moment.
                self._keep(keys, contents)
        return keys

    def _keep(self, keys: Sequence[str], contents: Sequence[bytes]) -> None:
        for key, data in zip(keys, contents, strict=True):
            self._write(key, data)
        # Also those that were there already: whoever wrote them may not have come as far as this line.
        self._settle([_path(key) for key in keys])

    def _write(self, key: str, data: bytes) -> None:
        path = _path(key)
        try:
            self._backend.put(path, data, mode="create")
        except AlreadyExistsError:
            self._mend(path, key, data)

    def get(self, key: str) -> bytes:
        """Give the content kept under ``key``, hashed again: what no longer matches is refused."""
        with _available(missing=ObjectNotFound):
            try:
                data = self._backend.get(_path(key)).bytes().to_bytes()
            except FileNotFoundError:
                self._restored(key)
                data = self._backend.get(_path(key)).bytes().to_bytes()
        if sm3(data).hex() != key:
            _log.error("object_corrupt", object=key)
            raise ObjectCorrupt("The stored object is damaged and was not given out. Ask the operator to restore it.")
        return data

    def has(self, key: str) -> bool:
        """Tell whether something is kept under ``key``, without reading it."""
        try:
            with _available(missing=ObjectNotFound):
                try:
                    self._backend.head(_path(key))
                except FileNotFoundError:
                    self._restored(key)
        except ObjectNotFound:
            return False
        return True

    def set_aside(self, key: str) -> bool:
        """Take ``key`` out of its place without losing it; False if it is not there.

        Whoever asks for it brings it back, and whoever puts it meanwhile writes it anew: nobody notices.
        """
        with _available(missing=ObjectsUnavailable), suppress(FileNotFoundError):
            self._backend.rename(_path(key), _aside(key))
            return True
        return False

    def destroy_aside(self, key: str) -> bool:
        """Delete what was set aside, for good; False if somebody brought it back. What is in its place stays."""
        with _available(missing=ObjectsUnavailable), suppress(FileNotFoundError):
            self._backend.head(_aside(key))
            self._backend.delete(_aside(key))
            return True
        return False

    def restore(self, key: str) -> bool:
        """Bring back what was set aside; False if there is nothing."""
        try:
            with _available(missing=ObjectNotFound):
                self._restored(key)
        except ObjectNotFound:
            return False
        return True

    def _restored(self, key: str) -> None:
        """Bring back what was set aside; FileNotFoundError if there is nothing."""
        path = _path(key)
        try:
            # The same content under the same name: what is there by now may well be written over.
            self._backend.rename(_aside(key), path)
        except FileNotFoundError:
            # Somebody else may have brought it back at this moment.
            self._backend.head(path)
        self._settle([path])

    def _mend(self, path: str, key: str, data: bytes) -> None:
        """Write once more what a power cut left damaged; intact content is left untouched."""
        if sm3(self._backend.get(path).bytes().to_bytes()).hex() != key:
            _log.error("object_mended", object=key)
            self._backend.put(path, data, mode="overwrite")


@contextmanager
def _available(*, missing: type[Refusal]) -> Iterator[None]:
    """Turn what backends raise into refusals; a file that is not there into ``missing``."""
    try:
        yield
    except FileNotFoundError as error:
        raise missing("Nothing is kept under this key.") from error
    except (BaseError, OSError) as error:
        _log.error("objects_unavailable", exc_info=error)
        raise ObjectsUnavailable("The object store cannot be used now. Try again later.") from error


def _path(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ObjectNotFound("An object's key is 64 lower-case hexadecimal digits.")
    return f"{key[:2]}/{key[2:4]}/{key}"


def _aside(key: str) -> str:
    return f"aside/{_path(key)}"


def _flush(root: Path, paths: Sequence[str]) -> None:
    """Force files to the disk, and the folders up to ``root`` that name them."""
    if len(paths) >= _MANY and _flushed_whole(root):
        return
    for path in paths:
        _sync(root / path)
    for folder in sorted({parent for path in paths for parent in (root / path).parents if parent.is_relative_to(root)}):
        _sync(folder)


def _sync(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flushed_whole(root: Path) -> bool:
    """Force to the disk all that the file system under ``root`` holds back; False where the system has no such call."""
    try:
        syncfs = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):
        return False
    descriptor = os.open(root, os.O_RDONLY)
    try:
        if syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(descriptor)
    return True
