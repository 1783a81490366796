"""The trust folder of a running service, read again when something in it changed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Lock
from time import monotonic

import structlog

from crypto.errors import CryptoError
from seal.trust.facts import Facts, OwnWord
from seal.trust.files import CRLS, OCSP
from seal.trust.model import INTERMEDIATES, SealStatusAt, Trust, load_trust

_UNSETTLED_SECONDS = 1.0
"""How long a change may be followed by another that leaves the same time on the folder."""
_log = structlog.get_logger("xinyin.trust")
_Names = tuple[frozenset[str], ...]


class OwnAuthority:
    """An authority of our own as a source: what it revokes counts at once, signed list or not.

    ``ask`` gives its word of now, None as long as it has no certificate; ``folders`` change when the word does.
    """

    def __init__(self, ask: Callable[[], OwnWord | None], folders: Iterable[Path]) -> None:
        self.ask = ask
        self.folders = tuple(folders)


class TrustFolder:
    """Gives the trust in a folder; safe to share between threads. Asking costs a few looks at folders' times.

    Files are expected to come and go, not to be written over. What cannot be read keeps what was read before, and
    is logged; the first reading raises it (CertificateError).
    """

    def __init__(
        self, folder: Path, *, authorities: Iterable[OwnAuthority] = (), seal_status: SealStatusAt | None = None
    ) -> None:
        self._folder = folder
        self._authorities = tuple(authorities)
        self._seal_status = seal_status
        own = (each for authority in self._authorities for each in authority.folders)
        self._watched = (folder, folder / INTERMEDIATES, folder / CRLS, folder / OCSP, *own)
        self._lock = Lock()
        self._times = self._look()
        self._names = self._listing()
        self._changed = monotonic()
        self._trust = self._read()

    def __call__(self) -> Trust:
        """Give the trust of now; the very same object as long as nothing changed."""
        with self._lock:
            if self._has_changed():
                try:
                    self._trust = self._read()
                except (CryptoError, OSError) as error:
                    _log.warning("trust_not_read", folder=str(self._folder), cause=str(error))
            return self._trust

    def _has_changed(self) -> bool:
        times = self._look()
        if times == self._times and monotonic() - self._changed > _UNSETTLED_SECONDS:
            return False
        # Looked at before they are read: what changes in between is seen the next time.
        names = self._listing()
        if (times, names) == (self._times, self._names):
            return False
        self._times, self._names, self._changed = times, names, monotonic()
        return True

    def _look(self) -> tuple[int, ...]:
        return tuple(map(_time, self._watched))

    def _listing(self) -> _Names:
        return tuple(
            frozenset(path.name for path in each.iterdir()) if each.is_dir() else frozenset() for each in self._watched
        )

    def _read(self) -> Trust:
        trust = load_trust(self._folder)
        facts = trust.facts
        facts = Facts(crls=facts.crls, answers=facts.answers, own=tuple(self._own()), unread=facts.unread)
        if facts.unread:
            _log.warning("facts_not_read", folder=str(self._folder), causes=list(facts.unread)[:10])
        return replace(trust, facts=facts, seal_status=self._seal_status)

    def _own(self) -> Iterator[OwnWord]:
        for authority in self._authorities:
            word = authority.ask()
            if word is not None:
                yield word


def _time(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0
