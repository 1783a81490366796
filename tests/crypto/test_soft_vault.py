"""The soft vault's files: sealed, bound to what they say, written once, telling nothing."""

import json
import logging
import pickle
import shutil
import stat
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from crypto.errors import KeyRefused
from crypto.keys import KeyId, sign
from crypto.suites import ES256, RS256, SM2_SM3, SUITES
from crypto.vaults.files import write_once
from crypto.vaults.soft import KdfCost, SoftVault

PASSPHRASE = "云山苍苍 江水泱泱"
QUICK = KdfCost(passes=1, memory_kib=64, lanes=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "vault"


@pytest.fixture
def vault(folder: Path) -> SoftVault:
    return SoftVault.create(folder, PASSPHRASE, cost=QUICK)


def _file(folder: Path, key: KeyId) -> Path:
    return folder / "keys" / f"{key}.json"


def _edit(path: Path, **fields: object) -> None:
    record = json.loads(path.read_text())
    path.chmod(0o600)
    path.write_text(json.dumps(record | fields))


def test_keys_are_there_after_opening_again(folder: Path, vault: SoftVault) -> None:
    made = [vault.generate(suite) for suite in SUITES.values()]
    again = SoftVault.open(folder, PASSPHRASE)
    assert again.keys() == tuple(sorted(made))
    for key in made:
        assert again.public_key(key) == vault.public_key(key)
        assert vault.public_key(key).verify(again.suite(key), b"m", sign(again, key, b"m"))


def test_a_key_made_by_another_process_is_seen(folder: Path, vault: SoftVault) -> None:
    key = SoftVault.open(folder, PASSPHRASE).generate(ES256)
    assert vault.keys() == (key,)
    assert vault.public_key(key).verify(ES256, b"m", sign(vault, key, b"m"))


@pytest.mark.parametrize("passphrase", ["", "wrong passphrase", PASSPHRASE + " ", PASSPHRASE[:-1]])
def test_a_wrong_passphrase_is_refused(folder: Path, vault: SoftVault, passphrase: str) -> None:
    assert vault.keys() == ()
    with pytest.raises(KeyRefused, match="does not open with this passphrase"):
        SoftVault.open(folder, passphrase)


def test_a_passphrase_typed_by_another_input_method_is_the_same(tmp_path: Path) -> None:
    SoftVault.create(tmp_path / "v", "Café \u5341\u4e8c pass", cost=QUICK)
    SoftVault.open(tmp_path / "v", "Cafe\u0301 \u5341\u4e8c pass")


def test_a_short_passphrase_makes_no_vault(folder: Path) -> None:
    with pytest.raises(KeyRefused, match="at least 8"):
        SoftVault.create(folder, "short", cost=QUICK)
    assert not folder.exists()


def test_a_vault_is_never_made_over_another(folder: Path, vault: SoftVault) -> None:
    key = vault.generate(ES256)
    with pytest.raises(KeyRefused, match="holds a vault already"):
        SoftVault.create(folder, PASSPHRASE, cost=QUICK)
    assert SoftVault.open(folder, PASSPHRASE).keys() == (key,)


def test_a_folder_without_a_vault_is_refused(folder: Path) -> None:
    with pytest.raises(KeyRefused, match="holds no vault"):
        SoftVault.open(folder, PASSPHRASE)


def test_files_are_for_their_owner_alone_and_no_draft_stays(folder: Path, vault: SoftVault) -> None:
    vault.generate(SM2_SM3)
    found = {path: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}
    assert {mode for path, mode in found.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in found.items() if path.is_file()} == {0o600}
    assert len([path for path in found if path.is_file()]) == 3


def test_the_default_cost_is_on_record_and_not_small(folder: Path) -> None:
    SoftVault.create(folder, PASSPHRASE)
    header = json.loads((folder / "vault.json").read_text())
    assert header["kdf"] == {"name": "argon2id", "passes": 3, "memory_kib": 65536, "lanes": 4}
    SoftVault.open(folder, PASSPHRASE)


@pytest.mark.parametrize(
    "fields",
    [
        {"sealed": "00" * 44},
        {"salt": "00" * 16},
        {"kdf": {"name": "argon2id", "passes": 2, "memory_kib": 64, "lanes": 1}},
    ],
)
def test_a_changed_header_opens_nothing(folder: Path, vault: SoftVault, fields: dict[str, object]) -> None:
    assert vault.keys() == ()
    _edit(folder / "vault.json", **fields)
    with pytest.raises(KeyRefused):
        SoftVault.open(folder, PASSPHRASE)


def test_a_header_that_is_rubbish_is_refused(folder: Path, vault: SoftVault) -> None:
    assert vault.keys() == ()
    _edit(folder / "vault.json", salt="")
    with pytest.raises(KeyRefused, match="damaged"):
        SoftVault.open(folder, PASSPHRASE)
    (folder / "vault.json").write_text("[" * 100_000)
    with pytest.raises(KeyRefused, match="damaged"):
        SoftVault.open(folder, PASSPHRASE)


def test_a_passphrase_that_is_no_text_is_refused_without_repeating_it(tmp_path: Path) -> None:
    # What a terminal or an environment of another encoding gives to Python.
    passphrase = "geheimnis \udcff"
    with pytest.raises(KeyRefused) as refused:
        SoftVault.create(tmp_path / "vault", passphrase, cost=QUICK)
    assert "geheimnis" not in "".join(traceback.format_exception(refused.value))
    assert not (tmp_path / "vault").exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"format": 2}, "another version"),
        ({"kdf": {"name": "argon2id", "passes": 1, "memory_kib": 64, "lanes": 64}}, "out of bounds"),
        ({"kdf": {"name": "scrypt", "passes": 1, "memory_kib": 64, "lanes": 1}}, "another version"),
        ({"kdf": {"name": "argon2id", "passes": 1, "memory_kib": 2**40, "lanes": 1}}, "out of bounds"),
        ({"kdf": {"name": "argon2id", "passes": 10**9, "memory_kib": 64, "lanes": 1}}, "out of bounds"),
        ({"kdf": {"name": "argon2id", "passes": 0, "memory_kib": 64, "lanes": 1}}, "out of bounds"),
        ({"kdf": {"name": "argon2id", "passes": "3", "memory_kib": 64, "lanes": 1}}, "damaged"),
        ({"kdf": {"name": "argon2id"}}, "damaged"),
        ({"kdf": []}, "damaged"),
        ({"salt": "zz"}, "damaged"),
        ({"sealed": None}, "damaged"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused_before_any_work(
    folder: Path, vault: SoftVault, fields: dict[str, object], words: str
) -> None:
    assert vault.keys() == ()
    _edit(folder / "vault.json", **fields)
    with pytest.raises(KeyRefused, match=words):
        SoftVault.open(folder, PASSPHRASE)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "\udcff"])
def test_a_file_that_is_no_record_is_refused(folder: Path, vault: SoftVault, text: str) -> None:
    key = vault.generate(ES256)
    for path, ask in (
        (_file(folder, key), lambda: SoftVault.open(folder, PASSPHRASE).public_key(key)),
        (folder / "vault.json", lambda: SoftVault.open(folder, PASSPHRASE)),
    ):
        path.chmod(0o600)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(KeyRefused, match="damaged"):
            ask()


def test_a_key_file_opens_only_under_what_it_says(folder: Path, vault: SoftVault) -> None:
    first, second = vault.generate(SM2_SM3), vault.generate(SM2_SM3)
    other = json.loads(_file(folder, second).read_text())
    original = _file(folder, first).read_bytes()
    for fields in (
        {"suite": ES256.name},
        {"suite": "nothing known"},
        {"public": other["public"]},
        {"sealed": other["sealed"]},
        {"sealed": "00"},
        {"public": other["public"], "sealed": other["sealed"]},
        {"format": 2},
    ):
        _file(folder, first).write_bytes(original)
        _edit(_file(folder, first), **fields)
        again = SoftVault.open(folder, PASSPHRASE)
        with pytest.raises(KeyRefused):
            again.sign_digest(first, bytes(32))
        assert again.sign_digest(second, bytes(32))


def test_a_key_file_of_another_vault_is_refused(folder: Path, vault: SoftVault, tmp_path: Path) -> None:
    key = vault.generate(ES256)
    elsewhere = SoftVault.create(tmp_path / "other", PASSPHRASE, cost=QUICK)
    shutil.copy(_file(folder, key), tmp_path / "other" / "keys")
    with pytest.raises(KeyRefused, match="another vault"):
        elsewhere.public_key(key)


def test_nothing_shows_a_secret(
    folder: Path, vault: SoftVault, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    said = [repr(vault), str(vault)]
    key = vault.generate(RS256)
    for refused in (
        lambda: SoftVault.open(folder, PASSPHRASE + "?"),
        lambda: SoftVault.create(folder, PASSPHRASE, cost=QUICK),
        lambda: vault.sign_digest(key, b""),
        lambda: vault.public_key(KeyId("unknown")),
    ):
        with pytest.raises(KeyRefused) as refusal:
            refused()
        said += traceback.format_exception(refusal.value)[-1:]
        said += [str(cause) for cause in (refusal.value.__cause__,) if cause]
    captured = capsys.readouterr()
    said += [caplog.text, captured.out, captured.err]
    keys, header_key = vars(vault)["_SoftVault__vault_keys"], vars(vault)["_SoftVault__header_key"]
    said += [repr(keys), repr(header_key)]
    octets = (keys.current, header_key.octets)
    for secret in (PASSPHRASE, *(part.hex() for part in octets), *map(repr, octets)):
        assert not any(secret in text for text in said)


def test_a_vault_is_not_pickled(vault: SoftVault) -> None:
    with pytest.raises(TypeError, match="not copied"):
        pickle.dumps(vault)


def test_no_key_lies_readable_in_its_file(folder: Path, vault: SoftVault) -> None:
    key = vault.generate(SM2_SM3)
    record = json.loads(_file(folder, key).read_text())
    assert set(record) == {"format", "id", "suite", "public", "sealed"}
    assert vault.public_key(key).point.hex() not in record["sealed"]


def test_a_file_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_once(path, b"first")
    with pytest.raises(FileExistsError):
        write_once(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


KILLED = """
import os, sys
from pathlib import Path
from crypto.vaults import files
os.fsync = lambda descriptor: os.kill(os.getpid(), 9)
files.write_once(Path(sys.argv[1]), b"never whole")
"""


def test_a_process_killed_while_writing_leaves_no_file_of_that_name(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    run = subprocess.run([sys.executable, "-c", KILLED, path], check=False, cwd=Path(__file__).parents[2])
    assert run.returncode == -9
    assert not path.exists()
    write_once(path, b"whole")
    assert path.read_bytes() == b"whole"
