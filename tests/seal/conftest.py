"""A small world of sealing: an authority, a registered seal, documents, and the service on each database."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import typst

from crypto.keys import KeyVault
from crypto.vaults.soft import KdfCost, SoftVault
from kernel.audit import AuditLog, entries
from kernel.clock import ManualClock
from kernel.db import Database
from kernel.objects import ObjectStore
from kernel.outbox import Outbox
from kernel.principal import Principal, PrincipalKind
from seal.artwork import Design, draw
from seal.fonts import packaged_seal_font
from seal.formats.ofd import Page, Text, write_simple_ofd
from seal.formats_table import SEALING_FORMATS, SealingFormat
from seal.model import Picture, Report, Seal, SealId
from seal.pki.dev_ca import DevCa, DevelopmentOnly
from seal.register import SealApplication, SealRegister, SigningKey
from seal.request import SealRequest
from seal.sealing import SealService
from seal.stamping import Stamper
from seal.trust import Trust
from seal.trust.evidence import EvidenceSource
from seal.unsealed import Unsealed
from seal.verifying import verify_in_process
from seal.webhooks.store import listening
from tests import given
from tests.sims.registrar import Registrar

START, PASSPHRASE = given.START, given.PASSPHRASE
SEAL = SealId(given.SEAL_NUMBER)
OWNER, OWNER_NAME = "11440300MB2C92173P", "某某市政务服务数据管理局"
CLERK = Principal(
    subject="approval-office", kind=PrincipalKind.CLIENT, rights=frozenset({f"seal.use:{SEAL}"}), organisation=OWNER
)


@dataclass(frozen=True)
class Authority:
    """What outlives a test because it costs time: keys, certificates and the artwork."""

    folder: Path
    vault: SoftVault
    ca: DevCa
    keys: tuple[SigningKey, ...]
    picture: Picture


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("authority")
    vault = SoftVault.create(folder / "vault", PASSPHRASE, cost=KdfCost(passes=1, memory_kib=64, lanes=1))
    with pytest.warns(DevelopmentOnly):
        ca = DevCa.create(folder / "ca", vault, ManualClock(START))
    keys = ca.issue_for_seal(SEAL, owner=OWNER, owner_name=OWNER_NAME)
    words = Design(kind="department", name=OWNER_NAME, line="审批专用章", code="4403000000001")
    return Authority(folder, vault, ca, keys, draw(words, font=packaged_seal_font(), dpi=300))


def application(authority: Authority, **changes: object) -> SealApplication:
    fields: dict[str, object] = {
        "id": SEAL,
        "kind": 1,
        "name": f"{OWNER_NAME}审批专用章",
        "owner": OWNER,
        "owner_name": OWNER_NAME,
        "picture": authority.picture,
        "valid_from": START,
        "valid_to": START + timedelta(days=365),
    }
    return SealApplication(**(fields | changes))  # type: ignore[arg-type]


@dataclass
class House:
    """One installation: register and service over one database, with a seal in it."""

    db: Database
    clock: ManualClock
    audit: AuditLog
    objects: ObjectStore
    authority: Authority
    register: SealRegister
    registrar: Registrar
    seal: Seal
    trust: Trust

    def service(
        self,
        *,
        vault: KeyVault | None = None,
        judge: Callable[[bytes], Report] | None = None,
        stamper: Stamper | None = None,
        evidence: EvidenceSource | None = None,
        formats: Mapping[str, SealingFormat] = SEALING_FORMATS,
        lease: timedelta = timedelta(minutes=2),
        max_document: int = 1024 * 1024,
    ) -> SealService:
        return SealService(
            db=self.db,
            audit=self.audit,
            clock=self.clock,
            objects=self.objects,
            vault=vault or self.authority.vault,
            register=self.register,
            judge=judge or self.judge,
            stamper=stamper,
            evidence=evidence,
            formats=formats,
            lease=lease,
            max_document=max_document,
            outbox=self.outbox,
        )

    @property
    def outbox(self) -> Outbox:
        return Outbox(listening)

    def unsealed(self, **changes: Any) -> Unsealed:
        fields = {"sealing": self.service(), "outbox": self.outbox, **changes}
        return Unsealed(db=self.db, audit=self.audit, clock=self.clock, **fields)

    def judge(self, document: bytes) -> Report:
        return verify_in_process(document, self.trust)

    def actions(self) -> list[str]:
        """List what the log tells; of putting a seal into use its making alone."""
        with self.db.read() as conn:
            assert self.audit.verify(conn).holds
            told = conn.execute(sa.select(entries.c.action).order_by(entries.c.seq)).scalars()
            return [action for action in told if action not in {"seal.filed", "seal.activated"}]


@pytest.fixture
def house(database: Database, clock: ManualClock, authority: Authority, tmp_path: Path) -> House:
    audit = AuditLog()
    register = SealRegister(database, audit, clock)
    registrar = Registrar(database, register, clock)
    seal = registrar.make(application(authority), keys=authority.keys, maker=authority.ca.maker())
    folder = tmp_path / "objects"
    folder.mkdir()
    own = authority.ca.trust()
    trust = Trust(anchors=own.anchors, seal_status=register.status_at)
    return House(database, clock, audit, ObjectStore.folder(folder), authority, register, registrar, seal, trust)


@pytest.fixture(scope="session")
def ofd() -> bytes:
    page = Page(items=(Text(x_mm=30, y_mm=40, text="准予行政许可决定书", size_mm=8),))
    return write_simple_ofd([page, page], doc_id="0" * 32, title="准予行政许可决定书", created=date(2026, 11, 22))


@pytest.fixture(scope="session")
def pdf(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    source = tmp_path_factory.mktemp("typst") / "decision.typ"
    source.write_text('#set page(paper: "a4")\n= Decision\n#pagebreak()\nGranted.', "utf-8")
    return bytes(typst.compile(str(source), format="pdf"))


def request(document: bytes, **changes: object) -> SealRequest:
    fields: dict[str, object] = {"document": document, "seal": SEAL, "reason": "准予许可", "case_number": "2026-0001"}
    return SealRequest(**(fields | changes))  # type: ignore[arg-type]


@contextmanager
def failing_inserts(db: Database, table: str) -> Iterator[None]:
    """Let every INSERT into ``table`` fail, inside the database itself, as a full disk or a bad row would."""
    if db.dialect == "sqlite":
        make = [f"CREATE TRIGGER injected BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'injected'); END"]
        drop = "DROP TRIGGER injected"
    else:
        make = [
            "CREATE FUNCTION injected() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'injected'; END$$",
            f"CREATE TRIGGER injected BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION injected()",
        ]
        drop = "DROP FUNCTION injected CASCADE"
    with db.begin() as conn:
        for statement in make:
            conn.exec_driver_sql(statement)
    yield
    with db.begin() as conn:
        conn.exec_driver_sql(drop)
