"""Exchange: how one call is carried through, as steps that somebody else takes.

Tokens, repetitions, pauses and refusals are decided here, once; ``line`` takes the steps with threads, and with
asyncio. A step is answered by what it asked for, or by the transport's error.
"""

import random
import ssl
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from logging import getLogger
from typing import Any, TypeAlias, cast

import httpx2

from xinyin_sdk.calls import Answer, Call
from xinyin_sdk.errors import (
    LASTING,
    Busy,
    ConnectionFailed,
    InProgress,
    NotAuthenticated,
    Refused,
    TimedOut,
    Unavailable,
    XinyinError,
    refusal,
)

_log = getLogger("xinyin_sdk")
_PROBLEM = "application/problem+json"
_ABSENT = 404
_SUCCESS = range(200, 300)
# What a connection breaks by; other errors of the transport are mistakes of ours, and stay what they are.
_BROKEN = (httpx2.NetworkError, httpx2.TimeoutException, httpx2.RemoteProtocolError, httpx2.ProxyError)
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often and how long a call is tried. All in seconds.

    Failures (no answer, 502, 503, 504) are repeated up to ``attempts`` tries in all, after pauses that double from
    ``first`` to ``longest``, half of each by lot. While the service is busy (429) or works on the same request
    already (409), it is asked again until ``patience`` is over, however often that is. ``Retry-After`` is honoured.
    """

    attempts: int = 5
    first: float = 0.5
    longest: float = 8.0
    patience: float = 120.0

    def pause(self, number: int, retry_after: float | None = None) -> float:
        """Tell how long to wait after the ``number``-th try, from 1."""
        whole: float = min(self.longest, self.first * 2.0 ** min(number - 1, 30))
        if retry_after is not None:
            # Not before that; and not all at once right after it.
            return retry_after + random.uniform(0, self.first)  # noqa: S311 - spreads load, guards nothing
        return whole * random.uniform(0.5, 1)  # noqa: S311 - as above


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A request as the transport needs it."""

    name: str
    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str | int] = field(default_factory=dict, repr=False)
    json: Any = field(default=None, repr=False)
    fields: Mapping[str, str] | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    file: tuple[str, bytes, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait that many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Token:
    """Give a token; ``refused`` is one that the service does not believe any more."""

    refused: str | None = field(default=None, repr=False)


Step: TypeAlias = Outgoing | Pause | Token
Exchange: TypeAlias = Generator[Step, Any, Answer]


def exchange(call: Call[Any], retries: Retries, clock: Callable[[], float]) -> Exchange:
    """Carry a call through with the client's token, if it needs one."""
    token = None if call.row.public else cast("str", (yield Token()))
    try:
        return (yield from repeated(lambda: outgoing(call, token), call, retries, clock))
    except NotAuthenticated:
        if token is None:
            raise
    # The token ended sooner than it said, or its keys were changed: once more with a new one.
    token = cast("str", (yield Token(refused=token)))
    return (yield from repeated(lambda: outgoing(call, token), call, retries, clock))


def outgoing(call: Call[Any], token: str | None) -> Outgoing:
    """Write a call as a request."""
    headers = dict(call.headers)
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if call.key is not None:
        headers["Idempotency-Key"] = call.key
    made = Outgoing(
        name=call.row.name,
        method=call.row.method,
        target=call.target,
        headers=headers,
        query=call.query,
        json=call.json,
        fields=call.fields,
    )
    document = call.document
    if document is None:
        return made
    if call.fields is None:
        headers["Content-Type"] = document.media_type
        return replace(made, content=document.octets)
    return replace(made, file=(document.name or "document", document.octets, document.media_type))


def repeated(
    request: Callable[[], Outgoing], call: Call[Any], retries: Retries, clock: Callable[[], float]
) -> Exchange:
    """Send until there is an answer, a lasting no, or no patience any more."""
    until = clock() + retries.patience
    failures, number, unknown = 0, 0, False
    while True:
        number += 1
        sent, wrong = request(), cast("XinyinError | None", None)
        try:
            answer = cast("Answer", (yield sent))
        except _BROKEN as error:
            wrong, again = _broken(error, call)
            unknown = unknown or not isinstance(error, _NEVER_SENT)
            wrong.__cause__ = error
        else:
            if answer.status in _SUCCESS or (unknown and call.row.method == "DELETE" and answer.status == _ABSENT):
                return answer
            wrong, again = _refused(answer, call)
        wrong.idempotency_key = call.key
        failures += not isinstance(wrong, (Busy, InProgress))
        pause = retries.pause(number, getattr(wrong, "retry_after", None))
        if not again or failures >= retries.attempts or clock() + pause > until:
            raise wrong
        _log.info("%s: %s; again in %.1f s", sent.name, getattr(wrong, "code", type(wrong).__name__), pause)
        yield Pause(pause)


def _broken(error: httpx2.TransportError, call: Call[Any]) -> tuple[XinyinError, bool]:
    """Say what a broken connection means, and whether to ask again."""
    if _is_mistrust(error):
        return ConnectionFailed(f"The service's certificate is not trusted: give its CA with ca=… ({error})"), False
    kind = TimedOut if isinstance(error, httpx2.TimeoutException) else ConnectionFailed
    told = f"{call.row.name}: {str(error) or type(error).__name__}"
    if isinstance(error, _NEVER_SENT):
        return kind(f"{told}. The service was not reached."), True
    return kind(f"{told}. Whether the service did it is not known."), call.row.repeatable


def _is_mistrust(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _refused(answer: Answer, call: Call[Any]) -> tuple[Refused, bool]:
    """Read a refusal, and tell whether to ask again."""
    refused = refusal(answer.status, answer.content, answer.headers)
    if isinstance(refused, (Busy, InProgress)):
        return refused, True
    if not isinstance(refused, Unavailable) or refused.code in LASTING:
        return refused, False
    # The service itself answers 503 before it has done anything; a gateway may say so while it works.
    own = answer.headers.get("content-type", "").startswith(_PROBLEM)
    return refused, own or call.row.repeatable
