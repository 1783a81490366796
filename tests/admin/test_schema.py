"""The schema: what migrations make is what the code believes in, on both databases."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from admin import build, schema
from admin.settings import Settings
from admin.tables import METADATA
from kernel.db import Database
from tests.admin.conftest import Xinyin


@pytest.fixture
def migrated(empty_database: str) -> Iterator[Database]:
    database = Database(empty_database)
    schema.upgrade(database)
    yield database
    database.dispose()


def tables(database: Database) -> set[str]:
    with database.read() as conn:
        return set(sa.inspect(conn).get_table_names())


def test_migrations_make_exactly_the_tables_the_code_believes_in(migrated: Database) -> None:
    with migrated.read() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, METADATA) == []
    assert tables(migrated) == {*METADATA.tables, "alembic_version"}


def test_migrations_make_the_checks_too(migrated: Database) -> None:
    # These are what alembic does not compare.
    believed = {
        (table.name, str(check.name))
        for table in METADATA.tables.values()
        for check in table.constraints
        if isinstance(check, sa.CheckConstraint)
    }
    with migrated.read() as conn:
        inspector = sa.inspect(conn)
        made = {(name, check["name"]) for name in METADATA.tables for check in inspector.get_check_constraints(name)}
    assert made == believed


def test_a_database_is_of_another_version_until_it_is_migrated(empty_database: str) -> None:
    database = Database(empty_database)
    assert not schema.is_current(database)
    schema.upgrade(database)
    assert schema.is_current(database)
    database.dispose()


def test_migrating_again_changes_nothing(migrated: Database) -> None:
    with migrated.begin() as conn:
        conn.execute(sa.text("INSERT INTO idp_attempts (key, tries, last_at) VALUES ('k', 1, '2026-11-22 08:00:00')"))
    schema.upgrade(migrated)
    with migrated.read() as conn:
        assert conn.execute(sa.text("SELECT count(*) FROM idp_attempts")).scalar_one() == 1


def test_processes_that_start_at_once_migrate_one_after_the_other(empty_database: str) -> None:
    def start(_: int) -> bool:
        database = Database(empty_database)
        try:
            schema.upgrade(database)
            return schema.is_current(database)
        finally:
            database.dispose()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(start, range(4))) == [True] * 4


def test_a_migration_can_be_taken_back_and_made_again(migrated: Database) -> None:
    with migrated.begin() as conn:
        command.downgrade(schema.alembic_config(conn), "base")
    assert tables(migrated) <= {"alembic_version"}
    assert not schema.is_current(migrated)
    schema.upgrade(migrated)
    assert tables(migrated) == {*METADATA.tables, "alembic_version"}


def test_the_migrate_command_makes_the_whole_folder_and_run_again_changes_nothing(
    xinyin: Xinyin, tmp_path: Path, empty_database: str
) -> None:
    given = {"home": tmp_path / "home", "vault_passphrase": "correct horse", "database_url": empty_database}
    first = xinyin("migrate", **given)
    assert first.code == 0, first.err
    before = contents(tmp_path / "home")
    again = xinyin("migrate", **given)
    assert again.code == 0, again.err
    assert contents(tmp_path / "home") == before
    with build.services(Settings(**given)) as service:  # type: ignore[arg-type]
        assert service.health.failing() == ()


def test_keys_and_data_are_nobody_elses_to_read(xinyin: Xinyin, tmp_path: Path) -> None:
    xinyin("migrate", home=tmp_path / "home", vault_passphrase="correct horse")
    for path in (tmp_path / "home", *(tmp_path / "home").rglob("*")):
        if not re.search(r"xinyin\.db", path.name):
            assert path.stat().st_mode & 0o077 == 0, path


def test_another_passphrase_does_not_open_the_folder(xinyin: Xinyin, tmp_path: Path) -> None:
    xinyin("migrate", home=tmp_path / "home", vault_passphrase="correct horse")
    before = contents(tmp_path / "home")
    done = xinyin("migrate", home=tmp_path / "home", vault_passphrase="battery staple")
    assert done.code == 64
    assert done.err.endswith("[key_refused]\n")
    assert contents(tmp_path / "home") == before


def contents(folder: Path) -> dict[str, bytes]:
    """The folder's files; SQLite's own are left to SQLite."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".db" not in path.name
    }
