"""SM4 under a 16-octet key (GB/T 32907): GCM, which seals octets, and CBC, which only hides them (GB/T 17964)."""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import CBC, GCM
from cryptography.hazmat.primitives.padding import PKCS7

from crypto.errors import CryptoError

KEY_SIZE: Final = 16
NONCE_SIZE: Final = 12
TAG_SIZE: Final = 16
BLOCK_SIZE: Final = 16


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


def encrypt_cbc(key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    """Encrypt with PKCS#7 padding (RFC 5652 6.3), for what a standard writes so; otherwise ``seal_gcm``.

    ``iv`` is 16 octets that nobody can predict, new for each message. Nothing is authenticated: the caller puts a
    MAC or a signature over ``iv`` and the result.
    """
    _check(key, iv)
    padder = PKCS7(BLOCK_SIZE * 8).padder()
    running = Cipher(SM4(key), CBC(iv)).encryptor()
    return running.update(padder.update(plaintext) + padder.finalize()) + running.finalize()


def decrypt_cbc(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    """Decrypt what ``encrypt_cbc`` made; CryptoError where length or padding are wrong.

    Call it only when a MAC or a signature over both arguments holds: otherwise this refusal is a padding oracle.
    """
    _check(key, iv)
    if not ciphertext or len(ciphertext) % BLOCK_SIZE:
        raise CryptoError(f"SM4-CBC makes whole blocks of {BLOCK_SIZE} octets")
    running = Cipher(SM4(key), CBC(iv)).decryptor()
    unpadder = PKCS7(BLOCK_SIZE * 8).unpadder()
    try:
        return unpadder.update(running.update(ciphertext) + running.finalize()) + unpadder.finalize()
    except ValueError:
        raise CryptoError("the SM4-CBC ciphertext does not decrypt: wrong key, or altered") from None


def _check(key: bytes, iv: bytes = bytes(BLOCK_SIZE)) -> None:
    if len(key) != KEY_SIZE:
        raise ValueError(f"an SM4 key has {KEY_SIZE} octets, not {len(key)}")
    if len(iv) != BLOCK_SIZE:
        raise ValueError(f"the initial value has {BLOCK_SIZE} octets, not {len(iv)}")
