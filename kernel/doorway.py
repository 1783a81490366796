"""The doorway every request passes: its number, its line in the log, the bound on its body, the last catch."""

import re
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.ids import new_id

_log = structlog.get_logger("xinyin.request")
_NUMBER = re.compile(r"[A-Za-z0-9._-]{8,64}")
_HEADER = "X-Request-Id"
_MOST_DIGITS = 18  # Of a body's declared length: Python refuses to read numbers of thousands of them.


def request_id(request: Request) -> str:
    """Give the number of this request; empty outside the doorway."""
    return str(request.scope.get("state", {}).get("request_id", ""))


class Doorway:
    """ASGI middleware, outermost: numbers the request, logs one line when it ends, answers what nobody caught.

    A caller's own X-Request-Id is kept if it is plain. The line names the route, never the path or the query:
    both may hold ids and tokens.
    """

    def __init__(self, app: ASGIApp, *, failed: Callable[[Request, Exception], Response]) -> None:
        self._app = app
        self._failed = failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        offered = request.headers.get(_HEADER, "")
        number = offered if _NUMBER.fullmatch(offered) else new_id()
        scope.setdefault("state", {})["request_id"] = number
        visit = _Visit(send, number)
        began = time.monotonic()
        with structlog.contextvars.bound_contextvars(request_id=number):
            try:
                await self._app(scope, receive, visit.send)
            except Exception as error:
                if visit.status:
                    # The answer is half sent: breaking the connection is the only honest thing left.
                    _log.error("answer_broken_off", exc_info=error)
                    raise
                await self._failed(request, error)(scope, receive, visit.send)
            finally:
                milliseconds = round((time.monotonic() - began) * 1000, 1)
                _log.info(
                    "request", method=scope["method"], route=_route(scope), status=int(visit.status), ms=milliseconds
                )


class _Visit:
    """Sends the answer on, with the request's number, and remembers its status."""

    def __init__(self, send: Send, number: str) -> None:
        self._send = send
        self._number = number
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message.get("headers", []), (_HEADER.lower().encode(), self._number.encode())]
            message = {**message, "headers": headers}
        await self._send(message)


class BodyLimit:
    """ASGI middleware: refuses a request body of more than ``limit`` octets, declared or sent.

    Another limit for the paths that one of the patterns of ``special`` matches whole.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limit: int,
        refuse: Callable[[Request, int], Response],
        special: Mapping[re.Pattern[str], int],
    ) -> None:
        self._app = app
        self._limit = limit
        self._refuse = refuse
        self._special = special

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        limit = next((most for path, most in self._special.items() if path.fullmatch(scope["path"])), self._limit)
        declared = request.headers.get("content-length", "0")
        if declared.isdecimal() and (len(declared) > _MOST_DIGITS or int(declared) > limit):
            await self._refuse(request, limit)(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                detail = f"The request body is larger than the {limit} octets allowed here."
                # The one exception that frameworks let through while they read a body.
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
            return message

        await self._app(scope, counted, send)


def _route(scope: Scope) -> str:
    """Name what answered: the route's template, else the function's name."""
    template = getattr(scope.get("route"), "path", None)
    if isinstance(template, str):
        return template
    return str(getattr(scope.get("endpoint"), "__name__", "-"))
