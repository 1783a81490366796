"""Opening: what a client is given becomes the settings of a line; the same for both clients."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from xinyin_sdk.credentials import Credentials, OwnKey, SharedSecret
from xinyin_sdk.exchange import Retries
from xinyin_sdk.line import Settings

Key: TypeAlias = str | bytes | os.PathLike[str] | Mapping[str, Any]
"""A private key on P-256: PEM, JWK, or the path of a file with either."""


def opened(  # noqa: PLR0913 - what a client is made from
    base_url: str,
    client_id: str | None,
    *,
    key: Key | None,
    key_id: str | None,
    client_secret: str | None,
    scope: Sequence[str],
    ca: "str | os.PathLike[str] | None",
    proxy: str | None,
    timeout: float,
    retries: Retries | None,
) -> Settings:
    """Make settings; ValueError for what does not go together."""
    if isinstance(scope, str):
        raise TypeError("scope is a list of rights")
    return Settings(
        base_url=base_url,
        credentials=_credentials(base_url, client_id, key, key_id, client_secret),
        scope=tuple(scope),
        ca=None if ca is None else os.fspath(ca),
        proxy=proxy,
        timeout=timeout,
        retries=retries or Retries(),
    )


def _credentials(
    base_url: str, client_id: str | None, key: Key | None, key_id: str | None, client_secret: str | None
) -> Credentials | None:
    if client_id is None:
        if key is not None or client_secret is not None:
            raise ValueError("client_id is missing")
        return None
    if (key is None) == (client_secret is None):
        raise ValueError("a client proves itself by key or by client_secret: give one of them")
    if key is not None:
        # RFC 7523 3 leaves the audience open; only the issuer itself cannot be mistaken for another's endpoint.
        return OwnKey(client_id, key, audience=base_url.rstrip("/"), key_id=key_id)
    return SharedSecret(client_id, client_secret or "")
