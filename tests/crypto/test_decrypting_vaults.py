"""What every vault that decrypts does: one suite for all of them; and pairs that come in an envelope."""

import json
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.encryption_keys import DecryptingVault, EnvelopedKey, KeyPair, envelop
from crypto.engines import default_engine
from crypto.errors import CryptoError, KeyRefused
from crypto.keys import KeyId, KeyVault
from crypto.sm2_encryption import Sm2Ciphertext, encrypt
from crypto.sm4 import encrypt_cbc
from crypto.suites import ED25519, SM2_SM3, KeyKind
from crypto.vaults.errors import DeviceGone, UnknownKey, VaultDamaged, WrongPurpose
from crypto.vaults.pkcs11 import Pkcs11Vault
from crypto.vaults.sdf import Decryption, SdfVault
from crypto.vaults.soft import KdfCost, SoftVault
from tests.sims.sdf.device import COMMUNICATION, PIN, Call, Count, Device

PASSPHRASE = "a passphrase of the tests"
QUICK = KdfCost(passes=1, memory_kib=64, lanes=1)
SGD_SM2_3 = 0x00020800
MESSAGE = b"the key of a document"
SM4_KEY = bytes(range(16))


class Both(KeyVault, DecryptingVault):
    """A vault with keys of both purposes."""


@contextmanager
def _soft(folder: Path, _: Callable[[], Device]) -> Iterator[Both]:
    vault = SoftVault.create(folder / "vault", PASSPHRASE, cost=QUICK)
    vault.generate(SM2_SM3)
    vault.generate_encryption_key()
    yield vault  # type: ignore[misc]


@contextmanager
def _sdf(_: Path, device: Callable[[], Device]) -> Iterator[Both]:
    vault = SdfVault(device().library, {1: PIN, 2: PIN, 3: ""}, decryption=Decryption())
    yield vault  # type: ignore[misc]
    vault.close()


@contextmanager
def _sdf_of_a_vendor(_: Path, device: Callable[[], Device]) -> Iterator[Both]:
    made = device()
    made.want_algorithm(SGD_SM2_3)
    vault = SdfVault(made.library, {1: PIN}, decryption=Decryption(algorithm=SGD_SM2_3))
    yield vault  # type: ignore[misc]
    vault.close()


VAULTS = {"soft": _soft, "sdf": _sdf, "sdf of a vendor": _sdf_of_a_vendor}


@pytest.fixture(params=VAULTS)
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Both]:
    with VAULTS[request.param](tmp_path, lambda: Device(request.getfixturevalue("compiled_device"), tmp_path)) as made:
        yield made


@pytest.fixture
def soft(tmp_path: Path) -> SoftVault:
    return SoftVault.create(tmp_path / "soft", PASSPHRASE, cost=QUICK)


def _to(vault: DecryptingVault, key: KeyId, message: bytes = MESSAGE) -> Sm2Ciphertext:
    return encrypt(vault.public_key(key).point, message)


def test_a_vault_says_that_it_decrypts(vault: Both) -> None:
    assert isinstance(vault, DecryptingVault)
    assert not issubclass(Pkcs11Vault, DecryptingVault)


@pytest.mark.parametrize("size", [1, 32, 96, 129, 257, 700])
def test_a_key_opens_what_was_encrypted_to_its_public_half(vault: Both, size: int) -> None:
    for key in vault.encryption_keys():
        message = bytes(at % 251 for at in range(size))
        assert vault.public_key(key).kind is KeyKind.SM2
        assert vault.decrypt(key, _to(vault, key, message)) == message


def test_the_two_purposes_are_listed_apart(vault: Both) -> None:
    signing, encryption = set(vault.keys()), set(vault.encryption_keys())
    assert signing
    assert encryption
    assert not signing & encryption
    assert len({vault.public_key(key).fingerprint for key in signing | encryption}) == len(signing | encryption)


def test_a_signing_key_never_decrypts(vault: Both) -> None:
    for key in sorted(vault.keys()):
        with pytest.raises(WrongPurpose, match="does not decrypt") as refused:
            vault.decrypt(key, _to(vault, key))
        assert refused.value.code == "vault_key_purpose"


def test_an_encryption_key_never_signs_and_has_no_suite(vault: Both) -> None:
    for key in vault.encryption_keys():
        for refused in (lambda key=key: vault.sign_digest(key, bytes(32)), lambda key=key: vault.suite(key)):
            with pytest.raises(WrongPurpose, match="does not sign"):
                refused()


def test_what_was_altered_or_is_another_s_does_not_open(vault: Both) -> None:
    key = vault.encryption_keys()[0]
    good = _to(vault, key)
    other = encrypt(vault.public_key(vault.keys()[0]).point, MESSAGE)
    altered = Sm2Ciphertext(point=good.point, check=good.check, body=good.body[:-1] + bytes([good.body[-1] ^ 1]))
    unchecked = Sm2Ciphertext(point=good.point, check=bytes(32), body=good.body)
    for wrong in (other, altered, unchecked):
        with pytest.raises(CryptoError):
            vault.decrypt(key, wrong)
    assert vault.decrypt(key, good) == MESSAGE


def test_threads_decrypt_together(vault: Both) -> None:
    key = vault.encryption_keys()[0]
    messages = [str(number).encode() for number in range(24)]
    with ThreadPoolExecutor(6) as workers:
        assert list(workers.map(lambda message: vault.decrypt(key, _to(vault, key, message)), messages)) == messages


@pytest.mark.parametrize("key", ["sm2-encryption-000000000000000000000000", "sdf-encryption-9", "sdf-encryption-", ""])
def test_an_unknown_key_decrypts_nothing(vault: Both, key: str) -> None:
    with pytest.raises(UnknownKey):
        vault.decrypt(KeyId(key), _to(vault, vault.encryption_keys()[0]))


# --- the device ------------------------------------------------------------------------------------------------


def test_a_device_decrypts_nothing_unless_it_was_said_how(device: Device) -> None:
    vault = SdfVault(device.library, {1: PIN})
    assert vault.encryption_keys() == ()
    with pytest.raises(UnknownKey):
        vault.public_key(KeyId("sdf-encryption-1"))
    vault.close()


def test_a_device_makes_no_encryption_keys(device: Device) -> None:
    vault = SdfVault(device.library, {1: PIN}, decryption=Decryption())
    with pytest.raises(KeyRefused, match="own tool"):
        vault.generate_encryption_key()
    vault.close()


def test_a_library_without_the_function_is_refused_when_it_is_named(device: Device, tmp_path: Path) -> None:
    octets = Path(device.library).read_bytes()
    lacking = tmp_path / "lacking.so"
    lacking.write_bytes(octets.replace(b"SDF_InternalDecrypt_ECC", b"SDF_InternalDecrypt_EC_"))
    with pytest.raises(KeyRefused, match=r"does not decrypt|cannot be loaded"):
        SdfVault(str(lacking), {1: PIN}, decryption=Decryption())


def test_signing_and_decrypting_ask_for_the_right_once_and_come_back_after_a_failure(device: Device) -> None:
    vault = SdfVault(device.library, {1: PIN}, decryption=Decryption())
    key = KeyId("sdf-encryption-1")
    for _ in range(3):
        assert vault.decrypt(key, _to(vault, key)) == MESSAGE
        vault.sign_digest(KeyId("sdf-1"), bytes(32))
    assert device.count(Count.PINS) == 1
    device.fail(Call.DECRYPT, COMMUNICATION)
    assert vault.decrypt(key, _to(vault, key)) == MESSAGE
    device.forget_rights()
    assert vault.decrypt(key, _to(vault, key)) == MESSAGE
    device.fail(Call.DECRYPT, COMMUNICATION, 5)
    with pytest.raises(DeviceGone):
        vault.decrypt(key, _to(vault, key))
    vault.close()
    assert device.count(Count.MISUSES) == 0


# --- the soft vault ----------------------------------------------------------------------------------------------


def test_encryption_keys_survive_rotation_and_opening_anew(soft: SoftVault, tmp_path: Path) -> None:
    key = soft.generate_encryption_key()
    sealed = _to(soft, key)
    assert soft.rotate() == 1
    again = SoftVault.open(tmp_path / "soft", PASSPHRASE)
    assert again.encryption_keys() == (key,)
    assert again.decrypt(key, sealed) == MESSAGE


@pytest.mark.parametrize("purpose", [None, "sign", 1, "encrypt "])
def test_a_key_s_purpose_cannot_be_changed_in_its_file(soft: SoftVault, tmp_path: Path, purpose: object) -> None:
    key = soft.generate_encryption_key()
    path = tmp_path / "soft" / "keys" / f"{key}.json"
    record = json.loads(path.read_text())
    if purpose is None:
        del record["purpose"]
    else:
        record["purpose"] = purpose
    path.write_text(json.dumps(record))
    with pytest.raises(VaultDamaged):
        SoftVault.open(tmp_path / "soft", PASSPHRASE).sign_digest(key, bytes(32))


def test_a_signing_key_does_not_become_one_for_encryption(soft: SoftVault, tmp_path: Path) -> None:
    key = soft.generate(SM2_SM3)
    path = tmp_path / "soft" / "keys" / f"{key}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"purpose": "encrypt"}))
    with pytest.raises(VaultDamaged):
        SoftVault.open(tmp_path / "soft", PASSPHRASE).decrypt(key, _to(soft, key))


# --- envelopes -----------------------------------------------------------------------------------------------------


def _pair() -> KeyPair:
    scalar = default_engine().generate()
    return KeyPair(scalar=scalar, point=default_engine().public_point(scalar))


def test_a_pair_from_a_key_centre_is_kept_and_decrypts(soft: SoftVault) -> None:
    signing, pair = soft.generate(SM2_SM3), _pair()
    envelope = envelop(soft.public_key(signing).point, pair, SM4_KEY)
    key = soft.import_encryption_key(signing, EnvelopedKey.from_der(envelope.der()))
    assert soft.encryption_keys() == (key,)
    assert soft.public_key(key).point == pair.point
    assert soft.decrypt(key, encrypt(pair.point, MESSAGE)) == MESSAGE
    assert soft.import_encryption_key(signing, envelope) == key
    with pytest.raises(WrongPurpose):
        soft.sign_digest(key, bytes(32))


def test_an_envelope_to_another_key_does_not_open(soft: SoftVault) -> None:
    one, other = soft.generate(SM2_SM3), soft.generate(SM2_SM3)
    envelope = envelop(soft.public_key(one).point, _pair(), SM4_KEY)
    with pytest.raises(KeyRefused, match="does not open"):
        soft.import_encryption_key(other, envelope)
    assert soft.encryption_keys() == ()


def test_an_envelope_opens_with_an_sm2_signing_key_alone(soft: SoftVault) -> None:
    envelope = envelop(_pair().point, _pair(), SM4_KEY)
    for key in (soft.generate(ED25519), soft.generate_encryption_key()):
        with pytest.raises(WrongPurpose, match="receives no enveloped keys"):
            soft.import_encryption_key(key, envelope)


def test_halves_that_do_not_fit_are_not_kept(soft: SoftVault) -> None:
    signing, pair, other = soft.generate(SM2_SM3), _pair(), _pair()
    for wrong in (KeyPair(scalar=pair.scalar, point=other.point), KeyPair(scalar=bytes(32), point=pair.point)):
        with pytest.raises(KeyRefused, match="fit"):
            soft.import_encryption_key(signing, envelop(soft.public_key(signing).point, wrong, SM4_KEY))
    assert soft.encryption_keys() == ()


def test_a_number_filled_up_to_64_octets_is_read_and_no_other_filling(soft: SoftVault) -> None:

    signing, pair = soft.generate(SM2_SM3), _pair()
    good = envelop(soft.public_key(signing).point, pair, SM4_KEY)

    def ecb(block: bytes) -> bytes:
        return encrypt_cbc(SM4_KEY, bytes(16), block)[:16]  # One block of CBC under a zero vector is ECB.

    for filling, holds in ((bytes(16), True), (bytes(15) + b"\x01", False)):
        sealed = ecb(filling) * 2 + good.sealed
        envelope = EnvelopedKey(wrapped=good.wrapped, point=good.point, sealed=sealed)
        if holds:
            assert soft.public_key(soft.import_encryption_key(signing, envelope)).point == pair.point
        else:
            with pytest.raises(KeyRefused, match="no fitting pair"):
                soft.import_encryption_key(signing, envelope)


RECEIVER = KeyPair(scalar=bytes(31) + b"\x07", point=default_engine().public_point(bytes(31) + b"\x07"))
ENVELOPE = envelop(RECEIVER.point, RECEIVER, SM4_KEY).der()


@given(st.integers(0, len(ENVELOPE) - 1), st.integers(1, 255))
def test_an_altered_envelope_is_refused_or_gives_no_other_pair(at: int, flip: int) -> None:
    octets = ENVELOPE[:at] + bytes([ENVELOPE[at] ^ flip]) + ENVELOPE[at + 1 :]
    try:
        pair = EnvelopedKey.from_der(octets).open(RECEIVER.scalar)
    except CryptoError:
        return
    # ECB authenticates nothing: the vault compares the halves.
    assert pair.scalar != RECEIVER.scalar or pair.point == RECEIVER.point


@given(st.binary(max_size=300))
def test_rubbish_is_no_envelope(octets: bytes) -> None:
    with pytest.raises(CryptoError):
        EnvelopedKey.from_der(octets)


def test_a_pair_is_not_shown() -> None:
    assert RECEIVER.scalar.hex() not in repr(RECEIVER)
    assert repr(RECEIVER.scalar) not in repr(RECEIVER)
    with pytest.raises(TypeError, match="not copied"):
        pickle.dumps(RECEIVER)
