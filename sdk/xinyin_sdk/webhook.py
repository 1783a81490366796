"""Messages of the service: believed only with a good signature, and only while fresh (Standard Webhooks 1.0)."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from xinyin_sdk.errors import AnswerUnreadable, WebhookRefused
from xinyin_sdk.reading import parsed, record

TOLERANCE_SECONDS = 300
_PREFIX = "whsec_"
_SCHEME = "v1,"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    type: str
    timestamp: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened. The same event always has the same ``id``: act on it once."""

    id: str
    type: str
    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Webhook:
    """Tells messages of the service from everybody else's, by the secret of an endpoint.

    While a secret is being renewed give the old one, too: ``Webhook(new, old)``.
    """

    _keys: tuple[bytes, ...] = field(repr=False)
    _clock: Callable[[], float] = field(default=time.time, repr=False)

    def __init__(self, *secrets: str, clock: Callable[[], float] = time.time) -> None:
        if not secrets:
            raise ValueError("a secret is needed: the service showed it when the endpoint was registered")
        object.__setattr__(self, "_keys", tuple(_key(each) for each in secrets))
        object.__setattr__(self, "_clock", clock)

    def verify(self, headers: Mapping[str, str], body: bytes | str, *, tolerance: float = TOLERANCE_SECONDS) -> Event:
        """Give the event of a genuine message; WebhookRefused for anything else.

        ``body`` is what came, to the octet: what a framework parsed and wrote again does not verify. ``tolerance``
        is how many seconds a message may be old, or ahead of our clock.
        """
        octets = body.encode() if isinstance(body, str) else body
        named = {name.lower(): value for name, value in headers.items()}
        number, sent, signatures = (named.get(f"webhook-{part}", "") for part in ("id", "timestamp", "signature"))
        if not (number and signatures and sent.isascii() and sent.isdigit()):
            raise WebhookRefused("The message lacks webhook-id, webhook-timestamp or webhook-signature.")
        if not self._is_signed(f"{number}.{sent}.".encode() + octets, signatures):
            raise WebhookRefused("No signature of the message is good: it was altered, or the secret is another's.")
        # Asked after the signature: to whoever cannot sign, our clock is nothing to learn about.
        if abs(self._clock() - int(sent)) > tolerance:
            raise WebhookRefused("The message is older or newer than is believed: is the clock right?")
        try:
            told = record(_Told, parsed(octets))
        except AnswerUnreadable as error:
            raise WebhookRefused("The message is signed, and is no event: is this version new enough?") from error
        return Event(id=number, type=told.type, at=told.timestamp, data=told.data)

    def _is_signed(self, signed: bytes, signatures: str) -> bool:
        given = [each.removeprefix(_SCHEME).encode() for each in signatures.split(" ") if each.startswith(_SCHEME)]
        made = [base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()) for key in self._keys]
        return any(hmac.compare_digest(one, other) for one in given for other in made)


def _key(secret: str) -> bytes:
    try:
        octets = base64.b64decode(secret.strip().removeprefix(_PREFIX), validate=True)
    except ValueError:  # binascii.Error is one, too
        raise ValueError("the secret is no secret of a webhook: whsec_ and base64") from None
    if not octets:
        raise ValueError("the secret is empty")
    return octets
