"""Refusals: expected noes with a stable code, answered to the caller word for word.

Anything that is not a Refusal is a bug: it is logged whole and answered as a bare 500.
Only ``kernel.problem`` turns a Reason into an HTTP status.
"""

from enum import Enum
from typing import ClassVar


class Reason(Enum):
    """Why something was refused, in the few kinds a caller can act upon."""

    BAD_INPUT = "bad_input"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    MISMATCH = "mismatch"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"


class Refusal(Exception):
    """An expected no. Subclasses set ``reason`` and ``code``; ``detail`` is fit to be read by the caller.

    ``detail`` names the remedy where there is one and never holds a secret or personal data.
    """

    reason: ClassVar[Reason] = Reason.BAD_INPUT
    code: ClassVar[str] = "refused"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Unauthenticated(Refusal):
    """The caller has not said, or not proved, who they are."""

    reason, code = Reason.UNAUTHENTICATED, "unauthenticated"


class Forbidden(Refusal):
    """The caller is known and has not this right."""

    reason, code = Reason.FORBIDDEN, "forbidden"
