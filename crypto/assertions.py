"""Client assertions: a client proves at the token endpoint that it holds its key (private_key_jwt, RFC 7523 3)."""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from crypto.errors import TokenError
from crypto.jose import LEEWAY, SignedClaims, VerifiedClaims, unverified_claims, verify_signature, verify_times
from crypto.keys import PublicKey
from crypto.suites import ED25519, ES256, PS256, Suite

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""What ``client_assertion_type`` must be (RFC 7523 2.2)."""
LONGEST_LIFE: Final = timedelta(minutes=5)
MAX_JTI: Final = 255
SUITES: Final = (ES256, PS256, ED25519)
"""What clients may sign with (FAPI 2.0 5.4.1)."""
_TYPES: Final = ("JWT", "client-authentication+jwt")

FirstUse: TypeAlias = Callable[[str, datetime], bool]
"""Remembers a client's ``jti`` until an instant, atomically; False if it was remembered before."""


def claimed_client(assertion: str) -> str:
    """Say which client an assertion claims to be from, to find that client's keys. Nothing is proved yet."""
    subject = unverified_claims(assertion).get("sub")
    if not isinstance(subject, str) or not subject:
        raise TokenError("the assertion names no client")
    return subject


def verify_client_assertion(  # noqa: PLR0913 - each names one thing that must hold, and none may be forgotten
    assertion: str,
    *,
    client_id: str,
    keys: Mapping[str, PublicKey],
    issuer: str,
    token_endpoint: str | None = None,
    at: datetime,
    first_use: FirstUse,
    suites: Collection[Suite] = SUITES,
) -> VerifiedClaims:
    """Judge an assertion wholly; TokenError where anything fails. It is good once.

    ``keys`` are those this client registered. The audience is ``issuer`` and nothing else (FAPI 2.0 5.3.2.1); give
    ``token_endpoint`` only for clients of older profiles, which address that.
    """
    # 1. Signature and type, under this client's own keys.
    # 2. The client speaks of itself, to us and to nobody besides.
    # 3. It is fresh, and dies within minutes.
    # 4. It was not used before: asked last, so that only good assertions are remembered.
    claims = verify_signature(assertion, keys=keys, typ=_TYPES, suites=suites)
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        raise TokenError("the assertion is not the client's own")
    # One text, not a list: an assertion that is good elsewhere too could be passed on to us from there.
    audience = claims.get("aud")
    if not isinstance(audience, str) or audience not in {issuer, token_endpoint or issuer}:
        raise TokenError("the assertion is meant for another audience")
    verified = verify_times(claims, at=at)
    until = datetime.fromtimestamp(float(claims["exp"]), UTC)
    if until > at + LONGEST_LIFE + LEEWAY:
        raise TokenError("the assertion lives longer than five minutes")
    if not first_use(_jti(claims), until + LEEWAY):
        raise TokenError("the assertion was used before")
    return verified


def _jti(claims: SignedClaims) -> str:
    jti: Any = claims.get("jti")
    if not isinstance(jti, str) or not 1 <= len(jti) <= MAX_JTI:
        raise TokenError("the assertion has no jti, or a very long one")
    return jti
