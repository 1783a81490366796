"""The guard of an API: a bearer token in, a principal out (RFC 6750); or a request that was signed."""

import re
from typing import Annotated, Final, Protocol

from fastapi import Depends
from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import Request

from crypto.errors import TokenError
from kernel.errors import Unauthenticated
from kernel.principal import Principal

SIGNED_BY: Final = "xinyin.signed_by"
"""Where the scope of a request holds the principal whose signature was believed (``kernel.signed_door``)."""
APP_KEY_SCHEME: Final = "appKey"
"""What the description of an API calls signed requests."""
_LONGEST_TOKEN = 8192
_CREDENTIALS = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)


class TokenVerifier(Protocol):
    """Tells whom an access token stands for.

    Refuses with Unauthenticated (or lets crypto's TokenError through) for a token that must not be believed:
    wrong signature, issuer, audience or type, expired, revoked. Safe to call from many threads.
    """

    def principal(self, token: str) -> Principal:
        """Give the principal that ``token`` was issued to, with the rights it carries."""


class TokenMissing(Unauthenticated):
    """The request carries no bearer token."""

    code = "token_missing"
    # RFC 6750 3.1: a request without credentials is told the scheme and no error code.
    challenge = "Bearer"


class TokenRefused(Unauthenticated):
    """The token must not be believed. Why is not said: the caller can only get a new one."""

    code = "token_refused"
    challenge = 'Bearer error="invalid_token"'


class BearerGuard(SecurityBase):
    """A FastAPI dependency: ``Annotated[Principal, Depends(guard)]`` lets no request in without a good token.

    The token is read from the Authorization header only: what stands in a URL or a form ends up in logs.
    """

    def __init__(self, verifier: TokenVerifier) -> None:
        self.model = HTTPBearer(bearerFormat="JWT", description="An access token of this service (RFC 9068).")
        self.scheme_name = "bearer"
        self._verifier = verifier

    def __call__(self, request: Request) -> Principal:
        """Give the caller of ``request``."""
        offered = request.headers.getlist("authorization")
        if not offered:
            raise TokenMissing("This needs an access token: Authorization: Bearer <token>.")
        match = _CREDENTIALS.fullmatch(offered[0].strip()) if len(offered) == 1 else None
        if match is None or len(offered[0]) > _LONGEST_TOKEN:
            raise TokenRefused("The Authorization header is not of the form: Bearer <token>.")
        try:
            return self._verifier.principal(match[1])
        except (TokenError, Unauthenticated) as error:
            raise TokenRefused("The access token is invalid, expired or revoked. Get a new one.") from error


class CredentialsMissing(TokenMissing):
    """The request proves its caller in neither of the ways there are."""

    challenge = "Bearer, XINYIN-HMAC-SM3"


class _AppKeyScheme(SecurityBase):
    """Describes signed requests to readers of the API's description; the door has judged them already."""

    def __init__(self) -> None:
        # OpenAPI describes one header a scheme; the others belong to it.
        self.model = APIKey.model_validate(
            {
                "in": APIKeyIn.header,
                "name": "X-App-Key",
                "description": "For gateways: the app key's id. It comes with X-Timestamp, X-Nonce, X-Content-SM3 "
                "(of a body) and X-Signature, the HMAC-SM3 of the request under the app key's secret.",
            }
        )
        self.scheme_name = APP_KEY_SCHEME

    async def __call__(self) -> None:
        """Do nothing."""


_APP_KEY = _AppKeyScheme()


class EitherGuard(BearerGuard):
    """A guard that lets in a good token, and likewise whoever the door for signed requests found to be the signer."""

    def __call__(self, request: Request, _signed: Annotated[None, Depends(_APP_KEY)] = None) -> Principal:
        """Give the caller of ``request``."""
        signer = request.scope.get(SIGNED_BY)
        if isinstance(signer, Principal):
            return signer
        if "authorization" not in request.headers:
            raise CredentialsMissing(
                "This needs an access token (Authorization: Bearer <token>) or a request signed with an app key."
            )
        return super().__call__(request)
