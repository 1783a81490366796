"""What the kernel's own tests share: an application with every kind of no behind its doorway."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
import structlog
from fastapi import Depends, FastAPI, UploadFile
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError
from starlette.requests import Request
from starlette.responses import HTMLResponse, StreamingResponse

from crypto.errors import CertificateError, EngineUnavailable
from kernel import logs, problem
from kernel.errors import Reason, Refusal, Unauthenticated
from kernel.guard import BearerGuard
from kernel.page import Pages, static_app
from kernel.principal import Principal, PrincipalKind

KEY = b"k" * 32


class Lines(io.StringIO):
    """The log of one test, as the objects that were written."""

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = Lines()
    logs.configure(stream, level=logging.DEBUG)
    yield stream
    root.handlers, root.level = before, level
    structlog.reset_defaults()


class DevTokens:
    """A verifier that knows one token."""

    def principal(self, token: str) -> Principal:
        if token != "good-token":
            raise Unauthenticated("it is not good")
        return Principal(subject="c1", kind=PrincipalKind.CLIENT, rights=frozenset({"seal.use:*"}))


class Person(BaseModel):
    id_number: str = Field(max_length=18)
    pages: int


class Busy(Refusal):
    reason, code, retry_after = Reason.TOO_MANY, "busy", 7


@pytest.fixture
def pages() -> Pages:
    return Pages(csrf_key=KEY, secure=False)


@pytest.fixture
def app(pages: Pages) -> FastAPI:
    made = FastAPI()
    _add_noes(made)
    _add_answers(made, pages)
    made.mount("/static", static_app())
    problem.install(made, page=pages.error, max_body=1000)
    return made


def _add_noes(made: FastAPI) -> None:
    @made.get("/refuse/{reason}")
    def refuse(reason: str) -> None:
        kind = type("Said", (Refusal,), {"reason": Reason(reason), "code": "said_no"})
        raise kind("Because we say so.")

    @made.get("/busy")
    def busy() -> None:
        raise Busy("Later.")

    @made.get("/bug")
    def bug() -> None:
        raise RuntimeError("the secret is 4711")

    @made.get("/half")
    def half() -> StreamingResponse:
        def parts() -> Iterator[bytes]:
            yield b"first"
            raise RuntimeError("too late")

        return StreamingResponse(parts())

    @made.get("/certificate")
    def certificate() -> None:
        raise CertificateError("it is cut short")

    @made.get("/engine")
    def engine() -> None:
        raise EngineUnavailable("install libbotan-3")

    @made.get("/database")
    def database() -> None:
        raise OperationalError("SELECT secret", {}, Exception("server gone"))


def _add_answers(made: FastAPI, pages: Pages) -> None:
    guard = BearerGuard(DevTokens())

    @made.post("/people")
    def people(person: Person) -> dict[str, int]:
        structlog.get_logger().info("person_kept", id_number=person.id_number, pages=person.pages)
        return {"pages": person.pages}

    @made.post("/files")
    def files(file: UploadFile) -> dict[str, int]:
        return {"size": len(file.file.read())}

    @made.get("/me")
    def me(principal: Annotated[Principal, Depends(guard)]) -> dict[str, str]:
        return {"subject": principal.subject}

    @made.get("/form")
    def form(request: Request) -> HTMLResponse:
        return pages.render(request, "showcase.html", at=datetime(2026, 11, 22, 8, tzinfo=UTC))


@pytest.fixture
def client(app: FastAPI, lines: Lines) -> Iterator[TestClient]:
    del lines
    with TestClient(app, base_url="http://127.0.0.1") as made:
        yield made
