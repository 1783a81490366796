"""The whole service on ports of this machine, with a portal beside it: what a person's browser meets."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import uvicorn

from admin import devworld, faces
from admin.build import services
from admin.demo.processes import free_port, running
from admin.demo.story import EXAMPLES, Scene
from admin.settings import Settings
from kernel.clock import SystemClock
from tests.cheap import cheap

Staged = Callable[..., AbstractContextManager[Scene]]


@pytest.fixture(scope="session")
def staged() -> Staged:
    """Set a stage in a folder, on a database: service and portal run until the block ends."""
    return _staged


@contextmanager
def _staged(folder: Path, database_url: str = "") -> Iterator[Scene]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port, portal = listener.getsockname()[1], f"http://127.0.0.1:{free_port()}"
        given = Settings(
            home=folder / "home", database_url=database_url, public_url=f"http://127.0.0.1:{port}", port=port
        )
        settings = devworld.settings_of(given)
        with cheap():
            world = devworld.make(settings, portal_url=portal, clock=SystemClock())
        scene = Scene(settings=settings, portal_url=portal, out=folder / "out", world=world)
        scene.out.mkdir()
        secret = folder / "portal-secret"
        secret.write_text(world.portal_secret)
        command = [str(EXAMPLES / "portal" / "portal.py"), "--port", portal.rpartition(":")[2]]
        command += ["--issuer", scene.service, "--client-id", world.portal_id, "--secret-file", str(secret)]
        with (
            services(settings, real_names=devworld.population()) as service,
            _served(faces.application(service), listener),
            running(command, log=scene.out / "portal.log", ready=portal, env=scene.environment()),
        ):
            yield scene


@contextmanager
def _served(app: object, listener: socket.socket) -> Iterator[None]:
    config = uvicorn.Config(app, log_config=None, lifespan="off", access_log=False)  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(20)
