"""`xinyin doctor`: whether this machine and this data folder are fit for the service."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import typer
from rich.console import Console
from sqlalchemy.exc import OperationalError

from admin import build, schema
from admin import settings as configuration
from admin.settings import Settings
from crypto.errors import CryptoError
from crypto.selftest import run as run_selftests
from kernel.db import Database
from seal.fonts import packaged_font, seal_font
from seal.trust import Trust

_LEAST_FREE = 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One answer of the doctor; a failed one says what to do."""

    name: str
    ok: bool
    detail: str


class _Amiss(Exception):
    """What was looked at is not as it should be; the text says what to do."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor() -> None:
    """Check algorithms, engine, fonts, disk, data folder and database; exit code 1 if something needs mending."""
    settings = configuration.load()
    console = Console()
    held = True
    for check in (*_machine(), *_folder(settings)):
        held &= check.ok
        mark = "[green]✓[/]" if check.ok else "[red]✗[/]"
        console.print(f"{mark} {check.name:<22} {check.detail}", highlight=False, soft_wrap=True)
    raise typer.Exit(0 if held else 1)


def _machine() -> Iterator[Check]:
    for test in run_selftests():
        rate = f"  {test.rate:,.0f} {test.unit}" if test.rate else ""
        yield Check(name=test.name, ok=test.ok, detail=f"{test.detail}{rate}")
    yield _tried("licence font", lambda: packaged_font().family)
    yield _tried("seal font", lambda: seal_font().path.name)


def _folder(settings: Settings) -> Iterator[Check]:
    home = build.Home(root=settings.home)
    if not home.form_key.exists():
        yield Check(name="data folder", ok=False, detail=f"{settings.home} is empty: run `xinyin migrate`")
        return
    yield Check(name="data folder", ok=True, detail=str(settings.home.resolve()))
    free = shutil.disk_usage(settings.home).free
    yield Check(name="disk", ok=free > _LEAST_FREE, detail=f"{free / 1024**3:,.1f} GiB free")
    yield _tried("trust anchors", lambda: _anchors(home))
    yield _tried("database", lambda: _database(settings))


def _anchors(home: build.Home) -> str:
    names = ", ".join(anchor.common_name or anchor.subject_text for anchor in Trust.load(home.trust).anchors)
    if not names:
        raise _Amiss(f"none: put CA certificates into {home.trust}")
    return names


def _database(settings: Settings) -> str:
    database = Database(settings.database)
    try:
        if not schema.is_current(database):
            raise _Amiss("of another version: run `xinyin migrate`")
    except OperationalError as error:
        raise _Amiss(str(error.orig).partition("\n")[0]) from error
    finally:
        database.dispose()
    return database.dialect


def _tried(name: str, ask: Callable[[], str]) -> Check:
    try:
        return Check(name=name, ok=True, detail=ask())
    except (CryptoError, RuntimeError, _Amiss) as error:
        return Check(name=name, ok=False, detail=str(error))
