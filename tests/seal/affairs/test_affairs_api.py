"""Affairs and seals' files through HTTP."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from crypto.digests import sm3
from kernel.errors import Unauthenticated
from kernel.guard import BearerGuard
from kernel.principal import Principal, PrincipalKind
from kernel.problem import install
from seal.affairs.actions import Action
from seal.affairs.api import affairs_router
from seal.affairs.desk import SealDesk
from tests.seal.affairs.conftest import ALICE, BOB, CAROL, NEW, PROPOSING, Office, person
from tests.seal.conftest import OWNER, SEAL

BASE = "/api/seals/v1"
SYSTEM = person("system", *PROPOSING, "seal.approve", kind=PrincipalKind.CLIENT, organisation=OWNER)
CALLERS = {"alice": ALICE, "bob": BOB, "carol": CAROL, "system": SYSTEM, "eve": person("eve")}


class Tokens:
    """Knows callers by name."""

    def principal(self, token: str) -> Principal:
        if token not in CALLERS:
            raise Unauthenticated("no such token")
        return CALLERS[token]


@pytest.fixture
def http(office: Office) -> Iterator[TestClient]:
    app = FastAPI()
    install(app)
    desk = SealDesk(db=office.db, register=office.register)
    app.include_router(
        affairs_router(affairs=office.affairs, desk=desk, guard=BearerGuard(Tokens()), clock=office.clock)
    )
    with TestClient(app) as client:
        yield client


def by(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


def test_a_seal_is_applied_for_reviewed_made_filed_and_activated(http: TestClient, office: Office) -> None:
    kept = http.post(f"{BASE}/papers", content=b"application", headers=by("system"))
    assert (kept.status_code, kept.json()["object_key"]) == (201, sm3(b"application").hex())
    paper = {"kind": "application", "object_key": kept.json()["object_key"]}
    payload = dict(office.payload(Action.MAKE))
    payload |= {name: payload[name].isoformat() for name in ("valid_from", "valid_to")}
    asked = {"action": "make", "seal": NEW, "payload": payload, "reason": "新设", "papers": [paper]}
    made = http.post(f"{BASE}/affairs", json=asked, headers=by("system"))
    assert (made.status_code, made.json()["standing"]) == (201, "waiting_for_review")
    assert http.get(made.headers["location"], headers=by("bob")).json() == made.json()
    assert http.get(f"{made.headers['location']}/papers/{paper['object_key']}", headers=by("bob")).content == (
        b"application"
    )

    def say(affair: dict[str, str], verdict: str, who: str) -> dict[str, object]:
        word = {"verdict": verdict, "payload_sm3": affair["payload_sm3"]}
        answer = http.post(f"{BASE}/affairs/{affair['id']}/decisions", json=word, headers=by(who))
        told: dict[str, object] = answer.json()
        return told

    assert say(made.json(), "approve", "carol")["code"] == "affair_not_ready"
    assert say(made.json(), "approve", "system")["code"] == "second_person_needed"
    assert [one["id"] for one in http.get(f"{BASE}/affairs?waiting=true", headers=by("bob")).json()["affairs"]] == [
        made.json()["id"]
    ]
    assert say(made.json(), "review", "bob")["standing"] == "waiting_for_approval"
    done = say(made.json(), "approve", "carol")
    assert (done["standing"], done["outcome"]) == ("carried_out", {"status": "made", "version": 1})
    assert say(made.json(), "approve", "carol")["code"] == "second_person_needed"

    filing = {"filing_number": "备1", "body": "某某市公安局"}
    asked = {"action": "file", "seal": NEW, "payload": filing, "reason": "备案"}
    assert http.post(f"{BASE}/affairs", json=asked, headers=by("alice")).json()["standing"] == "carried_out"
    asked = {"action": "activate", "seal": NEW, "reason": "启用"}
    say(http.post(f"{BASE}/affairs", json=asked, headers=by("alice")).json(), "approve", "carol")

    seal = http.get(f"{BASE}/seals/{NEW}", headers=by("system")).json()
    assert (seal["status"], seal["version"], seal["use_policy"]) == ("active", 1, "open")
    assert (seal["filing"]["body"], len(seal["certificates"])) == ("某某市公安局", 2)
    history = http.get(f"{BASE}/seals/{NEW}/history", headers=by("alice")).json()
    assert [change["status"] for change in history["changes"]] == ["made", "filed", "active"]
    assert history["changes"][0]["affair"] == made.json()["id"]


def test_refusals_are_told_by_their_codes(http: TestClient) -> None:
    asked = {"action": "suspend", "seal": SEAL, "reason": "r"}
    refused = {
        "forbidden": http.post(f"{BASE}/affairs", json=asked, headers=by("bob")),
        "request_invalid": http.post(f"{BASE}/affairs", json={**asked, "more": 1}, headers=by("alice")),
        "affair_refused": http.post(f"{BASE}/affairs", json={**asked, "payload": {"x": 1}}, headers=by("alice")),
        "seal_not_usable": http.post(f"{BASE}/affairs", json={**asked, "action": "resume"}, headers=by("alice")),
        "seal_unknown": http.get(f"{BASE}/seals/{SEAL}", headers=by("eve")),
        "affair_unknown": http.get(f"{BASE}/affairs/none", headers=by("alice")),
        "token_missing": http.get(f"{BASE}/affairs"),
    }
    assert {code: answer.json()["code"] for code, answer in refused.items()} == {code: code for code in refused}
    assert http.post(f"{BASE}/papers", content=b"x", headers=by("eve")).status_code == 403
    affair = http.post(f"{BASE}/affairs", json=asked, headers=by("alice")).json()
    word = {"verdict": "approve", "payload_sm3": "0" * 64}
    stale = http.post(f"{BASE}/affairs/{affair['id']}/decisions", json=word, headers=by("carol"))
    assert (stale.status_code, stale.json()["code"]) == (409, "affair_hash_mismatch")
    assert http.get(f"{BASE}/affairs/{affair['id']}/papers/{'0' * 64}", headers=by("carol")).status_code == 404


def test_the_api_tells_a_repeated_proposal(http: TestClient) -> None:
    asked = {"action": "suspend", "seal": SEAL, "reason": "r"}
    headers = {**by("alice"), "Idempotency-Key": "SUSPEND-2026-1"}
    made = http.post(f"{BASE}/affairs", json=asked, headers=headers)
    again = http.post(f"{BASE}/affairs", json=asked, headers=headers)
    assert (made.status_code, again.status_code) == (201, 201)
    assert again.json() == made.json()
    assert again.headers["location"] == made.headers["location"]
    assert "idempotency-replayed" not in made.headers
    assert again.headers["idempotency-replayed"] == "true"
    other = http.post(f"{BASE}/affairs", json={**asked, "reason": "s"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


def test_the_description_lists_every_operation_with_its_refusals(http: TestClient) -> None:
    described = http.get("/openapi.json").json()
    found = {one["operationId"]: set(one["responses"]) for path in described["paths"].values() for one in path.values()}
    assert set(found) == {
        "keepPaper",
        "proposeAffair",
        "listAffairs",
        "getAffair",
        "getAffairPaper",
        "decideAffair",
        "getSeal",
        "getSealHistory",
    }
    assert {"200", "400", "401", "403", "404", "409", "422", "503"} <= found["decideAffair"]
    assert all("401" in statuses for statuses in found.values())
