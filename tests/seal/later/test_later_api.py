"""Late stamps through HTTP, and of what a batch sealed."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from crypto.digests import sm3
from kernel.guard import BearerGuard
from kernel.principal import Principal
from kernel.problem import install
from seal.api import seal_router
from seal.model import TimeSource, Verdict
from seal.verifying import Verifier
from tests.seal.batches.conftest import Desk
from tests.seal.conftest import CLERK, SEAL
from tests.sims.tsa import Mood

from .conftest import Post

BASE = "/api/seals/v1"


class Tokens:
    """Knows everybody as the clerk."""

    def principal(self, token: str) -> Principal:
        del token
        return CLERK


@pytest.fixture
def http(post: Post) -> Iterator[TestClient]:
    app, verifier = FastAPI(), Verifier(post.house.trust)
    install(app)
    routes = seal_router(
        service=post.service,
        unsealed=post.house.unsealed(),
        register=post.house.register,
        verifier=verifier,
        guard=BearerGuard(Tokens()),
        clock=post.house.clock,
    )
    app.include_router(routes)
    with TestClient(app, headers={"Authorization": "Bearer clerk"}) as client:
        yield client
    verifier.close()


def test_callers_are_told_that_a_stamp_follows_and_where_the_stamped_file_is(
    http: TestClient, post: Post, pdf: bytes
) -> None:
    sealings, key = f"{BASE}/seals/{SEAL}/sealings", {"Idempotency-Key": "k"}
    answer = http.post(sealings, content=pdf, headers=key)
    told, location = answer.json(), answer.headers["location"]
    assert (answer.status_code, told["trusted_time"], told["level"]) == (201, "pending", "b-b")
    assert told["stamped_sm3"] is None
    found = {each["code"]: each["verdict"] for each in told["report"]["signatures"][0]["findings"]}
    assert found["TIME_NOT_PROVED"] == "valid"
    (waiting,) = http.get(f"{BASE}/sealings", params={"state": "unstamped"}).json()
    assert (waiting["id"], waiting["trusted_time"]) == (told["id"], "pending")
    assert waiting["owed_at"]
    first = http.get(told["document_url"]).content
    assert sm3(first).hex() == told["file_sm3"]

    post.sim.mood = Mood.GOOD
    post.work()
    state = http.get(location).json()
    newest = http.get(told["document_url"]).content
    assert (state["trusted_time"], state["level"], state["owed_at"]) == ("proved", "b-t", None)
    assert (state["file_sm3"], state["stamped_sm3"]) == (told["file_sm3"], sm3(newest).hex())
    assert newest != first
    for version in ("first", told["file_sm3"]):
        assert http.get(told["document_url"], params={"version": version}).content == first
    assert http.get(told["document_url"], params={"version": state["stamped_sm3"]}).content == newest
    missing = http.get(told["document_url"], params={"version": "0" * 64})
    assert (missing.status_code, missing.json()["code"]) == (404, "sealing_unknown")
    assert http.get(told["document_url"], params={"version": "second"}).status_code == 422
    assert http.get(f"{BASE}/sealings", params={"state": "unstamped"}).json() == []
    # Asked again, the answer is the same but for what has come since.
    again = http.post(sealings, content=pdf, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == {**told, "trusted_time": "proved", "stamped_sm3": state["stamped_sm3"]}


def test_what_a_batch_sealed_without_a_stamp_gets_one(post: Post) -> None:
    desk = Desk(post.house, {})
    batch = desk.create(3)
    desk.worker(sealing=post.service).drain()
    assert desk.states(batch) == ["sealed"] * 3
    assert post.jobs() == 3
    post.sim.mood = Mood.GOOD
    post.work()
    for item in desk.batches.items(batch.id, CLERK):
        assert item.sealing is not None
        report = post.house.judge(post.service.document(item.sealing, CLERK)[0])
        assert (report.verdict, report.signatures[0].time_source) == (Verdict.VALID, TimeSource.TIMESTAMP)
