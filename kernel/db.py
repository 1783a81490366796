"""The database: one way to begin a transaction, on SQLite and on PostgreSQL alike.

Tables are SQLAlchemy Core tables on ``METADATA``; rows become frozen dataclasses through ``record``.
A use case opens one transaction and hands its connection to the stores; stores never begin or commit.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

METADATA = sa.MetaData(
    # Named constraints are what migrations can alter on both databases.
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Record = TypeVar("Record", bound="DataclassInstance")

# How long a writer waits for another before it gives up; longer than any transaction of ours may last.
LOCK_WAIT_SECONDS = 20
STATEMENT_SECONDS = 30
CONNECT_SECONDS = 5
_SILENT_SECONDS = 20
"""How long a connection whose other end is silent is believed in: a host that lost its power says no goodbye."""
_ROWS_AT_ONCE = 500
# A failed statement's error text goes to the log; the row it carried must not.
_CAREFUL: dict[str, Any] = {"pool_timeout": LOCK_WAIT_SECONDS, "hide_parameters": True}


class Instant(sa.types.TypeDecorator[datetime]):
    """A moment: an aware UTC datetime going in and coming out, to the microsecond, on every database.

    SQLite stores it as text without a zone; all of it is UTC, so it sorts and compares as text.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Turn an aware datetime into what the database stores; a naive one is a bug and raises."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant carries its zone: a naive datetime cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Give an aware UTC datetime."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class DatabaseReadOnly(RuntimeError):
    """Something tried to write through a database that was opened for reading only: a bug, not an answer."""


class Database:
    """A database and its connections, safe to share between threads, never between processes.

    ``begin`` and ``read`` are not re-entrant: a thread that holds a write transaction must not begin another.
    With ``read_only`` the database itself refuses writes, whatever the code does.
    """

    def __init__(self, url: str, *, read_only: bool = False, pool_size: int = 10) -> None:
        parsed = sa.make_url(url)
        self.read_only = read_only
        self._url = parsed
        if parsed.get_backend_name() == "sqlite":
            self._writing, self._reading = _sqlite_engines(parsed, read_only=read_only, pool_size=pool_size)
        elif parsed.get_backend_name() == "postgresql":
            self._writing, self._reading = _postgresql_engines(parsed, read_only=read_only, pool_size=pool_size)
        else:
            raise ValueError(f"{parsed.get_backend_name()} is not supported: use sqlite:///FILE or postgresql://…")

    @property
    def dialect(self) -> str:
        """The name of the database: ``sqlite`` or ``postgresql``."""
        return self._reading.dialect.name

    @property
    def url(self) -> str:
        """The address with its password: for opening the same database in another process, never for logs."""
        return self._url.render_as_string(hide_password=False)

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """Open one write transaction: committed when the block ends, rolled back when it raises.

        On SQLite writers are admitted one at a time. On PostgreSQL the isolation is READ COMMITTED, so what a
        decision rests on is locked (``with_for_update``) or decided by a conditional UPDATE.
        """
        if self.read_only:
            raise DatabaseReadOnly("this database was opened for reading only")
        with self._writing.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Open one read transaction: a consistent snapshot in which every write is refused."""
        with self._reading.begin() as connection:
            yield connection

    def create_all(self) -> None:
        """Create all tables that are missing: for tests and development; production migrates."""
        with self.begin() as connection:
            METADATA.create_all(connection)

    def dispose(self) -> None:
        """Close every connection; the next use opens new ones."""
        self._writing.dispose()
        self._reading.dispose()


def database_now(conn: sa.Connection) -> datetime:
    """Give the database's own time, the only one all workers share; on SQLite in whole seconds."""
    return conn.execute(sa.select(sa.type_coerce(sa.func.current_timestamp(), Instant))).scalar_one()


def insert_new(conn: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert those of ``rows`` that meet no other row's unique columns; tell how many they were."""
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    parts = (rows[start : start + _ROWS_AT_ONCE] for start in range(0, len(rows), _ROWS_AT_ONCE))
    # Counted by what comes back: PostgreSQL's driver tells no number of rows here.
    first = next(iter(table.columns))
    statement = insert(table).on_conflict_do_nothing().returning(first)
    return sum(len(conn.execute(statement, list(part)).all()) for part in parts)


def record(kind: type[Record], row: "sa.Row[*tuple[Any, ...]] | Mapping[str, Any]") -> Record:
    """Make a frozen dataclass from the columns of ``row`` that bear its fields' names.

    A column without a field is left aside; a field without a column raises KeyError, default or not.
    """
    columns = row if isinstance(row, Mapping) else row._asdict()
    return kind(**{field.name: columns[field.name] for field in dataclasses.fields(kind) if field.init})


def _sqlite_engines(url: sa.URL, *, read_only: bool, pool_size: int) -> tuple[sa.Engine, sa.Engine]:
    if not url.database or url.database == ":memory:":
        raise ValueError("SQLite needs a file (sqlite:////path/to/file.db): memory is not shared between threads")
    mode = "ro" if read_only else "rwc"
    target = url.set(database=Path(url.database).absolute().as_uri(), query={"mode": mode, "uri": "true"})
    # Writers of this process queue fairly on a pool of one; SQLite's own waiting is polling, and starves.
    writing = sa.create_engine(target, pool_size=1, max_overflow=0, **_CAREFUL)
    reading = sa.create_engine(target, pool_size=pool_size, max_overflow=pool_size, **_CAREFUL)
    _prepare_sqlite(writing, begin="BEGIN IMMEDIATE", pragmas=("journal_mode=WAL",) if not read_only else ())
    _prepare_sqlite(reading, begin="BEGIN", pragmas=("query_only=ON",))
    return writing, reading


def _prepare_sqlite(engine: sa.Engine, *, begin: str, pragmas: tuple[str, ...]) -> None:
    everywhere = (
        f"busy_timeout={LOCK_WAIT_SECONDS * 1000}",
        "foreign_keys=ON",
        # FULL, not NORMAL: what was acknowledged must survive a power cut, not only a crash of this process.
        "synchronous=FULL",
        "trusted_schema=OFF",
    )

    def connected(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself; ``begun`` does
        cursor = connection.cursor()
        for pragma in (*everywhere, *pragmas):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begun(connection: sa.Connection) -> None:
        # IMMEDIATE: two readers that both turn writer would deadlock, and one of them fail.
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


def _postgresql_engines(url: sa.URL, *, read_only: bool, pool_size: int) -> tuple[sa.Engine, sa.Engine]:
    settings = {
        "statement_timeout": f"{STATEMENT_SECONDS}s",
        "lock_timeout": f"{LOCK_WAIT_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{2 * STATEMENT_SECONDS}s",
        "timezone": "UTC",
        "default_transaction_read_only": "on" if read_only else "off",
    }
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        **_CAREFUL,
        connect_args={
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
            **_reaching(url, read_only=read_only),
        },
    )
    # REPEATABLE READ makes a read transaction one snapshot, as it is on SQLite; read-only ones never conflict.
    return engine, engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _reaching(url: sa.URL, *, read_only: bool) -> dict[str, object]:
    """Say how connections are made and given up, save for what the address says itself.

    The address may name several hosts (``host=a:5432&host=b:5432``): whichever takes writes is connected to, so that
    a standby that was promoted is found by the next connection, and one that was not is never written to.
    """
    ours: dict[str, object] = {
        "target_session_attrs": "any" if read_only else "read-write",
        "connect_timeout": CONNECT_SECONDS,
        "keepalives_idle": _SILENT_SECONDS // 2,
        "keepalives_interval": _SILENT_SECONDS // 4,
        "keepalives_count": 2,
        "tcp_user_timeout": _SILENT_SECONDS * 1000,
    }
    return {name: value for name, value in ours.items() if name not in url.query}
