"""Derivation and HMAC over SM3."""

import hashlib
import hmac
import secrets

import pytest

from crypto.digests import sm3
from crypto.kdf import derive, hmac_sm3


def _hmac(key: bytes, message: bytes) -> bytes:
    """RFC 2104, written out."""
    key = (sm3(key) if len(key) > 64 else key).ljust(64, b"\x00")
    inner = sm3(bytes(octet ^ 0x36 for octet in key), message)
    return sm3(bytes(octet ^ 0x5C for octet in key), inner)


@pytest.mark.parametrize("size", [1, 31, 32, 33, 64, 100])
def test_keys_are_digests_of_the_secret_and_a_counter(size: int) -> None:
    secret = secrets.token_bytes(64)
    stream = b"".join(sm3(secret + counter.to_bytes(4, "big")) for counter in range(1, 5))
    assert derive(secret, size) == stream[:size]


@pytest.mark.parametrize("size", [0, -1, 2**32 * 32])
def test_nothing_and_too_much_are_not_derived(size: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        derive(b"secret", size)


@pytest.mark.parametrize("key_size", [0, 1, 32, 63, 64, 65, 200])
def test_hmac_is_that_of_rfc_2104(key_size: int) -> None:
    key, message = secrets.token_bytes(key_size), secrets.token_bytes(100)
    assert hmac_sm3(key, message) == _hmac(key, message)


def test_hmac_agrees_with_python_s_own_where_it_knows_sm3() -> None:
    if "sm3" not in hashlib.algorithms_available:
        pytest.skip("hashlib has no SM3 here")
    assert hmac_sm3(b"key", b"mes", b"sage") == hmac.digest(b"key", b"message", "sm3")
