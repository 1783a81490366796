"""The PKCS #11 vault against SoftHSM: whose keys it finds, what it refuses, how it comes back."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from crypto.errors import KeyRefused, SuiteRefused
from crypto.keys import KeyId, sign
from crypto.suites import ED25519, ES256, PS256, RS256, SM2_SM3, KeyKind
from crypto.vaults import cryptoki as ck
from crypto.vaults.errors import DeviceGone, PinRefused, UnknownKey, VaultDamaged
from crypto.vaults.pkcs11 import Pkcs11Vault, Sm2Numbers, der_of
from tests.sims.softhsm import PIN, make_token

ROOT = Path(__file__).parents[2]


@pytest.fixture
def vault(tokens: str) -> Iterator[Pkcs11Vault]:
    with closing(Pkcs11Vault(tokens, "details", PIN)) as vault:
        yield vault


def _signs(vault: Pkcs11Vault, key: KeyId) -> bool:
    return vault.public_key(key).verify(vault.suite(key), b"m", sign(vault, key, b"m"))


def _import(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, name: str, folder: Path, *options: str) -> None:
    file = folder / "key.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    options = ("--token", "details", "--label", "made elsewhere", "--id", name, "--pin", PIN, *options)
    subprocess.run(["softhsm2-util", "--import", str(file), *options], check=True, capture_output=True)


def test_keys_are_there_for_another_process(tokens: str, vault: Pkcs11Vault) -> None:
    key = vault.generate(ES256)
    script = (
        "import sys; from crypto.vaults.pkcs11 import Pkcs11Vault\n"
        "vault = Pkcs11Vault(*sys.argv[1:4])\n"
        "print(vault.public_key(sys.argv[4]).fingerprint, sys.argv[4] in vault.keys())\n"
        "vault.close()"
    )
    command = [sys.executable, "-c", script, tokens, "details", PIN, key]
    run = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    assert run.stdout.split() == [vault.public_key(key).fingerprint, "True"]


def test_private_keys_are_sensitive_and_stay_inside(vault: Pkcs11Vault) -> None:
    name = bytes.fromhex(vault.generate(ES256)[4:])
    pool = vars(vault)["_pool"]
    for kind, expected in ((ck.SENSITIVE, ck.TRUE), (ck.EXTRACTABLE, ck.FALSE), (ck.PRIVATE, ck.TRUE), (0x11, None)):
        assert pool.use(lambda session, kind=kind: session.value(session.private(name), kind)) == expected


def test_a_key_made_elsewhere_is_found_by_its_id(vault: Pkcs11Vault, tmp_path: Path) -> None:
    vault.keys()
    _import(ec.generate_private_key(ec.SECP256R1()), "A1B2", tmp_path)
    assert "p11-a1b2" in set(vault.keys())
    assert _signs(vault, KeyId("p11-a1b2"))


def test_keys_of_kinds_that_are_not_used_are_neither_listed_nor_signed_with(vault: Pkcs11Vault, tmp_path: Path) -> None:
    _import(ec.generate_private_key(ec.SECP384R1()), "C3", tmp_path)
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - one that is too weak is meant
    _import(weak, "D4", tmp_path)
    assert "p11-c3" not in set(vault.keys())
    for key in ("p11-c3", "p11-d4"):
        with pytest.raises(KeyRefused, match="not used here"):
            vault.sign_digest(KeyId(key), bytes(32))


def test_an_id_that_two_keys_have_names_none(vault: Pkcs11Vault, tmp_path: Path) -> None:
    for _ in range(2):
        _import(ec.generate_private_key(ec.SECP256R1()), "E5", tmp_path, "--force")
    with pytest.raises(VaultDamaged, match="several keys"):
        vault.public_key(KeyId("p11-e5"))


def test_a_module_that_was_finalized_under_it_is_started_again(vault: Pkcs11Vault) -> None:
    key = vault.generate(ES256)
    assert _signs(vault, key)
    vars(vault)["_token"].call("C_Finalize", None)
    assert _signs(vault, key)
    vars(vault)["_token"].call("C_Finalize", None)
    assert _signs(vault, vault.generate(ES256))


def test_two_vaults_share_a_module(tokens: str, vault: Pkcs11Vault) -> None:
    key = vault.generate(ES256)
    with closing(Pkcs11Vault(tokens, "details", PIN)) as other:
        assert _signs(other, key)
    assert _signs(vault, key)


def test_a_wrong_pin_is_refused_without_repeating_it(tokens: str) -> None:
    with closing(Pkcs11Vault(tokens, "guarded", "a wrong pin")) as vault:
        for _ in range(3):
            with pytest.raises(PinRefused, match="'guarded' does not accept its PIN") as refused:
                vault.keys()
            assert "a wrong pin" not in str(refused.value)
        assert vars(vars(vault)["_token"])["_pin_refused"]


def test_a_token_that_is_not_there_is_said_to_be_gone(tokens: str) -> None:
    with closing(Pkcs11Vault(tokens, "nobody", PIN)) as vault, pytest.raises(DeviceGone, match="labelled 'nobody'"):
        vault.keys()


def test_a_token_that_appears_later_is_found(tokens: str) -> None:
    with closing(Pkcs11Vault(tokens, "late", PIN)) as vault:
        with pytest.raises(DeviceGone):
            vault.keys()
        make_token("late")
        assert vault.keys() == ()


@pytest.mark.parametrize("module", ["libc.so.6", "/nowhere/pkcs11.so", "", __file__])
def test_what_is_no_module_is_refused(module: str) -> None:
    with pytest.raises(KeyRefused, match="cannot be loaded as a PKCS #11 module"):
        Pkcs11Vault(module, "token", PIN)


def test_a_key_of_no_such_id_is_unknown(vault: Pkcs11Vault) -> None:
    with pytest.raises(UnknownKey, match="no key p11-00ff"):
        vault.public_key(KeyId("p11-00ff"))


def test_sm2_is_refused_until_the_vendor_s_numbers_are_named(vault: Pkcs11Vault) -> None:
    with pytest.raises(KeyRefused, match="name the vendor's SM2 numbers"):
        vault.generate(SM2_SM3)


def test_sm2_goes_by_the_numbers_that_are_named(tokens: str, vault: Pkcs11Vault) -> None:
    # SoftHSM knows no SM2, but it makes keys on any curve of libcrypto's: with the numbers of ECDSA it stands in for
    # a vendor as far as numbers, points and shapes go. What it signs is ECDSA on that curve.
    numbers = Sm2Numbers(key_type=ck.EC, generate=ck.EC_GENERATE, sign=ck.ECDSA)
    with closing(Pkcs11Vault(tokens, "details", PIN, sm2=numbers)) as knowing:
        key = knowing.generate(SM2_SM3)
        assert knowing.suite(key) is SM2_SM3
        assert knowing.public_key(key).kind is KeyKind.SM2
        assert len(knowing.public_key(key).point) == 65
        assert all(decode_dss_signature(sign(knowing, key, b"m")))
        assert key in set(knowing.keys())
        assert key not in set(vault.keys())


def test_values_of_every_curve_are_written_as_they_are() -> None:
    # Between the order of SM2's group and that of P-256.
    high = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_00000000_00000000_00000000_00000001
    raw = high.to_bytes(32, "big") + (1).to_bytes(32, "big")
    assert decode_dss_signature(der_of(raw)) == (high, 1)


def test_rsa_signs_the_digest_info_of_sha_256(vault: Pkcs11Vault) -> None:
    key = vault.generate(RS256)
    numbers = vault.public_key(key)
    assert numbers.verify(RS256, b"m", sign(vault, key, b"m"))
    assert not numbers.verify(RS256, b"n", sign(vault, key, b"m"))


def test_a_closed_vault_refuses(tokens: str) -> None:
    vault = Pkcs11Vault(tokens, "details", PIN)
    vault.keys()
    vault.close()
    with pytest.raises(KeyRefused, match="closed"):
        vault.keys()


def test_the_suite_of_an_rsa_key_stands_with_it_in_the_token(tokens: str, vault: Pkcs11Vault) -> None:
    made = {suite: vault.generate(suite) for suite in (RS256, PS256)}
    with closing(Pkcs11Vault(tokens, "details", PIN)) as other:
        for suite, key in made.items():
            assert other.suite(key) is suite
            assert other.public_key(key).verify(suite, b"m", sign(vault, key, b"m"))


def test_the_token_itself_holds_an_rsa_key_to_its_suite(vault: Pkcs11Vault) -> None:
    name = bytes.fromhex(vault.generate(PS256)[4:])
    pool = vars(vault)["_pool"]
    with pytest.raises(KeyRefused, match="mechanism"):
        pool.use(lambda session: session.sign(session.private(name), ck.RSA_PKCS, bytes(32)))


def test_an_rsa_key_of_2048_bits_verifies_and_signs_nothing_new(vault: Pkcs11Vault, tmp_path: Path) -> None:
    _import(rsa.generate_private_key(65537, 2048), "F6", tmp_path)
    key = KeyId("p11-f6")
    assert vault.public_key(key).rsa_bits == 2048
    with pytest.raises(SuiteRefused, match="2048 bits signs nothing new"):
        vault.sign_digest(key, bytes(32))


def test_an_ed25519_key_is_made_listed_and_signs(vault: Pkcs11Vault) -> None:
    key = vault.generate(ED25519)
    assert vault.public_key(key).kind is KeyKind.ED25519
    assert key in set(vault.keys())
    assert _signs(vault, key)
