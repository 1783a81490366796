"""The console as a relying party of our own provider: code flow with PKCE, and nothing believed unproved.

Whatever another party's client has to prove, the console proves, too. Only the way to the token endpoint is short: it
is called in this process, so that the service need not reach its own public address, nor a thread wait for another.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from starlette.datastructures import Headers

from admin.console.registration import CALLBACK, GOODBYE, ConsoleClient
from crypto.digests import SM3
from crypto.errors import TokenError
from crypto.jose import half_hash, verify_jwt
from idp.discovery import AUTHORIZE, LOGOUT
from idp.service import Idp
from kernel.clock import Clock
from kernel.errors import Forbidden
from kernel.ids import new_secret

SCOPE = "openid profile"
_LEEWAY = timedelta(seconds=5)
_HTTP_OK = 200


class SignInRefused(Forbidden):
    """Nobody was signed in to the console: the provider's answer is not one to what this browser asked."""

    code = "console_sign_in_refused"


class SignInDeclined(Forbidden):
    """The person broke the sign-in off."""

    code = "console_sign_in_declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A sign-in under way. ``secret`` is all a browser keeps of it: what must match is derived, and nothing stored."""

    secret: str = field(default_factory=new_secret, repr=False)

    @property
    def state(self) -> str:
        """What the provider's answer must bring back."""
        return self._derived(b"state")

    @property
    def nonce(self) -> str:
        """What the ID token must hold."""
        return self._derived(b"nonce")

    @property
    def verifier(self) -> str:
        """PKCE's code_verifier: 43 characters (RFC 7636 4.1)."""
        return self._derived(b"verifier")

    def _derived(self, purpose: bytes) -> str:
        # Of a 256-bit random secret: a digest under another prefix each is as good as a value of its own.
        return _base64url(SM3.digest(b"xinyin/console/" + purpose + b"\0" + self.secret.encode()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """What the provider vouches for."""

    person: str
    sid: str
    authenticated_at: datetime
    id_token: str = field(repr=False)


class RelyingParty:
    """One registered client of our own issuer."""

    def __init__(self, *, idp: Idp, client: ConsoleClient, clock: Clock) -> None:
        self._idp = idp
        self._client = client
        self._clock = clock
        self._callback = idp.issuer + CALLBACK

    def leave(self, pending: Pending, *, max_age: timedelta | None = None) -> str:
        """Give the address to send the browser to; with ``max_age`` whoever signed in longer ago does so again."""
        asked = {
            "response_type": "code",
            "client_id": self._client.id,
            "redirect_uri": self._callback,
            "scope": SCOPE,
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": _base64url(hashlib.sha256(pending.verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        if max_age is not None:
            asked["max_age"] = str(int(max_age.total_seconds()))
        return f"{self._idp.issuer}{AUTHORIZE}?{urlencode(asked)}"

    def come_back(
        self, answer: Mapping[str, str], pending: Pending | None, *, max_age: timedelta | None = None
    ) -> Proved:
        """Turn the answer that the browser brings into a person; SignInRefused if anything is not as it must be."""
        # 1. It answers what this very browser asked, and comes from the issuer that was asked (RFC 9207).
        # 2. The code becomes tokens: once, for us, with the verifier of this browser.
        # 3. The ID token is the issuer's, for us, of now, and answers our nonce.
        # 4. The person proved who they are as lately as was asked.
        if pending is None or not secrets.compare_digest(answer.get("state", "").encode(), pending.state.encode()):
            raise SignInRefused("This sign-in was begun elsewhere or is over. Begin again.")
        if answer.get("iss") != self._idp.issuer:
            raise SignInRefused("The answer is not our provider's.")
        if "error" in answer:
            if answer["error"] == "access_denied":
                raise SignInDeclined("The sign-in was broken off.")
            raise SignInRefused("The provider did not sign anybody in.")
        tokens = self._redeem(answer.get("code", ""), pending)
        proved = self._judge(tokens, pending)
        if max_age is not None and proved.authenticated_at + max_age + _LEEWAY < self._clock.now():
            raise SignInRefused("The provider did not ask for a fresh sign-in.")
        return proved

    def logout(self, id_token: str) -> str:
        """Give the address that ends the provider's session and comes back to our goodbye."""
        wish = {"id_token_hint": id_token, "post_logout_redirect_uri": self._idp.issuer + GOODBYE}
        return f"{self._idp.issuer}{LOGOUT}?{urlencode(wish)}"

    def _redeem(self, code: str, pending: Pending) -> Mapping[str, object]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._callback,
            "code_verifier": pending.verifier,
        }
        # RFC 6749 2.3.1: both halves are form-encoded before Basic.
        credentials = f"{quote(self._client.id, safe='')}:{quote(self._client.secret, safe='')}".encode()
        headers = Headers(
            {
                "authorization": "Basic " + base64.b64encode(credentials).decode(),
                "content-type": "application/x-www-form-urlencoded",
            }
        )
        answer = self._idp.token_server.answer(headers, urlencode(form).encode())
        if answer.status != _HTTP_OK:
            raise SignInRefused("The provider did not take the code: it is used, expired or another's.")
        return answer.body

    def _judge(self, tokens: Mapping[str, object], pending: Pending) -> Proved:
        id_token, ring = str(tokens["id_token"]), self._idp.tokens.ring()
        try:
            claims = verify_jwt(
                id_token,
                keys=ring.keys.trusted,
                issuer=self._idp.issuer,
                audience=self._client.id,
                typ="JWT",
                at=self._clock.now(),
                leeway=_LEEWAY,
                suites=ring.keys.suites,
            )
        except TokenError as error:
            raise SignInRefused("The identity token is not to be believed.") from error
        access = {half_hash(suite, str(tokens["access_token"])) for suite in ring.keys.suites}
        asked = claims.get("nonce") == pending.nonce and claims.get("azp") == self._client.id
        if not asked or claims.get("at_hash") not in access:
            raise SignInRefused("The identity token answers another sign-in.")
        return Proved(
            person=str(claims["sub"]),
            sid=str(claims["sid"]),
            authenticated_at=datetime.fromtimestamp(int(str(claims["auth_time"])), UTC),
            id_token=id_token,
        )


def _base64url(octets: bytes) -> str:
    """Write base64url without padding (RFC 7515 2)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
