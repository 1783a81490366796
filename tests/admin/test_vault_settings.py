"""The vault that the settings describe: what each kind needs, and the one sentence where it does not open."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from admin import vaulting
from admin.demo.processes import free_port
from admin.settings import DEV_MARK, Settings, SettingsRefused, require_production, require_vault
from crypto.errors import KeyRefused
from crypto.keys import KeyId, KeyVault, sign
from crypto.suites import ES256, SM2_SM3
from tests.admin.conftest import Done, Xinyin
from tests.sims import softhsm
from tests.sims.sdf.device import HARDWARE, Call, Device, NoCompiler, compile_device
from tests.sims.sdf.device import PIN as DEVICE_PIN

Load = Callable[..., Settings]
PHRASE = "correct horse battery"
SECRETS = (PHRASE, DEVICE_PIN, softhsm.PIN, "hunter2")


def refused(done: Done, *said: str, code: str | None = None) -> None:
    """One sentence on the error stream, exit code 64, no trace, no secret."""
    assert done.code == 64, done.out + done.err
    # `serve` logs as JSON; beside that there is one line.
    (sentence,) = [line for line in done.err.splitlines() if not line.startswith("{")]
    assert sentence.startswith("xinyin: ")
    assert "Traceback" not in done.err
    for words in said:
        assert words in done.err
    if code is not None:
        assert done.err.endswith(f"[{code}]\n")
    assert not any(secret in done.out + done.err for secret in SECRETS)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "kek"
    path.write_bytes(os.urandom(32))
    path.chmod(0o600)
    return path


@pytest.fixture
def made(xinyin: Xinyin, tmp_path: Path) -> dict[str, object]:
    """The settings of a folder that was migrated."""
    given: dict[str, object] = {"home": tmp_path / "home", "vault_passphrase": PHRASE}
    assert xinyin("migrate", **given).code == 0
    return given


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return compile_device(tmp_path_factory.mktemp("sdf"))
    except NoCompiler as reason:
        pytest.skip(str(reason))


@pytest.fixture
def device(compiled: Path, tmp_path: Path) -> Device:
    return Device(compiled, tmp_path)


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    try:
        found = softhsm.module()
    except softhsm.NoSoftHsm as reason:
        pytest.skip(str(reason))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(softhsm.configure(tmp_path_factory.mktemp("softhsm"))))
        softhsm.make_token("xinyin")
        yield found


def signs(vault: KeyVault, key: KeyId) -> bool:
    return vault.public_key(key).verify(vault.suite(key), b"m", sign(vault, key, b"m"))


# --- settings ---


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "XINYIN_VAULT_PASSPHRASE is empty: the key vault cannot be opened. Set it, or XINYIN_VAULT_KEY_FILE."),
        ({"PASSPHRASE": PHRASE, "KEY_FILE": "/k"}, "are both set"),
        ({"PASSPHRASE": PHRASE, "PIN": "hunter2"}, "XINYIN_VAULT_PIN means nothing with XINYIN_VAULT=soft"),
        ({"PASSPHRASE": PHRASE, "LIBRARY": "/l.so"}, "XINYIN_VAULT_LIBRARY means nothing with XINYIN_VAULT=soft"),
        ({"": "sdf"}, "XINYIN_VAULT_LIBRARY is empty: XINYIN_VAULT=sdf needs the path of the vendor's library."),
        ({"": "sdf", "LIBRARY": "/l.so"}, "XINYIN_VAULT_ACCESS is empty"),
        ({"": "sdf", "LIBRARY": "/l.so", "ACCESS": '{"1": "hunter2"}'}, "the software vault beside the device"),
        ({"": "sdf", "LIBRARY": "/l", "ACCESS": '{"1": ""}', "PASSPHRASE": PHRASE, "TOKEN": "t"}, "XINYIN_VAULT_TOKEN"),
        ({"": "pkcs11", "LIBRARY": "/l.so"}, "XINYIN_VAULT_TOKEN is empty"),
        ({"": "pkcs11", "LIBRARY": "/l.so", "TOKEN": "t"}, "XINYIN_VAULT_PIN is empty"),
        (
            {"": "pkcs11", "LIBRARY": "/l.so", "TOKEN": "t", "PIN": "hunter2", "PASSPHRASE": PHRASE},
            "XINYIN_VAULT_PASSPHRASE means nothing with XINYIN_VAULT=pkcs11",
        ),
    ],
)
def test_settings_that_are_missing_or_contradict_are_one_sentence_with_the_remedy(
    loaded: Load, given: dict[str, str], said: str
) -> None:
    settings = loaded({f"XINYIN_VAULT{'_' if name else ''}{name}": value for name, value in given.items()})
    with pytest.raises(SettingsRefused) as sentence:
        require_vault(settings)
    assert said in str(sentence.value)
    assert not any(secret in str(sentence.value) for secret in SECRETS)


def test_a_folder_made_for_development_says_where_its_passphrase_is(loaded: Load) -> None:
    settings = loaded({})
    settings.home.mkdir(parents=True, exist_ok=True)
    (settings.home / DEV_MARK).touch()
    with pytest.raises(SettingsRefused, match=r"world\.json"):
        require_vault(settings)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("VAULT", "paper", "'soft', 'sdf' or 'pkcs11'"),
        ("VAULT_ACCESS", "1:hunter2", "must be a JSON object"),
        ("VAULT_ACCESS", '{"one": "hunter2"}', "valid integer"),
        ("VAULT_ACCESS", '{"0": "hunter2"}', "greater than or equal to 1"),
        ("VAULT_SM2", "0x80000001,2", "three numbers"),
        ("VAULT_SM2", "1,2,hunter2", "numbers with commas"),
        ("VAULT_FAILURES", "0x1FFFFFFFF", "numbers with commas"),
        ("VAULT_SESSIONS", "0", "greater than or equal to 1"),
    ],
)
def test_a_wrong_vault_setting_names_itself_and_repeats_no_secret(
    loaded: Load, name: str, value: str, said: str
) -> None:
    with pytest.raises(SettingsRefused) as sentence:
        loaded({f"XINYIN_{name}": value})
    assert str(sentence.value).startswith(f"XINYIN_{name}")
    assert said in str(sentence.value)
    assert "hunter2" not in str(sentence.value)


@pytest.mark.parametrize("name", ["vault_passphrase", "vault_pin", "vault_access"])
def test_production_is_refused_a_secret_that_lies_beside_its_vault(loaded: Load, tmp_path: Path, name: str) -> None:
    value = '{"1" = "open sesame now"}' if name == "vault_access" else '"open sesame now"'
    value = value.replace('{"1" =', "{1 =")
    (tmp_path / "xinyin.toml").write_text(f"{name} = {value}\n")
    kinds: dict[str, dict[str, str]] = {
        "vault_passphrase": {},
        "vault_pin": {"XINYIN_VAULT": "pkcs11", "XINYIN_VAULT_LIBRARY": "/l.so", "XINYIN_VAULT_TOKEN": "t"},
        "vault_access": {"XINYIN_VAULT": "sdf", "XINYIN_VAULT_LIBRARY": "/l.so", "XINYIN_VAULT_PASSPHRASE": PHRASE},
    }
    settings = loaded(kinds[name], home=tmp_path, public_url="https://id.example.test")
    with pytest.raises(SettingsRefused, match=f"XINYIN_{name.upper()} stands in .*xinyin.toml"):
        require_production(settings)


def test_production_is_refused_a_key_file_in_the_data_folder_and_a_short_passphrase(
    loaded: Load, tmp_path: Path
) -> None:
    public = {"home": tmp_path, "public_url": "https://id.example.test"}
    with pytest.raises(SettingsRefused, match="every copy of the vault would hold its key"):
        require_production(loaded({}, **public, vault_key_file=str(tmp_path / "sub" / "kek")))
    with pytest.raises(SettingsRefused, match="fewer than 12 characters"):
        require_production(loaded({}, **public, vault_passphrase="short one"))
    require_production(loaded({}, **public, vault_key_file=str(tmp_path.parent / "kek")))
    require_production(loaded({}, **public, vault_passphrase=PHRASE))


# --- files ---


def test_a_vault_made_with_a_key_file_opens_with_it_alone(xinyin: Xinyin, tmp_path: Path, key_file: Path) -> None:
    home = tmp_path / "home"
    assert xinyin("migrate", home=home, vault_key_file=key_file).code == 0
    assert xinyin("key", "check", home=home, vault_key_file=key_file).code == 0
    refused(xinyin("key", "list", home=home, vault_passphrase=PHRASE), "opens with a key-encryption key")
    key_file.write_text(key_file.read_bytes().hex() + "\n")
    assert xinyin("key", "check", home=home, vault_key_file=key_file).code == 0
    key_file.write_bytes(os.urandom(32))
    refused(xinyin("key", "list", home=home, vault_key_file=key_file), "does not open with this", code="key_refused")


@pytest.mark.parametrize("command", [["key", "list"], ["serve"], ["audit", "verify"]])
def test_another_passphrase_is_one_sentence(xinyin: Xinyin, made: dict[str, object], command: list[str]) -> None:
    given = made | {"vault_passphrase": "battery staple horse", "public_url": "https://id.example.test"}
    refused(xinyin(*command, **given, port=free_port()), "does not open with this passphrase", code="key_refused")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.chmod(0o640), "chmod 600"),
        (lambda path: path.write_bytes(b"short"), "neither 32 octets nor their hexadecimal"),
        (lambda path: path.write_bytes(b""), "damaged"),
        (lambda path: path.unlink(), "head -c 32 /dev/urandom"),
    ],
)
def test_a_key_file_that_is_loose_short_or_gone_is_one_sentence(
    xinyin: Xinyin, tmp_path: Path, key_file: Path, spoil: Callable[[Path], object], said: str
) -> None:
    home = tmp_path / "home"
    assert xinyin("migrate", home=home, vault_key_file=key_file).code == 0
    spoil(key_file)
    refused(xinyin("key", "list", home=home, vault_key_file=key_file), "XINYIN_VAULT_KEY_FILE", said, code="settings")


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda vault: (vault / "vault.json").write_bytes((vault / "vault.json").read_bytes()[:100]), "vault_damaged"),
        (lambda vault: (vault / "vault.json").write_bytes(b""), "vault_damaged"),
        (lambda vault: (vault / "vault.json").chmod(0o644), "vault_exposed"),
        (lambda vault: vault.chmod(0o755), "vault_exposed"),
        (lambda vault: (vault / "vault.json").unlink(), "key_refused"),
    ],
    ids=["cut short", "empty", "header readable by all", "folder open to all", "gone"],
)
def test_a_vault_that_is_cut_short_exposed_or_gone_is_one_sentence(
    xinyin: Xinyin, made: dict[str, object], tmp_path: Path, spoil: Callable[[Path], object], code: str
) -> None:
    spoil(tmp_path / "home" / "vault")
    refused(xinyin("key", "list", **made), code=code)
    told = xinyin("doctor", **made)
    assert told.code == 1
    assert "✗ vault" in told.out


def test_a_key_file_of_the_vault_that_is_cut_short_is_named(
    xinyin: Xinyin, made: dict[str, object], tmp_path: Path
) -> None:
    (path,) = (tmp_path / "home" / "vault" / "keys").iterdir()
    path.write_bytes(path.read_bytes()[:-40])
    done = xinyin("key", "check", **made)
    assert done.code == 1
    assert f"{path.stem} (tokens active" in done.out
    assert "damaged" in done.out
    shown = xinyin("key", "list", **made)
    assert shown.code == 0
    assert "not readable" in shown.out
    refused(xinyin("serve", **made, public_url="https://id.example.test", port=free_port()), code="vault_damaged")


# --- devices ---


def test_a_device_signs_what_it_makes_and_files_the_rest(
    xinyin: Xinyin, loaded: Load, tmp_path: Path, device: Device
) -> None:
    given = {
        "home": tmp_path / "home",
        "vault": "sdf",
        "vault_library": device.library,
        "vault_access": f'{{"1": "{DEVICE_PIN}", "3": ""}}',
        "vault_passphrase": PHRASE,
    }
    made = xinyin("migrate", **given)
    assert made.code == 0, made.err
    assert xinyin("key", "check", **given).code == 0
    listed = xinyin("key", "list", **given).out
    assert "sdf-1" in listed
    assert "es256-" in listed
    assert xinyin("key", "export", "sdf-1", **given).out.startswith("-----BEGIN PUBLIC KEY-----")
    assert xinyin("key", "csr", "sdf-1", "--cn", "印章", **given).out.startswith("-----BEGIN CERTIFICATE REQUEST")
    refused(xinyin("key", "new", "--suite", "SM2-SM3", **given), "device's own tool", code="key_refused")
    assert xinyin("key", "new", "--suite", "ES256", **given).code == 0
    settings = loaded({f"XINYIN_{name.upper()}": str(value) for name, value in given.items()})
    with vaulting.opened(settings, tmp_path / "home" / "vault") as vault:
        keys = vault.keys()
        assert all(signs(vault, key) for key in keys)
        assert {vault.suite(key).name for key in keys} == {"SM2-SM3", "ES256"}


def test_a_device_that_is_gone_or_refuses_its_password_is_one_sentence(
    xinyin: Xinyin, tmp_path: Path, device: Device
) -> None:
    given = {
        "home": tmp_path / "home",
        "vault": "sdf",
        "vault_library": device.library,
        "vault_access": f'{{"1": "{DEVICE_PIN}", "2": "hunter2"}}',
        "vault_passphrase": PHRASE,
    }
    assert xinyin("migrate", **given).code == 0
    device.fail(Call.OPEN_DEVICE, HARDWARE, times=2)
    refused(xinyin("key", "export", "sdf-1", **given), "0x01000004", code="vault_device_gone")
    device.fail(Call.OPEN_DEVICE, HARDWARE, times=2)
    told = xinyin("doctor", **given)
    assert told.code == 1
    assert "✗ vault" in told.out
    refused(xinyin("key", "csr", "sdf-2", "--cn", "x", **given), code="vault_pin_refused")
    missing = given | {"vault_library": str(tmp_path / "none.so")}
    refused(xinyin("key", "list", **missing), "XINYIN_VAULT_LIBRARY", "cannot be loaded", code="settings")


def test_a_token_keeps_every_key_and_a_token_that_is_gone_is_one_sentence(
    xinyin: Xinyin, loaded: Load, tmp_path: Path, module: str
) -> None:
    given = {
        "home": tmp_path / "home",
        "vault": "pkcs11",
        "vault_library": module,
        "vault_token": "xinyin",
        "vault_pin": softhsm.PIN,
    }
    made = xinyin("migrate", **given)
    assert made.code == 0, made.err
    assert not (tmp_path / "home" / "vault").exists()
    assert xinyin("key", "check", **given).code == 0
    refused(xinyin("key", "new", "--suite", "SM2-SM3", **given), "SM2 numbers", code="key_refused")
    for command in (["rotate"], ["change-passphrase"]):
        refused(xinyin("key", *command, **given, typed="another passphrase\n"), "its vendor's tool")
    refused(xinyin("key", "list", **given | {"vault_token": "lost"}), "labelled 'lost'", code="vault_device_gone")
    refused(xinyin("key", "list", **given | {"vault_pin": "hunter2"}), code="vault_pin_refused")
    settings = loaded({f"XINYIN_{name.upper()}": str(value) for name, value in given.items()})
    with vaulting.opened(settings, tmp_path) as vault:
        assert signs(vault, vault.generate(ES256))
        with pytest.raises(KeyRefused):
            vault.generate(SM2_SM3)
    subprocess.run(["softhsm2-util", "--delete-token", "--token", "xinyin"], check=True, capture_output=True)
    serve = given | {"public_url": "https://id.example.test", "port": free_port()}
    refused(xinyin("serve", **serve), code="vault_device_gone")
