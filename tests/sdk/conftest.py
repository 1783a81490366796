"""The whole service on a port of this machine with an invented world in it, and clients of the SDK."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import uvicorn

from admin import devworld
from admin.build import Service, services
from admin.devworld import DevWorld
from admin.faces import application
from admin.settings import Settings
from kernel.clock import SystemClock
from kernel.jobs import Worker
from kernel.objects import ObjectStore
from kernel.principal import Principal, PrincipalKind
from seal.affairs.model import Verdict
from seal.errors import SealingRejected
from seal.model import Report, SealId
from seal.request import SealRequest
from seal.sealing import SealService
from tests.cheap import cheap
from xinyin_sdk import AsyncXinyin, Retries, Xinyin

SAMPLES = Path(__file__).resolve().parents[2] / "examples" / "samples"
HASTE = Retries(first=0.02, longest=0.2)


@dataclass(frozen=True, kw_only=True)
class Running:
    """A service that runs, and what its world holds."""

    url: str
    world: DevWorld
    service: Service
    secrets: dict[str, str]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def seal(self) -> str:
        return self.world.seal

    def client(self, name: str = "office", *, url: str | None = None, retries: Retries = HASTE) -> Xinyin:
        return Xinyin(url or self.url, name, client_secret=self.secrets[name], retries=retries)

    def async_client(self, name: str = "office", *, url: str | None = None) -> AsyncXinyin:
        return AsyncXinyin(url or self.url, name, client_secret=self.secrets[name], retries=HASTE)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    # With the protocol named, asyncio sends small answers at once (TCP_NODELAY).
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    home = tmp_path_factory.mktemp("sdk") / "home"
    settings = devworld.settings_of(Settings(home=home, public_url=url, port=port, webhook_hosts="127.0.0.1"))
    with listening, cheap():
        world = devworld.make(settings, portal_url="http://127.0.0.1:8100", clock=SystemClock())
        with services(settings) as service, _at_work(service):
            secrets = _clients(service, world.seal)
            config = uvicorn.Config(application(service), log_level="warning", access_log=False)
            server = uvicorn.Server(config)
            serving = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
            serving.start()
            try:
                yield Running(url=url, world=world, service=service, secrets=secrets)
            finally:
                server.should_exit = True
                serving.join(20)


@contextmanager
def _at_work(service: Service) -> Iterator[None]:
    """Do what is to be done later while the block runs, sooner than a worker in production would look."""
    stop = threading.Event()
    worker = Worker(service.deferred.jobs, service.deferred.handlers, idle=timedelta(milliseconds=50))
    working = threading.Thread(target=worker.run, args=(stop,))
    working.start()
    try:
        yield
    finally:
        stop.set()
        working.join()


def _clients(service: Service, seal: str) -> dict[str, str]:
    """Register systems: one of the department's, and one that may not seal."""
    licences = ("license.issue:*", "license.read:*", "license.revoke:*")
    life = tuple(f"seal.{verb}:{seal}" for verb in ("use", "use_digest", "apply", "file", "manage"))
    office = (*life, "webhook.manage:*", "document.renew:*", *licences)
    wanted: Sequence[tuple[str, tuple[str, ...]]] = (("office", office), ("stranger", ("license.read:*",)))
    made = {}
    for name, rights in wanted:
        made[name] = service.registry.create_client(
            name=name, client_id=name, organisation=devworld.DEPARTMENT_CODE, rights=rights
        )
    return {name: one.secret or "" for name, one in made.items()}


def decided(running: Running, use_request: str, verdict: Verdict = Verdict.APPROVE) -> None:
    """Decide a use request as the person would whose office it is."""
    rights = frozenset({f"seal.use.approve:{running.seal}"})
    chief = Principal(subject="chief", kind=PrincipalKind.PERSON, rights=rights)
    uses = running.service.uses
    uses.decide(use_request, verdict, chief, request_hash=uses.find(use_request, chief).request_hash, note="同意")


def unsealed(running: Running, document: bytes, *, case_number: str) -> None:
    """Leave a sealing of the office's that our own verifier did not accept."""
    service = running.service
    rights = frozenset({f"seal.use:{running.seal}"})
    caller = Principal(
        subject="office", kind=PrincipalKind.CLIENT, rights=rights, organisation=devworld.DEPARTMENT_CODE
    )
    wary = SealService(
        db=service.database,
        audit=service.audit,
        clock=service.clock,
        objects=ObjectStore.folder(service.settings.home / "objects"),
        vault=service.vault,
        register=service.register,
        judge=lambda _: Report(signatures=(), findings=()),
    )
    with pytest.raises(SealingRejected):
        wary.seal(SealRequest(document=document, seal=SealId(running.seal), case_number=case_number), caller)


@pytest.fixture(scope="session")
def pdf() -> bytes:
    return (SAMPLES / "approval.pdf").read_bytes()


@pytest.fixture(scope="session")
def ofd() -> bytes:
    return (SAMPLES / "approval.ofd").read_bytes()


@pytest.fixture
def office(running: Running) -> Iterator[Xinyin]:
    with running.client() as client:
        yield client
