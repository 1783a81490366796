"""`xinyin client`, `person` and `audit`: what an operator registers, and the chain that remembers it."""

import sqlalchemy as sa

from admin.build import services
from idp.model import IdentityLevel
from kernel.db import METADATA
from tests.admin.conftest import Town, Xinyin

PASSWORD = "a long enough password"


def everything(town: Town) -> str:
    """All that the database holds, as text."""
    engine = sa.create_engine(town.settings.database)
    with engine.connect() as conn:
        held = [str(row) for table in METADATA.sorted_tables for row in conn.execute(sa.select(table))]
    engine.dispose()
    return "\n".join(held)


def test_a_client_is_registered_and_its_secret_shown_once(xinyin: Xinyin, town: Town) -> None:
    done = xinyin("client", "add", "鹏城办事大厅", "--redirect", "https://portal.example.test/callback", **town.given)
    assert done.code == 0, done.err
    shown = dict(line.split() for line in done.out.splitlines())
    assert set(shown) == {"client_id", "client_secret"}
    assert len(shown["client_secret"]) >= 32
    assert shown["client_id"] in everything(town)
    assert shown["client_secret"] not in everything(town)


def test_a_department_is_registered_with_its_rights(xinyin: Xinyin, town: Town) -> None:
    right = f"seal.use:{town.world.seal}"
    done = xinyin("client", "add", "审批系统", "--right", right, "--organisation", "11990100MB0000000P", **town.given)
    assert done.code == 0, done.err
    with services(town.settings) as service:
        client = service.registry.client(done.out.split()[1])
    assert client.rights == {right}
    assert client.organisation == "11990100MB0000000P"


def test_a_client_that_cannot_be_is_refused(xinyin: Xinyin, town: Town) -> None:
    before = everything(town)
    for options in (
        ["--redirect", "http://portal.example.test/callback"],
        ["--redirect", "https://portal.example.test/*"],
        ["--right", "anything"],
        ["--right", "seal.use:1", "--organisation", "short"],
        ["--right", "seal.use:1", "--organisation", "11990100MB0000000X"],
        [],
    ):
        done = xinyin("client", "add", "某某", *options, **town.given)
        assert done.code == 64, options
        assert done.err.count("\n") == 1, options
    assert everything(town) == before


def test_a_person_is_registered_with_the_password_that_was_typed(xinyin: Xinyin, town: Town) -> None:
    done = xinyin("person", "add", "lisi", "李四", "--proved", typed=f"{PASSWORD}\n", **town.given)
    assert done.code == 0, done.err
    assert PASSWORD not in done.out + done.err
    with services(town.settings) as service, service.database.read() as conn:
        people = METADATA.tables["idp_people"]
        row = conn.execute(sa.select(people).where(people.c.login == "lisi")).one()
    assert row.level == IdentityLevel.MATCHED
    assert row.password_hash.startswith("$argon2id$")
    assert PASSWORD not in everything(town)


def test_nobody_proved_anything_unless_it_is_said(xinyin: Xinyin, town: Town) -> None:
    assert xinyin("person", "add", "lisi", "李四", typed=f"{PASSWORD}\n", **town.given).code == 0
    with services(town.settings) as service, service.database.read() as conn:
        people = METADATA.tables["idp_people"]
        assert conn.execute(sa.select(people.c.level).where(people.c.login == "lisi")).scalar_one() == 1


def test_a_login_is_one_persons(xinyin: Xinyin, town: Town) -> None:
    before = everything(town)
    done = xinyin("person", "add", town.world.citizen_login, "李四", typed=f"{PASSWORD}\n", **town.given)
    assert done.code == 64
    assert done.err.endswith("[login_taken]\n")
    assert everything(town) == before


def test_a_short_password_is_refused(xinyin: Xinyin, town: Town) -> None:
    for typed in ("short\n", "", "\n"):
        done = xinyin("person", "add", "lisi", "李四", typed=typed, **town.given)
        assert done.code == 64
        assert done.err.endswith("[registration_refused]\n")


def test_the_audit_chain_holds_until_an_entry_is_changed(xinyin: Xinyin, town: Town) -> None:
    done = xinyin("audit", "verify", **town.given)
    assert done.code == 0
    assert "entries, head" in done.out
    engine = sa.create_engine(town.settings.database)
    with engine.begin() as conn:
        conn.execute(sa.text("UPDATE audit_entries SET actor = 'somebody else' WHERE seq = 2"))
    engine.dispose()
    done = xinyin("audit", "verify", **town.given)
    assert done.code == 1
    assert "✗" in done.out


def test_no_secret_of_the_invented_world_is_in_the_database_or_in_any_text_of_an_object(town: Town) -> None:
    world = town.world
    secrets = (world.passphrase, world.portal_secret, world.department_secret, world.citizen_password)
    with services(town.settings) as service:
        shown = [repr(one) for one in (service, world, town.settings, service.idp, service.vault, service.idp.keys)]
        shown += [str(service), str(world), repr(service.registry), repr(service.database), repr(service.pages)]
    for secret in secrets:
        assert secret not in everything(town)
        assert not any(secret in text for text in shown)
    # One file holds them, and it says what it is.
    keeping = [
        path.name
        for path in town.home.rglob("*")
        if path.is_file() and any(secret.encode() in path.read_bytes() for secret in secrets)
    ]
    assert keeping == ["world.json"]


def test_the_keys_of_the_vault_are_nowhere_in_the_clear(town: Town) -> None:
    for path in town.home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"PRIVATE KEY" not in content, path
            # PKCS#8 of an EC key: version 0, then id-ecPublicKey.
            assert bytes.fromhex("020100301306072a8648ce3d0201") not in content, path
