"""Cookies: the two that the provider sets, and how."""

from starlette.requests import Request
from starlette.responses import Response

from idp.attempts import network_of
from idp.authorize.service import Browser


class Cookies:
    """Reads and sets the browser's key and the session's secret.

    Both end with the browser session, are out of scripts' reach, and are not sent along with other sites' requests
    but for plain visits. On HTTPS the ``__Host-`` prefix keeps neighbouring hosts from planting them.
    """

    def __init__(self, *, secure: bool) -> None:
        prefix = "__Host-" if secure else ""
        self._secure = secure
        self._browser = f"{prefix}xinyin_browser"
        self._session = f"{prefix}xinyin_session"

    def read(self, request: Request) -> Browser:
        """Give what came with a request."""
        return Browser(
            key=request.cookies.get(self._browser),
            session=request.cookies.get(self._session),
            address=network_of(request.client.host) if request.client else "",
        )

    def keep(self, response: Response, *, browser_key: str | None, session_secret: str | None) -> None:
        """Set what is new."""
        for name, value in ((self._browser, browser_key), (self._session, session_secret)):
            if value is not None:
                response.set_cookie(name, value, path="/", secure=self._secure, httponly=True, samesite="lax")

    def drop_session(self, response: Response) -> None:
        """Take the session's cookie away."""
        response.delete_cookie(self._session, path="/", secure=self._secure, httponly=True, samesite="lax")
