"""The SDF vault against a device that fails, forgets and refuses."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from crypto.errors import KeyRefused
from crypto.keys import KeyId, sign
from crypto.suites import ES256, SM2_SM3, KeyKind
from crypto.vaults.errors import DeviceGone, PinRefused, UnknownKey, VaultDamaged
from crypto.vaults.pool import Limits
from crypto.vaults.sdf import SdfVault
from tests.sims.sdf.device import COMMUNICATION, HARDWARE, PIN, UNKNOWN, Call, Count, Device

ONE = KeyId("sdf-1")
THREE = KeyId("sdf-3")


@pytest.fixture
def vault(device: Device) -> Iterator[SdfVault]:
    with closing(SdfVault(device.library, {1: PIN, 2: PIN, 3: "", 4: PIN})) as vault:
        yield vault
    assert device.count(Count.MISUSES) == 0
    assert device.count(Count.DEVICES) == 0
    assert device.count(Count.SESSIONS) == 0


def _signs(vault: SdfVault, key: KeyId = ONE) -> bool:
    return vault.public_key(key).verify(SM2_SM3, b"m", sign(vault, key, b"m"))


def test_a_device_is_opened_when_a_key_is_first_used(device: Device, vault: SdfVault) -> None:
    assert vault.keys() == ("sdf-1", "sdf-2", "sdf-3", "sdf-4")
    assert device.count(Count.OPENED) == 0
    assert _signs(vault)
    assert device.count(Count.OPENED) == 1


@pytest.mark.parametrize("call", [Call.SIGN, Call.EXPORT, Call.RIGHT, Call.OPEN_SESSION, Call.OPEN_DEVICE])
@pytest.mark.parametrize("code", [COMMUNICATION, HARDWARE])
def test_a_device_that_fails_is_opened_once_more(device: Device, vault: SdfVault, call: Call, code: int) -> None:
    device.fail(call, code)
    assert _signs(vault)
    assert device.count(Count.DEVICES) == 1
    assert device.count(Count.SESSIONS) == 1


@pytest.mark.parametrize("call", [Call.SIGN, Call.EXPORT, Call.RIGHT, Call.OPEN_SESSION, Call.OPEN_DEVICE])
def test_a_device_that_fails_again_is_gone_and_may_come_back(device: Device, vault: SdfVault, call: Call) -> None:
    device.fail(call, HARDWARE, times=2)
    with pytest.raises(DeviceGone, match=r"0x01000004$") as refused:
        _signs(vault)
    assert "\n" not in str(refused.value)
    assert refused.value.code == "vault_device_gone"
    assert _signs(vault)


def test_a_device_that_is_not_there_is_said_to_be_gone(
    device: Device, vault: SdfVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SDF_STUB_UNPLUGGED", "1")
    with pytest.raises(DeviceGone, match="SDF_OpenDevice"):
        vault.public_key(ONE)
    monkeypatch.delenv("SDF_STUB_UNPLUGGED")
    assert _signs(vault)
    assert device.count(Count.OPENED) == 1


def test_other_refusals_do_not_open_the_device_again(device: Device, vault: SdfVault) -> None:
    assert _signs(vault)
    device.fail(Call.SIGN, UNKNOWN)
    with pytest.raises(KeyRefused, match="0x01000001"):
        vault.sign_digest(ONE, bytes(32))
    assert device.count(Count.OPENED) == 1


def test_a_vendor_s_own_failure_codes_can_be_named(device: Device) -> None:
    with closing(SdfVault(device.library, {1: PIN}, failures=frozenset({UNKNOWN}))) as vault:
        assert _signs(vault)
        device.fail(Call.SIGN, UNKNOWN)
        assert _signs(vault)
        assert device.count(Count.OPENED) == 2


def test_threads_go_on_when_the_device_was_plugged_in_again(device: Device, vault: SdfVault) -> None:
    assert _signs(vault)

    def work(number: int) -> bool:
        if number == 40:
            device.plug_in_again()
        return _signs(vault)

    with ThreadPoolExecutor(12) as workers:
        assert all(workers.map(work, range(120)))
    assert device.count(Count.OPENED) == 2
    assert device.count(Count.DEVICES) == 1


def test_a_right_the_device_forgot_is_asked_for_again(device: Device, vault: SdfVault) -> None:
    assert _signs(vault)
    device.forget_rights()
    assert _signs(vault)


def test_a_wrong_password_is_told_to_the_device_once(device: Device) -> None:
    def refused(vault: SdfVault) -> str:
        with pytest.raises(PinRefused, match="does not accept the password") as refused:
            vault.sign_digest(ONE, bytes(32))
        return f"{refused.value!r} {refused.value} {refused.value.__cause__}"

    with closing(SdfVault(device.library, {1: "wrong password", 3: ""})) as vault, ThreadPoolExecutor(6) as workers:
        said = list(workers.map(lambda _: refused(vault), range(20)))
        assert device.count(Count.PINS) == 1
        assert not any("wrong password" in text for text in said)
        assert vault.public_key(ONE).kind is KeyKind.SM2
        assert _signs(vault, THREE)


def test_a_key_that_wants_a_password_and_has_none_is_refused(device: Device) -> None:
    with closing(SdfVault(device.library, {1: ""})) as vault, pytest.raises(PinRefused, match="wants a password"):
        sign(vault, ONE, b"")


def test_an_index_the_device_has_no_key_at_is_refused(vault: SdfVault) -> None:
    for ask in (vault.public_key, lambda key: vault.sign_digest(key, bytes(32))):
        with pytest.raises(UnknownKey, match="no signing key 4"):
            ask(KeyId("sdf-4"))


def test_a_device_that_comes_back_with_another_key_does_not_sign(device: Device, vault: SdfVault) -> None:
    assert _signs(vault)
    device.replace_key(1)
    device.plug_in_again()
    with pytest.raises(VaultDamaged, match="another key"):
        vault.sign_digest(ONE, bytes(32))


def test_values_at_the_wrong_end_of_their_fields_are_refused(device: Device, vault: SdfVault) -> None:
    assert _signs(vault)
    device.align_left()
    with pytest.raises(VaultDamaged, match="is none"):
        vault.sign_digest(ONE, bytes(32))
    with pytest.raises(VaultDamaged, match="no SM2 key"):
        vault.public_key(THREE)


def test_no_more_sessions_are_open_than_allowed(device: Device) -> None:
    limits = Limits(sessions=2, patience=60)
    with closing(SdfVault(device.library, {1: PIN}, limits=limits)) as vault, ThreadPoolExecutor(8) as workers:
        assert all(workers.map(lambda _: _signs(vault), range(60)))
        assert device.count(Count.MOST_SESSIONS) <= 2
    assert device.count(Count.MISUSES) == 0


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_leaves_its_parent_s_handles_alone(device: Device, vault: SdfVault) -> None:
    assert _signs(vault)
    if (child := os.fork()) == 0:
        good = _signs(vault) and device.count(Count.OPENED) == 2
        vault.close()
        os._exit(0 if good and device.count(Count.MISUSES) == 0 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert _signs(vault)


def test_keys_are_made_with_the_device_s_own_tool(vault: SdfVault) -> None:
    for suite in (SM2_SM3, ES256):
        with pytest.raises(KeyRefused, match="with the device's own tool"):
            vault.generate(suite)


def test_a_device_says_what_it_is_and_gives_random_octets(vault: SdfVault) -> None:
    info = vault.info()
    assert (info.issuer, info.name, info.serial) == ("Xinyin tests", "sdf-stub", "2026112200000001")
    assert len({vault.random(32) for _ in range(4)}) == 4
    for size in (0, -1, 4097):
        with pytest.raises(KeyRefused, match="random octets"):
            vault.random(size)


@pytest.mark.parametrize("library", ["libc.so.6", "/nowhere/libsdf.so", "", __file__])
def test_what_is_no_sdf_library_is_refused(library: str) -> None:
    with pytest.raises(KeyRefused, match="cannot be loaded as an SDF library"):
        SdfVault(library, {1: ""})


@pytest.mark.parametrize("index", [0, -1, 10**9])
def test_what_is_no_index_is_refused(device: Device, index: int) -> None:
    with pytest.raises(KeyRefused, match="no index"):
        SdfVault(device.library, {index: ""})


def test_a_closed_vault_refuses(device: Device) -> None:
    vault = SdfVault(device.library, {1: PIN})
    assert _signs(vault)
    vault.close()
    assert device.count(Count.SESSIONS) == device.count(Count.DEVICES) == device.count(Count.MISUSES) == 0
    with pytest.raises(KeyRefused, match="closed"):
        vault.sign_digest(ONE, bytes(32))
