"""What every vault does: one suite for all of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crypto.errors import KeyRefused
from crypto.keys import KeyId, KeyVault, VaultSigner, digest_to_sign, sign
from crypto.suites import ES256, PS256, RS256, SM2_SM3, SUITES, KeyKind, Suite
from crypto.vaults.soft import KdfCost, SoftVault

QUICK = KdfCost(passes=1, memory_kib=64, lanes=1)


def _soft(folder: Path) -> KeyVault:
    return SoftVault.create(folder / "vault", "a passphrase of the tests", cost=QUICK)


VAULTS: dict[str, Callable[[Path], KeyVault]] = {"soft": _soft}


@pytest.fixture(scope="module", params=VAULTS)
def vault(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> KeyVault:
    return VAULTS[request.param](tmp_path_factory.mktemp("vaults"))


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
def test_a_key_signs_what_its_public_half_verifies(vault: KeyVault, suite: Suite) -> None:
    key = vault.generate(suite)
    public = vault.public_key(key)
    digest = digest_to_sign(suite, public, b"message")
    signature = vault.sign_digest(key, digest)
    assert vault.suite(key) is suite
    assert public.kind is suite.key
    assert public.verify_digest(suite, digest, signature)
    assert public.verify(suite, b"message", sign(vault, key, b"message"))
    assert not public.verify(suite, b"another message", signature)


@pytest.mark.parametrize("suite", [RS256, PS256], ids=lambda row: row.name)
def test_rsa_keys_have_3072_bits(vault: KeyVault, suite: Suite) -> None:
    key = vault.generate(suite)
    assert len(sign(vault, key, b"")) == 3072 // 8


def test_curve_signatures_are_der(vault: KeyVault) -> None:
    for suite in (SM2_SM3, ES256):
        assert sign(vault, vault.generate(suite), b"")[0] == 0x30


def test_every_key_is_listed_once_and_in_order(vault: KeyVault) -> None:
    made = {vault.generate(SM2_SM3) for _ in range(3)} | {vault.generate(ES256)}
    listed = vault.keys()
    assert made <= set(listed)
    assert list(listed) == sorted(set(listed))


@pytest.mark.parametrize("key", ["sm2-sm3-000000000000000000000000", "", "../vault", "a/b", "A", "键", "x" * 65])
def test_an_unknown_key_is_refused_by_every_method(vault: KeyVault, key: str) -> None:
    for ask in (vault.public_key, vault.suite, lambda unknown: vault.sign_digest(unknown, bytes(32))):
        with pytest.raises(KeyRefused):
            ask(KeyId(key))


@pytest.mark.parametrize("suite", [row for row in SUITES.values() if not row.whole_message], ids=lambda row: row.name)
@pytest.mark.parametrize("size", [0, 20, 31, 33, 64])
def test_only_digests_of_the_suite_s_size_are_signed(vault: KeyVault, suite: Suite, size: int) -> None:
    made = vault.keys()
    key = next((key for key in made if vault.suite(key) is suite), None) or vault.generate(suite)
    with pytest.raises(KeyRefused):
        vault.sign_digest(key, bytes(size))


def test_threads_sign_together(vault: KeyVault) -> None:
    signers = [VaultSigner(vault, vault.generate(suite)) for suite in (SM2_SM3, ES256)]

    def work(number: int) -> bool:
        signer, message = signers[number % 2], b"%d" % number
        return signer.public_key.verify(signer.suite, message, signer.sign(message))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(60)))


def test_a_signer_is_one_key_of_its_vault(vault: KeyVault) -> None:
    key = vault.generate(SM2_SM3)
    signer = VaultSigner(vault, key)
    assert signer.suite is SM2_SM3
    assert signer.public_key == vault.public_key(key)
    assert signer.public_key.kind is KeyKind.SM2
