"""Webhook endpoints: who is told of which events, and what came of telling them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kernel.errors import Reason, Refusal


class EventType(StrEnum):
    """What can be told."""

    SEALING_COMPLETED = "sealing.completed"
    SEALING_FAILED = "sealing.failed"
    SEALING_STAMPED = "sealing.stamped"
    BATCH_COMPLETED = "batch.completed"
    SEAL_STATUS_CHANGED = "seal.status_changed"


class WebhookUnknown(Refusal):
    """No such endpoint, or not one of this caller's."""

    reason, code = Reason.NOT_FOUND, "webhook_unknown"


class WebhookRefused(Refusal):
    """An endpoint cannot be registered like this."""

    reason, code = Reason.BAD_INPUT, "webhook_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address of a client's, and the types of events it is told of."""

    id: str
    client: str
    organisation: str | None
    url: str
    events: frozenset[EventType]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to tell an endpoint of an event; ``status`` is None if no answer came, and ``fault`` says why."""

    endpoint: str
    event: str
    number: int
    at: datetime
    status: int | None
    fault: str | None
    last: bool
    """Nothing more is tried by itself: it was heard, or given up."""

    @property
    def heard(self) -> bool:
        """Whether the endpoint said that it took the event."""
        return is_success(self.status)


def is_success(status: int | None) -> bool:
    """Tell whether an HTTP status is of the class of success."""
    return status is not None and 200 <= status < 300  # noqa: PLR2004 - RFC 9110 15.3
