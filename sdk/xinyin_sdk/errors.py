"""What can go wrong, as one small tree: a class for each family of codes that a program handles in one way.

XinyinError
├── ConnectionFailed             no answer came; the service may have done it all the same
│   └── TimedOut
├── AnswerUnreadable             an answer came that this version cannot read
├── DocumentDamaged              what was fetched is not what the service says it sealed
├── WebhookRefused               a message is not from the service, or is too old
└── Refused                      the service said no; ``code`` is stable
    ├── RequestInvalid           400 and 422: what was sent does not fit; ``errors`` names fields
    │   ├── DocumentRefused      this document cannot be sealed or read
    │   ├── PlacementRefused     the picture has no such place there
    │   └── IdempotencyMismatch  the key was used before for another request
    ├── NotAuthenticated         401, and what the token endpoint says no to
    ├── Forbidden                403: a right is missing, or a second person
    ├── NotFound                 404
    ├── Conflict                 409
    │   ├── SealNotUsable        suspended, revoked, expired …
    │   └── InProgress           the same request is being worked on
    ├── TooLarge                 413
    ├── Busy                     429: ask again later
    ├── Unavailable              503: ask again later
    │   └── TimestampUnavailable no time-stamp authority answers
    └── ServiceFault             500: a fault of the service's; quote ``request_id``
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final


class XinyinError(Exception):
    """The root of all errors of this package.

    ``idempotency_key`` is the one that the request was sent under, if any: sent again under it, nothing is done twice.
    """

    idempotency_key: str | None = None


class ConnectionFailed(XinyinError):
    """No answer came. Whether the service did what was asked is not known."""


class TimedOut(ConnectionFailed):
    """No answer came in time."""


class AnswerUnreadable(XinyinError):
    """An answer came, and it is none of this interface."""


class DocumentDamaged(XinyinError):
    """The file that came is not the one the service has on record."""


class WebhookRefused(XinyinError):
    """The message does not bear a good signature, or is older or newer than is believed."""


class Refused(XinyinError):
    """The service said no. ``code`` is stable: act on it, and show ``detail`` to people."""

    def __init__(  # noqa: PLR0913 - what a problem has
        self,
        *,
        status: int,
        code: str,
        detail: str,
        request_id: str | None = None,
        errors: tuple[Mapping[str, str], ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id
        self.errors = errors
        self.retry_after = retry_after
        """Seconds; only if the service named them."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions are made anew from their positional arguments when they leave a process; these have none.
        return _made_again, (type(self), dict(vars(self)))

    def __str__(self) -> str:
        fields = ", ".join(f"{row.get('field')}: {row.get('problem')}" for row in self.errors)
        named = f" ({fields})" if fields else ""
        quoted = f", request {self.request_id}" if self.request_id else ""
        return f"{self.detail}{named} [{self.code}, {self.status}{quoted}]"


class RequestInvalid(Refused):
    """What was sent does not fit; ``errors`` names the fields where the service knows them."""


class DocumentRefused(RequestInvalid):
    """This document cannot be sealed or read."""


class PlacementRefused(RequestInvalid):
    """The picture has no such place in this document."""


class IdempotencyMismatch(RequestInvalid):
    """The idempotency key was used before, for another request."""


class NotAuthenticated(Refused):
    """The service does not believe who is calling."""


class Forbidden(Refused):
    """The caller is known and may not do this."""


class NotFound(Refused):
    """There is no such thing, or it is none of the caller's business."""


class Conflict(Refused):
    """Not from the state in which things are."""


class SealNotUsable(Conflict):
    """The seal may not sign now."""


class InProgress(Conflict):
    """The same request is being worked on; ask again shortly."""


class TooLarge(Refused):
    """More octets than the service takes."""


class Busy(Refused):
    """More is being done than there are places for; ask again later."""


class Unavailable(Refused):
    """Something that the service needs is away; ask again later."""


class TimestampUnavailable(Unavailable):
    """No time-stamp authority gave a token that holds."""


class ServiceFault(Refused):
    """A fault of the service's own. Quote ``request_id`` when you report it."""


def _made_again(kind: type[Refused], members: dict[str, Any]) -> Refused:
    names = ("status", "code", "detail", "request_id", "errors", "retry_after")
    made = kind(**{name: members[name] for name in names})
    made.idempotency_key = members.get("idempotency_key")
    return made


_BY_STATUS: Final[Mapping[int, type[Refused]]] = {
    400: RequestInvalid,
    401: NotAuthenticated,
    403: Forbidden,
    404: NotFound,
    405: RequestInvalid,
    409: Conflict,
    413: TooLarge,
    415: RequestInvalid,
    422: RequestInvalid,
    429: Busy,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}
_BY_CODE: Final[Mapping[str, type[Refused]]] = {
    "document_encrypted": DocumentRefused,
    "document_refused": DocumentRefused,
    "document_signature_invalid": DocumentRefused,
    "document_unreadable": DocumentRefused,
    "document_unsupported": DocumentRefused,
    "idempotency_key_reused": IdempotencyMismatch,
    "idempotency_mismatch": IdempotencyMismatch,
    "invalid_client": NotAuthenticated,
    "invalid_scope": Forbidden,
    "issuing_in_progress": InProgress,
    "page_unknown": PlacementRefused,
    "placement_refused": PlacementRefused,
    "seal_expired": SealNotUsable,
    "seal_not_usable": SealNotUsable,
    "sealing_in_progress": InProgress,
    "timestamp_unavailable": TimestampUnavailable,
    "unauthorized_client": NotAuthenticated,
}
LASTING: Final = frozenset(
    {
        "affair_damaged",
        "evidence_missing",
        "key_refused",
        "ledger_damaged",
        "ledger_signer_missing",
        "object_corrupt",
        "sealing_rejected_by_verifier",
        "sm2_engine_unavailable",
        "suite_refused",
        "token_key_missing",
        "vault_damaged",
        "vault_exposed",
        "vault_key_purpose",
        "vault_key_unknown",
        "vault_pin_refused",
    }
)
"""Codes of 503 that somebody has to mend first: asking again a moment later helps nobody."""


def kind_of(status: int, code: str) -> type[Refused]:
    """Give the class of a refusal."""
    found = _BY_CODE.get(code) or _BY_STATUS.get(status)
    return found or (ServiceFault if status >= 500 else RequestInvalid)  # noqa: PLR2004 - RFC 9110 15.6


def refusal(status: int, content: bytes, headers: Mapping[str, str]) -> Refused:
    """Read a refusal: a problem (RFC 9457), the token endpoint's own form (RFC 6749 5.2), or neither."""
    told: Any = None
    with suppress(ValueError):
        told = json.loads(content)
    members: Mapping[str, Any] = told if isinstance(told, dict) else {}
    code = str(members.get("code") or members.get("error") or f"http_{status}")
    detail = members.get("detail") or members.get("error_description") or f"The service answered {status}."
    rows = members.get("errors")
    number = members.get("request_id")
    return kind_of(status, code)(
        status=status,
        code=code,
        detail=str(detail),
        request_id=str(number) if number else None,
        errors=tuple(row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else (),
        retry_after=_seconds(headers.get("retry-after")),
    )


def _seconds(text: str | None) -> float | None:
    # RFC 9110 10.2.3 allows a date too; this service and the gateways in front of it send seconds.
    return float(text) if text is not None and text.isascii() and text.isdigit() else None
