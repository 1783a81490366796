"""Methods: HEAD wherever GET is answered, OPTIONS everywhere, and what else an address takes (RFC 9110 9.3, 10.2.1)."""

from typing import Final

from starlette.requests import Request
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

AS_SENT: Final = "xinyin.method"
"""Where the scope of a request that is answered as another holds the method that its caller sent."""
_ORDER = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class HeadAsGet:
    """ASGI middleware: answers HEAD as GET is answered, without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def bodiless(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        inner = {**scope, "method": "GET", AS_SENT: "HEAD"}
        try:
            await self._app(inner, receive, bodiless)
        finally:
            # What answered is told by those outside.
            scope.update({name: inner[name] for name in ("route", "endpoint") if name in inner})


def allowed(request: Request) -> str:
    """List the methods that some route takes at the request's address, as the Allow header writes them."""
    found: set[str] = set()
    for route in request.app.routes:
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            found.update(getattr(route, "methods", None) or ())
    if found:
        found.add("OPTIONS")
    if "GET" in found:
        found.add("HEAD")
    return ", ".join(method for method in _ORDER if method in found)
