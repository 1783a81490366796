"""SM2 encryption: the standard's example, both shapes, refusals, and what gmssl and BouncyCastle make of it."""

import json
import secrets
from pathlib import Path

import pytest
from gmssl.sm2 import CryptSM2
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import der, sm2
from crypto.digests import sm3
from crypto.engines import DOORS, Sm2Multiplier, default_engine, discover, known_answer
from crypto.errors import CryptoError, EngineUnavailable, KeyRefused
from crypto.kdf import derive
from crypto.sm2_encryption import Sm2Ciphertext, Sm2Encryption, decrypt, encrypt
from tests.judges import bouncycastle

VECTOR = json.loads((Path(__file__).parents[1] / "vectors/gbt32918_5_c2.json").read_text())
SCALAR, POINT, K, C1, C3, C2, T = (
    bytes.fromhex(VECTOR[name]) for name in ("scalar", "point", "k", "c1", "c3", "c2", "t")
)
MESSAGE = VECTOR["message"].encode()
PUBLISHED = Sm2Ciphertext(point=C1, check=C3, body=C2)


@pytest.fixture(scope="module", params=[door.name for door in DOORS])
def engine(request: pytest.FixtureRequest) -> Sm2Multiplier:
    try:
        found = discover(request.param)
    except EngineUnavailable as error:
        pytest.skip(str(error))
    if not isinstance(found, Sm2Multiplier):
        pytest.skip(f"{found.version} does not multiply points")
    return found


def test_the_published_ciphertext_decrypts(engine: Sm2Multiplier) -> None:
    assert decrypt(SCALAR, PUBLISHED, engine) == MESSAGE


def test_the_published_ciphertext_is_made_of_the_published_nonce(engine: Sm2Multiplier) -> None:
    assert Sm2Encryption(engine=engine, draw=lambda: K).encrypt(POINT, MESSAGE) == PUBLISHED
    assert derive(engine.multiply(POINT, K)[1:], len(MESSAGE)) == T


def test_the_two_shapes_hold_the_same(engine: Sm2Multiplier) -> None:
    made = encrypt(POINT, b"key", engine)
    assert made.raw() == made.point + made.check + made.body
    assert Sm2Ciphertext.from_raw(made.raw()) == made
    assert Sm2Ciphertext.from_der(made.der()) == made


@settings(max_examples=20, deadline=None)
@given(message=st.binary(min_size=1, max_size=100))
def test_what_is_encrypted_decrypts(engine: Sm2Multiplier, message: bytes) -> None:
    assert decrypt(SCALAR, encrypt(POINT, message, engine), engine) == message


def test_long_messages_are_encrypted_too(engine: Sm2Multiplier) -> None:
    message = secrets.token_bytes(100_001)
    assert decrypt(SCALAR, encrypt(POINT, message, engine), engine) == message


def test_no_two_ciphertexts_are_alike(engine: Sm2Multiplier) -> None:
    assert len({encrypt(POINT, MESSAGE, engine).point for _ in range(10)}) == 10


@settings(max_examples=100, deadline=None)
@given(bit=st.integers(0, 8 * len(PUBLISHED.raw()) - 1))
def test_any_flipped_bit_is_refused(engine: Sm2Multiplier, bit: int) -> None:
    octets = PUBLISHED.raw()
    altered = (int.from_bytes(octets, "big") ^ 1 << bit).to_bytes(len(octets), "big")
    with pytest.raises(CryptoError):
        decrypt(SCALAR, Sm2Ciphertext.from_raw(altered), engine)


def test_a_shorter_or_longer_body_is_refused(engine: Sm2Multiplier) -> None:
    for body in (C2[:-1], C2 + b"\x00"):
        with pytest.raises(CryptoError, match="wrong key, or altered"):
            decrypt(SCALAR, Sm2Ciphertext(point=C1, check=C3, body=body), engine)


def test_another_key_is_refused(engine: Sm2Multiplier) -> None:
    with pytest.raises(CryptoError, match="wrong key, or altered"):
        decrypt(default_engine().generate(), PUBLISHED, engine)


def test_the_older_order_is_refused(engine: Sm2Multiplier) -> None:
    with pytest.raises(CryptoError, match="wrong key, or altered"):
        decrypt(SCALAR, Sm2Ciphertext.from_raw(C1 + C2 + C3), engine)


def test_an_all_zero_stream_is_drawn_again_and_never_accepted(engine: Sm2Multiplier) -> None:
    streams = iter((bytes(3), b"\x00\x01\x00"))
    procedure = Sm2Encryption(engine=engine, stream=lambda _secret, _size: next(streams))
    assert procedure.encrypt(POINT, b"abc").body == b"acc"
    shared = engine.multiply(C1, SCALAR)
    check = sm3(shared[1:33], b"abc", shared[33:])
    procedure = Sm2Encryption(engine=engine, stream=lambda _secret, size: bytes(size))
    with pytest.raises(CryptoError, match="wrong key, or altered"):
        procedure.decrypt(SCALAR, Sm2Ciphertext(point=C1, check=check, body=b"abc"))


def test_nothing_is_not_encrypted(engine: Sm2Multiplier) -> None:
    with pytest.raises(CryptoError, match="encrypts 1 to"):
        encrypt(POINT, b"", engine)


def test_nobody_off_the_curve_is_encrypted_to(engine: Sm2Multiplier) -> None:
    with pytest.raises(KeyRefused):
        encrypt(known_answer.OFF_CURVE, MESSAGE, engine)


@pytest.mark.parametrize(
    "octets", [b"", C1, C1 + C3, known_answer.OFF_CURVE + C3 + C2, b"\x02" + C1[1:] + C3 + C2, bytes(100)]
)
def test_what_is_no_ciphertext_is_refused(octets: bytes) -> None:
    with pytest.raises(CryptoError):
        Sm2Ciphertext.from_raw(octets)


X, Y = int.from_bytes(C1[1:33], "big"), int.from_bytes(C1[33:], "big")


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x30\x00",
        PUBLISHED.der()[:-1],
        PUBLISHED.der() + b"\x00",
        der.sequence(der.integer(X), der.integer(Y), der.octet_string(C3)),
        der.sequence(der.integer(X), der.integer(Y), der.octet_string(C3), der.octet_string(C2), der.null()),
        der.sequence(der.integer(X), der.integer(Y), der.octet_string(C3[1:]), der.octet_string(C2)),
        der.sequence(der.integer(X), der.integer(Y + 1), der.octet_string(C3), der.octet_string(C2)),
        der.sequence(der.integer(X + sm2.P), der.integer(Y), der.octet_string(C3), der.octet_string(C2)),
        der.sequence(der.integer(-X), der.integer(Y), der.octet_string(C3), der.octet_string(C2)),
        der.sequence(der.integer(1 << 300), der.integer(Y), der.octet_string(C3), der.octet_string(C2)),
    ],
)
def test_what_is_no_sm2cipher_is_refused(octets: bytes) -> None:
    with pytest.raises(CryptoError):
        Sm2Ciphertext.from_der(octets)


def test_gmssl_and_we_decrypt_each_other() -> None:
    ours = default_engine()
    for size in (1, 32, 100):
        scalar, message = ours.generate(), secrets.token_bytes(size)
        point = ours.public_point(scalar)
        # Its default, mode 0, is the older order C1||C2||C3; its octets lack the prefix 04.
        peer = CryptSM2(private_key=scalar.hex(), public_key=point[1:].hex(), mode=1)
        peer.public_key = point[1:].hex()
        assert peer.decrypt(encrypt(point, message).raw()[1:]) == message
        assert decrypt(scalar, Sm2Ciphertext.from_raw(b"\x04" + peer.encrypt(message))) == message


def test_bouncycastle_and_we_decrypt_each_other() -> None:
    ours = default_engine()
    scalar, messages = ours.generate(), [secrets.token_bytes(size) for size in (1, 16, 31, 64, 200)]
    point = ours.public_point(scalar)
    wishes = [("encrypt", point.hex(), message.hex()) for message in messages]
    wishes += [("decrypt", scalar.hex(), encrypt(point, message).raw().hex()) for message in messages]
    wishes += [("decrypt", SCALAR.hex(), PUBLISHED.raw().hex())]
    altered = PUBLISHED.raw()[:-1] + b"\x00"
    wishes += [("decrypt", SCALAR.hex(), altered.hex())]
    answers = bouncycastle.run("JudgeSm2", *(word for wish in wishes for word in wish))
    made, opened = answers[: len(messages)], answers[len(messages) : 2 * len(messages)]
    assert [decrypt(scalar, Sm2Ciphertext.from_raw(bytes.fromhex(line))) for line in made] == messages
    assert [bytes.fromhex(line) for line in opened] == messages
    assert bytes.fromhex(answers[-2]) == MESSAGE
    assert answers[-1].startswith("refused")


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_mutated_sm2cipher_is_read_as_written_or_refused(data: st.DataObject) -> None:
    octets = bytearray(PUBLISHED.der())
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = Sm2Ciphertext.from_der(bytes(octets))
    except CryptoError:
        return
    assert read.der() == bytes(octets)
