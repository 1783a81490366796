"""`xinyin dev`, `serve`, `worker` and `migrate`: running the service."""

import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvicorn
from rich.console import Console
from rich.table import Table

from admin import build, devworld, faces
from admin import settings as configuration
from admin.deferring import at_work
from admin.housekeeping import kept_clean
from admin.settings import Settings, SettingsRefused
from idp.realname import RealNames
from kernel import logs
from kernel.clock import SystemClock

_log = structlog.get_logger("xinyin.worker")
PORTAL_URL = "http://127.0.0.1:8100"
_KEPT = f"(in the data folder's {devworld.WORLD})"
"""Said instead of a secret where nobody sits at a terminal: what is written there is a log."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("dev")(dev)
    app.command("serve")(serve)
    app.command("worker")(worker)
    app.command("migrate")(migrate)


def dev(
    home: Annotated[Path, typer.Option(help="Data folder; made and filled with an invented world.")] = Path("dev-data"),
    *,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1, max=65535)] = 8000,
    portal_url: Annotated[str, typer.Option(help="Where the example portal runs.")] = PORTAL_URL,
) -> None:
    """Serve on this machine with invented people, keys and seals: to try things on, never for production."""
    _log_as_json()
    clock = SystemClock()
    settings = devworld.settings_of(devworld.load(home=home, port=port))
    world = devworld.read(home) or devworld.make(settings, portal_url=portal_url, clock=clock)
    with devworld.held(home):
        _introduce(settings, world)
        _run(settings, real_names=devworld.population(), working=True)


def serve() -> None:
    """Serve in production, on the settings of this environment; refuses anything made for development."""
    _log_as_json()
    settings = configuration.load()
    configuration.require_production(settings)
    _run(settings)


def worker(
    *,
    threads: Annotated[int, typer.Option(help="How many jobs are done at once; for more start more of these.")] = 1,
    until_idle: Annotated[bool, typer.Option("--until-idle", help="Do what is due, and end.")] = False,
) -> None:
    """Do what was asked for and is done later: batches, webhooks, time stamps, and bringing stuck sealings to an end.

    On SIGTERM what is in hand is finished and nothing new is taken.
    """
    _log_as_json()
    settings = configuration.load()
    # A folder of invented things is served by `dev`; a worker beside it shows how several share the work.
    if not (settings.home / configuration.DEV_MARK).exists():
        configuration.require_production(settings)
    with build.services(settings) as service:
        if until_idle:
            service.deferred.unsealed.sweep()
            service.deferred.late.remember()
            service.deferred.news.tell()
            while service.deferred.worker().drain():
                pass
            return
        ended = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        with at_work(service, threads=threads):
            _log.info("worker_began", threads=threads)
            ended.wait()
            _log.info("worker_ends")


def migrate() -> None:
    """Make the data folder, the key vault and the database, or bring them up to this version."""
    settings = configuration.load()
    build.prepare(settings)
    Console().print(
        f"[green]✓[/] {settings.home} is ready. Put trusted CA certificates into {settings.home / 'trust'}."
    )


def _log_as_json() -> None:
    logs.configure(sys.stderr)
    faces.quiet_library_logs()


def _run(settings: Settings, *, real_names: RealNames | None = None, working: bool = False) -> None:
    with (
        _bound(settings) as listener,
        build.services(settings, real_names=real_names) as service,
        kept_clean(service.idp.sweep, service.authorities.keep, service.refresher.keep),
        at_work(service) if working else nullcontext(),
    ):
        service.idp.keys.ring()  # Better known now than at the first login: the vault opens, and a key signs tokens.
        config = uvicorn.Config(
            faces.application(service),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            timeout_graceful_shutdown=10,
        )
        with suppress(KeyboardInterrupt):  # raised again once everything has ended in order
            uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def _bound(settings: Settings) -> Iterator[socket.socket]:
    """Take the port before anything is built: whether it can be had is the first thing to know."""
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            where = f"{settings.host} port {settings.port}"
            raise SettingsRefused(f"{where} cannot be listened on: {error.strerror}. Name another port.") from error
        yield listener


def _introduce(settings: Settings, world: devworld.DevWorld) -> None:
    secrets = world if sys.stderr.isatty() else None
    table = Table(show_header=False, title="信印 Xinyin - DEVELOPMENT ONLY", title_justify="left")
    table.add_row("service", settings.public_url)
    table.add_row("discovery", f"{settings.public_url}/.well-known/openid-configuration")
    table.add_row("citizen", f"{world.citizen_login} / {secrets.citizen_password if secrets else _KEPT}")
    if world.officer_password:
        officers = " or ".join(login for login, _ in devworld.OFFICERS)
        table.add_row("console", f"{settings.public_url}/console")
        table.add_row("officers", f"{officers} / {secrets.officer_password if secrets else _KEPT}")
    table.add_row("portal client", f"{world.portal_id} / {secrets.portal_secret if secrets else _KEPT}")
    table.add_row("department client", f"{world.department_id} / {secrets.department_secret if secrets else _KEPT}")
    table.add_row("seal", world.seal)
    table.add_row("data folder", str(settings.home.resolve()))
    Console(stderr=True).print(table)
