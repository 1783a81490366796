"""An office that writes letters: templates, batches of rows and a worker, on the town's ground."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Client

from kernel import problem
from kernel.guard import BearerGuard
from kernel.jobs import Jobs, Worker
from kernel.outbox import Outbox
from license_store.letters.api import letter_router
from license_store.letters.model import LetterBody, LetterField
from license_store.letters.printing import LetterPrinter
from license_store.letters.service import LetterService
from license_store.letters.source import SOURCE, LetterSource
from license_store.typesetting import Typesetter
from seal.batches import BatchService
from seal.batches.api import batch_router
from seal.batches.running import BatchRunner
from seal.fonts import packaged_font
from seal.webhooks.store import listening
from tests.inprocess import browser
from tests.license_store.town import BASE_URL, CLERK, SEAL, STRANGER, Tokens, Town

WRITER = replace(CLERK, rights=frozenset({f"seal.use:{SEAL}", "license.template:*"}))
ELSEWHERE = replace(WRITER, subject="elsewhere", organisation="11990100MB0000000P")
CALLERS = {"writer": WRITER, "elsewhere": ELSEWHERE, "stranger": replace(STRANGER, rights=frozenset())}
BODY = LetterBody(
    title="示例市市场监督管理局准予许可决定书",
    number="示市监许〔2026〕{号}号",
    addressee="{申请人}：",
    paragraphs=("你单位提出的{事项}申请，经审查，符合法定条件。{附注}", "决定准予许可。"),
    issuer="示例市市场监督管理局",
    date="{日期}",
    fields=(
        LetterField(name="号", max_length=10),
        LetterField(name="申请人"),
        LetterField(name="事项"),
        LetterField(name="日期", max_length=20),
        LetterField(name="附注", max_length=200, required=False),
    ),
)


def row(number: int = 1, **changes: str) -> dict[str, str]:
    words = {"号": f"{number}", "申请人": f"示例公司{number}", "事项": "仓储", "日期": "2026年11月22日"}
    return {**words, **changes}


def shape(**changes: Any) -> dict[str, Any]:
    """Give the body as it is sent."""
    fields = [{"name": each.name, "max_length": each.max_length, "required": each.required} for each in BODY.fields]
    return {**BODY.lines, "paragraphs": list(BODY.paragraphs), "fields": fields, **changes}


@dataclass
class Office:
    """Letters and batches of one town."""

    town: Town
    printer: LetterPrinter

    @property
    def letters(self) -> LetterService:
        return LetterService(db=self.town.db, audit=self.town.audit, clock=self.town.clock, printer=self.printer)

    @property
    def source(self) -> LetterSource:
        return LetterSource(db=self.town.db, letters=self.letters, printer=self.printer)

    @property
    def batches(self) -> BatchService:
        town = self.town
        return BatchService(
            db=town.db,
            audit=town.audit,
            clock=town.clock,
            objects=town.objects,
            register=town.register,
            sources={SOURCE: self.source},
        )

    def worker(self, sealing: Any = None, *, lease: timedelta = timedelta(minutes=2)) -> Worker:
        town = self.town
        runner = BatchRunner(
            db=town.db,
            audit=town.audit,
            clock=town.clock,
            batches=self.batches,
            sealing=sealing or town.sealer.service,
            outbox=Outbox(listening),
            examine=lambda _: None,
            jobs=Jobs(town.db, lease=lease),
            together=8,
        )
        return Worker(Jobs(town.db, lease=lease), runner.handlers)

    def client(self, token: str) -> Client:
        guard = BearerGuard(Tokens({**CALLERS}))
        app = FastAPI()
        app.include_router(letter_router(letters=self.letters, guard=guard))
        app.include_router(batch_router(batches=self.batches, guard=guard))
        problem.install(app)
        return browser(app, BASE_URL, headers={"authorization": f"Bearer {token}"} if token else {})


@pytest.fixture(scope="session")
def printer() -> LetterPrinter:
    return LetterPrinter(Typesetter(packaged_font()))


@pytest.fixture
def office(town: Town, printer: LetterPrinter) -> Office:
    return Office(town, printer)


@pytest.fixture
def writer(office: Office) -> Iterator[Client]:
    with office.client("writer") as client:
        yield client
