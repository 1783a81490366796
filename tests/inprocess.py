"""A browser that needs no server: it calls an application in its own thread and waits for the whole answer.

Starlette's test client starts a thread for each request and goes to and fro eight times between it and the test.
"""

import asyncio
import atexit
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

import httpx2
from starlette.types import ASGIApp

CALLER = ("testclient", 50000)
_idle: list[asyncio.AbstractEventLoop] = []


class InProcess(httpx2.BaseTransport):
    """Hands requests to an application; what it raises, the caller gets. Threads may share one."""

    def __init__(self, app: ASGIApp, *, caller: tuple[str, int] = CALLER) -> None:
        self._app = app
        self._caller = caller

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Give the whole answer to one request."""
        incoming = [{"type": "http.request", "body": request.read(), "more_body": False}]
        outgoing: list[MutableMapping[str, Any]] = []

        answered = asyncio.Event()

        async def receive() -> MutableMapping[str, Any]:
            if incoming:
                return incoming.pop()
            # A caller stays on the line for the answer.
            await answered.wait()
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            outgoing.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                answered.set()

        with _loop() as loop:
            loop.run_until_complete(self._app(self._scope(request), receive, send))
        start, *parts = outgoing
        body = b"" if request.method == "HEAD" else b"".join(part.get("body", b"") for part in parts)
        return httpx2.Response(start["status"], headers=start["headers"], content=body)

    def _scope(self, request: httpx2.Request) -> dict[str, Any]:
        url = request.url
        port = url.port or {"http": 80, "https": 443}[url.scheme]
        return {
            "type": "http",
            "http_version": "1.1",
            "method": request.method,
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.partition(b"?")[0],
            "root_path": "",
            "query_string": url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": self._caller,
            "server": (url.host, port),
            "state": {},
        }


def browser(
    app: ASGIApp, base_url: str, *, headers: Mapping[str, str] | None = None, caller: tuple[str, int] = CALLER
) -> httpx2.Client:
    """Give a client with cookies of its own that follows no redirect."""
    return httpx2.Client(transport=InProcess(app, caller=caller), base_url=base_url, headers=headers)


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Lend an event loop that nobody else runs meanwhile."""
    try:
        loop = _idle.pop()
    except IndexError:
        loop = asyncio.new_event_loop()
        atexit.register(loop.close)
    try:
        yield loop
    finally:
        _idle.append(loop)
