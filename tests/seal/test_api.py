"""The API of sealing and verifying, through HTTP."""

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
from seal.api import seal_router, verify_router
from seal.model import Verdict
from seal.verifying import Verifier

from .conftest import CLERK, OWNER, OWNER_NAME, SEAL, Authority, House

SEALINGS = f"/api/seals/v1/seals/{SEAL}/sealings"
FILES = "/api/verify/v1/files"
CALLERS = {"clerk": CLERK, "stranger": replace(CLERK, subject="stranger", rights=frozenset())}


class Tokens:
    """Knows two callers by name."""

    def principal(self, token: str) -> Principal:
        if token not in CALLERS:
            raise Unauthenticated("no such token")
        return CALLERS[token]


@pytest.fixture(scope="module")
def verifier(authority: Authority) -> Iterator[Verifier]:
    one = Verifier(authority.ca.trust())
    yield one
    one.close()


@pytest.fixture
def http(house: House, verifier: Verifier) -> Iterator[TestClient]:
    app = FastAPI()
    install(app)
    routes = seal_router(
        service=house.service(),
        unsealed=house.unsealed(),
        register=house.register,
        verifier=verifier,
        guard=BearerGuard(Tokens()),
        clock=house.clock,
    )
    app.include_router(routes)
    app.include_router(verify_router(verifier=verifier))
    with TestClient(app, headers={"Authorization": "Bearer clerk"}) as client:
        yield client


def test_a_document_sent_as_the_body_is_sealed_and_fetched(http: TestClient, house: House, pdf: bytes) -> None:
    answer = http.post(SEALINGS, params={"reason": "准予许可", "case_number": "A-1"}, content=pdf)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["seal"], told["serial"], told["format"]) == (SEAL, 1, "pdf-pades-sm2")
    assert told["report"]["verdict"] == "valid"
    file = http.get(told["document_url"])
    assert file.headers["content-type"] == "application/pdf"
    assert sm3(file.content).hex() == told["file_sm3"]
    assert house.judge(file.content).verdict is Verdict.VALID
    state = http.get(answer.headers["location"]).json()
    assert (state["state"], state["case_number"], state["document_sm3"]) == ("completed", "A-1", sm3(pdf).hex())


def test_a_document_sent_in_a_form_is_sealed_where_the_form_says(http: TestClient, ofd: bytes) -> None:
    fields = {"page": "1", "x_mm": "20", "y_mm": "200", "reason": "r", "format": "ofd-ses-v4"}
    answer = http.post(SEALINGS, files={"file": ("a.ofd", ofd, "application/ofd")}, data=fields)
    assert answer.status_code == 201
    assert answer.json()["media_type"] == "application/ofd"


@pytest.mark.parametrize("name", ["pdf-pades-sm2", "pdf-pades-p256", "pdf-ses-v4"])
def test_the_file_itself_is_answered_when_accept_asks_for_it(
    http: TestClient, house: House, pdf: bytes, name: str
) -> None:
    answer = http.post(SEALINGS, params={"format": name}, content=pdf, headers={"Accept": "application/pdf"})
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/pdf"
    assert house.judge(answer.content).verdict is Verdict.VALID
    assert http.get(answer.headers["location"]).json()["state"] == "completed"


def test_a_second_signature_can_be_asked_for(http: TestClient, pdf: bytes, ofd: bytes) -> None:
    options = {"format": "pdf-ses-v4", "also": "pdf-pades-p256", "closes": "true"}
    told = http.post(SEALINGS, params=options, content=pdf).json()
    assert [one["format"] for one in told["report"]["signatures"]] == ["pdf-ses-v4", "pdf-pades-p256"]
    assert told["report"]["signatures"][0]["seal"]["id"] == SEAL
    refused = http.post(SEALINGS, params={"also": "pdf-pades-p256"}, content=ofd)
    assert (refused.status_code, refused.json()["code"]) == (415, "document_unsupported")


def test_the_same_idempotency_key_gives_the_same_answer(http: TestClient, ofd: bytes) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = http.post(SEALINGS, content=ofd, headers=headers)
    again = http.post(SEALINGS, content=ofd, headers=headers)
    assert again.status_code == 201
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    other = http.post(SEALINGS, params={"case_number": "2"}, content=ofd, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


@pytest.mark.parametrize(
    ("token", "status", "code"), [("stranger", 403, "forbidden"), ("forged", 401, "token_refused")]
)
def test_a_caller_without_token_or_right_is_refused(
    http: TestClient, ofd: bytes, token: str, status: int, code: str
) -> None:
    answer = http.post(SEALINGS, content=ofd, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("params", "body", "status", "code"),
    [
        ({}, b"", 400, "document_refused"),
        ({}, b"plain text", 415, "document_unsupported"),
        ({"format": "word"}, None, 415, "document_unsupported"),
        ({"page": "1"}, None, 400, "placement_refused"),
        ({"page": "1", "x_mm": "1", "y_mm": "1", "placement": "facing"}, None, 400, "placement_refused"),
        ({"page": "7", "x_mm": "1", "y_mm": "1"}, None, 400, "placement_refused"),
        ({"colour": "blue"}, None, 422, "request_invalid"),
    ],
)
def test_a_request_that_cannot_be_carried_out_is_told_why(
    http: TestClient, ofd: bytes, params: dict[str, str], body: bytes | None, status: int, code: str
) -> None:
    answer = http.post(SEALINGS, params=params, content=ofd if body is None else body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_form_without_a_file_is_refused(http: TestClient) -> None:
    answer = http.post(SEALINGS, files={"other": ("a", b"x")})
    assert (answer.status_code, answer.json()["code"]) == (400, "document_refused")


def test_no_seal_is_put_under_a_forged_signature(http: TestClient, house: House, ofd: bytes) -> None:
    sealed = http.post(SEALINGS, content=ofd, headers={"Accept": "application/ofd"}).content
    at = sealed.index(b"Doc_0/Document.xml") + len("Doc_0/Document.xml") + 20
    forged = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
    answer = http.post(SEALINGS, content=forged)
    assert answer.status_code == 400
    assert answer.json()["code"] in {"document_signature_invalid", "document_unreadable"}
    assert len(house.actions()) == 3


def test_a_suspended_seal_answers_conflict(http: TestClient, house: House, ofd: bytes) -> None:
    house.registrar.suspend(SEAL, "audit")
    answer = http.post(SEALINGS, content=ofd)
    assert (answer.status_code, answer.json()["code"]) == (409, "seal_not_usable")


def test_sealings_are_hidden_from_strangers(http: TestClient, ofd: bytes) -> None:
    told = http.post(SEALINGS, content=ofd).json()
    for path in (told["document_url"], told["document_url"].removesuffix("/document")):
        answer = http.get(path, headers={"Authorization": "Bearer stranger"})
        assert (answer.status_code, answer.json()["code"]) == (404, "sealing_unknown")


def test_anyone_may_ask_for_a_seals_status_at_a_time(http: TestClient, house: House) -> None:
    house.registrar.revoke(SEAL, "dissolved")
    anonymous = {"Authorization": ""}
    path = f"/api/seals/v1/seals/{SEAL}/status"
    now = http.get(path, headers=anonymous).json()
    assert (now["status"], now["usable"], now["owner"]) == ("revoked", False, OWNER)
    before = http.get(path, params={"at": "2026-11-22T15:59:59+08:00"}, headers=anonymous).json()
    assert before["status"] is None
    assert http.get(path, params={"at": "2026-11-22T15:59:59"}).status_code == 422
    assert http.get("/api/seals/v1/seals/99999999999999/status").json()["code"] == "seal_unknown"


@pytest.mark.parametrize("as_form", [True, False])
def test_anyone_may_have_a_file_judged(http: TestClient, pdf: bytes, as_form: bool) -> None:
    sealed = http.post(SEALINGS, content=pdf, headers={"Accept": "application/pdf"}).content
    del http.headers["Authorization"]

    def judge(document: bytes) -> dict[str, object]:
        sent = {"files": {"file": ("a.pdf", document)}} if as_form else {"content": document}
        answer = http.post(FILES, **sent)
        assert answer.status_code == 200
        told: dict[str, object] = answer.json()
        return told

    assert judge(sealed)["verdict"] == "valid"
    assert judge(pdf)["verdict"] == "unsigned"
    at = sealed.index(b"/Contents") - 30
    assert judge(sealed[:at] + b"!" + sealed[at + 1 :])["verdict"] == "invalid"
    assert ("file" in judge(sealed)) is as_form


def test_a_report_is_answered_in_the_form_that_accept_asks_for(http: TestClient, ofd: bytes) -> None:
    sealed = http.post(SEALINGS, content=ofd, headers={"Accept": "application/ofd"}).content
    page = http.post(
        FILES,
        files={"file": ("决定书.ofd", sealed)},
        data={"language": "en"},
        headers={"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"},
    )
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (page.headers["content-language"], page.headers["cache-control"]) == ("en", "no-store")
    assert "script-src" not in page.headers["content-security-policy"]
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "决定书.ofd" in page.text
    assert "The seals and signatures are valid" in page.text
    etsi = "application/vnd.etsi.validation-report+json"
    told = http.post(FILES, content=sealed, headers={"Accept": etsi})
    assert (told.status_code, told.headers["content-type"]) == (200, etsi)
    (signature,) = told.json()["ValidationReport"]["SignatureValidationReport"]
    assert signature["SignatureValidationStatus"]["MainIndication"].endswith("total-passed")
    assert OWNER_NAME in signature["SignerInformation"]["Signer"]
    assert signature["SignerInformation"]["SignerCertificate"]
    for accept in ("*/*", "application/json"):
        assert http.post(FILES, content=sealed, headers={"Accept": accept}).json()["verdict"] == "valid"
    refused = http.post(FILES, params={"language": "fr"}, content=sealed, headers={"Accept": "text/html"})
    assert refused.status_code == 422


def test_a_file_is_judged_as_of_a_time(http: TestClient, pdf: bytes) -> None:
    sealed = http.post(SEALINGS, content=pdf, headers={"Accept": "application/pdf"}).content
    later = http.post(FILES, params={"at": "2036-01-01T00:00:00Z"}, content=sealed).json()
    assert later["verdict"] == "invalid"
    assert later["signatures"][0]["findings"][0]["code"] == "SIGN_TIME_OUTSIDE_CERT"


def test_the_description_lists_every_operation_with_its_refusals(http: TestClient) -> None:
    described = http.get("/openapi.json").json()
    operations = {one["operationId"] for path in described["paths"].values() for one in path.values()}
    assert operations == {
        "sealDocument",
        "listUnsealed",
        "getSealing",
        "retrySealing",
        "getSealedDocument",
        "getSealStatus",
        "verifyFile",
    }
    sealing = described["paths"]["/api/seals/v1/seals/{seal}/sealings"]["post"]
    assert {"201", "400", "401", "403", "404", "409", "413", "415", "422", "429", "503"} <= set(sealing["responses"])
    assert "application/ofd" in sealing["requestBody"]["content"]
    assert sealing["security"]
    verifying = described["paths"]["/api/verify/v1/files"]["post"]
    assert "security" not in verifying
    forms = {"application/json", "text/html", "application/vnd.etsi.validation-report+json"}
    assert set(verifying["responses"]["200"]["content"]) == forms
    assert "language" in verifying["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]
    asked = {one["name"]: one for one in sealing["parameters"] if one["in"] == "query"}
    assert {"placement", "level", "also", "closes"} <= set(asked)
    assert "b-lta" in str(asked["level"]["schema"])
    assert "$defs" not in str(described)


def test_a_bare_number_is_no_moment(http: TestClient, ofd: bytes) -> None:
    """2020 is a year to whoever writes it, not 34 minutes after 1970 began."""
    judged = http.post(FILES, params={"at": "2020"}, content=ofd)
    asked = http.get(f"/api/seals/v1/seals/{SEAL}/status", params={"at": "1732262400"})
    assert [(one.status_code, one.json()["errors"][0]["field"]) for one in (judged, asked)] == [
        (422, "at"),
        (422, "query.at"),
    ]
