"""The database: transactions, instants and records, the same on both engines."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import psycopg
import pytest
import sqlalchemy as sa

from kernel.db import METADATA, Database, DatabaseReadOnly, Instant, record

WHEN = datetime(2026, 11, 22, 8, 0, 0, 123456, tzinfo=UTC)

# Not on METADATA: what is on it is the product's schema.
SHELF = sa.MetaData(naming_convention=METADATA.naming_convention)
books = sa.Table(
    "test_books",
    SHELF,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("title", sa.String(40), nullable=False, unique=True),
    sa.Column("printed", Instant, nullable=True),
)
pages = sa.Table(
    "test_pages",
    SHELF,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("book", sa.ForeignKey("test_books.id"), nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    id: int
    title: str
    printed: datetime | None


@pytest.fixture
def database(database: Database) -> Database:
    with database.begin() as conn:
        SHELF.create_all(conn)
    return database


def _titles(database: Database) -> list[str]:
    with database.read() as conn:
        return [row.title for row in conn.execute(sa.select(books.c.title).order_by(books.c.id))]


def test_a_transaction_that_ends_is_kept_and_one_that_raises_is_not(database: Database) -> None:
    with database.begin() as conn:
        conn.execute(books.insert().values(id=1, title="kept"))
    with pytest.raises(sa.exc.IntegrityError), database.begin() as conn:
        conn.execute(books.insert(), [{"id": 2, "title": "lost"}, {"id": 3, "title": "kept"}])
    assert _titles(database) == ["kept"]


def test_a_read_transaction_refuses_writes(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError), database.read() as conn:
        conn.execute(books.insert().values(id=1, title="x"))
    with database.begin() as conn:
        conn.execute(books.insert().values(id=1, title="a writer is not hindered by it"))


def test_a_read_transaction_is_one_snapshot(database: Database) -> None:
    count = sa.select(sa.func.count()).select_from(books)
    with database.read() as reading:
        before = reading.scalar(count)
        with database.begin() as writing:
            writing.execute(books.insert().values(id=1, title="meanwhile"))
        assert reading.scalar(count) == before == 0
    assert _titles(database) == ["meanwhile"]


def test_an_instant_comes_back_as_the_same_moment_in_utc(database: Database) -> None:
    beijing = WHEN.astimezone(timezone(timedelta(hours=8)))
    with database.begin() as conn:
        conn.execute(books.insert(), [{"id": 1, "title": "a", "printed": beijing}])
        conn.execute(books.insert(), [{"id": 2, "title": "b", "printed": None}])
    with database.read() as conn:
        first, second = (row.printed for row in conn.execute(sa.select(books).order_by(books.c.id)))
        later = conn.scalar(sa.select(books.c.id).where(books.c.printed > WHEN - timedelta(microseconds=1)))
        none = conn.scalar(sa.select(books.c.id).where(books.c.printed > beijing))
    assert (first, second, later, none) == (WHEN, None, 1, None)
    assert first.tzinfo is UTC


def test_a_naive_datetime_is_refused(database: Database) -> None:
    with pytest.raises(sa.exc.StatementError, match="naive"), database.begin() as conn:
        conn.execute(books.insert().values(id=1, title="a", printed=WHEN.replace(tzinfo=None)))


def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError), database.begin() as conn:
        conn.execute(pages.insert().values(id=1, book=77))


def test_a_row_becomes_a_record_by_its_column_names(database: Database) -> None:
    with database.begin() as conn:
        conn.execute(books.insert().values(id=1, title="a", printed=WHEN))
        row = conn.execute(sa.select(books.c.printed, books.c.title, books.c.id, sa.literal(5).label("more"))).one()
    assert record(Book, row) == Book(id=1, title="a", printed=WHEN)
    with pytest.raises(KeyError):
        record(Book, {"id": 1, "title": "a"})


def test_a_database_opened_for_reading_reads_and_never_writes(database: Database) -> None:
    with database.begin() as conn:
        conn.execute(books.insert().values(id=1, title="a"))
    reader = Database(database.url, read_only=True)
    try:
        assert _titles(reader) == ["a"]
        with pytest.raises(DatabaseReadOnly), reader.begin():
            pass
        with pytest.raises(DatabaseReadOnly):
            reader.create_all()
        with pytest.raises(sa.exc.DBAPIError), reader.read() as conn:
            conn.execute(books.delete())
    finally:
        reader.dispose()


def test_constraints_have_names_that_migrations_can_speak_of() -> None:
    assert books.primary_key.name == "pk_test_books"
    assert [str(key.name) for key in pages.foreign_key_constraints] == ["fk_test_pages_book_test_books"]


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://localhost/x"])
def test_a_database_we_cannot_share_between_threads_or_do_not_know_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"needs a file|not supported"):
        Database(url)


@pytest.mark.parametrize(
    ("address", "read_only", "asked"),
    [
        ("postgresql://one/x", False, "read-write"),
        ("postgresql:///x?host=one:5432&host=two:5433", False, "read-write"),
        ("postgresql:///x?host=one:5432&host=two:5433", True, "any"),
        ("postgresql://one/x?target_session_attrs=primary&connect_timeout=1", False, "primary"),
    ],
)
def test_of_several_hosts_the_one_that_takes_writes_is_connected_to(
    address: str, *, read_only: bool, asked: str
) -> None:
    database = Database(address, read_only=read_only)
    given: dict[str, object] = {}

    def connect(*_: object, **named: object) -> None:
        given.update(named)
        raise psycopg.OperationalError("nobody there")

    for engine in (database._writing, database._reading):
        sa.event.listen(engine, "do_connect", lambda _dialect, _record, _args, named: connect(**named))
        with pytest.raises(sa.exc.OperationalError):
            engine.connect()
        assert given["target_session_attrs"] == asked
        assert int(str(given["connect_timeout"])) in (1, 5)
        assert "host" in given
