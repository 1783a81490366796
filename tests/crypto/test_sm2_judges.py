"""SM2 signatures judged by others, both ways, under the default identifier and under another."""

import base64
import secrets
from collections.abc import Iterator

import pytest

from crypto.engines import default_engine
from crypto.keys import PublicKey
from crypto.sm2 import DEFAULT_ID, message_digest, signature_from_der, signature_to_der
from crypto.suites import SM2_SM3, KeyKind
from crypto.vaults.pkcs8 import private_key_info
from tests.judges import bouncycastle, openssl

IDENTIFIERS = [
    DEFAULT_ID,
    b"ALICE123@YAHOO.COM",
    "某某市政务服务局".encode(),
    b"\x00",
    b"i" * 8190,
]  # One more is too many for openssl.
EACH = pytest.mark.parametrize("signer_id", IDENTIFIERS, ids=lambda value: f"{len(value)} octets")
MESSAGES = [b"", b"message digest", secrets.token_bytes(1000)]


@pytest.fixture(scope="module")
def scalar() -> bytes:
    return default_engine().generate()


@pytest.fixture(scope="module")
def key(scalar: bytes) -> PublicKey:
    return PublicKey.from_point(KeyKind.SM2, default_engine().public_point(scalar))


@pytest.fixture(scope="module")
def pem(scalar: bytes, key: PublicKey) -> bytes:
    text = base64.encodebytes(private_key_info(SM2_SM3, scalar, key.point))
    return b"-----BEGIN PRIVATE KEY-----\n" + text + b"-----END PRIVATE KEY-----\n"


def _sign(scalar: bytes, key: PublicKey, message: bytes, signer_id: bytes) -> bytes:
    return signature_to_der(default_engine().sign(scalar, message_digest(key.point, message, signer_id)))


def _verifies(key: PublicKey, message: bytes, signature: bytes, signer_id: bytes) -> bool:
    e = message_digest(key.point, message, signer_id)
    return default_engine().verify(key.point, e, signature_from_der(signature))


@EACH
def test_openssl_accepts_what_we_sign_under_that_identifier_alone(
    scalar: bytes, key: PublicKey, signer_id: bytes
) -> None:
    signature = _sign(scalar, key, MESSAGES[2], signer_id)
    assert openssl.accepts_raw_sm2(key.pem(), MESSAGES[2], signature, signer_id)
    assert not openssl.accepts_raw_sm2(key.pem(), MESSAGES[2], signature, signer_id + b"1")
    assert not openssl.accepts_raw_sm2(key.pem(), MESSAGES[1], signature, signer_id)


@EACH
def test_we_accept_what_openssl_signs_under_that_identifier_alone(key: PublicKey, pem: bytes, signer_id: bytes) -> None:
    signature = openssl.signs_raw_sm2(pem, MESSAGES[1], signer_id)
    assert _verifies(key, MESSAGES[1], signature, signer_id)
    assert not _verifies(key, MESSAGES[1], signature, b"another")
    assert key.verify(SM2_SM3, MESSAGES[1], signature) is (signer_id == DEFAULT_ID)


def _wishes(scalar: bytes, key: PublicKey) -> Iterator[tuple[str, str, str, str]]:
    """Kind of wish with its arguments, and what is to be answered; "" where that is another signature."""
    for signer_id in IDENTIFIERS:
        for message in MESSAGES:
            signature = _sign(scalar, key, message, signer_id)
            yield f"verify:{signer_id.hex()}:{signature.hex()}", key.point.hex(), message.hex(), "true"
            yield f"verify:{(signer_id[:-1] + b'?').hex()}:{signature.hex()}", key.point.hex(), message.hex(), "false"
            yield f"sign:{signer_id.hex()}", scalar.hex(), message.hex(), ""


def test_bouncycastle_and_we_accept_each_other_s_signatures(scalar: bytes, key: PublicKey) -> None:
    wishes = list(_wishes(scalar, key))
    answers = bouncycastle.run("JudgeSm2", *(word for wish in wishes for word in wish[:3]))
    assert len(answers) == len(wishes)
    for (wish, _, message, expected), answer in zip(wishes, answers, strict=True):
        if expected:
            assert answer == expected
        else:
            signer_id = bytes.fromhex(wish.split(":")[1])
            assert _verifies(key, bytes.fromhex(message), bytes.fromhex(answer), signer_id)
