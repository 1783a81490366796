"""The demonstration portal's own pages, with a provider that always says yes."""

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "portal"
COOKIE = "portal_session"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("portal")


class _Party:
    """Vouches for 张三 whatever the answer."""

    issuer = "https://id.example.test"

    def __init__(self, example: Any) -> None:
        self._example = example

    def leave(self, pending: object, *, acr_values: str | None = None) -> str:
        del pending, acr_values
        return self.issuer

    def come_back(self, answer: Mapping[str, str], pending: object) -> object:
        if pending is None or "code" not in answer:
            raise self._example.SignInFailed("no")
        claims = {"name": "张三", "preferred_username": "zhangsan", "sub": "s", "amr": ["pwd"], "acr": "a", "iss": "i"}
        return self._example.SignedIn(claims=claims, id_token="x")

    def logout(self, person: object) -> str:
        del person
        return self.issuer


@pytest.fixture
def browser(example: Any) -> Iterator[TestClient]:
    app = example.Portal(_Party(example), secure=True).app()
    with TestClient(app, base_url="https://portal.example.test", follow_redirects=False) as http:
        yield http


def _signed_in(browser: TestClient) -> bool:
    return browser.get("/me").status_code == 200


def test_a_cookie_from_before_signing_in_again_is_worth_nothing_after_logout(browser: TestClient) -> None:
    browser.get("/login")
    browser.get("/callback?code=x")
    assert _signed_in(browser)
    old = browser.cookies[COOKIE]
    browser.get("/login?level=2")
    browser.get("/callback?code=x")
    browser.post("/logout")
    browser.cookies.clear()
    browser.cookies.set(COOKIE, old)
    assert not _signed_in(browser)


def test_a_visit_to_the_login_address_signs_nobody_out(browser: TestClient) -> None:
    browser.get("/login")
    browser.get("/callback?code=x")
    browser.get("/login")
    assert browser.get("/callback?error=access_denied").status_code == 400
    assert _signed_in(browser)


def test_the_portals_cookie_travels_on_https_only(browser: TestClient) -> None:
    assert "secure" in browser.get("/login").headers["set-cookie"].lower()


def test_an_answer_page_sends_its_address_nowhere(browser: TestClient) -> None:
    assert browser.get("/callback?code=x").headers["referrer-policy"] == "no-referrer"


def test_a_state_in_other_letters_is_just_wrong(example: Any) -> None:
    party = importlib.import_module("relying_party").RelyingParty(
        issuer="https://id.example.test",
        client_id="c",
        secret="s",
        redirect_uri="https://p/c",
        after_logout="https://p/b",
    )
    pending = importlib.import_module("relying_party").Pending()
    with pytest.raises(example.SignInFailed):
        party.come_back({"state": "é", "iss": party.issuer, "code": "x"}, pending)
