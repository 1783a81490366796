"""Digests of secrets we hand out: codes, cookies and client secrets are random, so one SM3 keeps them."""

import hmac

from crypto.digests import sm3


def digest_of(secret: str) -> str:
    """Give the digest under which a random secret of 128 bits or more is kept."""
    return sm3(secret.encode("utf-8", "surrogatepass")).hex()


def same(kept: str | None, secret: str | None) -> bool:
    """Tell in constant time whether ``secret`` is the one whose digest was kept."""
    return kept is not None and secret is not None and hmac.compare_digest(kept, digest_of(secret))
