"""The door for signed requests: what reaches the application behind it, and what the caller is told."""

import re
from collections.abc import Iterator
from typing import Annotated

import httpx2
import pytest
from fastapi import Depends, FastAPI, UploadFile
from sqlalchemy.exc import OperationalError
from starlette.requests import Request

from crypto.digests import sm3
from kernel.errors import Unauthenticated
from kernel.guard import EitherGuard
from kernel.principal import Principal, PrincipalKind
from kernel.problem import install
from kernel.signed import EMPTY, SignedRequest
from kernel.signed_door import SignedDoor
from tests.inprocess import browser
from tests.kernel.conftest import DevTokens, Lines

MOST = 3000


class DevSignatures:
    """Believes whoever signs with one's own nonce, and fails on demand."""

    failure: Exception | None = None

    def principal(self, signed: SignedRequest) -> Principal:
        if self.failure is not None:
            raise self.failure
        if signed.signature != sm3(signed.nonce.encode()):
            raise Unauthenticated("It is not signed.")
        return Principal(subject="gateway", kind=PrincipalKind.CLIENT, rights=frozenset())


def signed(body: bytes = b"", more: dict[str, str] | None = None) -> dict[str, str]:
    given = {
        "X-App-Key": "ak_" + "a" * 26,
        "X-Timestamp": "1795334400",
        "X-Nonce": "n" * 16,
        "X-Signature": sm3(b"n" * 16).hex(),
        "X-Content-SM3": sm3(body).hex() if body else EMPTY,
    }
    return {**given, **(more or {})}


@pytest.fixture
def signatures() -> DevSignatures:
    return DevSignatures()


@pytest.fixture
def http(signatures: DevSignatures, lines: Lines) -> Iterator[httpx2.Client]:
    del lines
    app = FastAPI()
    caller = Annotated[Principal, Depends(EitherGuard(DevTokens()))]

    @app.post("/api/parts")
    async def parts(principal: caller, request: Request) -> list[int]:
        del principal
        return [len(part) async for part in request.stream() if part]

    @app.post("/api/form")
    def form(principal: caller, file: UploadFile) -> str:
        return f"{principal.subject} {len(file.file.read())}"

    @app.delete("/api/thing")
    def end(principal: caller) -> str:
        return principal.subject

    app.add_middleware(SignedDoor, verifier=signatures, authority="h.example", paths=re.compile(r"/api/.*"))
    install(app, max_body=MOST)
    with browser(app, "https://h.example") as client:
        yield client


def test_a_body_passes_in_the_parts_it_came_in_and_not_at_all_if_it_is_another(http: httpx2.Client) -> None:
    assert http.post("/api/parts", content=b"x" * 2000, headers=signed(b"x" * 2000)).json() == [2000]
    other = http.post("/api/parts", content=b"y" * 2000, headers=signed(b"x" * 2000))
    assert (other.status_code, other.json()["code"]) == (401, "body_altered")
    assert other.headers["www-authenticate"] == 'XINYIN-HMAC-SM3 error="body_altered"'


def test_a_form_is_checked_before_anyone_sees_its_file(http: httpx2.Client) -> None:
    made = http.build_request("POST", "/api/form", files={"file": ("a", b"x" * 100)})
    body, kind = made.read(), made.headers["content-type"]
    assert (
        http.post("/api/form", content=body, headers=signed(body, more={"Content-Type": kind})).json() == "gateway 100"
    )
    swapped = http.post(
        "/api/form", content=body.replace(b"x", b"y"), headers=signed(body, more={"Content-Type": kind})
    )
    assert swapped.json()["code"] == "body_altered"


def test_a_body_is_bounded_before_and_after_its_caller_is_known(http: httpx2.Client) -> None:
    long = b"x" * (MOST + 1)
    for headers in (signed(long), signed(long, more={"X-Signature": "0" * 64})):
        assert http.post("/api/parts", content=long, headers=headers).status_code == 413


def test_a_signed_method_is_the_one_that_is_done(http: httpx2.Client) -> None:
    assert http.delete("/api/thing", headers=signed()).json() == "gateway"
    overridden = http.post("/api/parts", headers=signed(more={"X-HTTP-Method-Override": "DELETE"}))
    assert overridden.json() == []


def test_a_database_that_is_away_is_told_as_everywhere(http: httpx2.Client, signatures: DevSignatures) -> None:
    signatures.failure = OperationalError("SELECT secret", {}, Exception("gone"))
    answer = http.delete("/api/thing", headers=signed())
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert "secret" not in answer.text


def test_a_token_is_good_as_before_and_nobody_names_the_signer_in_headers(http: httpx2.Client) -> None:
    assert http.delete("/api/thing", headers={"Authorization": "Bearer good-token"}).json() == "c1"
    forged = http.delete("/api/thing", headers={"xinyin.signed_by": "gateway", "xinyin-signed-by": "gateway"})
    assert forged.json()["code"] == "token_missing"
