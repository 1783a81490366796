"""The invented world: marked from its first file on, made in an empty folder, and nothing else is ever deleted."""

import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from admin import build, devworld, faces
from admin.demo.processes import claimed_port, free_port
from admin.settings import DEV_MARK, SettingsRefused, require_production
from crypto.crl import RevocationList
from crypto.suites import SM2_SM3
from crypto.x509 import Certificate
from kernel.clock import SystemClock
from tests.admin.conftest import PORTAL, Town, Xinyin


def _nothing_of_ours(home: Path) -> None:
    home.mkdir()
    (home / "thesis.odt").write_text("the only copy")


def _ours_and_something_else(home: Path) -> None:
    home.mkdir()
    (home / DEV_MARK).touch()
    (home / "thesis.odt").write_text("the only copy")


def _a_mark_that_is_a_folder(home: Path) -> None:
    (home / DEV_MARK).mkdir(parents=True)


def _a_mark_further_down(home: Path) -> None:
    (home / "demo-data").mkdir(parents=True)
    (home / "demo-data" / DEV_MARK).touch()


def _a_link_to_a_marked_folder(home: Path) -> None:
    real = home.with_name("real")
    real.mkdir()
    (real / DEV_MARK).touch()
    home.symlink_to(real)


def _a_link_to_nothing(home: Path) -> None:
    home.symlink_to(home.with_name("nowhere"))


def _a_file(home: Path) -> None:
    home.write_text("the only copy")


@pytest.mark.parametrize(
    "lay",
    [
        _nothing_of_ours,
        _ours_and_something_else,
        _a_mark_that_is_a_folder,
        _a_mark_further_down,
        _a_link_to_a_marked_folder,
        _a_link_to_nothing,
        _a_file,
    ],
)
def test_demo_deletes_nothing_that_it_did_not_make(xinyin: Xinyin, tmp_path: Path, lay: Callable[[Path], None]) -> None:
    lay(tmp_path / "home")
    before = sorted(tmp_path.rglob("*"))
    done = xinyin("demo", "--exit", "--home", tmp_path / "home", "--out", tmp_path / "out")
    assert (done.code, done.err.count("\n")) == (64, 1)
    assert "name another" in done.err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_marked_folder_is_deleted_whole_unless_it_is_in_use(town: Town) -> None:
    with devworld.held(town.home), devworld.held(town.home), pytest.raises(SettingsRefused, match="in use"):
        devworld.remove(town.home)
    assert devworld.read(town.home) == town.world
    devworld.remove(town.home)
    assert not town.home.exists()
    devworld.remove(town.home)


def test_dev_takes_no_folder_that_holds_something_else(xinyin: Xinyin, tmp_path: Path) -> None:
    _nothing_of_ours(tmp_path / "home")
    assert xinyin("dev", "--home", tmp_path / "home").code == 64
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["thesis.odt"]


def test_a_world_cut_off_while_it_was_made_is_marked_and_can_be_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    settings = devworld.settings_of(devworld.load(home=home, port=8000))
    with monkeypatch.context() as cut:
        cut.setattr(build, "services", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            devworld.make(settings, portal_url=PORTAL, clock=SystemClock())
    production = settings.model_copy(update={"public_url": "https://id.example.test"})
    with pytest.raises(SettingsRefused, match="invented"):
        require_production(production)
    with pytest.raises(SettingsRefused, match="never finished"):
        devworld.read(home)
    with pytest.raises(SettingsRefused, match="another"):
        devworld.make(settings, portal_url=PORTAL, clock=SystemClock())
    devworld.remove(home)
    assert not home.exists()


def test_an_invented_world_never_goes_into_the_database_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XINYIN_DATABASE_URL", "postgresql://db.example.test/people")
    assert devworld.load(home=tmp_path, port=8000).database == f"sqlite:///{tmp_path / 'xinyin.db'}"


def test_the_secrets_of_a_folder_are_for_its_owner_alone(pattern: Town) -> None:
    assert pattern.home.stat().st_mode & 0o777 == 0o700
    kept = [devworld.WORLD, "forms.key", "xinyin.db"]
    kept += [f"vault/{path.name}" for path in (pattern.home / "vault").iterdir()]
    assert [name for name in kept if (pattern.home / name).stat().st_mode & 0o077] == []


def test_a_taken_port_is_refused_before_anything_is_built(xinyin: Xinyin, town: Town) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = xinyin("dev", "--home", town.home, "--port", port)
    assert done.code == 64
    assert f"127.0.0.1 port {port} cannot be listened on" in done.err


def test_two_stories_at_once_never_choose_the_same_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    wish = free_port()
    with claimed_port(wish) as first, claimed_port(wish) as second:
        assert first == wish
        assert second != wish
    with claimed_port(wish) as again:
        assert again == wish


def test_an_invented_world_offers_certification_and_its_certificates_name_no_addresses(town: Town) -> None:
    with build.services(town.settings) as service:
        seal = service.register.find(town.world.seal)
        certificate = service.register.credential(seal, SM2_SM3).credential.certificate
        with TestClient(faces.application(service)) as http:
            served = http.get("/pki/ca/sm2.cer")
            listed = http.get("/pki/crl/root-p256.crl")
    assert certificate.issued_by(Certificate.from_der(served.content))
    assert (certificate.crl_urls, certificate.ocsp_urls) == ((), ())
    assert RevocationList.from_der(listed.content).number == 1
