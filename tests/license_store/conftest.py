"""The town's fixtures: a development authority, one body with a seal, a licence service, its public desk."""

import warnings
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI

from crypto.vaults.soft import SoftVault
from kernel import problem
from kernel.audit import AuditLog
from kernel.clock import ManualClock
from kernel.db import Database
from kernel.guard import BearerGuard
from kernel.objects import ObjectStore
from kernel.page import Pages, static_app
from kernel.principal import Principal, PrincipalKind
from license_store import api, pages
from license_store.catalogue import Catalogue
from license_store.issuing import LicenseService
from license_store.public import PublicDesk
from license_store.render import Renderer
from seal.artwork import Design, draw
from seal.fonts import packaged_font
from seal.model import Report
from seal.pki.dev_ca import DevCa, DevelopmentOnly
from seal.register import SealApplication, SealRegister
from seal.sealing import SealService
from seal.verifying import verify_in_process
from tests.cheap import CHEAP
from tests.license_store.town import BASE_URL, OWNER, OWNER_NAME, SEAL, Authority, CountingSealer, Tokens, Town


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    return Renderer(packaged_font())


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("authority")
    at = datetime.fromisoformat("2026-11-22T08:00:00+00:00")
    vault = SoftVault.create(folder / "vault", "a throw-away passphrase", cost=CHEAP)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DevelopmentOnly)
        ca = DevCa.create(folder / "ca", vault, ManualClock(at))
    application = SealApplication(
        id=SEAL,
        kind=1,
        name=OWNER_NAME,
        owner=OWNER,
        owner_name=OWNER_NAME,
        picture=draw(Design(kind="department", name=OWNER_NAME, line="电子证照专用章")),
        valid_from=at,
        valid_to=at + timedelta(days=900),
    )
    keys = ca.issue_for_seal(SEAL, owner=OWNER, owner_name=OWNER_NAME)
    return Authority(vault=vault, ca=ca, application=application, keys=keys)


@pytest.fixture
def town(database: Database, clock: ManualClock, authority: Authority, renderer: Renderer, tmp_path: Path) -> Town:
    audit = AuditLog()
    objects = ObjectStore.folder(tmp_path)
    register = SealRegister(database, audit, clock)
    maker = Principal(subject="maker", kind=PrincipalKind.OPERATOR, rights=frozenset({"seal.make:*", "seal.manage:*"}))
    register.make(authority.application, keys=authority.keys, maker=authority.ca.maker(), actor=maker)

    def judge(document: bytes) -> Report:
        return verify_in_process(document, authority.ca.trust())

    sealing = SealService(
        db=database,
        audit=audit,
        clock=clock,
        objects=objects,
        vault=authority.vault,
        register=register,
        judge=judge,
    )
    sealer = CountingSealer(sealing)
    catalogue = Catalogue()
    service = LicenseService(
        db=database,
        audit=audit,
        clock=clock,
        objects=objects,
        catalogue=catalogue,
        renderer=renderer,
        seals=register,
        sealer=sealer,
        base_url=BASE_URL,
    )
    desk = PublicDesk(db=database, audit=audit, objects=objects, catalogue=catalogue, judge=judge, clock=clock)
    app = FastAPI()
    page = Pages(["license_store"], csrf_key=bytes(32), secure=False)
    app.include_router(pages.router(page, desk, base_url=BASE_URL))
    app.include_router(api.public_router(desk))
    app.include_router(api.router(service, catalogue, BearerGuard(Tokens())))
    app.mount("/static", static_app())
    problem.install(app, page=page.error)
    return Town(
        db=database,
        clock=clock,
        audit=audit,
        objects=objects,
        folder=tmp_path,
        register=register,
        sealer=sealer,
        service=service,
        desk=desk,
        app=app,
    )
