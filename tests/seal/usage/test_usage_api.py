"""Uses through HTTP: asking, deciding, sealing, the ledger, its export, grants."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from kernel.errors import Unauthenticated
from kernel.guard import BearerGuard
from kernel.principal import Principal
from kernel.problem import install
from seal.affairs.desk import SealDesk
from seal.api import seal_router
from seal.model import UsePolicy
from seal.usage.api import usage_router
from seal.usage.ledger import UsageLedger
from seal.verifying import Verifier
from tests.seal.conftest import CLERK, OWNER, SEAL, Authority, House
from tests.seal.usage.conftest import AUDITOR, OFFICER, give, set_policy, uses_of

BASE = "/api/seals/v1"
CALLERS = {
    "clerk": CLERK,
    "officer": OFFICER,
    "auditor": AUDITOR,
    "stranger": replace(CLERK, subject="stranger", organisation=None, rights=frozenset({f"seal.use:{SEAL}"})),
}


class Tokens:
    """Knows some callers by name."""

    def principal(self, token: str) -> Principal:
        if token not in CALLERS:
            raise Unauthenticated("no such token")
        return CALLERS[token]


class Signer:
    """Signs by writing that it did."""

    def sign(self, manifest: bytes, at: datetime) -> dict[str, bytes]:
        del manifest, at
        return {".p7s": b"signed"}


@pytest.fixture(scope="module")
def verifier(authority: Authority) -> Iterator[Verifier]:
    one = Verifier(authority.ca.trust())
    yield one
    one.close()


@pytest.fixture
def http(house: House, verifier: Verifier) -> Iterator[TestClient]:
    app, guard = FastAPI(), BearerGuard(Tokens())
    install(app)
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
    app.include_router(
        usage_router(
            uses=uses_of(house),
            ledger=UsageLedger(db=house.db, audit=house.audit, clock=house.clock, signer=Signer()),
            desk=SealDesk(db=house.db, register=house.register),
            verifier=verifier,
            guard=guard,
            clock=house.clock,
        )
    )
    with TestClient(app, headers=by("clerk"), client=("192.0.2.7", 4711)) as client:
        yield client


def by(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_use_is_asked_for_approved_sealed_and_found_in_the_ledger(http: TestClient, house: House, ofd: bytes) -> None:
    set_policy(house, UsePolicy.APPROVED)
    sealings = f"{BASE}/seals/{SEAL}/sealings"
    refused = http.post(sealings, content=ofd)
    assert (refused.status_code, refused.json()["code"]) == (403, "use_approval_needed")

    fields = {"reason": "准予许可", "case_number": "A-1", "amount": "500", "days": "1"}
    asked = http.post(f"{BASE}/seals/{SEAL}/use-requests", files={"file": ("a.ofd", ofd)}, data=fields)
    assert asked.status_code == 201, asked.text
    told, place = asked.json(), asked.headers["location"]
    assert (told["standing"], told["pages"], told["asked"]["amount"]) == ("waiting", 2, 500)
    kept = http.get(told["document_url"], headers=by("officer"))
    assert (kept.content, kept.headers["content-type"]) == (ofd, "application/ofd")
    for path in (place, told["document_url"]):
        assert http.get(path, headers=by("stranger")).json()["code"] == "use_request_unknown"
    waiting = http.get(f"{BASE}/use-requests", params={"waiting": True}, headers=by("officer")).json()
    assert [each["id"] for each in waiting["use_requests"]] == [told["id"]]

    word = {"verdict": "approve", "request_hash": told["request_hash"], "note": "同意"}
    own = http.post(f"{place}/decision", json=word)
    assert (own.status_code, own.json()["code"]) == (403, "second_person_needed")
    decided = http.post(f"{place}/decision", json=word, headers=by("officer")).json()
    assert (decided["standing"], decided["decision"]["by"]) == ("approved", "officer")
    first, again = http.post(f"{place}/sealings"), http.post(f"{place}/sealings")
    assert (first.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert first.json()["id"] == again.json()["id"]
    assert http.get(place).json()["sealing"] == first.json()["id"]

    (row,) = http.get(f"{BASE}/ledger", params={"case_number": "A-1"}).json()["uses"]
    assert (row["client_address"], row["approval"], row["amount"]) == ("192.0.2.7", told["id"], 500)
    assert http.get(f"{BASE}/ledger", headers=by("stranger")).status_code == 403
    assert http.get(f"{BASE}/ledger", params={"seal": "44030000000002"}).status_code == 403
    for bad in ({"since": "2026"}, {"since": "0001-01-01T00:00:00+14:00"}, {"document_sm3": "x"}, {"state": "lost"}):
        assert http.get(f"{BASE}/ledger", params=bad).status_code == 422
    assert http.get(f"{BASE}/ledger", params={"after": "x"}).json()["code"] == "ledger_filter_refused"
    archive = http.get(f"{BASE}/ledger/exports/2026-11", headers=by("auditor"))
    assert archive.headers["content-disposition"] == 'attachment; filename="ledger-2026-11.zip"'
    assert "manifest.json.p7s" in zipfile.ZipFile(io.BytesIO(archive.content)).namelist()
    assert http.get(f"{BASE}/ledger/exports/november").json()["code"] == "ledger_filter_refused"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_quota_says_when_to_come_again(http: TestClient, house: House, ofd: bytes) -> None:
    grant = give(house, organisation=OWNER, per_day=1)
    sealings = f"{BASE}/seals/{SEAL}/sealings"
    assert http.post(sealings, content=ofd).status_code == 201
    refused = http.post(sealings, content=ofd)
    assert (refused.status_code, refused.json()["code"]) == (429, "grant_quota_reached")
    # START is 16:00 in Shanghai.
    assert refused.headers["retry-after"] == str(8 * 3600)
    assert grant in refused.json()["detail"]
    given = http.get(f"{BASE}/seals/{SEAL}/grants").json()["grants"]
    assert [(each["id"], each["per_day"], each["zone"]) for each in given] == [(grant, 1, "Asia/Shanghai")]
    assert http.get(f"{BASE}/seals/{SEAL}/grants", headers=by("stranger")).json()["grants"] == []
