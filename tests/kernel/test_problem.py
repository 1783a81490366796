"""Problems: every no in one shape, told exactly as far as it may be told."""

import re
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from kernel import problem
from kernel.errors import Reason

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("bad_input", 400),
        ("unauthenticated", 401),
        ("forbidden", 403),
        ("not_found", 404),
        ("conflict", 409),
        ("too_large", 413),
        ("unsupported", 415),
        ("too_many", 429),
        ("unavailable", 503),
    ],
)
def test_each_reason_has_one_status(client: TestClient, reason: str, status: int) -> None:
    answer = client.get(f"/refuse/{reason}")
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, "said_no")
    assert body["type"] == "urn:xinyin:problem:said_no"
    assert body["detail"] == "Because we say so."
    assert body["title"]
    assert body["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"


def test_every_reason_has_a_status() -> None:
    assert set(problem.STATUS) == set(Reason)


def test_a_refusal_for_want_of_identity_names_the_scheme(client: TestClient) -> None:
    assert client.get("/refuse/unauthenticated").headers["www-authenticate"] == "Bearer"


def test_a_refusal_may_say_when_to_come_back(client: TestClient) -> None:
    assert client.get("/busy").headers["retry-after"] == "7"


def test_a_bug_is_told_as_nothing_and_logged_whole(client: TestClient, lines: Any) -> None:
    answer = client.get("/bug")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "4711" not in answer.text
    (row,) = [row for row in lines.rows() if row["event"] == "unexpected_error"]
    assert "RuntimeError: the secret is 4711" in row["exception"]
    assert row["request_id"] == answer.headers["x-request-id"]


def test_an_answer_that_breaks_half_way_is_broken_off_and_logged(client: TestClient, lines: Any) -> None:
    with pytest.raises(RuntimeError, match="too late"):
        client.get("/half")
    assert "answer_broken_off" in [row["event"] for row in lines.rows()]


def test_a_broken_error_page_does_not_hide_the_answer(lines: Any) -> None:
    def bug(_: Request) -> None:
        raise RuntimeError("first")

    def page(_: Request, __: problem.Problem) -> PlainTextResponse:
        raise RuntimeError("second")

    app = Starlette(routes=[Route("/bug", bug)])
    problem.install(app, page=page)
    answer = TestClient(app).get("/bug", headers=BROWSER)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert {"unexpected_error", "error_page_failed"} <= {row["event"] for row in lines.rows()}


def test_a_crypto_refusal_that_came_through_keeps_its_code(client: TestClient) -> None:
    answer = client.get("/certificate")
    assert (answer.status_code, answer.json()["code"]) == (400, "certificate_malformed")
    answer = client.get("/engine")
    assert (answer.status_code, answer.json()["code"]) == (503, "sm2_engine_unavailable")


def test_what_keys_and_engines_say_stays_inside(client: TestClient, lines: Any) -> None:
    assert "libbotan" not in client.get("/engine").text
    (row,) = [row for row in lines.rows() if row["event"] == "unavailable"]
    assert row["detail"] == "install libbotan-3"


def test_no_redirect_repeats_the_host_a_caller_names(client: TestClient) -> None:
    answer = client.get("/busy/", headers={"Host": "evil.example"}, follow_redirects=False)
    assert answer.status_code == 404
    assert "location" not in answer.headers


def test_a_database_that_is_gone_is_unavailable_and_its_words_stay_inside(client: TestClient, lines: Any) -> None:
    answer = client.get("/database")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert answer.headers["retry-after"]
    assert "SELECT" not in answer.text
    assert "database_unavailable" in [row["event"] for row in lines.rows()]


def test_a_request_that_does_not_fit_names_its_fields_and_never_what_was_sent(client: TestClient, lines: Any) -> None:
    answer = client.post("/people", json={"id_number": "44030119900101001X-sent", "pages": "seventeen"})
    body = answer.json()
    assert (answer.status_code, body["code"]) == (422, "request_invalid")
    assert {"field": "body.pages", "problem": "int_parsing"} in body["errors"]
    assert {"field": "body.id_number", "problem": "string_too_long"} in body["errors"]
    for text in ("44030119900101001X", "seventeen"):
        assert text not in answer.text
        assert text not in lines.getvalue()


def test_a_key_that_the_caller_made_up_is_not_repeated() -> None:
    error = {"loc": ("body", "people", 3, "440301199001010017", "中文"), "type": "missing"}
    assert problem._field_problem(error).field == "body.people.3.?.?"


def test_a_body_that_is_no_json_is_unreadable(client: TestClient) -> None:
    answer = client.post("/people", content=b"{13800000000", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "request_unreadable")
    assert "13800000000" not in answer.text


def test_an_unknown_path_and_a_wrong_method_are_problems_too(client: TestClient) -> None:
    assert client.get("/nowhere").json()["code"] == "not_found"
    answer = client.put("/people")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST, OPTIONS"


def test_a_declared_length_of_thousands_of_digits_is_too_large(client: TestClient) -> None:
    answer = client.post("/people", content=b"{}", headers={"Content-Length": "9" * 5000})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_a_declared_body_beyond_the_bound_is_refused_unread(client: TestClient) -> None:
    answer = client.post("/people", content=b"x" * 1001)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert "1000 octets" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "kind"), [("/people", "application/json"), ("/files", "multipart/form-data; boundary=b")]
)
def test_a_body_that_grows_beyond_the_bound_is_refused_while_read(client: TestClient, path: str, kind: str) -> None:
    begin = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n' if "form" in kind else b'"'
    answer = client.post(path, content=iter([begin, *[b"x" * 100] * 20]), headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_a_starlette_application_answers_the_same_way() -> None:
    async def read(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    app = Starlette(routes=[Route("/read", read, methods=["POST"])])
    problem.install(app, max_body=10)
    client = TestClient(app)
    assert client.post("/read", content=b"x" * 10).text == "10"
    assert client.post("/read", content=iter([b"x" * 9] * 2)).json()["code"] == "body_too_large"
    assert client.get("/nowhere", headers=BROWSER).json()["code"] == "not_found"


def test_paths_that_take_files_have_a_bound_of_their_own() -> None:
    async def read(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    app = Starlette(routes=[Route("/{rest:path}", read, methods=["POST"])])
    problem.install(app, max_body=10, max_body_at={re.compile(r"/files/[0-9]+"): 20})
    client = TestClient(app)
    assert client.post("/files/1", content=b"x" * 20).text == "20"
    for path, size in (("/files/1", 21), ("/files/1/x", 11), ("/files/x", 11), ("/x/files/1", 11)):
        for content in (b"x" * size, iter([b"x"] * size)):
            assert client.post(path, content=content).status_code == 413


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        (BROWSER["Accept"], True),
        ("text/html", True),
        ("text/html;q=0.5, application/json", False),
        ("application/json;q=0.5, text/html", True),
        ("text/html;q=nonsense", False),
        ("*/*", False),
        ("application/json", False),
        ("", False),
    ],
)
def test_a_browser_gets_a_page_and_a_program_gets_json(client: TestClient, accept: str, page: bool) -> None:
    answer = client.get("/refuse/forbidden", headers={"Accept": accept})
    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("text/html" if page else "application/problem+json")
    if page:
        assert "没有权限" in answer.text
        assert "said_no" in answer.text
        assert answer.headers["x-request-id"] in answer.text


def test_the_page_of_a_bug_tells_nothing_of_it(client: TestClient) -> None:
    answer = client.get("/bug", headers=BROWSER)
    assert (answer.status_code, "4711" in answer.text, "系统出错" in answer.text) == (500, False, True)


def test_a_plain_request_number_is_kept_and_any_other_replaced(client: TestClient) -> None:
    assert client.get("/busy", headers={"X-Request-Id": "abc-12345"}).headers["x-request-id"] == "abc-12345"
    for offered in ("short", "x" * 65, "a b c d e f g", 'quote"quote"'):
        assert client.get("/busy", headers={"X-Request-Id": offered}).headers["x-request-id"] != offered


def test_a_good_answer_carries_its_number_and_one_line_without_path_or_query(app: FastAPI, lines: Any) -> None:
    client = TestClient(app)
    number = client.post("/people?phone=13800000000", json={"id_number": "1", "pages": 3}).headers["x-request-id"]
    client.get("/tokens/secret-token-in-path?x=1")
    rows = [row for row in lines.rows() if row["event"] == "request"]
    assert rows[0].items() >= {"method": "POST", "route": "/people", "status": 200, "request_id": number}.items()
    assert (rows[1]["route"], "secret-token" in lines.getvalue()) == ("-", False)
