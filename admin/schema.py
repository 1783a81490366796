"""The database's schema: bringing it up to date, and telling whether it is."""

from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from kernel.db import Database

_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(database: Database) -> None:
    """Bring the schema to this version's; all of it in one transaction, so it is done or it is not."""
    with database.begin() as connection:
        if connection.dialect.name == "postgresql":
            # Two starting processes migrate one after the other.
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(20260001)"))
        command.upgrade(alembic_config(connection), "head")


def is_current(database: Database) -> bool:
    """Tell whether the schema is this version's."""
    with database.read() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    return found == _newest()


@lru_cache(maxsize=1)
def _newest() -> str | None:
    # Read once a process: Alembic compiles every migration for it.
    return ScriptDirectory.from_config(alembic_config(None)).get_current_head()


def alembic_config(connection: sa.Connection | None) -> Config:
    """Give what Alembic's own commands work on: our migrations and the connection they run on."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
