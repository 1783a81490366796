"""Pages: strict headers, the reader's language and type size, and forms that no other site can post."""

import re
from datetime import UTC, date, datetime
from importlib.resources import files
from typing import Any

import jinja2
import pytest
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from kernel.csrf import CsrfRefused
from kernel.page import Pages
from kernel.problem import Problem

AT = datetime(2026, 11, 22, 17, tzinfo=UTC)


def _request(query: str = "", method: str = "GET", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": method, "path": "//evil", "query_string": query.encode(), "headers": raw})


def _show(pages: Pages, request: Request, **more: Any) -> Response:
    return pages.render(request, "showcase.html", at=AT, **more)


def _csp(response: Response) -> dict[str, str]:
    rows = (row.strip().partition(" ") for row in response.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in rows}


def test_a_page_allows_our_style_and_images_and_nothing_else(pages: Pages) -> None:
    response = _show(pages, _request())
    assert _csp(response) == {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cache-control"] == "no-store"


def test_no_page_of_ours_needs_what_the_policy_forbids(pages: Pages) -> None:
    html = bytes(_show(pages, _request()).body).decode()
    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=|javascript:|https?://(?!www\.w3\.org)", html)


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://app.example.cn/callback?x=1", "https://app.example.cn"),
        ("http://127.0.0.1:8080/cb", "http://127.0.0.1:8080"),
        ("http://[::1]:9/cb", "http://[::1]:9"),
        ("cn.gov.example.app:/callback", "cn.gov.example.app:"),
    ],
)
def test_a_form_may_lead_to_the_origin_the_page_names(pages: Pages, url: str, source: str) -> None:
    response = _show(pages, _request(), form_action=[url, url])
    assert _csp(response)["form-action"] == f"'self' {source}"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/relative",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://a;script-src *",
        "https://a b/",
        "https://*/",
    ],
)
def test_a_form_may_not_lead_to_what_would_widen_the_policy(pages: Pages, url: str) -> None:
    with pytest.raises(ValueError, match="a form may only lead"):
        _show(pages, _request(), form_action=[url])


@pytest.mark.parametrize(
    ("query", "headers", "lang"),
    [
        ("", {}, "zh-CN"),
        ("", {"accept_language": "en-GB,en;q=0.9,zh;q=0.8"}, "en"),
        ("", {"accept_language": "fr, zh-TW;q=0.5, en;q=0.4"}, "zh-CN"),
        ("", {"accept_language": "de;q=x,,;;q=1"}, "zh-CN"),
        ("", {"accept_language": "en;q=nan"}, "zh-CN"),
        ("", {"accept_language": "zh", "cookie": "xinyin_lang=en"}, "en"),
        ("lang=zh", {"accept_language": "en", "cookie": "xinyin_lang=en"}, "zh-CN"),
        ("lang=en", {}, "en"),
        ("lang=tlh", {"cookie": "xinyin_lang=<script>"}, "zh-CN"),
    ],
)
def test_the_language_is_the_one_asked_for_last(pages: Pages, query: str, headers: dict[str, str], lang: str) -> None:
    response = _show(pages, _request(query, **headers))
    assert response.headers["content-language"] == lang
    html = bytes(response.body).decode()
    assert f'<html lang="{lang}"' in html
    assert ("证照有效" in html) == (lang == "zh-CN")


def test_a_page_may_fix_its_language(pages: Pages) -> None:
    assert _show(pages, _request(), lang="en").headers["content-language"] == "en"


def test_a_choice_made_by_a_link_is_remembered_and_the_links_keep_the_rest_of_the_query(pages: Pages) -> None:
    response = _show(pages, _request("id=7%26x&lang=en&type=large"))
    cookies = response.headers.getlist("set-cookie")
    assert any(cookie.startswith("xinyin_lang=en;") for cookie in cookies)
    assert any(cookie.startswith("xinyin_type=large;") for cookie in cookies)
    html = bytes(response.body).decode()
    assert '<html lang="en" class="large">' in html
    assert 'href="?id=7%26x&amp;lang=zh"' in html
    assert "evil" not in html
    assert "large" in bytes(_show(pages, _request(cookie="xinyin_type=large")).body).decode().split("<head>")[0]


def test_only_a_page_without_form_or_changed_setting_may_be_cached(pages: Pages) -> None:
    problem = Problem(status=404, code="not_found", detail="", request_id="r")

    def plain(query: str) -> Response:
        words: dict[str, Any] = {"title": "t", "advice": "a", "detail": "", "code": problem.code, "request_id": ""}
        return pages.render(_request(query), "error.html", cache="public, max-age=60", **words)

    assert plain("").headers["cache-control"] == "public, max-age=60"
    assert plain("lang=en").headers["cache-control"] == "no-store"
    assert _show(pages, _request(), cache="public, max-age=60").headers["cache-control"] == "no-store"
    assert "Cookie" in plain("").headers["vary"]


def test_what_a_caller_supplies_is_escaped(pages: Pages) -> None:
    problem = Problem(status=400, code="x", detail="<script>alert(1)</script>", request_id='"><b>')
    html = bytes(pages.error(_request(), problem).body).decode()
    assert "<script>" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;" in html


def test_a_template_that_names_what_it_was_not_given_fails_at_once(pages: Pages) -> None:
    with pytest.raises(jinja2.UndefinedError):
        pages.render(_request(), "showcase.html")


def test_moments_and_days_are_told_in_chinas_time(pages: Pages) -> None:
    def shown(lang: str, text: str) -> str:
        return pages._environments[lang].from_string(text).render(at=AT, day=date(2026, 2, 3))

    assert shown("zh", "{{ at | moment }} {{ at | day }}") == "2026年11月23日 01:00:00（北京时间） 2026年11月23日"
    assert shown("en", "{{ at | moment }}, {{ day | day }}") == "23 November 2026, 01:00:00 (UTC+8), 3 February 2026"


def _form_client(*, secure: bool) -> TestClient:
    pages = Pages(csrf_key=b"k" * 32, secure=secure)

    def show(request: Request) -> Response:
        return _show(pages, request)

    def post(request: Request) -> Response:
        try:
            pages.check_csrf(request, request.query_params.get("csrf"))
        except CsrfRefused as refused:
            return PlainTextResponse(refused.code, 403)
        return PlainTextResponse("done")

    routes = [Route("/form", show), Route("/form", post, methods=["POST"])]
    return TestClient(Starlette(routes=routes), base_url="https://127.0.0.1" if secure else "http://127.0.0.1")


def _token(client: TestClient) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get("/form").text)
    assert found
    return found[1]


@pytest.mark.parametrize("secure", [True, False])
def test_a_form_of_ours_is_taken_also_from_a_second_tab(secure: bool) -> None:
    client = _form_client(secure=secure)
    first, second = _token(client), _token(client)
    assert client.post(f"/form?csrf={first}").text == "done"
    assert client.post(f"/form?csrf={second}", headers={"Sec-Fetch-Site": "same-origin"}).text == "done"


def test_a_form_token_is_only_good_with_its_own_browser() -> None:
    client, other = _form_client(secure=True), _form_client(secure=True)
    token, foreign = _token(client), _token(other)
    answers = [
        client.post(f"/form?csrf={foreign}"),
        client.post(f"/form?csrf={token[:-1]}0" if token[-1] != "0" else f"/form?csrf={token[:-1]}1"),
        client.post("/form?csrf=中文"),
        client.post("/form"),
        client.post(f"/form?csrf={token}", headers={"Sec-Fetch-Site": "cross-site"}),
        client.post(f"/form?csrf={token}", headers={"Sec-Fetch-Site": "same-site"}),
        _form_client(secure=True).post(f"/form?csrf={token}"),
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(403, "csrf_refused")}


def test_a_secure_form_cookie_cannot_be_planted_by_a_neighbour() -> None:
    cookie = _form_client(secure=True).get("/form").headers["set-cookie"]
    assert cookie.startswith("__Host-xinyin_csrf=")
    assert all(word in cookie for word in ("Secure", "HttpOnly", "Path=/", "SameSite=lax"))
    assert "Domain" not in cookie


def test_a_cookie_of_another_shape_is_replaced() -> None:
    client = _form_client(secure=True)
    client.cookies.set("__Host-xinyin_csrf", "planted")
    assert "set-cookie" in client.get("/form").headers


def test_a_short_key_for_form_tokens_is_refused() -> None:
    with pytest.raises(ValueError, match="32 octets"):
        Pages(csrf_key=b"short")


def test_static_files_are_kept_for_ever_by_their_content_and_shortly_without(client: TestClient) -> None:
    html = client.get("/form").text
    (style,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', html)
    assert re.fullmatch(r"/static/xinyin\.css\?v=[0-9a-f]{12}", style)
    kept, plain = client.get(style), client.get("/static/xinyin.css?v=000000000000")
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["cache-control"] == "public, max-age=300"
    assert kept.headers["content-type"].startswith("text/css")
    assert client.get("/static/mark.svg").headers["content-type"].startswith("image/svg+xml")
    assert client.get("/static/..%2fpage.py").status_code == 404
    assert client.get("/static/none.css?v=1").status_code == 404


def test_the_style_sheet_is_small() -> None:
    assert len((files("kernel") / "static" / "xinyin.css").read_bytes()) <= 20_000
