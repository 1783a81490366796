"""What every address of an API does, whatever it is for: methods, queries, description."""

from collections.abc import Iterator
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Query
from pydantic import BaseModel
from starlette.testclient import TestClient

from kernel.description import describe, problems
from kernel.errors import Unauthenticated
from kernel.guard import BearerGuard, EitherGuard
from kernel.known_query import only_known_query
from kernel.principal import Principal
from kernel.problem import install


class Thing(BaseModel):
    """Something to send."""

    name: str


class Nobody:
    """Knows no token."""

    def principal(self, token: str) -> Principal:
        raise Unauthenticated(f"no such token of {len(token)} characters")


def depth(level: Annotated[int, Query()] = 1) -> int:
    return level


@pytest.fixture
def http() -> Iterator[TestClient]:
    app = FastAPI(dependencies=[Depends(only_known_query)])
    describe(app)

    @app.get("/things", responses=problems({409: "thing_busy"}))
    def things(limit: Annotated[int, Query(alias="most")] = 5, level: Annotated[int, Depends(depth)] = 1) -> list[int]:
        return [limit, level]

    @app.post("/things")
    def add(thing: Thing) -> Thing:
        return thing

    @app.get("/things/{number}")
    def one(number: int) -> int:
        return number

    @app.get("/page", include_in_schema=False)
    def page() -> str:
        return "page"

    install(app)
    with TestClient(app) as client:
        yield client


def test_head_is_get_without_its_body(http: TestClient) -> None:
    told, whole = http.head("/things"), http.get("/things")
    assert (told.status_code, told.content) == (200, b"")
    assert told.headers["content-length"] == whole.headers["content-length"]
    assert http.head("/nowhere").status_code == 404


@pytest.mark.parametrize(
    ("path", "allowed"), [("/things", "GET, HEAD, POST, OPTIONS"), ("/page", "GET, HEAD, OPTIONS")]
)
def test_an_address_tells_every_method_it_takes(http: TestClient, path: str, allowed: str) -> None:
    asked, wrong = http.options(path), http.delete(path)
    assert (asked.status_code, asked.content, asked.headers["allow"]) == (204, b"", allowed)
    assert (wrong.status_code, wrong.headers["allow"]) == (405, allowed)


def test_a_query_that_nobody_takes_is_refused_where_the_route_is_described(http: TestClient) -> None:
    assert http.get("/things", params={"most": 3, "level": 2}).json() == [3, 2]
    answer = http.get("/things", params={"limit": 3})
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")
    assert answer.json()["errors"] == [{"field": "query.limit", "problem": "extra_forbidden"}]
    # Messengers add to the links that people send each other.
    assert http.get("/page", params={"from": "singlemessage"}).status_code == 200


def test_the_description_names_what_every_call_may_answer(http: TestClient) -> None:
    paths = http.get("/openapi.json").json()["paths"]
    assert set(paths["/things"]["get"]["responses"]) == {"200", "409", "422", "503"}
    assert set(paths["/things"]["post"]["responses"]) == {"200", "400", "413", "422", "503"}
    refusals = [
        answer for one in paths["/things"]["post"]["responses"].items() for answer in one[1:] if one[0] != "200"
    ]
    assert all("application/problem+json" in each["content"] for each in refusals)


@pytest.mark.parametrize(("guard", "told"), [(EitherGuard(Nobody()), True), (BearerGuard(Nobody()), False)])
def test_a_call_that_may_be_signed_says_what_becomes_of_wrong_signatures(guard: BearerGuard, *, told: bool) -> None:
    app = FastAPI()
    describe(app)

    @app.get("/things", responses=problems({429: "things_busy"}))
    def things(caller: Annotated[Principal, Depends(guard)]) -> str:
        return caller.subject

    with TestClient(app) as client:
        answers = client.get("/openapi.json").json()["paths"]["/things"]["get"]["responses"]
    assert answers["401"]["description"].startswith("token_missing, token_refused")
    assert answers["429"]["description"].startswith("things_busy")
    assert ("signature_refused" in answers["401"]["description"]) is told
    assert ("signature_attempts" in answers["429"]["description"]) is told
