"""A provider of the test's own, on both databases, and browsers that come to it."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from httpx2 import Client
from starlette.applications import Starlette

from crypto.keys import VaultSigner
from crypto.suites import ES256
from crypto.vaults.soft import SoftVault
from idp.api import routes
from idp.model import ClientKind, IdentityLevel, Person
from idp.passwords import Passwords
from idp.realname import DevPopulation
from idp.registry import Registered
from idp.service import Idp
from kernel.audit import AuditLog
from kernel.clock import ManualClock
from kernel.db import Database
from kernel.page import Pages
from kernel.problem import install
from tests.cheap import CHEAP
from tests.idp.portal import AFTER_LOGOUT, CALLBACK, PASSWORD, Portal
from tests.inprocess import browser

ISSUER = "https://id.example.test"
NUMBER = "11010519491231002X"


@dataclass(frozen=True, kw_only=True)
class World:
    """A provider with one portal and two people, and its doors."""

    idp: Idp
    app: Starlette
    clock: ManualClock
    database: Database
    audit: AuditLog
    population: DevPopulation
    portal: Registered
    zhangsan: Person
    lisi: Person

    def http(self) -> Client:
        """A new browser."""
        return browser(self.app, ISSUER)

    def visit(self, registered: Registered | None = None) -> Portal:
        """A new browser at a client."""
        chosen = registered or self.portal
        return Portal(self.http(), chosen.client.id, chosen.secret)


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> VaultSigner:
    vault = SoftVault.create(tmp_path_factory.mktemp("vault"), "a passphrase of the tests", cost=CHEAP)
    return VaultSigner(vault, vault.generate(ES256))


@pytest.fixture(scope="session")
def cheap_passwords() -> Passwords:
    return Passwords(memory_mib=1, rounds=1)


@pytest.fixture
def world(database: Database, clock: ManualClock, signer: VaultSigner, cheap_passwords: Passwords) -> World:
    audit = AuditLog()
    population = DevPopulation({NUMBER: "张三丰"})
    idp = Idp(
        issuer=ISSUER,
        database=database,
        audit=audit,
        clock=clock,
        vault=signer.vault,
        passwords=cheap_passwords,
        real_names=population,
    )
    idp.keys.begin(signer.key)
    app = Starlette(routes=routes(idp, Pages(("idp",), csrf_key=bytes(32))))
    install(app)
    create = idp.registry.create_person
    return World(
        idp=idp,
        app=app,
        clock=clock,
        database=database,
        audit=audit,
        population=population,
        portal=idp.registry.create_client(
            name="鹏城办事大厅", client_id="portal", redirect_uris=[CALLBACK], post_logout_uris=[AFTER_LOGOUT]
        ),
        zhangsan=create(login="zhangsan", password=PASSWORD, name="张三", level=IdentityLevel.SELF_ASSERTED),
        lisi=create(login="lisi", password=PASSWORD, name="李四"),
    )


@pytest.fixture
def portal(world: World) -> Portal:
    return world.visit()


@pytest.fixture
def public(world: World) -> Portal:
    """A browser at a client that has no secret."""
    return world.visit(
        world.idp.registry.create_client(
            name="办事 App", client_id="app", kind=ClientKind.PUBLIC, redirect_uris=[CALLBACK]
        )
    )


Department = Callable[..., Portal]


@pytest.fixture
def department(world: World) -> Department:
    """Make a department's system with rights of its own."""

    def make(*rights: str) -> Portal:
        return world.visit(
            world.idp.registry.create_client(
                name="市场监管局业务系统", rights=rights, organisation="11440300MB2C927392", scopes=()
            )
        )

    return make
