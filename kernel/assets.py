"""Static files: our style sheet and mark, addressed by content so that browsers may keep them for ever."""

from functools import cache
from importlib.resources import files

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from crypto.digests import sm3

_FOR_EVER = "public, max-age=31536000, immutable"
_SHORTLY = "public, max-age=300"
_SHORT_HASH = 12


class _Kept(StaticFiles):
    """Answers what is asked for by its content's hash as immutable, the rest for five minutes."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        asked = scope.get("query_string", b"").decode("latin-1")
        known = response.status_code < 400 and asked == f"v={_version(path)}"  # noqa: PLR2004 - the first error status
        response.headers["Cache-Control"] = _FOR_EVER if known else _SHORTLY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response


def static_app() -> StaticFiles:
    """Make the ASGI app that serves the kernel's static files; mount it at ``/static``."""
    return _Kept(packages=[("kernel", "static")])


def static_url(base: str, name: str) -> str:
    """Give the address of a static file under ``base``, with its content's hash; an unknown name raises."""
    return f"{base}/{name}?v={_version(name)}"


@cache  # the files are part of the program: they do not change while it runs
def _version(name: str) -> str:
    return sm3((files("kernel") / "static" / name).read_bytes()).hex()[:_SHORT_HASH]
