"""Serving: what production refuses to start with, and what the doctor says of a machine and a folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from admin.demo.processes import free_port, running
from tests.admin.conftest import Town, Xinyin

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {"public_url": "https://id.example.test", "vault_passphrase": "correct horse"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"vault_passphrase": "correct horse"}, "XINYIN_PUBLIC_URL must be https://"),
        ({"public_url": "https://id.example.test"}, "XINYIN_VAULT_PASSPHRASE is empty"),
        (PRODUCTION, "run `xinyin migrate` first"),
    ],
)
def test_serve_does_not_start_on_what_is_not_production(xinyin: Xinyin, settings: dict[str, object], said: str) -> None:
    done = xinyin("serve", port=free_port(), **settings)
    assert done.code == 64
    assert said in done.err
    assert done.err.count("\n") == 1
    assert not Path("xinyin-data").exists()


def test_serve_does_not_start_on_a_development_folder(xinyin: Xinyin, town: Town) -> None:
    done = xinyin("serve", **town.given | {"public_url": "https://id.example.test"})
    assert done.code == 64
    assert "its keys and people are invented" in done.err


@pytest.mark.parametrize("version", ["0000", "9999"])
def test_nothing_works_on_a_database_of_another_version(xinyin: Xinyin, tmp_path: Path, version: str) -> None:
    given = {**PRODUCTION, "home": tmp_path / "home", "port": free_port()}
    assert xinyin("migrate", **given).code == 0
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'home' / 'xinyin.db'}")
    with engine.begin() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = :version"), {"version": version})
    engine.dispose()
    for command in (["serve"], ["audit", "verify"], ["client", "add", "x"]):
        done = xinyin(*command, **given)
        assert done.code == 64
        assert "of another version: run `xinyin migrate`" in done.err
    done = xinyin("doctor", **given)
    assert done.code == 1
    assert "of another version" in done.out


def test_the_wrong_passphrase_does_not_serve(xinyin: Xinyin, tmp_path: Path) -> None:
    given = {**PRODUCTION, "home": tmp_path / "home", "port": free_port()}
    assert xinyin("migrate", **given).code == 0
    done = xinyin("serve", **given | {"vault_passphrase": "battery staple"})
    assert done.code == 64
    assert done.err.endswith("[key_refused]\n")
    assert "battery staple" not in done.err


def test_a_database_that_is_down_is_one_sentence_without_its_password(xinyin: Xinyin, tmp_path: Path) -> None:
    address = f"postgresql://xinyin:hunter2@127.0.0.1:{free_port()}/xinyin"
    given = {**PRODUCTION, "home": tmp_path / "home", "database_url": address}
    done = xinyin("migrate", **given)
    assert done.code == 64
    assert done.err.endswith("[database_unavailable]\n")
    assert done.err.count("\n") == 1
    told = xinyin("doctor", **given)
    assert told.code == 1
    assert "✗ database" in told.out
    assert "hunter2" not in done.err + told.out + told.err


def test_a_folder_that_cannot_be_made_is_one_sentence(xinyin: Xinyin, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = xinyin("migrate", home=tmp_path / "file", vault_passphrase="correct horse")
    assert done.code == 64
    assert done.err.count("\n") == 1


def test_a_wrong_usage_never_ends_as_a_verdict_would(xinyin: Xinyin) -> None:
    for arguments in ([], ["verify"], ["verify", "--nope"], ["nonsense"], ["client"], ["seal", "x.pdf"]):
        assert xinyin(*arguments).code == 64
    assert xinyin("--help").code == 0


def test_the_doctor_finds_a_prepared_machine_well(xinyin: Xinyin, town: Town) -> None:
    done = xinyin("doctor", **town.given)
    assert done.code == 0, done.out
    assert "✗" not in done.out
    for name in ("data folder", "disk", "trust anchors", "database", "licence font", "seal font", "SM2", "SM3", "SM4"):
        assert name in done.out
    assert "Xinyin Development SM2-SM3 Root CA" in done.out
    assert town.world.passphrase not in done.out


def test_the_doctor_says_what_to_do_about_an_empty_folder(xinyin: Xinyin, tmp_path: Path) -> None:
    done = xinyin("doctor", home=tmp_path / "none")
    assert done.code == 1
    assert "run `xinyin migrate`" in done.out
    assert not (tmp_path / "none").exists()


def test_the_doctor_names_the_anchor_that_is_no_certificate(xinyin: Xinyin, town: Town) -> None:
    (town.home / "trust" / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    done = xinyin("doctor", **town.given)
    assert done.code == 1
    assert "broken.pem" in done.out


def test_a_prepared_folder_is_served_until_it_is_asked_to_stop(xinyin: Xinyin, tmp_path: Path) -> None:
    port = free_port()
    given = {**PRODUCTION, "home": str(tmp_path / "home"), "port": str(port)}
    assert xinyin("migrate", **given).code == 0
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("XINYIN_")},
        **{f"XINYIN_{name.upper()}": value for name, value in given.items()},
        "PYTHONPATH": str(ROOT),
    }
    log = tmp_path / "service.log"
    with running(["-m", "admin", "serve"], log=log, ready=f"http://127.0.0.1:{port}/readyz", env=environment) as server:
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) in {0, -signal.SIGTERM}
    for line in log.read_text().splitlines():
        assert line.startswith("{"), line
    assert "Traceback" not in log.read_text()


def test_the_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "admin", "--help"], cwd=ROOT, capture_output=True, check=True)
    assert "xinyin" in done.stdout.decode()
