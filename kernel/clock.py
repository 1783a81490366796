"""The clock: the only place that asks what time it is."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time as an aware UTC instant."""

    def now(self) -> datetime:
        """Give the present instant in UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Give the present instant in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until told to move: time is a fixture."""

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        """Give the instant it was last set to."""
        return self._at

    def advance(self, by: timedelta) -> None:
        """Move forward (or back) by ``by``."""
        self._at += by
