"""Keys out of secrets: the derivation function of GB/T 32918, and HMAC, both over SM3."""

from typing import Final

from cryptography.hazmat.primitives.hmac import HMAC

from crypto.digests import SM3, sm3

_MOST_BLOCKS: Final = 2**32 - 1  # GB/T 32918.4 5.4.3: the counter has 32 bits.


def derive(secret: bytes, size: int) -> bytes:
    """Derive ``size`` octets from ``secret`` (GB/T 32918.4 5.4.3: KDF, counting from 1)."""
    blocks = -(-size // SM3.size)
    if not 0 < blocks <= _MOST_BLOCKS:
        raise ValueError("the octets to be derived are at least 1, and at most 2^32 - 1 digests")
    stream = b"".join(sm3(secret, counter.to_bytes(4, "big")) for counter in range(1, blocks + 1))
    return stream[:size]


def hmac_sm3(key: bytes, *parts: bytes) -> bytes:
    """Authenticate the concatenation of ``parts`` (GB/T 15852.2, RFC 2104): 32 octets.

    Compare such values with ``hmac.compare_digest`` only.
    """
    running = HMAC(key, SM3.primitive())
    for part in parts:
        running.update(part)
    return running.finalize()
