"""gmssl as an independent judge of our SM2, SM3 and SM4, with throw-away keys."""

import secrets

import pytest
from gmssl import func, sm3, sm4
from gmssl.sm2 import CryptSM2

from crypto import digests
from crypto.engines import default_engine
from crypto.keys import PublicKey
from crypto.sm2 import message_digest
from crypto.sm4 import encrypt_cbc
from crypto.suites import SM2_SM3, KeyKind


def _judge(scalar: bytes, point: bytes) -> CryptSM2:
    judge = CryptSM2(private_key=scalar.hex(), public_key=point[1:].hex())
    # Its constructor strips every leading 0 and 4 of the key, not the prefix "04": set what was meant.
    judge.public_key = point[1:].hex()
    return judge


@pytest.fixture(scope="module")
def pairs() -> list[tuple[bytes, bytes]]:
    engine = default_engine()
    scalars = [engine.generate() for _ in range(4)]
    return [(scalar, engine.public_point(scalar)) for scalar in scalars]


def test_it_accepts_what_we_sign(pairs: list[tuple[bytes, bytes]]) -> None:
    for scalar, point in pairs:
        message = secrets.token_bytes(40)
        signature = default_engine().sign(scalar, message_digest(point, message))
        assert _judge(scalar, point).verify_with_sm3(signature.hex(), message)


def test_we_accept_what_it_signs(pairs: list[tuple[bytes, bytes]]) -> None:
    for scalar, point in pairs:
        message = secrets.token_bytes(40)
        signature = bytes.fromhex(_judge(scalar, point).sign_with_sm3(message))
        key = PublicKey.from_point(KeyKind.SM2, point)
        assert key.verify(SM2_SM3, message, signature)
        assert not key.verify(SM2_SM3, message + b"!", signature)


def test_it_hashes_as_we_do() -> None:
    for size in (0, 1, 55, 56, 64, 200):
        message = secrets.token_bytes(size)
        assert sm3.sm3_hash(func.bytes_to_list(message)) == digests.sm3(message).hex()


def test_it_enciphers_as_we_do() -> None:
    key, nonce, message = secrets.token_bytes(16), secrets.token_bytes(16), secrets.token_bytes(48)
    theirs = sm4.CryptSM4()
    theirs.set_key(key, sm4.SM4_ENCRYPT)
    assert theirs.crypt_cbc(nonce, message) == encrypt_cbc(key, nonce, message)
