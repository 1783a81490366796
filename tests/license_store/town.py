"""A small town: what stands in it, and the people who come to its counters."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from fastapi import FastAPI
from httpx2 import Client

from crypto.vaults.soft import SoftVault
from kernel.audit import AuditLog
from kernel.clock import ManualClock
from kernel.db import Database
from kernel.errors import Unauthenticated
from kernel.objects import ObjectStore
from kernel.principal import Principal, PrincipalKind
from license_store.catalogue import BUSINESS_LICENSE, Catalogue
from license_store.issuing import IssueRequest, LicenseService
from license_store.model import Holder, HolderCodeType, Validity
from license_store.public import PublicDesk
from seal.model import Judge, SealId
from seal.pki.dev_ca import DevCa
from seal.register import SealApplication, SealRegister, SigningKey
from seal.request import SealedDocument, SealRequest
from seal.sealing import SealService
from tests.inprocess import browser
from tests.sims.registrar import Registrar

SEAL = SealId("44030000000001")
OWNER = "11440300999999999D"
OWNER_NAME = "示例市市场监督管理局"
BASE_URL = "http://127.0.0.1:8000"
CLERK = Principal(
    subject="registry",
    kind=PrincipalKind.CLIENT,
    rights=frozenset({f"seal.use:{SEAL}", f"license.issue:{BUSINESS_LICENSE.code}", "license.revoke:*"}),
    organisation=OWNER,
)
STRANGER = Principal(subject="stranger", kind=PrincipalKind.CLIENT, rights=frozenset({"seal.use:*"}))
HOLDER = Holder(name="示例市虚构数据科技有限公司", code="91440300MA9999999F", code_type=HolderCodeType.ORGANISATION)
FACE = {row.name: row.example for row in BUSINESS_LICENSE.fields}


@dataclass
class CountingSealer:
    """The real sealing, which can be told to die before or after its work."""

    service: SealService
    calls: int = 0
    dies: str = ""

    def seal(self, request: SealRequest, principal: Principal) -> SealedDocument:
        self.calls += 1
        if self.dies == "before":
            raise KeyboardInterrupt
        sealed = self.service.seal(request, principal)
        if self.dies == "after":
            raise KeyboardInterrupt
        return sealed


@dataclass
class Tokens:
    """Knows two bearers."""

    known: dict[str, Principal] = field(default_factory=lambda: {"clerk": CLERK, "stranger": STRANGER})

    def principal(self, token: str) -> Principal:
        if token not in self.known:
            raise Unauthenticated("This token is not known.")
        return self.known[token]


@dataclass
class Town:
    """Everything a licence needs, and doors to look inside."""

    db: Database
    clock: ManualClock
    audit: AuditLog
    objects: ObjectStore
    folder: Path
    register: SealRegister
    registrar: Registrar
    sealer: CountingSealer
    service: LicenseService
    desk: PublicDesk
    app: FastAPI

    def client(self, token: str = "") -> Client:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return browser(self.app, BASE_URL, headers=headers)

    def stored_file(self, key: str) -> Path:
        return next(path for path in self.folder.rglob(key))


def asked(key: str = "k-1", **changes: object) -> IssueRequest:
    """Give a request that can be granted, but for ``changes``."""
    values: dict[str, object] = {
        "type_code": BUSINESS_LICENSE.code,
        "holder": HOLDER,
        "face": FACE,
        "validity": Validity(first=date(2019, 3, 1)),
        "seal": SEAL,
        "idempotency_key": key,
        "case_number": "SL-1",
    }
    return IssueRequest(**{**values, **changes})  # type: ignore[arg-type]


def another_desk(town: Town, judge: Judge) -> PublicDesk:
    """Give a desk of the same town that asks another judge."""
    return PublicDesk(
        db=town.db, audit=town.audit, objects=town.objects, catalogue=Catalogue(), judge=judge, clock=town.clock
    )


@dataclass(frozen=True)
class Authority:
    """Keys are slow to protect, so the vault and the authority are made once; the seal's keys too."""

    vault: SoftVault
    ca: DevCa
    application: SealApplication
    keys: tuple[SigningKey, ...]
