"""Signed JSON Web Tokens: compact JWS at digest level, so that vault keys never leave (RFC 7515, 7519, 8725)."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from math import isfinite
from types import MappingProxyType
from typing import Any, NewType, NoReturn, TypeAlias

from crypto.errors import TokenError
from crypto.jwk import (
    decode,
    encode,
    gm_key_from_jwk,
    gm_public_jwk,
    key_from_jwk,
    public_jwk,
    thumbprint_kid,
)
from crypto.keys import PublicKey, Signer, require_fit
from crypto.raw_values import sign_raw, verify_raw
from crypto.suites import ES256, Suite, Usage

__all__ = [
    "JwtSigner",
    "SignedClaims",
    "VerifiedClaims",
    "gm_key_from_jwk",
    "gm_public_jwk",
    "half_hash",
    "key_from_jwk",
    "public_jwk",
    "thumbprint_kid",
    "unverified_claims",
    "verify_jwt",
    "verify_signature",
    "verify_times",
]

SignedClaims = NewType("SignedClaims", Mapping[str, Any])
"""Claims whose signature holds; only ``verify_signature`` makes them. Issuer, audience and time are not judged."""
VerifiedClaims = NewType("VerifiedClaims", Mapping[str, Any])
"""Claims to be believed; only ``verify_jwt`` makes them."""
_Object: TypeAlias = dict[str, Any]

LEEWAY = timedelta(seconds=60)
"""How far clocks may be apart."""
MAX_TOKEN = 16 * 1024
"""Characters of a token at most."""
_LATEST = 253402300799
"""The end of the year 9999, in seconds."""
# Keys and addresses of keys in a header are the forger's own (CVE-2026-27962); crit and b64 change what the rest
# means and nothing is understood here (CVE-2025-59420); zip and enc belong to JWE.
_REFUSED_HEADERS = frozenset(("crit", "b64", "jwk", "jku", "x5u", "x5c", "zip", "enc"))


class JwtSigner:
    """Signs claims with one key, under one ``kid``. ``signer`` decides the algorithm."""

    def __init__(self, signer: Signer, kid: str) -> None:
        require_fit(signer.suite, signer.public_key, Usage.TOKEN)
        self._signer = signer
        self.kid = kid
        self.suite = signer.suite
        self._header = lru_cache(maxsize=16)(self._encode_header)

    def sign(self, claims: Mapping[str, object], typ: str = "JWT") -> str:
        """Give the compact token; a TokenError for claims that JSON cannot hold."""
        try:
            payload = _WRITE(claims).encode()
        except (TypeError, ValueError) as error:
            raise TokenError(f"the claims cannot be written as JSON: {error}") from error
        signed = f"{self._header(typ)}.{encode(payload)}"
        return f"{signed}.{encode(sign_raw(self._signer, signed.encode('ascii')))}"

    def _encode_header(self, typ: str) -> str:
        header = {"alg": self.suite.jose, "kid": self.kid, "typ": typ}
        return encode(json.dumps(header, separators=(",", ":")).encode())


def verify_jwt(  # noqa: PLR0913 - each names one thing that must hold, and none may be forgotten
    token: str,
    *,
    keys: Mapping[str, PublicKey],
    issuer: str,
    audience: str,
    typ: str,
    at: datetime,
    leeway: timedelta = LEEWAY,
    suites: Collection[Suite] = (ES256,),
) -> VerifiedClaims:
    """Judge a token wholly: signature, type, issuer, audience, time. TokenError where any of them fails.

    ``exp`` is required, ``nbf`` and ``iat`` are judged where present. ``suites`` must not be widened beyond what the
    keys' owner uses: an algorithm must also fit the kind of the key that ``kid`` names.
    """
    claims = verify_signature(token, keys=keys, typ=typ, suites=suites)
    if claims.get("iss") != issuer:
        raise TokenError("the token is another issuer's")
    audiences = claims.get("aud")
    if audience not in (audiences if isinstance(audiences, list) else [audiences]):
        raise TokenError("the token is meant for another audience")
    return verify_times(claims, at=at, leeway=leeway)


def verify_times(claims: SignedClaims, *, at: datetime, leeway: timedelta = LEEWAY) -> VerifiedClaims:
    """Judge only the times of claims whose other members the caller has judged; else use ``verify_jwt``."""
    now = at.timestamp()
    margin = leeway.total_seconds()
    if now >= _instant(claims, "exp", required=True) + margin:
        raise TokenError("the token has expired")
    if now < max(_instant(claims, "nbf"), _instant(claims, "iat")) - margin:
        raise TokenError("the token is not valid yet")
    return VerifiedClaims(claims)


def verify_signature(
    token: str, *, keys: Mapping[str, PublicKey], typ: str | tuple[str, ...], suites: Collection[Suite] = (ES256,)
) -> SignedClaims:
    """Judge only signature and type, as for an id_token_hint, which may have expired; else use ``verify_jwt``.

    ``keys`` are those the caller trusts, by ``kid``. A token without ``kid`` is judged only if there is one key.
    """
    # 1. Three parts, and a header that says nothing dangerous.
    # 2. The key is one of ours, chosen by kid; the algorithm is allowed and fits that key.
    # 3. The signature verifies; only then is the payload read.
    parts = _split(token)
    header = _header(parts[0], typ)
    key = _choose_key(header, keys)
    alg = header.get("alg")
    suite = next((row for row in suites if alg in row.algs and row.key is key.kind and Usage.TOKEN in row.usages), None)
    if suite is None:
        raise TokenError("the algorithm is not one this key may use")
    signed = f"{parts[0]}.{parts[1]}".encode("ascii")
    if not verify_raw(key, suite, signed, decode(parts[2])):
        raise TokenError("the signature does not verify")
    return SignedClaims(_json_object(decode(parts[1])))


def unverified_claims(token: str) -> Mapping[str, Any]:
    """Read what a token claims, to find out whose keys judge it. Nothing of it may be believed."""
    return _json_object(decode(_split(token)[1]))


def half_hash(suite: Suite, text: str) -> str:
    """Give ``at_hash`` or ``c_hash``: the left half of the suite's digest (OpenID Connect Core 3.1.3.6)."""
    return encode(suite.digest.digest(text.encode("ascii"))[: suite.digest.size // 2])


def _split(token: str) -> list[str]:
    if len(token) > MAX_TOKEN or not token.isascii():
        raise TokenError("the token is too long or no ASCII text")
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        raise TokenError("a signed token has three parts")
    return parts


@lru_cache(maxsize=256)
def _header(part: str, typ: str | tuple[str, ...]) -> Mapping[str, Any]:
    """Read a header that says nothing dangerous; an issuer's tokens mostly have the same."""
    header = _json_object(decode(part))
    _check_header(header, (typ,) if isinstance(typ, str) else typ)
    return MappingProxyType(header)


def _check_header(header: _Object, types: tuple[str, ...]) -> None:
    refused = _REFUSED_HEADERS & header.keys()
    if refused:
        raise TokenError(f"the header may not hold {', '.join(sorted(refused))}")
    given = header.get("typ", "JWT" if "JWT" in types else None)
    # RFC 7515 4.1.9: "application/" may be left out; media types ignore case.
    if not isinstance(given, str) or given.lower().removeprefix("application/") not in map(str.lower, types):
        raise TokenError(f"the token is not of type {' or '.join(types)}")


def _choose_key(header: Mapping[str, Any], keys: Mapping[str, PublicKey]) -> PublicKey:
    kid = header.get("kid")
    if "kid" not in header and len(keys) == 1:
        return next(iter(keys.values()))
    key = keys.get(kid) if isinstance(kid, str) else None
    if key is None:
        raise TokenError("the token names no key that is known")
    return key


def _json_object(data: bytes) -> _Object:
    """Read a JSON object that has one reading: no repeated members, no NaN, UTF-8, and that can be written again."""
    try:
        text = data.decode("utf-8")
        value = _READ(text)
        # RFC 7493 2.1: half a surrogate pair, which nothing can store; only an escape can write one.
        if "\\u" in text:
            _WRITE(value).encode()
    except (ValueError, RecursionError) as error:
        raise TokenError("the token holds no readable JSON") from error
    if not isinstance(value, dict):
        raise TokenError("the token holds no JSON object")
    return value


def _unrepeated(pairs: list[tuple[str, Any]]) -> _Object:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is repeated")
    return found


def _no_constant(_: str) -> NoReturn:
    raise ValueError("not a JSON number")


def _finite(text: str) -> float:
    """Read a number that is not beyond all bounds (RFC 7493 2.2)."""
    number = float(text)
    if not isfinite(number):
        raise ValueError("a number is beyond all bounds")
    return number


def _instant(claims: Mapping[str, Any], name: str, *, required: bool = False) -> float:
    """Read a NumericDate; one that is absent and not required lies before all others."""
    if name not in claims and not required:
        return float("-inf")
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        raise TokenError(f"{name} is not a time")
    return value


_READ = json.JSONDecoder(object_pairs_hook=_unrepeated, parse_float=_finite, parse_constant=_no_constant).decode
_WRITE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
