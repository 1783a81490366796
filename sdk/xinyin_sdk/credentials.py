"""Credentials: how a client proves itself at the token endpoint, by a key of its own or by a shared secret."""

import base64
import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import quote

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60
_ALGORITHM = "ES256"
_CURVE = "P-256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What goes along with a token request."""

    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class Credentials(Protocol):
    """Proves a client, as often as it is asked; each time with a proof of its own where the way has such."""

    def proof(self) -> Proof:
        """Give what goes along with one token request."""


class SharedSecret:
    """``client_secret_basic`` (RFC 6749 2.3.1)."""

    def __init__(self, client_id: str, secret: str) -> None:
        words = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
        self._client_id = client_id
        self._header = "Basic " + base64.b64encode(words.encode()).decode()

    def __repr__(self) -> str:
        return f"SharedSecret({self._client_id!r})"

    def proof(self) -> Proof:
        """Give the header."""
        return Proof(headers={"Authorization": self._header})


class OwnKey:
    """``private_key_jwt`` (RFC 7523 2.2, OpenID Connect Core 9): ES256, a new assertion for each request.

    ``audience`` is the service's issuer identifier, its address.
    """

    def __init__(
        self,
        client_id: str,
        key: "str | bytes | os.PathLike[str] | Mapping[str, Any]",
        *,
        audience: str,
        key_id: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client_id = client_id
        self._audience = audience
        self._key = _key(key)
        self._key_id = key_id or self._key.kid or self._key.thumbprint()
        self._clock = clock

    def __repr__(self) -> str:
        return f"OwnKey({self._client_id!r}, key_id={self._key_id!r})"

    def proof(self) -> Proof:
        """Sign a new assertion."""
        now = int(self._clock())
        claims: dict[str, Any] = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": self._audience,
            "jti": secrets.token_urlsafe(18),
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        }
        header = {"alg": _ALGORITHM, "kid": self._key_id, "typ": "JWT"}
        assertion = jwt.encode(header, claims, self._key, algorithms=[_ALGORITHM])
        fields = {"client_id": self._client_id, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        return Proof(fields=fields)


def _key(given: "str | bytes | os.PathLike[str] | Mapping[str, Any]") -> ECKey:
    """Read a private key on P-256: a PEM text, a JWK, or the path of a file with either."""
    wrong = "the key must be a private key on P-256: as PEM, as JWK, or the path of a file with one"
    if isinstance(given, os.PathLike) or (isinstance(given, str) and not _is_text_of_key(given)):
        given = Path(given).read_bytes()
    try:
        if isinstance(given, (str, bytes)) and given.lstrip()[:1] in {"{", b"{"}:
            given = json.loads(given)
        key = ECKey.import_key(given if isinstance(given, (str, bytes)) else dict(cast("Mapping[str, Any]", given)))
    except (ValueError, TypeError, JoseError):
        # The first error may quote what it was given.
        raise ValueError(wrong) from None
    if not key.is_private or key.curve_name != _CURVE:
        raise ValueError(wrong)
    return key


def _is_text_of_key(text: str) -> bool:
    return text.lstrip().startswith(("-----BEGIN", "{"))
