"""`xinyin docking`, and departments' systems beside our own vault."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from admin.build import services
from crypto.keys import KeyVault, VaultSigner
from crypto.suites import SM2_SM3
from kernel.clock import SystemClock
from tests.admin.conftest import Town, Xinyin
from tests.seal.docking.test_national_platform import ACCOUNT
from tests.sims.national import Mood, NationalSimulator

LINES = (
    'client = "province-44"\nsecret = "client-secret-of-tests"\nuser = "seal-office"\n'
    'password = "password of the tests"\nsalt = "pepper-and-salt"\nidentity = "44000000"\n'
)


@dataclass(frozen=True)
class Docked:
    """A town that has an account at a platform."""

    platform: NationalSimulator
    file: Path
    given: dict[str, object]


@pytest.fixture
def docked(town: Town, tmp_path: Path) -> Iterator[Docked]:
    with services(town.settings) as service:
        key = service.vault.generate(SM2_SM3)
        public = service.vault.public_key(key)
    with NationalSimulator(ACCOUNT, public, SystemClock().now) as platform:
        file = private(tmp_path / "docking.toml", f'url = "{platform.url}"\nkey = "{key}"\n{LINES}')
        yield Docked(platform, file, town.given | {"docking_file": file})


def private(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def test_seals_are_told_looked_at_and_asked_about(docked: Docked, xinyin: Xinyin, tmp_path: Path) -> None:
    docked.platform.fail(Mood.DECLINES, only="release")
    listed = json.loads(xinyin("docking", "status", "--json", **docked.given).out)["reports"]
    assert {each["state"] for each in listed} == {"due"}
    sent = xinyin("docking", "send", **docked.given)
    assert (sent.code, sent.out.count("refused (9999)")) == (1, len(listed))
    docked.platform.fail(Mood.GOOD)
    assert "nothing is due" in xinyin("docking", "send", **docked.given).out
    again = xinyin("docking", "send", "--refused", **docked.given)
    assert (again.code, len(docked.platform.seals)) == (0, len(listed))
    seal = listed[0]["docking"]["seal"]
    assert "reported (0" in xinyin("docking", "status", "--seal", seal, **docked.given).out
    assert xinyin("docking", "ask", seal, **docked.given).out == f"{seal}: valid\n"
    assert xinyin("docking", "refresh-secret", "--out", tmp_path / "new", **docked.given).code == 0
    assert (tmp_path / "new").read_text() == docked.platform.secret
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0
    refused = xinyin("docking", "ask", seal, **docked.given)
    assert (refused.code, refused.err.endswith("[docking_login_refused]\n")) == (64, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("secret = hunter2", "is no TOML"),
        ('url = "http://seal.example.gov.cn"\nkey = "x"\n' + LINES, "must be https://"),
        ('url = "https://seal.example.gov.cn"\nkey = "x"\n' + LINES, "are invented"),
        ('url = "http://127.0.0.1"\nkey = "x"\n' + LINES, "cannot sign for the platform"),
        ('url = "http://127.0.0.1"\nkey = "x"\nauthorities = "no.pem"\n' + LINES, "TLS cannot be read"),
        ('url = "http://127.0.0.1"\n' + LINES, "key in"),
    ],
)
def test_a_wrong_docking_file_is_told_without_its_secrets(
    town: Town, xinyin: Xinyin, tmp_path: Path, text: str, said: str
) -> None:
    file = private(tmp_path / "docking.toml", text)
    done = xinyin("docking", "send", **town.given, docking_file=file)
    assert (done.code, said in done.err) == (64, True), done.err
    assert "hunter2" not in done.err
    assert ACCOUNT.secret not in done.err


def test_a_file_that_others_can_read_or_that_is_not_there_is_refused(
    town: Town, xinyin: Xinyin, tmp_path: Path
) -> None:
    open_ = private(tmp_path / "open.toml", LINES)
    open_.chmod(0o644)
    assert "chmod 600" in xinyin("docking", "send", **town.given, docking_file=open_).err
    assert "there is no file" in xinyin("key", "list", **town.given, upstream_file=tmp_path / "none.toml").err
    assert "XINYIN_DOCKING_FILE" in xinyin("docking", "send", **town.given).err


def test_keys_of_a_department_s_system_stand_beside_our_own(town: Town, xinyin: Xinyin, tmp_path: Path) -> None:
    with services(town.settings) as service:
        own: KeyVault = service.vault
        seal = service.register.list()[0]
        certificate = service.register.credential(seal, SM2_SM3).credential.certificate
        key = VaultSigner(own, own.keys()[0]).key
    (tmp_path / "seal.pem").write_text(certificate.pem())
    text = (
        '[housing]\nurl = "http://127.0.0.1:9/sign"\nclient = "xinyin"\nsecret = "0123456789abcdef"\n'
        'keys = { seal-01 = "seal.pem" }\n'
    )
    file = private(tmp_path / "up.toml", text)
    listed = xinyin("key", "list", "--json", **town.given, upstream_file=file)
    assert {key, "upstream-housing-seal-01"} <= {each["id"] for each in json.loads(listed.out)["keys"]}
    pem = xinyin("key", "export", "upstream-housing-seal-01", **town.given, upstream_file=file).out
    assert pem == certificate.public_key.pem()
    for wrong, said in (
        (text.replace('client = "xinyin"\n', ""), "go together"),
        (text.replace('client = "xinyin"\nsecret = "0123456789abcdef"\n', ""), "mutual TLS"),
        (text.replace("0123456789abcdef", "short-one"), "octets or more"),
        (text.replace("seal.pem", "none.pem"), "none.pem"),
        (text.replace("[housing]", "[Housing]"), "small letters"),
        (text.replace("127.0.0.1:9", "seal.example"), "must be https://"),
    ):
        file.write_text(wrong)
        done = xinyin("key", "list", **town.given, upstream_file=file)
        assert (done.code, said in done.err) == (64, True), done.err
        assert "short-one" not in done.err
