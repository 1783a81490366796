"""An OpenID Connect relying party in one file: discovery, PKCE, ID token, claims, logout.

It shares no code with the provider: what it accepts, another party's client would accept.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import ProxyHandler, Request, build_opener

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

_TIMEOUT_SECONDS = 15
_MOST_OCTETS = 1024 * 1024
_LEEWAY_SECONDS = 60


class SignInFailed(Exception):
    """Nobody was signed in; the text says why, for the person to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What the browser's session must remember between leaving and coming back."""

    state: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A person as the provider vouches for them."""

    claims: Mapping[str, Any]
    id_token: str = field(repr=False)


class RelyingParty:
    """One registered client of one issuer."""

    def __init__(self, *, issuer: str, client_id: str, secret: str, redirect_uri: str, after_logout: str) -> None:
        self.issuer = issuer
        self._client_id = client_id
        self._secret = secret
        self._redirect_uri = redirect_uri
        self._after_logout = after_logout
        # The provider is a neighbour: no proxy of the environment stands between.
        self._opener = build_opener(ProxyHandler({}))
        self._provider: dict[str, Any] = {}

    def leave(self, pending: Pending, *, acr_values: str | None = None) -> str:
        """Give the address to send the browser to."""
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "scope": "openid profile identity",
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": _base64url(hashlib.sha256(pending.verifier.encode()).digest()),
            "code_challenge_method": "S256",
            **({"acr_values": acr_values} if acr_values else {}),
        }
        return f"{self._metadata('authorization_endpoint')}?{urlencode(asked)}"

    def come_back(self, answer: Mapping[str, str], pending: Pending | None) -> SignedIn:
        """Turn the answer that the browser brings back into a person, believing nothing unproved."""
        # 1. It is the answer to what this very browser asked, from the issuer that was asked.
        if pending is None or not secrets.compare_digest(answer.get("state", "").encode(), pending.state.encode()):
            raise SignInFailed("登录请求已失效，请重新登录。")
        if answer.get("iss") != self.issuer:
            raise SignInFailed("登录结果不是来自所选的认证平台。")
        if "error" in answer:
            raise SignInFailed("您取消了登录。" if answer["error"] == "access_denied" else "认证平台未能完成登录。")
        # 2. The code becomes tokens.
        tokens = self._redeem(answer.get("code", ""), pending)
        # 3. The ID token is signed by the issuer, for us, now, and answers our nonce.
        claims = self._judge(tokens, pending)
        # 4. The claims are about the same person.
        told = self._get(self._metadata("userinfo_endpoint"), bearer=str(tokens["access_token"]))
        if told.get("sub") != claims["sub"]:
            raise SignInFailed("认证平台返回的信息前后不一致。")
        return SignedIn(claims={**claims, **told}, id_token=str(tokens["id_token"]))

    def logout(self, person: SignedIn) -> str:
        """Give the address that signs the person out at the provider and comes back here."""
        wish = {"id_token_hint": person.id_token, "post_logout_redirect_uri": self._after_logout}
        return f"{self._metadata('end_session_endpoint')}?{urlencode(wish)}"

    def _redeem(self, code: str, pending: Pending) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": pending.verifier,
        }
        # RFC 6749 2.3.1: both halves are form-encoded before Basic.
        credentials = f"{quote(self._client_id, safe='')}:{quote(self._secret, safe='')}".encode()
        headers = {
            "Authorization": "Basic " + base64.b64encode(credentials).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        request = Request(  # noqa: S310 - the configured issuer's own address
            self._metadata("token_endpoint"), data=urlencode(form).encode(), headers=headers
        )
        tokens = self._read(request)
        if not {"access_token", "id_token"} <= tokens.keys():
            raise SignInFailed("认证平台的回答无法识别。")
        return tokens

    def _judge(self, tokens: Mapping[str, Any], pending: Pending) -> dict[str, Any]:
        keys = KeySet.import_key_set(cast("Any", self._get(self._metadata("jwks_uri"))))
        rules = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self._client_id},
            nonce={"essential": True, "value": pending.nonce},
            sub={"essential": True},
            exp={"essential": True},
            at_hash={
                "essential": True,
                "value": _base64url(hashlib.sha256(str(tokens.get("access_token")).encode()).digest()[:16]),
            },
        )
        try:
            token = jwt.decode(str(tokens.get("id_token")), keys, algorithms=["ES256"])
            rules.validate(token.claims)
        except (JoseError, ValueError) as error:
            raise SignInFailed("身份令牌未通过校验。") from error
        return dict(token.claims)

    def _metadata(self, name: str) -> str:
        if not self._provider:
            told = self._get(f"{self.issuer}/.well-known/openid-configuration")
            # OpenID Connect Discovery 4.3: whoever answers must be whom we asked.
            if told.get("issuer") != self.issuer:
                raise SignInFailed("认证平台的配置有误。")
            self._provider = told
        return str(self._provider[name])

    def _get(self, url: str, *, bearer: str | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return self._read(Request(url, headers=headers))  # noqa: S310 - the configured issuer's own address

    def _read(self, request: Request) -> dict[str, Any]:
        try:
            with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as reply:
                read = json.loads(reply.read(_MOST_OCTETS))
        except HTTPError as error:
            error.close()
            raise SignInFailed("认证平台拒绝了请求，请重新登录。") from error
        except (URLError, OSError, ValueError) as error:
            raise SignInFailed("暂时无法连接认证平台，请稍后再试。") from error
        if not isinstance(read, dict):
            raise SignInFailed("认证平台的回答无法识别。")
        return read


def _base64url(octets: bytes) -> str:
    """Write base64url without padding (RFC 7515 2)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
