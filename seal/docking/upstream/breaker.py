"""A circuit breaker: who failed several times running is left alone for a while, then tried by one call."""

from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from kernel.clock import Clock

FAILURES: Final = 3
REST: Final = timedelta(seconds=30)


class Breaker:
    """Counts failures in a row; safe between threads. Every ``admit`` that is true is followed by one report."""

    def __init__(self, clock: Clock, *, failures: int = FAILURES, rest: timedelta = REST) -> None:
        self._clock = clock
        self._most = failures
        self._rest = rest
        self._failed = 0
        self._rested_until: datetime | None = None
        self._lock = Lock()

    def admit(self) -> bool:
        """Say whether to ask now. After the rest one call is let through; the others wait for what it tells."""
        now = self._clock.now()
        with self._lock:
            if self._rested_until is None:
                return True
            if now < self._rested_until:
                return False
            self._rested_until = now + self._rest
            return True

    def succeeded(self) -> None:
        """Report that it answered."""
        with self._lock:
            self._failed, self._rested_until = 0, None

    def failed(self) -> None:
        """Report that it did not."""
        now = self._clock.now()
        with self._lock:
            self._failed += 1
            if self._failed >= self._most:
                self._rested_until = now + self._rest
