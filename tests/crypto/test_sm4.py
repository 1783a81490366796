"""SM3 and SM4 against the standards; SM4-GCM as a seal."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB
from hypothesis import given
from hypothesis import strategies as st

from crypto.digests import SM3, sm3
from crypto.errors import CryptoError
from crypto.sm4 import decrypt_cbc, encrypt_cbc, open_gcm, seal_gcm
from tests.judges import openssl

VECTORS = Path(__file__).parents[1] / "vectors"
KEY = bytes(range(16))


def test_sm3_gives_the_digests_of_the_standard() -> None:
    for case in json.loads((VECTORS / "gbt32905_a.json").read_text())["cases"]:
        assert sm3(bytes.fromhex(case["message"])).hex() == case["digest"]


def test_the_block_cipher_is_that_of_the_standard() -> None:
    vector = json.loads((VECTORS / "gbt32907_a.json").read_text())
    running = Cipher(SM4(bytes.fromhex(vector["key"])), ECB()).encryptor()  # noqa: S305 - one block of a test vector
    assert running.update(bytes.fromhex(vector["plaintext"])).hex() == vector["ciphertext"]


def test_what_rfc_8998_sealed_opens() -> None:
    vector = json.loads((VECTORS / "rfc8998_a1.json").read_text())
    sealed = bytes.fromhex(vector["nonce"] + vector["ciphertext"] + vector["tag"])
    plaintext = open_gcm(bytes.fromhex(vector["key"]), sealed, bytes.fromhex(vector["aad"]))
    assert plaintext == bytes.fromhex(vector["plaintext"])


@given(plaintext=st.binary(max_size=200), aad=st.binary(max_size=50))
def test_what_is_sealed_opens(plaintext: bytes, aad: bytes) -> None:
    assert open_gcm(KEY, seal_gcm(KEY, plaintext, aad), aad) == plaintext


@given(plaintext=st.binary(max_size=60), bit=st.integers(0, 10_000))
def test_any_flipped_bit_keeps_it_shut(plaintext: bytes, bit: int) -> None:
    sealed = seal_gcm(KEY, plaintext, b"aad")
    altered = int.from_bytes(sealed, "big") ^ 1 << bit % (8 * len(sealed))
    with pytest.raises(CryptoError):
        open_gcm(KEY, altered.to_bytes(len(sealed), "big"), b"aad")


def test_another_key_or_other_associated_data_keep_it_shut() -> None:
    sealed = seal_gcm(KEY, b"secret", b"aad")
    with pytest.raises(CryptoError):
        open_gcm(KEY[::-1], sealed, b"aad")
    with pytest.raises(CryptoError):
        open_gcm(KEY, sealed, b"add")


@pytest.mark.parametrize("size", [0, 12, 27])
def test_less_than_nonce_and_tag_is_refused(size: int) -> None:
    with pytest.raises(CryptoError, match="cut short"):
        open_gcm(KEY, bytes(size), b"")


def test_no_two_seals_share_a_nonce() -> None:
    assert len({seal_gcm(KEY, b"", b"")[:12] for _ in range(200)}) == 200


@pytest.mark.parametrize("size", [0, 15, 32])
def test_a_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="16 octets"):
        seal_gcm(bytes(size), b"", b"")


@given(plaintext=st.binary(max_size=100))
def test_cbc_pads_to_whole_blocks_and_back(plaintext: bytes) -> None:
    iv = bytes(range(16))
    hidden = encrypt_cbc(KEY, iv, plaintext)
    assert len(hidden) == (len(plaintext) // 16 + 1) * 16
    assert decrypt_cbc(KEY, iv, hidden) == plaintext


@pytest.mark.parametrize("hidden", [b"", bytes(15), bytes(17), bytes(16), encrypt_cbc(KEY, KEY, b"x" * 16)[:-16]])
def test_cbc_refuses_cut_blocks_and_wrong_padding(hidden: bytes) -> None:
    with pytest.raises(CryptoError):
        decrypt_cbc(KEY, KEY, hidden)


def test_cbc_wants_a_key_and_an_initial_value_of_16_octets() -> None:
    for key, iv in ((KEY[1:], KEY), (KEY, KEY[1:]), (KEY, b"")):
        with pytest.raises(ValueError, match="16 octets"):
            encrypt_cbc(key, iv, b"")
        with pytest.raises(ValueError, match="16 octets"):
            decrypt_cbc(key, iv, bytes(16))


def test_a_million_blocks_are_those_of_the_standard() -> None:
    vector = json.loads((VECTORS / "gbt32907_a2.json").read_text())
    running = Cipher(SM4(bytes.fromhex(vector["key"])), ECB()).encryptor()  # noqa: S305 - one block of a test vector
    block = bytes.fromhex(vector["plaintext"])
    for _ in range(vector["times"]):
        block = running.update(block)
    assert block.hex() == vector["ciphertext"]


def test_cbc_is_that_of_the_published_example() -> None:
    vector = {name: bytes.fromhex(value) for name, value in _vector("sm4_cbc_draft_ribose_a22").items()}
    made = encrypt_cbc(vector["key"], vector["iv"], vector["plaintext"])
    assert made[:-16] == vector["ciphertext"]  # The example stops before the block of padding.
    assert decrypt_cbc(vector["key"], vector["iv"], made) == vector["plaintext"]


def _vector(name: str) -> dict[str, str]:
    read: dict[str, str] = json.loads((VECTORS / f"{name}.json").read_text())
    del read["source"]
    return read


# SM3 pads in blocks of 64 octets and writes the length in eight: 55, 56, 63, 64 and 65 are where that turns.
BOUNDARIES = sorted({0, 1, 55, 119, 120, *(size + step for size in (56, 64, 128, 2**10, 2**16) for step in (-1, 0, 1))})


def test_sm3_agrees_with_openssl_at_the_lengths_where_padding_turns() -> None:
    contents = [bytes(at * 7 % 256 for at in range(size)) for size in BOUNDARIES]
    assert [sm3(content).hex() for content in contents] == openssl.sm3(contents)


@pytest.mark.parametrize("size", BOUNDARIES)
def test_sm3_of_pieces_is_that_of_the_whole(size: int) -> None:
    content = bytes(at * 7 % 256 for at in range(size))
    running = SM3.hasher()
    for at in range(0, size, 63):
        running.update(content[at : at + 63])
    assert running.finalize() == sm3(content) == sm3(content[: size // 2], content[size // 2 :])
