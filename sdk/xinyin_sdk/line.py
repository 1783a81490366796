"""Lines to the service: the steps of an exchange taken with threads (``Line``) and with asyncio (``AsyncLine``).

Nothing is decided here. Both may be used by many at once.
"""

import asyncio
import ssl
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, TypeVar
from urllib.parse import urlsplit

import httpx2

from xinyin_sdk.calls import JSON, Answer, Call, Row
from xinyin_sdk.credentials import Credentials
from xinyin_sdk.errors import AnswerUnreadable, NotAuthenticated
from xinyin_sdk.exchange import Exchange, Outgoing, Pause, Retries, Step, Token, exchange, repeated

T = TypeVar("T")
TOKEN = Row("POST", "/oauth2/token", JSON, public=True)
_AGENT = f"xinyin-sdk python/{sys.version_info.major}.{sys.version_info.minor}"
_CONNECT_SECONDS = 10.0
_MARGIN_SECONDS = 30.0
_AT_HOME = frozenset({"127.0.0.1", "::1", "localhost"})
_FETCHED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a line is made from."""

    base_url: str
    credentials: Credentials | None
    scope: tuple[str, ...] = ()
    ca: str | None = None
    proxy: str | None = None
    timeout: float = 120.0
    retries: Retries = field(default_factory=Retries)
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        address = urlsplit(self.base_url)
        if address.scheme != "https" and not (address.scheme == "http" and address.hostname in _AT_HOME):
            raise ValueError("the service's address begins with https:// (http:// only on this very machine)")
        if not address.hostname or address.username or address.query or address.fragment:
            raise ValueError("the service's address is a scheme, a host and nothing that identifies anybody")

    @property
    def http(self) -> dict[str, Any]:
        """The arguments of either HTTP client. The environment is not asked: ~/.netrc would prove us as somebody."""
        return {
            "base_url": self.base_url.rstrip("/"),
            "headers": {"User-Agent": _AGENT, "Accept": "application/json"},
            "verify": True if self.ca is None else ssl.create_default_context(cafile=self.ca),
            "proxy": self.proxy,
            "timeout": httpx2.Timeout(self.timeout, connect=min(self.timeout, _CONNECT_SECONDS)),
            "trust_env": False,
            "follow_redirects": False,
        }


class Purse:
    """The token in use. Both lines keep one; filling it is theirs."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held: tuple[str, float] | None = None

    def current(self, refused: str | None) -> str | None:
        """Give the token, unless it has ended or is the one that was refused."""
        held = self._held
        good = held is not None and held[1] > self._settings.clock() and held[0] != refused
        return held[0] if held is not None and good else None

    def request(self) -> Exchange:
        """Ask for another."""
        settings = self._settings
        credentials = settings.credentials
        if credentials is None:
            raise NotAuthenticated(
                status=401,
                code="token_missing",
                detail="This needs a token: give client_id and key (or client_secret).",
            )
        scope = {"scope": " ".join(settings.scope)} if settings.scope else {}

        def asking() -> Outgoing:
            proof = credentials.proof()
            fields = {"grant_type": "client_credentials", **scope, **proof.fields}
            return Outgoing(
                name=TOKEN.name, method=TOKEN.method, target=TOKEN.path, headers=proof.headers, fields=fields
            )

        return repeated(asking, TOKEN.call(), settings.retries, settings.clock)

    def keep(self, answer: Answer, asked_at: float) -> str:
        """Keep what came, for as long as it lives."""
        told = JSON.read(answer)
        try:
            token, seconds = str(told["access_token"]), float(told["expires_in"])
        except (KeyError, TypeError, ValueError) as error:
            raise AnswerUnreadable("The token endpoint answered without a token.") from error
        self._held = token, asked_at + max(seconds - _MARGIN_SECONDS, seconds / 2)
        return token


class Line:
    """Carries calls through, one thread each."""

    def __init__(self, settings: Settings, transport: httpx2.BaseTransport | None = None) -> None:
        self.settings = settings
        self._http = httpx2.Client(**settings.http, transport=transport)
        self._purse = Purse(settings)
        self._lock = threading.Lock()

    def run(self, call: Call[T], sink: IO[bytes] | None = None) -> T:
        """Carry a call through; with ``sink`` a file goes there as it comes."""
        return call.read(self._driven(exchange(call, self.settings.retries, self.settings.clock), sink))

    def pause(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _driven(self, steps: Exchange, sink: IO[bytes] | None = None) -> Answer:
        try:
            step = next(steps)
            while True:
                try:
                    taken = self._take(step, sink)
                except httpx2.TransportError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(taken)
        except StopIteration as end:
            answer: Answer = end.value
            return answer

    def _take(self, step: Step, sink: IO[bytes] | None) -> Answer | str | None:
        match step:
            case Pause():
                self.pause(step.seconds)
                return None
            case Token():
                return self._token(step.refused)
            case Outgoing():
                return self._sent(step, sink)

    def _token(self, refused: str | None) -> str:
        if token := self._purse.current(refused):
            return token
        with self._lock:  # the others wait for the one that asks
            if token := self._purse.current(refused):
                return token
            asked_at = self.settings.clock()
            return self._purse.keep(self._driven(self._purse.request()), asked_at)

    def _sent(self, step: Outgoing, sink: IO[bytes] | None) -> Answer:
        request = self._http.build_request(step.method, step.target, **_arguments(step))
        response = self._http.send(request, stream=True)
        try:
            if sink is None or response.status_code != _FETCHED:
                return _answer(response, response.read())
            sink.seek(0)
            sink.truncate()
            for part in response.iter_bytes():
                sink.write(part)
            return _answer(response, b"")
        finally:
            response.close()


class AsyncLine:
    """Carries calls through in an event loop of asyncio."""

    def __init__(self, settings: Settings, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self.settings = settings
        self._http = httpx2.AsyncClient(**settings.http, transport=transport)
        self._purse = Purse(settings)
        self._lock = asyncio.Lock()

    async def run(self, call: Call[T], sink: IO[bytes] | None = None) -> T:
        """Carry a call through; with ``sink`` a file goes there as it comes."""
        return call.read(await self._driven(exchange(call, self.settings.retries, self.settings.clock), sink))

    async def pause(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _driven(self, steps: Exchange, sink: IO[bytes] | None = None) -> Answer:
        try:
            step = next(steps)
            while True:
                try:
                    taken = await self._take(step, sink)
                except httpx2.TransportError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(taken)
        except StopIteration as end:
            answer: Answer = end.value
            return answer

    async def _take(self, step: Step, sink: IO[bytes] | None) -> Answer | str | None:
        match step:
            case Pause():
                await self.pause(step.seconds)
                return None
            case Token():
                return await self._token(step.refused)
            case Outgoing():
                return await self._sent(step, sink)

    async def _token(self, refused: str | None) -> str:
        if token := self._purse.current(refused):
            return token
        async with self._lock:
            if token := self._purse.current(refused):
                return token
            asked_at = self.settings.clock()
            return self._purse.keep(await self._driven(self._purse.request()), asked_at)

    async def _sent(self, step: Outgoing, sink: IO[bytes] | None) -> Answer:
        request = self._http.build_request(step.method, step.target, **_arguments(step))
        response = await self._http.send(request, stream=True)
        try:
            if sink is None or response.status_code != _FETCHED:
                return _answer(response, await response.aread())
            sink.seek(0)
            sink.truncate()
            async for part in response.aiter_bytes():
                await asyncio.to_thread(sink.write, part)
            return _answer(response, b"")
        finally:
            await response.aclose()


def _arguments(step: Outgoing) -> dict[str, Any]:
    """Give the arguments of a request to either HTTP client."""
    made: dict[str, Any] = {"headers": step.headers, "params": step.query or None}
    if step.json is not None:
        made["json"] = step.json
    elif step.content is not None:
        made["content"] = step.content
    elif step.fields is not None:
        made["data"] = step.fields
    if step.file is not None:
        made["files"] = {"file": step.file}
    return made


def _answer(response: httpx2.Response, content: bytes) -> Answer:
    headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
    return Answer(status=response.status_code, headers=headers, content=content)
