"""The command line in this process, and invented worlds on both databases."""

import io
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog

from admin import cli, devworld
from admin import settings as configuration
from admin.devworld import DevWorld
from admin.settings import Settings
from kernel.clock import SystemClock
from tests.cheap import cheap

PORTAL = "http://127.0.0.1:8100"


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


Xinyin = Callable[..., Done]


@pytest.fixture
def xinyin(tmp_path: Path) -> Iterator[Xinyin]:
    """Run `xinyin …` as an operator would, in an empty folder and without any setting but those given."""
    before = Path.cwd()
    os.chdir(tmp_path)

    def run(*arguments: object, typed: str = "", **settings: object) -> Done:
        given = {f"XINYIN_{name.upper()}": str(value) for name, value in settings.items()}
        out, err = io.StringIO(), io.StringIO()
        with cheap(), _environment(given), _process_state(), redirect_stdout(out), redirect_stderr(err):
            sys.argv = ["xinyin", *map(str, arguments)]
            sys.stdin = io.StringIO(typed)
            try:
                cli.main()
            except SystemExit as end:
                code = end.code
        assert isinstance(code, int)
        return Done(code=code, out=out.getvalue(), err=err.getvalue())

    yield run
    os.chdir(before)


@contextmanager
def _environment(given: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    for name in before:
        if name.startswith("XINYIN_"):
            del os.environ[name]
    os.environ.update(given, COLUMNS="200")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _process_state() -> Iterator[None]:
    """Leave what a program may set for its whole process as it was."""
    argv, stdin, root = sys.argv, sys.stdin, logging.getLogger()
    handlers, level, silenced = root.handlers, root.level, dict(root.manager.loggerDict)
    structured, configured = structlog.get_config(), structlog.is_configured()
    disabled = {name for name, one in silenced.items() if isinstance(one, logging.Logger) and one.disabled}
    try:
        yield
    finally:
        sys.argv, sys.stdin = argv, stdin
        root.handlers, root.level = handlers, level
        for name, one in root.manager.loggerDict.items():
            if isinstance(one, logging.Logger):
                one.disabled = name in disabled
        if configured:
            structlog.configure(**structured)
        else:
            structlog.reset_defaults()


@dataclass(frozen=True, kw_only=True)
class Town:
    """A development data folder and the invented world in it."""

    settings: Settings
    world: DevWorld

    @property
    def home(self) -> Path:
        """The data folder."""
        return self.settings.home

    @property
    def given(self) -> dict[str, object]:
        """The settings that open it."""
        return {"home": self.home, "vault_passphrase": self.world.passphrase}


def make_town(home: Path, database_url: str = "") -> Town:
    settings = devworld.settings_of(
        Settings(home=home, database_url=database_url, public_url="http://127.0.0.1:8000", port=8000)
    )
    with cheap():
        return Town(settings=settings, world=devworld.make(settings, portal_url=PORTAL, clock=SystemClock()))


@pytest.fixture(scope="session")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """A world to copy: making one takes a second."""
    return make_town(tmp_path_factory.mktemp("pattern") / "home")


@pytest.fixture
def town(pattern: Town, tmp_path: Path) -> Town:
    """A world of the test's own, on SQLite."""
    home = tmp_path / "home"
    shutil.copytree(pattern.home, home)
    return Town(settings=pattern.settings.model_copy(update={"home": home}), world=pattern.world)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return emptied(request.getfixturevalue("fresh_postgresql")())


def emptied(address: str) -> str:
    """Take every table out of a PostgreSQL database."""
    engine = sa.create_engine(address)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    engine.dispose()
    return address


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[..., Settings]:
    """Load the settings of an environment made of ``variables`` alone."""

    def load(variables: Mapping[str, str], **given: object) -> Settings:
        before = Path.cwd()
        os.chdir(tmp_path)
        try:
            with _environment(variables):
                return configuration.load(**given)
        finally:
            os.chdir(before)

    return load
