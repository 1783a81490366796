"""Form tokens: a signed double-submit, so that another site cannot post our forms (OWASP CSRF, signed pattern)."""

import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.hmac import HMAC
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from crypto.digests import SM3
from kernel.errors import Forbidden

_SMALLEST_KEY = 32
_PURPOSE = b"xinyin/csrf/1\0"


class CsrfRefused(Forbidden):
    """A form came without the token that our own page would have sent along."""

    code = "csrf_refused"


class CsrfTokens:
    """Makes and checks form tokens: the HMAC-SM3 of a random value that only this browser holds in a cookie."""

    def __init__(self, key: bytes, *, secure: bool) -> None:
        if len(key) < _SMALLEST_KEY:
            raise ValueError(f"the key for form tokens needs at least {_SMALLEST_KEY} octets")
        self._key = key
        self._secure = secure
        # The prefix keeps a neighbouring host from planting a cookie of its own (RFC 6265bis 4.1.3.2).
        self._cookie = "__Host-xinyin_csrf" if secure else "xinyin_csrf"

    def form(self, request: Request) -> "CsrfForm":
        """Start the token of one page."""
        held = request.cookies.get(self._cookie, "")
        value = held if held.isalnum() and len(held) == _SMALLEST_KEY else secrets.token_hex(_SMALLEST_KEY // 2)
        return CsrfForm(cookie=self._cookie, value=value, token=self._mac(value).finalize().hex(), secure=self._secure)

    def check(self, request: Request, token: str | None) -> None:
        """Refuse with CsrfRefused unless ``token`` belongs to this browser's cookie."""
        # Sec-Fetch-Site cannot be forged by a page; browsers without it still face the token.
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            raise CsrfRefused("This form was sent from another site. Open the page again and send it from there.")
        try:
            self._mac(request.cookies.get(self._cookie, "")).verify(bytes.fromhex(token or ""))
        except (InvalidSignature, ValueError):
            raise CsrfRefused("This form has expired or cookies are blocked. Open the page again and resend.") from None

    def _mac(self, value: str) -> HMAC:
        mac = HMAC(self._key, SM3.primitive())
        mac.update(_PURPOSE + value.encode())
        return mac


@dataclass(slots=True, kw_only=True)
class CsrfForm:
    """The token of one rendered page; the cookie is only set if a template asked for the field."""

    cookie: str
    value: str
    token: str
    secure: bool
    used: bool = False

    def field(self) -> Markup:
        """Give the hidden input for a form."""
        self.used = True
        return Markup('<input type="hidden" name="csrf" value="{}">').format(self.token)

    def attach(self, response: Response) -> None:
        """Set the cookie that the token is checked against: for this browser session only."""
        response.set_cookie(self.cookie, self.value, path="/", secure=self.secure, httponly=True, samesite="lax")
