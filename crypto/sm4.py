"""SM4-GCM: sealing octets under a 16-octet key (GB/T 32907, GB/T 17964)."""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM

from crypto.errors import CryptoError

KEY_SIZE: Final = 16
NONCE_SIZE: Final = 12
TAG_SIZE: Final = 16


def seal_gcm(key: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """Encrypt and authenticate ``plaintext``, and authenticate ``aad``; give nonce||ciphertext||tag.

    The nonce is random: one key seals at most 2^32 times (NIST SP 800-38D 8.3).
    """
    _check(key)
    nonce = os.urandom(NONCE_SIZE)
    running = Cipher(SM4(key), GCM(nonce)).encryptor()
    running.authenticate_additional_data(aad)
    return nonce + running.update(plaintext) + running.finalize() + running.tag


def open_gcm(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """Give what ``seal_gcm`` sealed; CryptoError if key, octets or ``aad`` differ in one bit."""
    _check(key)
    if len(sealed) < NONCE_SIZE + TAG_SIZE:
        raise CryptoError("the sealed octets are cut short")
    nonce, body, tag = sealed[:NONCE_SIZE], sealed[NONCE_SIZE:-TAG_SIZE], sealed[-TAG_SIZE:]
    running = Cipher(SM4(key), GCM(nonce, tag)).decryptor()
    running.authenticate_additional_data(aad)
    try:
        return running.update(body) + running.finalize()
    except InvalidTag as error:
        raise CryptoError("the sealed octets do not open: wrong key, or altered") from error


def _check(key: bytes) -> None:
    if len(key) != KEY_SIZE:
        raise ValueError(f"an SM4 key has {KEY_SIZE} octets, not {len(key)}")
