"""The trust folder of a running service, read again when something in it changed."""

from dataclasses import replace
from pathlib import Path
from threading import Lock
from time import monotonic

import structlog

from crypto.errors import CryptoError
from seal.trust.files import CRLS, OCSP, read_facts
from seal.trust.model import INTERMEDIATES, SealStatusAt, Trust, load_trust
from seal.trust.own import OwnLedgers

_UNSETTLED_SECONDS = 1.0
"""How long a change may be followed by another that leaves the same time on the folder."""
_log = structlog.get_logger("xinyin.trust")


class TrustFolder:
    """Gives the trust in a folder; safe to share between threads. Asking costs a few looks at folders' times.

    Files are expected to come and go, not to be written over. Where they cannot be read, what was read before stays,
    and that is logged; the first reading raises it (CertificateError).
    """

    def __init__(self, folder: Path, *, own: OwnLedgers | None = None, seal_status: SealStatusAt | None = None) -> None:
        self._folder = folder
        self._own = own
        self._seal_status = seal_status
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
        return tuple(map(_time, self._watched()))

    def _listing(self) -> tuple[frozenset[str], ...]:
        return tuple(map(_names, self._watched()))

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
            _log.warning("facts_not_read", folder=str(self._folder), causes=list(trust.facts.unread)[:10])
        return replace(trust, seal_status=self._seal_status)


def _time(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


def _names(folder: Path) -> frozenset[str]:
    return frozenset(path.name for path in folder.iterdir()) if folder.is_dir() else frozenset()
