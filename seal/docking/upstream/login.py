"""Logging in upstream: each request is authenticated by HMAC-SM3 over what it says and when.

Mutual TLS needs nothing here: it is in the ``ssl.SSLContext`` that the vault is given.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

from crypto.digests import sm3
from crypto.errors import KeyRefused
from crypto.kdf import hmac_sm3
from crypto.secrecy import Secret
from kernel.clock import Clock
from kernel.ids import new_id

CLIENT, TIME, NONCE, MAC = "X-Seal-Client", "X-Seal-Timestamp", "X-Seal-Nonce", "X-Seal-Signature"
SHORTEST_SECRET: Final = 16


class Login(Protocol):
    """Says who asks, in headers of the request."""

    def headers(self, url: str, body: bytes) -> Mapping[str, str]:
        """Give the headers that authenticate a POST of ``body`` to ``url``, of use once."""


class NoHeaders:
    """The login of whoever is known by a client certificate (mutual TLS) already."""

    def headers(self, url: str, body: bytes) -> Mapping[str, str]:
        """Give none."""
        del url, body
        return {}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class HmacLogin(Secret):
    """HMAC-SM3 under a shared secret: hexadecimal, over method, path, client, time, nonce and the body's SM3."""

    client: str
    secret: bytes
    clock: Clock

    def __post_init__(self) -> None:
        if len(self.secret) < SHORTEST_SECRET:
            raise KeyRefused(f"a secret shared with an upstream system has {SHORTEST_SECRET} octets or more")
        if not re.fullmatch(r"[\x21-\x7e]{1,100}", self.client):
            raise KeyRefused("an upstream system knows us by 1 to 100 visible ASCII characters")

    def headers(self, url: str, body: bytes) -> Mapping[str, str]:
        """Authenticate one POST."""
        stated = {
            CLIENT: self.client,
            TIME: str(int(self.clock.now().timestamp())),
            NONCE: new_id(),
        }
        return {**stated, MAC: mac_of(self.secret, urlsplit(url).path or "/", stated, body)}


def mac_of(secret: bytes, path: str, stated: Mapping[str, str], body: bytes) -> str:
    """Compute the header that authenticates a POST to ``path``, whose other headers are ``stated``."""
    lines = ("POST", path, stated[CLIENT], stated[TIME], stated[NONCE], sm3(body).hex())
    return hmac_sm3(secret, "\n".join(lines).encode()).hex()
