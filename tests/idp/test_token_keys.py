"""The keys that sign tokens: announced, switched and removed while several processes are at work."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette

from crypto.errors import TokenError
from crypto.key_sets import Stage
from crypto.keys import KeyId, VaultSigner
from crypto.suites import ED25519, ES256, PS256, SM2_SM3, Suite
from crypto.vaults.soft import SoftVault
from idp.api import routes
from idp.errors import TokenKeyMissing, TokenKeyRefused
from idp.passwords import Passwords
from idp.service import Idp
from idp.token_keys import KNOWN_FOR, OUTLIVED, SEEN_WITHIN
from kernel.db import Database
from kernel.page import Pages
from tests.idp.conftest import ISSUER, World
from tests.idp.portal import Portal
from tests.inprocess import browser

ROOT = Path(__file__).parents[2]
PASSPHRASE = "a passphrase of the tests"
WHY = "the old key is in the newspaper"


@pytest.fixture
def vault(signer: VaultSigner) -> SoftVault:
    assert isinstance(signer.vault, SoftVault)
    return signer.vault


@pytest.fixture
def other(world: World, vault: SoftVault, cheap_passwords: Passwords) -> Idp:
    """Another process of the same service: nothing but database and vault in common."""
    return Idp(
        issuer=ISSUER,
        database=world.database,
        audit=world.audit,
        clock=world.clock,
        vault=vault,
        passwords=cheap_passwords,
    )


@pytest.fixture
def there(other: Idp, portal: Portal) -> Portal:
    """A browser at the other process."""
    app = Starlette(routes=routes(other, Pages(("idp",), csrf_key=bytes(32))))
    return Portal(browser(app, ISSUER), portal.client_id, portal.secret)


def published(portal: Portal) -> list[str]:
    return [key["kid"] for key in portal.http.get("/oauth2/jwks").json()["keys"]]


def kid_of(token: str) -> str:
    head = token.split(".", maxsplit=1)[0]
    return str(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"])


def believed(idp: Idp, world: World, token: str) -> bool:
    try:
        return idp.verifier.principal(token).subject == world.zhangsan.id
    except TokenError:
        return False


def entries(world: World, kid: str) -> list[tuple[str, dict[str, object]]]:
    with world.database.read() as conn:
        return [(entry.action, json.loads(entry.facts)) for entry in world.audit.about(conn, kid)]


def test_a_key_is_published_before_it_signs_and_after_it_has_signed(
    world: World, portal: Portal, vault: SoftVault
) -> None:
    keys, (first,) = world.idp.keys, published(portal)
    announced = keys.announce(vault.generate(ES256)).kid
    world.clock.advance(SEEN_WITHIN)
    assert published(portal) == [first, announced]
    assert kid_of(portal.tokens()["id_token"]) == first
    world.clock.advance(KNOWN_FOR)
    old = portal.tokens()
    keys.switch()
    world.clock.advance(SEEN_WITHIN)
    assert published(portal) == [announced, first]
    new = portal.tokens()
    assert {kid_of(new["id_token"]), kid_of(new["access_token"])} == {announced}
    # What the retired key signed is believed until it expires, as a token and as a hint.
    assert believed(world.idp, world, old["access_token"])
    assert world.idp.tokens.hint(old["id_token"]) is not None
    assert keys.remove_outlived() == ()
    world.clock.advance(OUTLIVED)
    assert keys.remove_outlived() == (first,)
    world.clock.advance(SEEN_WITHIN)
    assert published(portal) == [announced]
    assert world.idp.tokens.hint(old["id_token"]) is None
    assert [action for action, _ in entries(world, first)] == ["idp.token_key_begun", "idp.token_key_removed"]
    told = entries(world, announced)
    assert [action for action, _ in told] == ["idp.token_key_announced", "idp.token_key_switched"]
    assert told[1][1] == {"retired": first, "early": False}


def test_a_switch_between_issue_and_verification_is_seen_by_another_process_at_once(
    world: World, portal: Portal, other: Idp, there: Portal, vault: SoftVault
) -> None:
    before = portal.tokens()["access_token"]
    assert believed(other, world, before)
    (old,) = published(there)
    # Not a moment passes: what the other process has read is not yet to be read again, and does not have the key.
    new = world.idp.keys.announce(vault.generate(ES256)).kid
    world.idp.keys.switch(early=WHY)
    world.idp.keys.reread()
    after = portal.tokens()["access_token"]
    assert kid_of(after) == new
    assert believed(other, world, after)
    assert believed(other, world, before)
    assert published(there) == [new, old]
    assert kid_of(there.tokens()["access_token"]) == new


def test_another_process_signs_with_the_new_key_within_seconds(
    world: World, portal: Portal, there: Portal, vault: SoftVault
) -> None:
    first = kid_of(there.tokens()["access_token"])
    new = world.idp.keys.announce(vault.generate(ES256)).kid
    world.idp.keys.switch(early=WHY)
    late = there.tokens()["access_token"]
    assert kid_of(late) == first
    world.idp.keys.reread()
    assert believed(world.idp, world, late)
    world.clock.advance(SEEN_WITHIN)
    assert kid_of(there.tokens()["access_token"]) == new
    assert kid_of(portal.tokens()["access_token"]) == new


def test_a_process_of_its_own_believes_what_this_one_signs_after_a_switch(
    world: World, portal: Portal, vault: SoftVault
) -> None:
    script = (
        "import sys\n"
        "from datetime import datetime\n"
        "from pathlib import Path\n"
        "from crypto.vaults.soft import SoftVault\n"
        "from idp.service import Idp\n"
        "from kernel.audit import AuditLog\n"
        "from kernel.clock import ManualClock\n"
        "from kernel.db import Database\n"
        "url, folder, phrase, now, issuer = sys.argv[1:]\n"
        "clock, vault = ManualClock(datetime.fromisoformat(now)), SoftVault.open(Path(folder), phrase)\n"
        "database = Database(url)\n"
        "idp = Idp(issuer=issuer, database=database, audit=AuditLog(), clock=clock, vault=vault)\n"
        "print(len(idp.keys.ring().keys.keys), flush=True)\n"
        "for line in sys.stdin:\n"
        "    print(idp.verifier.principal(line.strip()).subject, flush=True)\n"
        "database.dispose()\n"
    )
    arguments = [world.database.url, str(vars(vault)["_folder"]), PASSPHRASE, world.clock.now().isoformat(), ISSUER]
    with subprocess.Popen(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        first = portal.tokens()["access_token"]
        world.idp.keys.announce(vault.generate(ES256))
        world.idp.keys.switch(early=WHY)
        world.idp.keys.reread()
        second = portal.tokens()["access_token"]
        assert kid_of(first) != kid_of(second)
        for token in (first, second):
            process.stdin.write(f"{token}\n")
            process.stdin.flush()
            assert process.stdout.readline() == f"{world.zhangsan.id}\n"
        process.stdin.close()
        assert process.wait(20) == 0


def test_a_switch_waits_until_everybody_has_the_key_unless_a_reason_is_given(
    world: World, portal: Portal, vault: SoftVault
) -> None:
    keys = world.idp.keys
    with pytest.raises(TokenKeyRefused, match="No next key has been announced"):
        keys.switch()
    announced = keys.announce(vault.generate(ES256))
    world.clock.advance(KNOWN_FOR - timedelta(seconds=1))
    with pytest.raises(TokenKeyRefused, match="The next key signs from 2026-11-22T09:"):
        keys.switch()
    with pytest.raises(TokenKeyRefused, match="A reason"):
        keys.switch(early="  ")
    assert kid_of(portal.tokens()["id_token"]) != announced.kid
    keys.switch(early=WHY)
    assert entries(world, announced.kid)[-1][1] == {
        "retired": next(row.kid for row in keys.rows() if row.stage is Stage.RETIRED),
        "early": True,
        "reason": WHY,
    }


def test_a_key_that_is_no_longer_safe_is_withdrawn_with_all_it_signed(
    world: World, portal: Portal, other: Idp, vault: SoftVault
) -> None:
    keys, (old,) = world.idp.keys, published(portal)
    token = portal.tokens()["access_token"]
    with pytest.raises(TokenKeyRefused, match="one active key"):
        keys.withdraw(old, reason=WHY)
    keys.announce(vault.generate(ES256))
    keys.switch(early=WHY)
    with pytest.raises(TokenKeyRefused, match="no key of this name"):
        keys.withdraw("unheard of", reason=WHY)
    with pytest.raises(TokenKeyRefused, match="A reason"):
        keys.withdraw(old, reason="")
    assert believed(other, world, token)
    keys.withdraw(old, reason=WHY)
    world.clock.advance(SEEN_WITHIN)
    assert not believed(world.idp, world, token)
    assert not believed(other, world, token)
    assert entries(world, old)[-1] == ("idp.token_key_removed", {"early": True, "reason": WHY})


def test_a_second_next_key_and_a_key_that_is_there_already_are_refused(world: World, vault: SoftVault) -> None:
    keys = world.idp.keys
    (active,) = keys.rows()
    with pytest.raises(TokenKeyRefused):
        keys.announce(active.key)
    keys.announce(vault.generate(ES256))
    before = keys.rows()
    with pytest.raises(TokenKeyRefused, match="one next key at most"):
        keys.announce(vault.generate(ES256))
    assert keys.rows() == before


def test_an_sm2_key_never_signs_standard_tokens(world: World, vault: SoftVault) -> None:
    key = vault.generate(SM2_SM3)
    with pytest.raises(TokenKeyRefused, match="ES256"):
        world.idp.keys.announce(key)
    assert len(world.idp.keys.rows()) == 1


@pytest.mark.parametrize("suite", [PS256, ED25519], ids=lambda suite: suite.name)
def test_a_switch_to_another_algorithm_is_told_to_clients(
    world: World, portal: Portal, vault: SoftVault, suite: Suite
) -> None:
    world.idp.keys.announce(vault.generate(suite))
    world.idp.keys.switch(early=WHY)
    world.clock.advance(SEEN_WITHIN)
    told = portal.http.get("/.well-known/openid-configuration").json()
    assert told["id_token_signing_alg_values_supported"] == [suite.jose, "ES256"]
    assert believed(world.idp, world, portal.tokens()["access_token"])


def test_processes_that_begin_or_switch_at_once_agree(world: World, database: Database, vault: SoftVault) -> None:
    with database.begin() as conn:
        conn.exec_driver_sql("DELETE FROM idp_token_keys")
    made = [vault.generate(ES256) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(world.idp.keys.begin, made)) == 1
    world.idp.keys.announce(vault.generate(ES256))

    def switch(_: int) -> bool:
        try:
            world.idp.keys.switch(early=WHY)
        except TokenKeyRefused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(switch, range(4))) == 1
    assert sorted(row.stage.value for row in world.idp.keys.rows()) == ["active", "retired"]


@pytest.fixture
def lost(database: Database) -> Iterator[KeyId]:
    """A key that the table names and the vault does not have."""
    yield KeyId("es256-ffffffffffffffffffffffff")
    with database.begin() as conn:
        conn.exec_driver_sql("DELETE FROM idp_token_keys")


def test_a_key_that_the_vault_does_not_have_signs_nothing_and_is_not_published(
    world: World, portal: Portal, database: Database, lost: KeyId, vault: SoftVault
) -> None:
    keys, (old,) = world.idp.keys, published(portal)
    keys.announce(vault.generate(ES256))
    keys.switch(early=WHY)
    with database.begin() as conn:
        conn.exec_driver_sql(f"UPDATE idp_token_keys SET key = '{lost}' WHERE stage IS NULL")  # noqa: S608
    world.clock.advance(SEEN_WITHIN)
    assert old not in published(portal)
    keys.withdraw(old, reason="lost")
    with database.begin() as conn:
        conn.exec_driver_sql(f"UPDATE idp_token_keys SET key = '{lost}' WHERE stage = 'active'")  # noqa: S608
    world.clock.advance(SEEN_WITHIN)
    with pytest.raises(TokenKeyMissing, match="xinyin migrate"):
        keys.ring()


def test_a_key_put_under_the_name_of_another_is_not_taken_for_it(
    world: World, database: Database, vault: SoftVault
) -> None:
    with database.begin() as conn:
        conn.exec_driver_sql(f"UPDATE idp_token_keys SET key = '{vault.generate(ES256)}'")  # noqa: S608
    with pytest.raises(TokenKeyMissing):
        world.idp.keys.reread()
