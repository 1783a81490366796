"""The licence API as a department's system sees it."""

from collections.abc import Mapping
from typing import Any

import pytest
from stdnum.cn import uscc

from crypto.digests import sm3
from license_store.catalogue import BUSINESS_LICENSE
from tests.license_store.town import FACE, HOLDER, SEAL, Town

BODY: Mapping[str, Any] = {
    "type": BUSINESS_LICENSE.code,
    "holder": {"name": HOLDER.name, "code": HOLDER.code},
    "face": FACE,
    "valid_from": "2019-03-01",
    "seal": SEAL,
}
KEY = {"Idempotency-Key": "SL-1"}
LICENSES = "/api/licenses/v1/licenses"


def issued(town: Town) -> Mapping[str, Any]:
    answer = town.client("clerk").post(LICENSES, json=BODY, headers=KEY)
    assert answer.status_code == 201, answer.text
    shown: Mapping[str, Any] = answer.json()
    return shown


def test_a_department_issues_reads_downloads_and_revokes(town: Town) -> None:
    clerk = town.client("clerk")
    answer = clerk.post(LICENSES, json=BODY, headers=KEY)
    assert answer.status_code == 201
    shown = answer.json()
    uscc.validate(shown["issuer_code"])
    assert shown["address"].endswith(shown["id"].upper())
    assert clerk.get(answer.headers["location"]).json() == shown

    document = clerk.get(answer.headers["location"] + "/document")
    assert document.headers["content-type"] == "application/pdf"
    assert sm3(document.content).hex() == shown["document_sm3"]

    grounds = {"legal_basis": "示例条例第十二条", "reason": "虚假材料"}
    revoked = clerk.post(answer.headers["location"] + "/revocation", json=grounds)
    assert (revoked.status_code, revoked.json()["status"]) == (200, "revoked")
    again = clerk.post(answer.headers["location"] + "/revocation", json=grounds)
    assert (again.status_code, again.json()["code"]) == (409, "license_not_active")


def test_the_same_request_twice_is_one_licence(town: Town) -> None:
    assert issued(town) == issued(town)


def test_a_key_used_for_something_else_is_a_conflict(town: Town) -> None:
    issued(town)
    other = {**BODY, "valid_from": "2019-03-02"}
    answer = town.client("clerk").post(LICENSES, json=other, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")


def test_data_that_do_not_fit_are_named_field_by_field_and_not_repeated(town: Town) -> None:
    face = {**FACE, "capital": "", "legal_representative": "王小明" * 20}
    answer = town.client("clerk").post(LICENSES, json={**BODY, "face": face}, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (400, "license_data_invalid")
    assert "capital: " in answer.json()["detail"]
    assert "legal_representative: " in answer.json()["detail"]
    assert "王小明" not in answer.text


def test_a_missing_idempotency_key_or_an_unknown_member_is_refused(town: Town) -> None:
    clerk = town.client("clerk")
    assert clerk.post(LICENSES, json=BODY).status_code == 422
    assert clerk.post(LICENSES, json={**BODY, "valid_until": "2030-01-01"}, headers=KEY).status_code == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", LICENSES),
        ("GET", LICENSES + "/" + "a" * 26),
        ("GET", LICENSES + "/" + "a" * 26 + "/document"),
        ("POST", LICENSES + "/" + "a" * 26 + "/revocation"),
        ("GET", "/api/licenses/v1/types"),
    ],
)
def test_nothing_is_answered_without_a_token(town: Town, method: str, path: str) -> None:
    answer = town.client().request(method, path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_caller_without_the_right_is_forbidden(town: Town) -> None:
    shown = issued(town)
    stranger = town.client("stranger")
    assert stranger.post(LICENSES, json=BODY, headers=KEY).status_code == 403
    assert stranger.get(f"{LICENSES}/{shown['id']}").status_code == 403
    assert stranger.get(f"{LICENSES}/{shown['id']}/document").status_code == 403


def test_an_unknown_licence_is_not_found(town: Town) -> None:
    answer = town.client("clerk").get(f"{LICENSES}/{'a' * 26}")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_license")


def test_the_types_come_with_a_schema_of_their_face(town: Town) -> None:
    (kind,) = town.client("clerk").get("/api/licenses/v1/types").json()["types"]
    assert kind["code"] == BUSINESS_LICENSE.code
    assert set(kind["face_schema"]["required"]) == FACE.keys()


def test_the_openapi_document_shows_a_request_that_works(town: Town) -> None:
    document = town.client().get("/openapi.json").json()
    (example,) = document["components"]["schemas"]["IssueShape"]["examples"]
    answer = town.client("clerk").post(LICENSES, json=example, headers=KEY)
    assert answer.status_code == 201, answer.text
