"""Addresses that are told of events, and what they were told."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address that is told of events."""

    id: str
    url: str
    events: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEndpoint:
    """A new endpoint with its secret, which is shown this once."""

    id: str
    url: str
    events: tuple[str, ...]
    created_at: datetime
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecret:
    """A secret, shown this once."""

    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One try to deliver; ``status`` is None if no answer came."""

    number: int
    at: datetime
    status: int | None
    fault: str | None
    last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event and the tries to deliver it."""

    event: str
    type: str
    at: datetime
    heard: bool
    tries: tuple[Try, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """How many deliveries are due now that were not."""

    due: int
