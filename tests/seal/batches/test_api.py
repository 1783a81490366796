"""Batches, webhooks and unsealed documents through HTTP."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from crypto.digests import sm3
from kernel.errors import Unauthenticated
from kernel.guard import BearerGuard
from kernel.principal import Principal
from kernel.problem import install
from seal.api import seal_router
from seal.batches.api import batch_router
from seal.batches.uploaded import uploaded_router
from seal.errors import SealingRejected
from seal.verifying import Verifier
from seal.webhooks import Webhooks
from seal.webhooks.api import webhook_router
from tests.reliability.sealing import document
from tests.seal.conftest import CLERK, SEAL, request

from .conftest import Desk

BASE = "/api/seals/v1"
CALLERS = {
    "clerk": replace(CLERK, rights=CLERK.rights | {"webhook.manage:*"}),
    "other": replace(CLERK, subject="other", organisation="11990100MB0000000P"),
}


class Tokens:
    """Knows two callers by name."""

    def principal(self, token: str) -> Principal:
        if token not in CALLERS:
            raise Unauthenticated("no such token")
        return CALLERS[token]


@pytest.fixture
def http(desk: Desk) -> Iterator[TestClient]:
    app, house, guard = FastAPI(), desk.house, BearerGuard(Tokens())
    install(app)
    verifier = Verifier(house.trust)
    app.include_router(
        seal_router(
            service=house.service(),
            unsealed=house.unsealed(),
            register=house.register,
            verifier=verifier,
            guard=guard,
            clock=house.clock,
        )
    )
    app.include_router(batch_router(batches=desk.batches, guard=guard))
    app.include_router(
        uploaded_router(batches=desk.batches, sealing=house.service(), examine=verifier.examine, guard=guard)
    )
    webhooks = Webhooks(db=house.db, audit=house.audit, clock=house.clock, key=lambda: b"k" * 32)
    app.include_router(webhook_router(webhooks=webhooks, guard=guard))
    with TestClient(app, headers={"Authorization": "Bearer clerk"}) as client:
        yield client
    verifier.close()


def order(http: TestClient, *names: str) -> dict[str, object]:
    files = [http.post(f"{BASE}/uploads", content=document(name)) for name in names]
    assert {answer.status_code for answer in files} == {201}
    items = [{"sm3": answer.json()["sm3"], "case_number": name} for answer, name in zip(files, names, strict=True)]
    return {"seal": SEAL, "items": items}


def test_a_batch_from_upload_to_zip(http: TestClient, desk: Desk) -> None:
    wanted = order(http, "A-1", "A-2", "A-3")
    made = http.post(f"{BASE}/batches", json=wanted, headers={"Idempotency-Key": "k"})
    assert made.status_code == 202
    place = made.headers["location"]
    assert http.post(f"{BASE}/batches", json=wanted, headers={"Idempotency-Key": "k"}).headers["location"] == place
    assert http.get(place).json()["open"] == 3
    desk.worker().drain()
    told = http.get(place).json()
    assert (told["state"], told["sealed"], told["failed"], told["open"]) == ("completed", 3, 0, 0)
    first = http.get(told["items_url"], params={"limit": 2}).json()
    rest = http.get(told["items_url"], params={"limit": 2, "after": first["next"]}).json()
    assert [item["case_number"] for item in first["items"] + rest["items"]] == ["A-1", "A-2", "A-3"]
    assert (first["next"], rest["next"]) == (2, None)
    one = first["items"][0]
    assert sm3(http.get(one["document_url"]).content).hex() == one["file_sm3"]
    answer = http.get(told["results_url"])
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert len(archive.namelist()) == 4


def test_an_upload_is_sealed_by_its_name_once_for_its_own_house(http: TestClient) -> None:
    name = http.post(f"{BASE}/uploads", content=document("A-1")).json()["sm3"]
    place, key = f"{BASE}/seals/{SEAL}/uploads/{name}/sealings", {"Idempotency-Key": "k"}
    first = http.post(place, json={"case_number": "A-1"}, headers=key)
    again = http.post(place, json={"case_number": "A-1"}, headers=key)
    assert (first.status_code, first.json()["report"]["verdict"]) == (201, "valid")
    assert (again.json()["id"], again.headers["idempotency-replayed"]) == (first.json()["id"], "true")
    assert http.get(first.headers["location"]).json()["document_sm3"] == name
    other = http.post(place, json={}, headers={"Authorization": "Bearer other"})
    unknown = http.post(f"{BASE}/seals/{SEAL}/uploads/{'0' * 64}/sealings", json={})
    assert [each.json()["code"] for each in (other, unknown)] == ["upload_unknown"] * 2


def test_a_batch_is_steered_and_refuses_what_it_cannot_do(http: TestClient) -> None:
    place = http.post(f"{BASE}/batches", json=order(http, "A-1")).headers["location"]
    answers = [http.post(f"{place}/{verb}") for verb in ("pause", "pause", "resume", "cancel", "resume")]
    assert [answer.status_code for answer in answers] == [200, 409, 200, 200, 409]
    assert answers[0].json()["state"] == "paused"
    assert answers[-1].json()["code"] == "batch_refused"


def test_another_house_sees_no_batch(http: TestClient) -> None:
    place = http.post(f"{BASE}/batches", json=order(http, "A-1")).headers["location"]
    for path in (place, f"{place}/items", f"{place}/results.zip"):
        answer = http.get(path, headers={"Authorization": "Bearer other"})
        assert (answer.status_code, answer.json()["code"]) == (404, "batch_unknown")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"items": []}, 422, "request_invalid"),
        ({"items": [{"sm3": "0" * 64}]}, 404, "upload_unknown"),
        ({"items": [{"sm3": "not a digest"}]}, 422, "request_invalid"),
        ({"items": [{"sm3": "0" * 64, "placement": "nowhere"}]}, 400, "placement_refused"),
        ({"seal": "44030000000099"}, 403, "forbidden"),
        ({"colour": "red"}, 422, "request_invalid"),
    ],
)
def test_a_batch_that_cannot_be_made_is_told_why(
    http: TestClient, changes: dict[str, object], status: int, code: str
) -> None:
    answer = http.post(f"{BASE}/batches", json={"seal": SEAL, "items": [{"sm3": "0" * 64}], **changes})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_what_was_not_sealed_is_listed_and_sealed_after_all(http: TestClient, desk: Desk) -> None:
    wary = desk.house.service(judge=lambda octets: replace(desk.house.judge(octets), signatures=()))
    with pytest.raises(SealingRejected):
        wary.seal(request(document("A-1")), CLERK)
    (row,) = http.get(f"{BASE}/sealings", params={"state": "unsealed"}).json()
    assert (row["state"], row["failure"]) == ("failed", "sealing_rejected_by_verifier")
    done = http.post(f"{BASE}/sealings/{row['id']}/retry")
    assert (done.status_code, done.json()["serial"]) == (200, row["serial"])
    assert http.get(f"{BASE}/sealings", params={"state": "unsealed"}).json() == []
    assert http.get(f"{BASE}/sealings", params={"state": "all"}).status_code == 422
    other = http.post(f"{BASE}/sealings/{row['id']}/retry", headers={"Authorization": "Bearer nobody"})
    assert other.status_code == 401


def test_an_endpoint_is_registered_listed_renewed_and_ended(http: TestClient) -> None:
    made = http.post(f"{BASE}/webhooks", json={"url": "https://hooks.example.gov.cn/", "events": ["batch.completed"]})
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    place = f"{BASE}/webhooks/{made.json()['id']}"
    (listed,) = http.get(f"{BASE}/webhooks").json()
    assert "secret" not in listed
    assert http.post(f"{place}/secret").json()["secret"] != made.json()["secret"]
    assert http.get(f"{place}/deliveries").json() == []
    assert http.post(f"{place}/replay", json={"since": "2026-11-22T00:00:00Z"}).json() == {"due": 0}
    assert http.delete(place).status_code == 204
    assert http.get(f"{place}/deliveries").json()["code"] == "webhook_unknown"
    refused = http.post(f"{BASE}/webhooks", json={"url": "http://10.0.0.1/"})
    assert (refused.status_code, refused.json()["code"]) == (400, "webhook_refused")


def test_several_files_of_a_form_make_a_batch(http: TestClient, desk: Desk) -> None:
    files = [("files", (f"{each}.ofd", document(each), "application/ofd")) for each in ("a", "b")]
    order = {"seal": SEAL, "case_number": "A-1", "stop_on_error": "true"}
    key = {"Idempotency-Key": "FORM"}
    made = http.post(f"{BASE}/batches", data=order, files=files, headers=key)
    assert (made.status_code, made.json()["total"], made.json()["stop_on_error"]) == (202, 2, True)
    assert http.post(f"{BASE}/batches", data=order, files=files, headers=key).json()["id"] == made.json()["id"]
    desk.worker().drain()
    items = http.get(made.json()["items_url"]).json()["items"]
    assert [(one["state"], one["case_number"], one["document_sm3"]) for one in items] == [
        ("sealed", "A-1", sm3(document(each)).hex()) for each in ("a", "b")
    ]


@pytest.mark.parametrize(
    ("order", "field", "status", "code"),
    [
        ({"seal": SEAL}, "file", 400, "batch_invalid"),
        ({"seal": SEAL, "colour": "red"}, "files", 422, "request_invalid"),
        ({"seal": "44030000000009"}, "files", 403, "forbidden"),
    ],
)
def test_a_form_that_does_not_fit_makes_no_batch(
    http: TestClient, order: dict[str, str], field: str, status: int, code: str
) -> None:
    answer = http.post(f"{BASE}/batches", data=order, files=[(field, ("a.ofd", document("a"), "application/ofd"))])
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert http.get(f"{BASE}/batches").json() == {"batches": [], "next": None}


def test_batches_are_listed_by_pages_the_newest_first(http: TestClient, desk: Desk) -> None:
    made = [desk.create(1).id for _ in range(3)]
    first = http.get(f"{BASE}/batches", params={"limit": 2}).json()
    rest = http.get(f"{BASE}/batches", params={"limit": 2, "after": first["next"]}).json()
    assert (len(first["batches"]), rest["next"]) == (2, None)
    assert {one["id"] for one in first["batches"] + rest["batches"]} == set(made)
    assert http.get(f"{BASE}/batches", headers={"Authorization": "Bearer other"}).json()["batches"] == []
