"""Our provider on a port of this machine, for clients that nobody here wrote."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from socket import AF_INET, IPPROTO_TCP, SOCK_STREAM, socket

import httpx2
import uvicorn
from starlette.applications import Starlette

from crypto.suites import ES256
from crypto.vaults.soft import SoftVault
from idp.api import routes
from idp.passwords import Passwords
from idp.service import Idp
from kernel.audit import AuditLog
from kernel.clock import SystemClock
from kernel.db import Database
from kernel.page import Pages
from kernel.problem import install
from tests.cheap import CHEAP

PASSWORD = "a long enough password"
NAME = "欧阳晓云"


@dataclass(frozen=True, kw_only=True)
class Provider:
    """A provider at ``issuer`` with one person, login ``ouyang``."""

    issuer: str
    idp: Idp


def free_port() -> int:
    with socket(AF_INET, SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path) -> Iterator[Provider]:
    """Serve until the block ends."""
    # With the protocol named, asyncio sends small answers at once (TCP_NODELAY).
    listening = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
    database = Database(f"sqlite:///{folder / 'idp.db'}")
    database.create_all()
    vault = SoftVault.create(folder / "vault", "a passphrase of the tests", cost=CHEAP)
    idp = Idp(
        issuer=issuer,
        database=database,
        audit=AuditLog(),
        clock=SystemClock(),
        vault=vault,
        passwords=Passwords(memory_mib=1),
    )
    idp.keys.begin(vault.generate(ES256))
    idp.registry.create_person(login="ouyang", password=PASSWORD, name=NAME)
    app = Starlette(routes=routes(idp, Pages(("idp",), csrf_key=bytes(32), secure=False)))
    install(app)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", access_log=False))
    serving = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    serving.start()
    try:
        yield Provider(issuer=issuer, idp=idp)
    finally:
        server.should_exit = True
        serving.join(20)
        listening.close()
        database.dispose()


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "input":
            self.fields[given["name"]] = given.get("value", "")


def press(browser: httpx2.Client, page: httpx2.Response, action: str, **values: str) -> httpx2.Response:
    """Fill in the form of a page of ours and press a button."""
    reader = _FormReader()
    reader.feed(page.text)
    return browser.post(str(page.url), data={**reader.fields, **values, "action": action})
