"""The door for signed requests: the caller is known before the body is read, and the body checked as it comes."""

import hmac
import re
from typing import Protocol

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crypto.digests import SM3
from kernel import problem
from kernel.errors import Refusal
from kernel.guard import SIGNED_BY
from kernel.principal import Principal
from kernel.signed import BodyAltered, SignedRequest, is_signed, read

_log = structlog.get_logger("xinyin.signed")


class SignatureVerifier(Protocol):
    """Tells who signed a request.

    Refuses with Unauthenticated for a signature that must not be believed, whyever; what it believes once it never
    believes again. Called from threads; may take a database's time.
    """

    def principal(self, signed: SignedRequest) -> Principal:
        """Give the principal that signed, with the rights it has now."""


class SignedDoor:
    """ASGI middleware: judges the signatures of requests whose decoded path ``paths`` matches whole.

    It belongs inside the doorway and the body limit. A refused request's body is never read; an accepted one's is
    hashed in passing, never gathered. ``authority`` is the host by which callers know this service. Requests without
    a signature pass untouched, and so do those to other paths.
    """

    def __init__(self, app: ASGIApp, *, verifier: SignatureVerifier, authority: str, paths: re.Pattern[str]) -> None:
        self._app = app
        self._verifier = verifier
        self._authority = authority
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or answer it."""
        if scope["type"] != "http" or not self._paths.fullmatch(scope["path"]) or not is_signed(scope["headers"]):
            await self._app(scope, receive, send)
            return
        try:
            signed = read(scope, self._authority)
            principal = await run_in_threadpool(self._verifier.principal, signed)
        except (Refusal, OperationalError, PoolExhausted) as error:
            if not isinstance(error, Refusal):
                _log.error("database_unavailable", exc_info=error)
            request = Request(scope, receive)
            await problem.answer(problem.problem_of(error, request), request)(scope, receive, send)
            return
        scope[SIGNED_BY] = principal
        with structlog.contextvars.bound_contextvars(app_key=signed.app_key):
            await self._app(scope, _Hashed(receive, signed.body_sm3), send)


class _Hashed:
    """Hands a body on while hashing it, but its end only if it is the body that was signed."""

    def __init__(self, receive: Receive, signed: bytes) -> None:
        self._receive = receive
        self._signed = signed
        self._running = SM3.hasher()
        self._ended = False

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] != "http.request" or self._ended:
            return message
        self._running.update(message.get("body", b""))
        if not message.get("more_body", False):
            self._ended = True
            if not hmac.compare_digest(self._running.finalize(), self._signed):
                raise BodyAltered("The body is not the one whose SM3 stands in X-Content-SM3 (without it: no body).")
        return message
