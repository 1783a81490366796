"""The guard: no good token, no entry, and no reason told."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient


def test_a_good_token_gives_its_principal(client: TestClient) -> None:
    for scheme in ("Bearer", "bearer", "BEARER  "):
        answer = client.get("/me", headers={"Authorization": f"{scheme} good-token"})
        assert (answer.status_code, answer.json()) == (200, {"subject": "c1"})


def test_no_token_is_told_the_scheme_and_no_error(client: TestClient) -> None:
    answer = client.get("/me?access_token=good-token")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_missing")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header", ["Bearer bad", "Bearer", "Basic Z29vZDp0b2tlbg==", "Bearer good-token extra", "Bearer " + "x" * 9000, "x"]
)
def test_a_token_that_must_not_be_believed_is_refused_without_a_reason(client: TestClient, header: str) -> None:
    answer = client.get("/me", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "token_refused")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert "not good" not in answer.text


def test_two_authorization_headers_are_refused(client: TestClient) -> None:
    answer = client.get("/me", headers=[("Authorization", "Bearer good-token"), ("Authorization", "Bearer good-token")])
    assert answer.json()["code"] == "token_refused"


def test_the_api_description_shows_the_scheme(app: FastAPI) -> None:
    description = app.openapi()
    assert description["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert description["paths"]["/me"]["get"]["security"] == [{"bearer": []}]
