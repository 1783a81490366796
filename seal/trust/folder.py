"""The trust folder of a running service, read again when something in it changed."""

import os
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from threading import Lock
from time import monotonic

from crypto.errors import CryptoError
from seal.trust.files import CRLS, OCSP, read_facts
from seal.trust.model import INTERMEDIATES, SealStatusAt, Trust, load_trust
from seal.trust.own import OwnLedgers

_UNSETTLED_SECONDS = 1.0
"""How long a change may be followed by another that leaves the same time on the folder."""
_CLOSE_LOOK_SECONDS = 10.0
"""How often the files themselves are looked at: writing over one leaves no time on its folder."""
Files = frozenset[tuple[str, int, int]]
"""Names, sizes and times."""


class TrustFolder:
    """Gives the trust in a folder; safe to share between threads. Asking costs a few looks at folders' times.

    Files that come and go are seen at once, those that are written over within ten seconds. Where the certificates or
    our own records cannot be read, what was read before stays, and that is logged; reading is tried again until it
    holds. The first reading raises it (CertificateError, OSError).
    """

    def __init__(
        self,
        folder: Path,
        *,
        own: OwnLedgers | None = None,
        seal_status: SealStatusAt | None = None,
        monotonic: Callable[[], float] = monotonic,
    ) -> None:
        self._folder = folder
        self._own = own
        self._seal_status = seal_status
        self._monotonic = monotonic
        self._lock = Lock()
        self._times = self._look()
        self._files = self._listing()
        self._changed = self._looked = monotonic()
        self._failed = False
        self._trust = self._read()

    def __call__(self) -> Trust:
        """Give the trust of now; the very same object as long as nothing changed."""
        with self._lock:
            if self._has_changed():
                try:
                    self._trust = self._read()
                    self._failed = False
                except (CryptoError, OSError) as error:
                    self._failed = True
                    _warn("trust_not_read", folder=str(self._folder), cause=str(error))
            return self._trust

    def _has_changed(self) -> bool:
        times, now = self._look(), self._monotonic()
        settled = now - self._changed > _UNSETTLED_SECONDS
        if times == self._times and settled and now - self._looked <= self._patience():
            return False
        # Looked at before they are read: what changes in between is seen the next time.
        files = self._listing()
        again = self._failed and now - self._looked > _UNSETTLED_SECONDS
        self._looked = now
        if (times, files) == (self._times, self._files):
            return again
        self._times, self._files, self._changed = times, files, now
        return True

    def _patience(self) -> float:
        return _UNSETTLED_SECONDS if self._failed else _CLOSE_LOOK_SECONDS

    def _look(self) -> tuple[int, ...]:
        return tuple(map(_time, self._watched()))

    def _listing(self) -> tuple[Files, ...]:
        return tuple(map(_files, self._watched()))

    def _watched(self) -> tuple[Path, ...]:
        folder = self._folder
        own = () if self._own is None else self._own.watched()
        return (folder, folder / INTERMEDIATES, folder / CRLS, folder / OCSP, *own)

    def _read(self) -> Trust:
        own = self._own
        facts = None
        if own is not None:
            facts = read_facts(self._folder, also=tuple(own.lists()), own=tuple(own.words()))
        trust = load_trust(self._folder, facts)
        if trust.facts.unread:
            _warn("facts_not_read", folder=str(self._folder), causes=list(trust.facts.unread)[:10])
        return replace(trust, seal_status=self._seal_status)


def _time(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


def _files(folder: Path) -> Files:
    try:
        with os.scandir(folder) as entries:
            return frozenset(chain.from_iterable(map(_file, entries)))
    except OSError:
        return frozenset()


def _file(entry: os.DirEntry[str]) -> Files:
    try:
        # A folder's own time is looked at where it matters, and says nothing where it does not.
        told = entry.stat() if entry.is_file() else None
    except OSError:
        return frozenset()  # Gone since, or a link that leads nowhere.
    return frozenset() if told is None else frozenset({(entry.name, told.st_size, told.st_mtime_ns)})


def _warn(event: str, **said: object) -> None:
    # Loaded when there is something to say: half of what a reader of files loads at its start would be this.
    import structlog  # noqa: PLC0415

    structlog.get_logger("xinyin.trust").warning(event, **said)
