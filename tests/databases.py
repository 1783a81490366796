"""Databases for one test each: empty ones, lent again after they were emptied, where making one anew costs a lot."""

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from kernel.db import METADATA, Database

Fresh = Callable[[], str]

_LENDINGS: Final = 100
"""How often a database is lent before a new one is made: what was deleted leaves traces that slow it down."""
_CROWDED: Final = 20
_BY_NAME: Final = "tests_only"
# What a test may have changed besides rows: any CREATE, ALTER, DROP or GRANT that is still there shows here.
_CATALOGUES: Final = ("pg_class", "pg_attribute", "pg_constraint", "pg_trigger", "pg_proc", "pg_namespace", "pg_type")
_SHAPE: Final = sa.text(
    "SELECT " + ", ".join(f"(SELECT (count(*), max(xmin::text::bigint))::text FROM {name})" for name in _CATALOGUES)  # noqa: S608
)
_OTHERS: Final = sa.text(
    "SELECT count(*), count(*) FILTER (WHERE state <> 'idle') FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def create_tables(url: str) -> None:
    """Make every table of METADATA that is not there."""
    creating = Database(url)
    creating.create_all()
    creating.dispose()


class Lending:
    """The PostgreSQL databases of one test session on one server: at most one is lent at a time."""

    def __init__(self, root: sa.URL) -> None:
        self._root = root
        self._maintenance = sa.create_engine(root, isolation_level="AUTOCOMMIT")
        self._numbers = count()
        self._templates: dict[frozenset[str], str] = {}
        self._lent: _Lent | None = None

    def fresh(self) -> str:
        """Give the address of a database with every table and no row; the one before is nobody's from now on."""
        tables = frozenset(METADATA.tables)
        before, self._lent = self._lent, None
        if before is not None and (before.tables != tables or not before.emptied()):
            before.close()
            self.run(f"DROP DATABASE {before.name} WITH (FORCE)")
            before = None
        self._lent = before or self._made(tables)
        return self._lent.address

    def opened(self) -> Database:
        """Open a fresh database, with the connections of whoever had it before."""
        self.fresh()
        assert self._lent is not None
        return self._lent.opened()

    def run(self, *statements: str) -> None:
        """Run statements that need no transaction."""
        with self._maintenance.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def close(self) -> None:
        """Leave the server."""
        if self._lent is not None:
            self._lent.close()
        self._maintenance.dispose()

    def _made(self, tables: frozenset[str]) -> "_Lent":
        if tables not in self._templates:
            template = self._templates[tables] = f"template_{next(self._numbers)}"
            self.run(f"CREATE DATABASE {template}")
            create_tables(self._address(template))
            _able_to_empty(self._address(template))
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {self._templates[tables]}")
        return _Lent(name, self._address(name), tables)

    def _address(self, name: str) -> str:
        return self._root.set(database=name).render_as_string(hide_password=False)


class _Lent:
    """One database that is lent again and again."""

    def __init__(self, name: str, address: str, tables: frozenset[str]) -> None:
        self.name, self.address, self.tables = name, address, tables
        self._keeper = sa.create_engine(address, pool_size=1)
        self._times = 1
        self._database: Database | None = None
        with self._keeper.begin() as connection:
            self._shape = connection.execute(_SHAPE).one()

    def opened(self) -> Database:
        if self._database is None:
            self._database = Database(self.address)
        return self._database

    def emptied(self) -> bool:
        """Take every row out; False if it is better not used again."""
        self._times += 1
        with suppress(DBAPIError), self._keeper.begin() as connection:
            others, busy = connection.execute(_OTHERS).one()
            if self._times > _LENDINGS or busy or others > _CROWDED:
                return False
            if connection.execute(_SHAPE).one() != self._shape:
                return False
            connection.exec_driver_sql(f"SELECT {_BY_NAME}.empty()")
            return True
        return False

    def close(self) -> None:
        if self._database is not None:
            self._database.dispose()
        self._keeper.dispose()


def _able_to_empty(address: str) -> None:
    """Leave a function beside the tables that takes out every row and starts every sequence anew."""
    engine = sa.create_engine(address)
    with engine.begin() as connection:
        found = sa.inspect(connection)
        deletions = "".join(f"DELETE FROM {name}; " for name in found.get_table_names())  # noqa: S608 - our own tables
        starts = "".join(f"PERFORM setval('{name}', 1, false); " for name in found.get_sequence_names())
        connection.exec_driver_sql(f"CREATE SCHEMA {_BY_NAME}")
        connection.exec_driver_sql(
            f"CREATE FUNCTION {_BY_NAME}.empty() RETURNS void LANGUAGE plpgsql AS $$ BEGIN "
            "SET LOCAL lock_timeout = '5s'; SET LOCAL session_replication_role = replica; "
            f"{deletions}{starts} END $$"
        )
    engine.dispose()


_pattern: list[Database] = []


def opened_sqlite(url: str) -> Database:
    """Open a SQLite database whose statements are compiled once a session, not once a test."""
    made = Database(url)
    if not _pattern:
        with made.begin(), made.read():  # a dialect learns what it must know when its engine connects first
            pass
        _pattern.append(made)
    for engine, like in ((made._writing, _pattern[0]._writing), (made._reading, _pattern[0]._reading)):
        # A compiled statement belongs to a dialect; those of one session differ in nothing.
        engine.dialect, engine._compiled_cache = like.dialect, like._compiled_cache
    return made
