"""What the soft vault's keys are sealed under changes: secrets, the vault key, and crashes on the way."""

import json
import os
import pickle
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from crypto.errors import KeyRefused
from crypto.keys import KeyId, sign
from crypto.suites import ES256, SM2_SM3
from crypto.vaults.errors import UnknownKey, VaultDamaged, VaultExposed
from crypto.vaults.files import locked
from crypto.vaults.soft import KdfCost, KeyEncryptionKey, Secret, SoftVault

PASSPHRASE = "云山苍苍 江水泱泱"
ANOTHER = "先生之风 山高水长"
KEK = KeyEncryptionKey(bytes(range(32)))
QUICK = KdfCost(passes=1, memory_kib=64, lanes=1)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def vault(folder: Path) -> SoftVault:
    return SoftVault.create(folder, PASSPHRASE, cost=QUICK)


def _signs(vault: SoftVault, key: KeyId) -> bool:
    return vault.public_key(key).verify(vault.suite(key), b"m", sign(vault, key, b"m"))


def _file(folder: Path, key: KeyId) -> Path:
    return folder / "keys" / f"{key}.json"


# --- permissions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o601, 0o644])
def test_a_key_file_that_others_reach_is_refused_with_the_remedy(folder: Path, vault: SoftVault, mode: int) -> None:
    key = vault.generate(ES256)
    _file(folder, key).chmod(mode)
    with pytest.raises(VaultExposed, match=r"run chmod 600 .*json$"):
        SoftVault.open(folder, PASSPHRASE).sign_digest(key, bytes(32))


def test_a_header_that_others_reach_is_refused(folder: Path, vault: SoftVault) -> None:
    assert vault.keys() == ()
    (folder / "vault.json").chmod(0o640)
    with pytest.raises(VaultExposed, match=r"run chmod 600 .*vault\.json$"):
        SoftVault.open(folder, PASSPHRASE)


@pytest.mark.parametrize("inside", [".", "keys"])
@pytest.mark.parametrize("mode", [0o750, 0o701, 0o770])
def test_a_folder_that_others_reach_is_refused(folder: Path, vault: SoftVault, inside: str, mode: int) -> None:
    assert vault.keys() == ()
    (folder / inside).chmod(mode)
    with pytest.raises(VaultExposed, match="run chmod 700"):
        SoftVault.open(folder, PASSPHRASE)


def test_no_vault_is_made_in_a_folder_that_others_reach(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    with pytest.raises(VaultExposed):
        SoftVault.create(folder, PASSPHRASE, cost=QUICK)
    assert not (folder / "vault.json").exists()


def test_what_is_no_file_is_refused_and_never_waited_for(folder: Path, vault: SoftVault) -> None:
    key = vault.generate(ES256)
    for make in (lambda path: path.mkdir(mode=0o700), lambda path: os.mkfifo(path, 0o600)):
        _file(folder, key).rename(folder / "aside")
        make(_file(folder, key))
        with pytest.raises(KeyRefused):
            SoftVault.open(folder, PASSPHRASE).public_key(key)
        with pytest.raises(KeyRefused):
            vault.rotate()
        shutil.rmtree(_file(folder, key)) if _file(folder, key).is_dir() else _file(folder, key).unlink()
        (folder / "aside").rename(_file(folder, key))
    assert _signs(SoftVault.open(folder, PASSPHRASE), key)


# --- damage --------------------------------------------------------------------------------------------------


def _damaged(whole: bytes) -> list[bytes]:
    cut = [whole[:size] for size in range(0, len(whole) - 2, 3)]
    flipped = [whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :] for at in range(len(whole))]
    return [*cut, *flipped, whole * 2, b"\x00" * len(whole), b"x" * 100_000, b'{"format":' + b"9" * 5000 + b"}"]


def _refused_in_a_sentence(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except KeyRefused as refused:
        said = refused
    else:
        return False
    assert said.__cause__ is None
    assert "\n" not in str(said)
    assert len(str(said)) < 300
    return True


def test_every_cut_and_every_flipped_bit_of_the_header_is_refused(folder: Path, vault: SoftVault) -> None:
    key = vault.generate(ES256)
    public = vault.public_key(key)
    path = folder / "vault.json"
    harmless = 0
    for octets in _damaged(path.read_bytes()):
        path.write_bytes(octets)
        if not _refused_in_a_sentence(lambda: SoftVault.open(folder, PASSPHRASE)):
            harmless += 1  # A letter of hexadecimal in the other case, a blank that is another blank.
            assert SoftVault.open(folder, PASSPHRASE).public_key(key) == public
    assert harmless < 20


def test_every_cut_and_every_flipped_bit_of_a_key_file_is_refused(folder: Path, vault: SoftVault) -> None:
    key = vault.generate(SM2_SM3)
    public = vault.public_key(key)
    path = _file(folder, key)
    for octets in _damaged(path.read_bytes()):
        path.write_bytes(octets)
        again = SoftVault.open(folder, PASSPHRASE)
        if not _refused_in_a_sentence(lambda vault=again: vault.public_key(key)):  # type: ignore[misc]
            assert again.public_key(key) == public


# --- key-encryption keys and other secrets ---------------------------------------------------------------------


def test_a_key_encryption_key_opens_what_it_closed(folder: Path) -> None:
    key = SoftVault.create(folder, KEK).generate(SM2_SM3)
    assert _signs(SoftVault.open(folder, KeyEncryptionKey(bytes(range(32)))), key)
    assert json.loads((folder / "vault.json").read_text())["kdf"] == {"name": "hmac-sm3"}
    with pytest.raises(KeyRefused, match="does not open with this key-encryption key"):
        SoftVault.open(folder, KeyEncryptionKey(bytes(32)))
    with pytest.raises(KeyRefused, match="opens with a key-encryption key"):
        SoftVault.open(folder, PASSPHRASE)


def test_a_passphrase_s_vault_does_not_open_with_a_key_encryption_key(folder: Path, vault: SoftVault) -> None:
    assert vault.keys() == ()
    with pytest.raises(KeyRefused, match="opens with a passphrase"):
        SoftVault.open(folder, KEK)


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_encryption_key_has_32_octets(size: int) -> None:
    with pytest.raises(KeyRefused, match="32 octets"):
        KeyEncryptionKey(bytes(size))


def test_a_key_encryption_key_is_not_shown() -> None:
    assert "00" not in repr(KEK)
    assert "x" not in str(KEK)
    with pytest.raises(TypeError, match="not copied"):
        pickle.dumps(KEK)


@pytest.mark.parametrize(("old", "new"), [(PASSPHRASE, ANOTHER), (PASSPHRASE, KEK), (KEK, PASSPHRASE)])
def test_after_a_change_only_the_new_secret_opens(folder: Path, old: Secret, new: Secret) -> None:
    vault = SoftVault.create(folder, old, cost=QUICK)
    key = vault.generate(ES256)
    vault.change_secret(new, cost=QUICK)
    with pytest.raises(KeyRefused):
        SoftVault.open(folder, old)
    assert _signs(SoftVault.open(folder, new), key)
    assert _signs(vault, vault.generate(ES256))  # The one that made the change goes on.


def test_a_secret_that_is_refused_changes_nothing(folder: Path, vault: SoftVault) -> None:
    before = (folder / "vault.json").read_bytes()
    with pytest.raises(KeyRefused, match="at least 8"):
        vault.change_secret("short")
    assert (folder / "vault.json").read_bytes() == before


def test_a_process_that_was_there_before_the_change_signs_on_and_makes_no_keys(folder: Path, vault: SoftVault) -> None:
    key = vault.generate(ES256)
    SoftVault.open(folder, PASSPHRASE).change_secret(ANOTHER, cost=QUICK)
    assert _signs(vault, key)
    with pytest.raises(KeyRefused, match="was changed: open it again") as refused:
        vault.generate(ES256)
    assert ANOTHER not in "".join(traceback.format_exception(refused.value))
    assert vault.keys() == (key,)


# --- rotation --------------------------------------------------------------------------------------------------


def test_rotation_seals_every_key_anew_and_forgets_the_old_vault_key(folder: Path, vault: SoftVault) -> None:
    keys = [vault.generate(suite) for suite in (SM2_SM3, ES256, SM2_SM3)]
    before = {key: json.loads(_file(folder, key).read_text()) for key in keys}
    header = (folder / "vault.json").read_bytes()
    assert vault.rotate() == 3
    assert not vault.rotating
    after = {key: json.loads(_file(folder, key).read_text()) for key in keys}
    for key in keys:
        assert {**before[key], "sealed": after[key]["sealed"]} == after[key] != before[key]
        assert _signs(vault, key)
        assert _signs(SoftVault.open(folder, PASSPHRASE), key)
    (folder / "vault.json").write_bytes(header)  # Who has the old header and its secret opens no new file.
    stale = SoftVault.open(folder, PASSPHRASE)
    for key in keys:
        with pytest.raises(VaultDamaged):
            stale.public_key(key)


def test_processes_that_have_the_vault_open_follow_a_rotation(folder: Path, vault: SoftVault) -> None:
    first, second = vault.generate(ES256), vault.generate(ES256)
    assert _signs(vault, first)
    SoftVault.open(folder, PASSPHRASE).rotate()
    assert _signs(vault, first)
    assert _signs(vault, second)  # Not opened before: its file is sealed under a key this process has to look up.
    third = vault.generate(ES256)
    assert _signs(SoftVault.open(folder, PASSPHRASE), third)


def test_rotation_refuses_before_it_changes_anything_if_a_file_does_not_open(folder: Path, vault: SoftVault) -> None:
    keys = sorted(vault.generate(ES256) for _ in range(3))
    _file(folder, keys[-1]).write_bytes(_file(folder, keys[-1]).read_bytes()[:-40])
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(VaultDamaged, match=keys[-1]):
        vault.rotate()
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_an_empty_vault_rotates(folder: Path, vault: SoftVault) -> None:
    assert vault.rotate() == 0
    assert _signs(SoftVault.open(folder, PASSPHRASE), vault.generate(ES256))


def test_keys_made_while_the_vault_key_changes_all_open_afterwards(folder: Path, vault: SoftVault) -> None:
    def make(_: int) -> KeyId:
        return SoftVault.open(folder, PASSPHRASE).generate(ES256)

    with ThreadPoolExecutor(3) as pool:
        made = pool.map(make, range(12))
        for _ in range(4):
            vault.rotate()
        keys = list(made)
    again = SoftVault.open(folder, PASSPHRASE)
    assert sorted(keys) == list(again.keys())
    assert all(_signs(again, key) for key in keys)


def test_nobody_adds_a_key_while_the_vault_key_changes(folder: Path, vault: SoftVault) -> None:
    with ThreadPoolExecutor(1) as pool:
        with locked(folder / "vault.lock", alone=True):
            adding = pool.submit(vault.generate, ES256)
            assert not wait([adding], timeout=0.3).done
            assert vault.keys() == ()
        added = adding.result()
    assert vault.keys() == (added,)


def test_a_key_that_is_gone_is_told_from_one_that_is_damaged(folder: Path, vault: SoftVault) -> None:
    key = vault.generate(ES256)
    _file(folder, key).unlink()
    with pytest.raises(UnknownKey, match="no key"):
        vault.public_key(key)


# Makes one change again and again on a fresh copy, in a child that is killed one call later each time.
KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from crypto.keys import sign
from crypto.vaults.files import locked
from crypto.vaults.soft import KdfCost, SoftVault

pristine, folder, old, new, change = Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]
quick = KdfCost(passes=1, memory_kib=64, lanes=1)
left = 0

def counted(call):
    def after(*arguments, **named):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **named)
    return after

def in_child(calls):
    global left
    if (child := os.fork()) == 0:
        vault = SoftVault.open(folder, old)
        for name in ("open", "fsync", "replace", "unlink", "close"):
            setattr(os, name, counted(getattr(os, name)))
        left = calls
        vault.rotate() if change == "rotate" else vault.change_secret(new, cost=quick)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), status
    return status != 0

def whole():
    for secret in (old, new):
        try:
            vault = SoftVault.open(folder, secret)
        except Exception:
            continue
        for key in vault.keys():
            assert vault.public_key(key).verify(vault.suite(key), b"m", sign(vault, key, b"m"))
        return vault
    raise SystemExit("neither secret opens the vault")

kills = pending = 0
while True:
    shutil.copytree(pristine, folder)
    killed = in_child(kills + 1)
    if killed and change == "rotate":
        in_child(kills % 11 + 5)  # And once more, while it goes on.
    vault = whole()
    assert len(vault.keys()) == 3
    pending += vault.rotating
    vault.rotate()
    assert not vault.rotating
    assert not [*folder.rglob(".*.new")]
    vault.generate(vault.suite(vault.keys()[0]))
    assert len(whole().keys()) == 4
    shutil.rmtree(folder)
    if not killed:
        break
    kills += 1
print(kills, pending)
"""


@pytest.mark.parametrize(("change", "fewest"), [("rotate", 30), ("change_secret", 8)])
def test_a_change_killed_at_any_step_loses_no_key_and_can_be_ended(
    folder: Path, vault: SoftVault, tmp_path: Path, change: str, fewest: int
) -> None:
    for suite in (SM2_SM3, ES256, ES256):
        vault.generate(suite)
    command = [sys.executable, "-c", KILLED, str(folder), str(tmp_path / "copy"), PASSPHRASE, ANOTHER, change]
    run = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    kills, pending = map(int, run.stdout.split())
    assert kills >= fewest
    assert (pending > 5) == (change == "rotate")
