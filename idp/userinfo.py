"""Userinfo: what a person's access token tells about them (OpenID Connect Core 5.3)."""

import re

from starlette.datastructures import Headers

from crypto.errors import TokenError
from idp.authorize.parameters import Parameters, Unreadable, read
from idp.claims import Claims, claims_of
from idp.tokens import IdpTokenVerifier
from kernel.errors import Reason, Refusal, Unauthenticated

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)


class NoToken(Unauthenticated):
    """No access token came along."""

    code = "token_missing"
    challenge = "Bearer"


class TokenUnusable(Unauthenticated):
    """The access token is not to be believed."""

    code = "invalid_token"
    challenge = 'Bearer error="invalid_token"'


class OutOfOrder(Refusal):
    """The request is no proper one: a body that cannot be read, more than one access token (RFC 6750 2)."""

    reason, code = Reason.BAD_INPUT, "invalid_request"
    challenge = 'Bearer error="invalid_request"'


class NotAPerson(Refusal):
    """The access token is a client's own, or was not given for signing in (RFC 6750 3.1)."""

    reason, code = Reason.FORBIDDEN, "insufficient_scope"
    challenge = 'Bearer error="insufficient_scope", scope="openid"'


def read_form(encoded: bytes) -> Parameters:
    """Read the form body that may hold the access token."""
    try:
        return read(encoded)
    except Unreadable as error:
        raise OutOfOrder(f"The body cannot be read: {error}.") from error


def bearer_token(headers: Headers, form: Parameters | None) -> str:
    """Find the one access token of a request: in the header or in the form body, never in the URL."""
    offered = headers.getlist("authorization")
    in_form = form.get("access_token") if form else None
    if len(offered) + (in_form is not None) > 1 or (form and "access_token" in form.repeated):
        raise OutOfOrder("The access token was sent more than once.")
    if in_form is not None:
        return in_form
    if not offered:
        raise NoToken("This needs an access token.")
    match = _BEARER.fullmatch(offered[0].strip())
    if match is None:
        raise TokenUnusable("The Authorization header is not of the form: Bearer <token>.")
    return match[1]


def userinfo(verifier: IdpTokenVerifier, token: str) -> Claims:
    """Give the claims that the person agreed to."""
    try:
        bearer = verifier.bearer(token)
    except (TokenError, Unauthenticated) as error:
        raise TokenUnusable("The access token is invalid, expired or revoked.") from error
    if bearer.person is None or "openid" not in bearer.scope:
        raise NotAPerson("This access token was not given for signing in.")
    return claims_of(bearer.person, bearer.scope)
