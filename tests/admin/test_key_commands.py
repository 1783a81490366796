"""`xinyin key`: what an operator sees, makes and changes, and what the audit log tells of it afterwards."""

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from admin import build, key_events
from admin.checkup import examine
from admin.faces import application
from admin.key_health import AT_ONCE, FRESH, KeyHealth, KeyUse, failure, keys_in_use
from admin.settings import Settings
from crypto.issuing import parse_csr
from crypto.keys import KeyId
from crypto.revoked import RevocationReason
from crypto.suites import ES256
from crypto.vaults.files import locked
from crypto.vaults.soft import SoftVault
from crypto.x509 import pem_bodies
from kernel.clock import ManualClock, SystemClock
from seal.trust import Trust
from tests.admin.conftest import Town, Xinyin
from tests.cheap import CHEAP
from tests.sims.registrar import Registrar

PHRASE = "correct horse battery"
OTHER = "another long passphrase"
Given = dict[str, object]


@pytest.fixture
def given(xinyin: Xinyin, tmp_path: Path, empty_database: str) -> Given:
    """The settings of a migrated folder, on each database."""
    settings: Given = {"home": tmp_path / "home", "vault_passphrase": PHRASE, "database_url": empty_database}
    assert xinyin("migrate", **settings).code == 0
    return settings


def actions(given: Given) -> list[tuple[str, str, str]]:
    engine = sa.create_engine(str(given["database_url"]).replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as conn:
        found = conn.execute(sa.text("SELECT action, target, facts FROM audit_entries ORDER BY seq")).all()
    engine.dispose()
    return [(row.action, row.target, row.facts) for row in found]


def listed(xinyin: Xinyin, given: Given) -> dict[str, dict[str, object]]:
    done = xinyin("key", "list", "--json", **given)
    assert done.code == 0, done.err
    return {row["id"]: row for row in json.loads(done.out)["keys"]}


def test_the_list_shows_what_uses_each_key_and_when_it_was_made(xinyin: Xinyin, town: Town) -> None:
    rows = listed(xinyin, town.given)
    seals = [row for row in rows.values() if row["uses"] == [f"seal {town.world.seal}"]]
    assert {row["suite"] for row in seals} >= {"SM2-SM3"}
    assert len(seals) == 2
    (token,) = [row for row in rows.values() if "tokens active" in str(row["uses"])]
    assert token["suite"] == "ES256"
    assert token["made"] is not None
    shown = xinyin("key", "list", **town.given).out
    assert all(key in shown for key in rows)
    checked = xinyin("key", "check", **town.given)
    assert checked.code == 0
    assert "11 keys in use" in checked.out


def test_a_new_key_and_its_request_stand_in_the_audit_log(xinyin: Xinyin, given: Given, tmp_path: Path) -> None:
    out = tmp_path / "seal.csr"
    subject = ["--cn", "云江市政务服务局", "--org", "云江市政务服务局", "--org-id", "11990100MB0000000P"]
    done = xinyin("key", "new", "--suite", "sm2-sm3", "--csr", *subject, "--out", out, **given)
    assert done.code == 0, done.err
    key = done.err.strip()
    (body,) = pem_bodies(out.read_bytes(), "CERTIFICATE REQUEST")
    wish = parse_csr(body)
    assert wish.subject_text == "CN=云江市政务服务局,organizationIdentifier=11990100MB0000000P,O=云江市政务服务局,C=CN"
    assert xinyin("key", "export", key, **given).out == wish.public_key.pem()
    assert listed(xinyin, given)[key]["uses"] == []
    told = [action for action, target, _ in actions(given) if target == key]
    assert told == ["key.made", "key.csr_made"]
    # A request is a file of its own: what is there is not written over.
    again = xinyin("key", "csr", key, "--cn", "x", "--out", out, **given)
    assert again.code == 64
    assert again.err.count("\n") == 1
    assert pem_bodies(out.read_bytes(), "CERTIFICATE REQUEST") == [body]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["new", "--suite", "DES"], "--suite is one of SM2-SM3, ES256"),
        (["new", "--suite", "ES256", "--cn", "x"], "go with --csr"),
        (["new", "--suite", "ES256", "--csr"], "--cn is missing"),
        (["csr", "es256-none"], "--cn is missing"),
        (["csr", "es256-none", "--cn", "x"], "[vault_key_unknown]"),
        (["csr", "es256-none", "--cn", "x" * 65], "1 to 64 characters"),
        (["export", "../forms"], "[vault_key_unknown]"),
        (["change-passphrase", "--from-env", "NOT_SET_ANYWHERE"], "There is nothing in the variable"),
        (["change-passphrase", "--from-env", "A", "--key-file", "b"], "not both"),
        (["token-next", "--suite", "SM2-SM3"], "[token_key_refused]"),
        (["token-switch"], "No next key has been announced"),
        (["token-switch", "--now"], "--now needs a --reason"),
        (["token-switch", "--reason", "x"], "only needed with --now"),
        (["token-retire", "kid"], "goes with --now and --reason"),
        (["token-retire", "--now", "--reason", "x"], "goes with --now and --reason"),
        (["token-retire", "kid", "--now", "--reason", "x"], "no key of this name"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_one_sentence(
    xinyin: Xinyin, tmp_path: Path, pattern: Town, arguments: list[str], said: str
) -> None:
    del tmp_path
    done = xinyin("key", *arguments, **pattern.given)
    assert done.code == 64
    assert done.err.count("\n") == 1
    assert said in done.err


def test_the_passphrase_is_changed_without_ever_being_an_argument(
    xinyin: Xinyin, given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert xinyin("key", "change-passphrase", typed="short\n", **given).code == 64
    assert xinyin("key", "change-passphrase", typed=f"{OTHER}\n", **given).code == 0
    assert xinyin("key", "check", **given).code == 64
    given |= {"vault_passphrase": OTHER}
    assert xinyin("key", "check", **given).code == 0
    monkeypatch.setenv("NEXT_ONE", PHRASE)
    assert xinyin("key", "change-passphrase", "--from-env", "NEXT_ONE", **given).code == 0
    given |= {"vault_passphrase": PHRASE}
    kek = tmp_path / "kek"
    kek.write_bytes(os.urandom(32))
    loose = xinyin("key", "change-passphrase", "--key-file", kek, **given)
    assert loose.code == 64
    assert "chmod 600" in loose.err
    kek.chmod(0o600)
    assert xinyin("key", "change-passphrase", "--key-file", kek, **given).code == 0
    with_file = {name: value for name, value in given.items() if name != "vault_passphrase"} | {"vault_key_file": kek}
    assert xinyin("key", "check", **with_file).code == 0
    told = [(action, facts) for action, _, facts in actions(given) if action == "key.passphrase_changed"]
    assert [json.loads(facts) for _, facts in told] == [{"kind": "typed"}, {"kind": "typed"}, {"kind": "key file"}]
    assert not any(secret in str(actions(given)) for secret in (PHRASE, OTHER))


def test_rotating_seals_every_key_file_anew_and_all_of_them_still_sign(xinyin: Xinyin, town: Town) -> None:
    files = sorted((town.home / "vault" / "keys").glob("*.json"))
    before = [path.read_bytes() for path in files]
    done = xinyin("key", "rotate", **town.given)
    assert done.code == 0
    assert f"{len(files)} key files" in done.out
    assert all(path.read_bytes() != old for path, old in zip(files, before, strict=True))
    assert xinyin("key", "check", **town.given).code == 0
    engine = sa.create_engine(town.settings.database)
    with engine.connect() as conn:
        query = "SELECT facts FROM audit_entries WHERE action = 'key.vault_rotated'"
        assert json.loads(conn.execute(sa.text(query)).scalar_one()) == {"keys": len(files)}
    engine.dispose()


def test_the_keys_of_tokens_go_through_their_stages(xinyin: Xinyin, given: Given) -> None:
    def stages() -> dict[str, str]:
        uses = [str(use) for row in listed(xinyin, given).values() for use in row["uses"]]  # type: ignore[attr-defined]
        return {kid: stage for stage, kid in (re.fullmatch(r"tokens (\w+) (\S+)", use).groups() for use in uses)}  # type: ignore[union-attr]

    (first,) = stages()
    assert xinyin("key", "token-next", **given).code == 0
    twice = xinyin("key", "token-next", **given)
    assert twice.code == 64
    assert "published already" in twice.err
    (second,) = stages().keys() - {first}
    early = xinyin("key", "token-switch", **given)
    assert early.code == 64
    assert "The next key signs from" in early.err
    assert xinyin("key", "token-switch", "--now", "--reason", "drill", **given).code == 0
    assert stages() == {first: "retired", second: "active"}
    waiting = xinyin("key", "token-retire", **given)
    assert waiting.code == 0
    assert "No key has been retired for long enough" in waiting.out
    assert xinyin("key", "token-retire", first, "--now", "--reason", "drill", **given).code == 0
    assert stages() == {second: "active"}
    told = [action for action, target, _ in actions(given) if target in {first, second}]
    assert told == [
        "idp.token_key_begun",
        "idp.token_key_announced",
        "idp.token_key_switched",
        "idp.token_key_removed",
    ]


def test_a_key_that_seals_is_not_taken_for_tokens(xinyin: Xinyin, town: Town) -> None:
    rows = listed(xinyin, town.given)
    (key,) = (key for key, row in rows.items() if "seal" in str(row["uses"]) and row["suite"] == "ES256")
    done = xinyin("key", "token-next", "--key", key, **town.given)
    assert done.code == 64
    assert "each key has one purpose" in done.err


def test_a_key_of_an_authority_or_of_a_suspended_seal_is_not_taken_for_tokens(xinyin: Xinyin, town: Town) -> None:
    with build.services(town.settings) as service:
        Registrar(service.database, service.register, service.clock).suspend(str(town.world.seal), "lost")
    rows = listed(xinyin, town.given)
    used = {use: key for key, row in rows.items() for use in row["uses"]}  # type: ignore[attr-defined]
    suspended = [key for use, key in used.items() if "suspended" in use]
    for key in (used["authority p256"], used["ocsp p256"], used["tsa p256"], *suspended):
        done = xinyin("key", "token-next", "--key", key, **town.given)
        assert (done.code, "each key has one purpose" in done.err) == (64, True), key
    assert suspended


def test_an_authoritys_key_that_is_gone_fails_check_and_readyz(xinyin: Xinyin, town: Town) -> None:
    (key,) = (key for key, row in listed(xinyin, town.given).items() if "ocsp sm2" in str(row["uses"]))
    (town.home / "vault" / "keys" / f"{key}.json").unlink()
    done = xinyin("key", "check", **town.given)
    assert (done.code, f"{key} (ocsp sm2)" in done.out) == (1, True)
    with build.services(town.settings) as service:
        assert TestClient(application(service)).get("/readyz").json()["keys"] is False


def test_without_a_key_for_tokens_nothing_says_that_all_is_well(xinyin: Xinyin, town: Town) -> None:
    engine = sa.create_engine(town.settings.database)
    with engine.begin() as conn:
        conn.execute(sa.text("DELETE FROM idp_token_keys"))
    engine.dispose()
    assert xinyin("key", "check", **town.given).code == 64
    with build.services(town.settings) as service:
        assert TestClient(application(service)).get("/readyz").status_code == 503


def test_another_key_under_a_token_keys_name_does_not_pass_for_it(vault: SoftVault) -> None:
    key = vault.generate(ES256)
    said = failure(vault, KeyUse(key=key, suite="ES256", purpose="tokens active", kid="the thumbprint of another"))
    assert said is not None
    assert "announced" in said


@pytest.mark.parametrize("phrase", ["elevencharr", "a passphrase\tof two columns"])
def test_a_passphrase_that_serve_would_not_take_is_not_changed_to(xinyin: Xinyin, given: Given, phrase: str) -> None:
    refused = xinyin("key", "change-passphrase", typed=f"{phrase}\n", **given)
    assert (refused.code, phrase in refused.err) == (64, False)
    assert xinyin("key", "check", **given).code == 0


def test_a_line_from_windows_is_the_passphrase_without_its_end(xinyin: Xinyin, given: Given) -> None:
    assert xinyin("key", "change-passphrase", typed=f"{OTHER}\r\n", **given).code == 0
    assert xinyin("key", "check", **given | {"vault_passphrase": OTHER}).code == 0


def test_a_key_file_in_the_data_folder_is_not_changed_to(xinyin: Xinyin, given: Given) -> None:
    file = Path(str(given["home"])) / "vault.key"
    file.write_bytes(bytes(range(32)))
    file.chmod(0o600)
    refused = xinyin("key", "change-passphrase", "--key-file", file, **given)
    assert (refused.code, "every copy" in refused.err) == (64, True)


def test_who_waits_for_the_vault_lets_others_write(town: Town) -> None:
    written, done = Event(), Event()
    with build.services(town.settings) as service:

        def make() -> None:
            key_events.make_key(service, ES256)
            done.set()

        with locked(town.home / "vault" / "vault.lock", alone=True):
            waiting = Thread(target=make)
            waiting.start()
            assert not done.wait(0.5)
            with build.services(town.settings) as other, other.database.begin() as conn:
                at, facts = other.clock.now(), {"is": "written"}
                other.audit.append(conn, at=at, actor="test", action="key.test", target="x", facts=facts)
            written.set()
            assert not done.is_set()
        waiting.join(timeout=30)
    assert written.is_set()
    assert done.is_set()


def test_a_key_that_does_not_sign_fails_the_check_by_name(xinyin: Xinyin, town: Town) -> None:
    rows = listed(xinyin, town.given)
    (key,) = (key for key, row in rows.items() if "seal" in str(row["uses"]) and row["suite"] == "SM2-SM3")
    (town.home / "vault" / "keys" / f"{key}.json").unlink()
    done = xinyin("key", "check", **town.given)
    assert done.code == 1
    assert f"{key} (seal {town.world.seal}): there is no key {key}" in done.out
    told = xinyin("doctor", "--json", **town.given)
    assert told.code == 1
    (failed,) = [check for check in json.loads(told.out)["checks"] if not check["ok"]]
    assert failed["name"] == "keys"
    assert key in failed["detail"]
    assert failed["remedy"]


# --- the key that a file named ---


def test_the_key_that_an_older_version_named_in_a_file_goes_on_signing(
    xinyin: Xinyin, tmp_path: Path, empty_database: str
) -> None:
    home = tmp_path / "home"
    (home).mkdir(mode=0o700)
    key = SoftVault.create(home / "vault", PHRASE, cost=CHEAP).generate(ES256)
    (home / "identity-key").write_text(f"{key}\n")
    given: Given = {"home": home, "vault_passphrase": PHRASE, "database_url": empty_database}
    assert xinyin("migrate", **given).code == 0
    (row,) = listed(xinyin, given).values()
    assert row["id"] == key
    assert "tokens active" in str(row["uses"])
    assert not (home / "identity-key").exists()
    assert xinyin("migrate", **given).code == 0
    assert list(listed(xinyin, given)) == [key]


# --- /readyz ---


def test_readyz_says_that_a_key_of_a_seal_does_not_sign(town: Town) -> None:
    with build.services(town.settings) as service:
        client = TestClient(application(service))
        assert client.get("/readyz").json() == {"database": True, "keys": True}
    with build.services(town.settings) as service:
        sealing = next(
            use for use in keys_in_use(service.register, service.idp.keys, service.authorities) if "seal" in use.purpose
        )
        (town.home / "vault" / "keys" / f"{sealing.key}.json").unlink()
        answer = TestClient(application(service)).get("/readyz")
        assert answer.status_code == 503
        assert answer.json() == {"database": True, "keys": False}


@pytest.fixture
def vault(tmp_path: Path) -> SoftVault:
    return SoftVault.create(tmp_path / "vault", PHRASE, cost=CHEAP)


def test_many_keys_are_asked_in_turns_and_none_too_often(vault: SoftVault, clock: ManualClock) -> None:
    good = vault.generate(ES256)
    uses = [KeyUse(key=good, suite="ES256", purpose=f"seal {number}") for number in range(AT_ONCE + 1)]
    uses[-1] = bad = KeyUse(key=KeyId("es256-none"), suite="ES256", purpose="seal last")
    asked = 0

    def current() -> list[KeyUse]:
        nonlocal asked
        asked += 1
        return uses

    health = KeyHealth(vault, current, clock)
    assert health.failing() == ()
    assert health.failing() == ()
    assert asked == 1
    clock.advance(FRESH)
    assert health.failing() == (bad,)
    clock.advance(FRESH)
    # Not asked this time, and not forgotten.
    assert health.failing() == (bad,)
    uses.pop()
    clock.advance(FRESH)
    assert health.failing() == ()
    clock.advance(-timedelta(hours=1))
    health.failing()
    assert asked == 5


def test_a_key_under_another_name_is_found_out(vault: SoftVault) -> None:
    one, other = vault.generate(ES256), vault.generate(ES256)
    assert failure(vault, KeyUse(key=one, suite="ES256", purpose="seal", expected=vault.public_key(one))) is None
    said = failure(vault, KeyUse(key=one, suite="ES256", purpose="seal", expected=vault.public_key(other)))
    assert said is not None
    assert "another key" in said
    assert failure(vault, KeyUse(key=one, suite="SM2-SM3", purpose="seal")) == "the key is one for ES256"


# --- the doctor ---


def _doctor(xinyin: Xinyin, town: Town) -> dict[str, str]:
    told = xinyin("doctor", "--json", **town.given)
    return {check["name"]: check["detail"] for check in json.loads(told.out)["checks"] if not check["ok"]}


def test_the_doctor_finds_a_ledger_that_others_write_and_a_revocation_that_is_lost(xinyin: Xinyin, town: Town) -> None:
    assert _doctor(xinyin, town) == {}
    with build.services(town.settings) as service:
        ca = service.authorities.get("sm2")
        serial = next(iter(ca.ledger.certificates())).serial
        ca.revoke(serial, RevocationReason.SUPERSEDED, by="operator", why="drill")
    (town.home / "ca" / "sm2" / "revoked" / f"{serial:x}.json").unlink()
    (town.home / "trust").chmod(0o777)
    (town.home / "ca" / "p256" / "revoked").chmod(0o730)

    found = _doctor(xinyin, town)

    assert f"{serial:x}" in found["authorities"]
    assert "trust" in found["permissions"]
    assert "p256/revoked" in found["permissions"]


def test_the_doctor_says_that_a_list_is_over(town: Town) -> None:
    checks = {check.name: check for check in examine(town.settings, ManualClock(datetime.now(UTC) + timedelta(days=8)))}
    assert (checks["authorities"].ok, "no list of" in checks["authorities"].detail) == (False, True)


def test_the_doctor_does_not_call_it_well_when_every_anchor_has_ended(town: Town) -> None:
    ended = ManualClock(max(anchor.not_after for anchor in Trust.load(town.home / "trust").anchors) + timedelta(1))
    checks = {check.name: check for check in examine(town.settings, ended)}
    assert not checks["trust anchors"].ok


def test_the_doctor_names_a_remedy_for_all_that_failed(xinyin: Xinyin, town: Town) -> None:
    (town.home / "forms.key").chmod(0o644)
    engine = sa.create_engine(town.settings.database)
    with engine.begin() as conn:
        conn.execute(sa.text("UPDATE audit_entries SET at = '2199-01-01 00:00:00' WHERE seq = 3"))
        conn.execute(sa.text("DELETE FROM audit_entries WHERE seq > 3"))
    engine.dispose()
    done = xinyin("doctor", "--json", **town.given)
    assert done.code == 1
    told = json.loads(done.out)
    failed = {check["name"]: check for check in told["checks"] if not check["ok"]}
    assert not told["ok"]
    assert failed.keys() == {"permissions", "clock, database"}
    assert str(town.home / "forms.key") in failed["permissions"]["detail"]
    assert failed["permissions"]["remedy"].startswith("run chmod")
    assert "before the newest audit entry, 2199-01-01" in failed["clock, database"]["detail"]


def test_the_doctor_tells_where_the_engine_is_and_how_fast(xinyin: Xinyin, town: Town) -> None:
    done = xinyin("doctor", "--json", **town.given)
    assert done.code == 0, done.out
    checks = {check["name"]: check["detail"] for check in json.loads(done.out)["checks"]}
    assert re.search(r" in \S*lib\S+", checks["SM2 engine"])
    assert re.search(r"[0-9] 1/s", checks["SM2 sign"])
    # For tokens one, for the seal two, for each of two authorities its own and three officers.
    assert "11 in use" in checks["keys"]


def test_the_doctor_compares_clocks_with_postgresql(xinyin: Xinyin, given: Given) -> None:
    done = xinyin("doctor", "--json", **given)
    checks = {check["name"]: check for check in json.loads(done.out)["checks"]}
    assert checks["clock, database"]["ok"]
    assert checks["clock, file system"]["ok"]
    assert ("s apart" in checks["clock, database"]["detail"]) is ("postgresql" in checks["database"]["detail"])


def test_an_anchor_that_ends_soon_holds_today_and_names_what_to_do(town: Town) -> None:
    anchors = Trust.load(town.home / "trust").anchors
    soonest = min(anchors, key=lambda anchor: anchor.not_after)
    for days, remedy in ((30, f"ends {soonest.not_after:%Y-%m-%d}"), (90, "")):
        checks = examine(town.settings, ManualClock(soonest.not_after - timedelta(days=days)))
        (found,) = [check for check in checks if check.name == "trust anchors"]
        assert found.ok
        assert remedy in found.remedy
        assert bool(found.remedy) is bool(remedy)


def test_a_clock_that_is_ahead_of_the_others_is_found_out(given: Given) -> None:
    settings = Settings(**given)  # type: ignore[arg-type]
    ahead = ManualClock(SystemClock().now() + timedelta(hours=1))
    found = {check.name: check for check in examine(settings, ahead) if check.name.startswith("clock")}
    assert not found["clock, file system"].ok
    assert "time server" in found["clock, file system"].remedy
    # A database in this very process has no clock of its own.
    assert found["clock, database"].ok is ("sqlite" in settings.database)
