"""Logging out, at the client's wish or one's own."""

from datetime import timedelta

import pytest
from httpx2 import Response

from tests.idp.conftest import World
from tests.idp.portal import AFTER_LOGOUT, Portal, form_of, text_of


def _signed_in(portal: Portal) -> bool:
    return portal.authorize().status_code == 303


def _confirm(portal: Portal, page: Response) -> Response:
    return portal.http.post("/oauth2/logout", data={**form_of(page).fields, "confirm": "yes"})


def test_a_client_that_hands_in_its_id_token_signs_its_person_out(portal: Portal) -> None:
    tokens = portal.tokens()
    query = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": AFTER_LOGOUT, "state": "s1"}
    done = portal.http.get("/oauth2/logout", params=query)
    assert done.status_code == 303
    assert done.headers["location"] == AFTER_LOGOUT + "?state=s1"
    assert not _signed_in(portal)
    assert portal.userinfo(tokens["access_token"]).status_code == 401


def test_an_old_id_token_still_says_who_is_to_be_signed_out(world: World, portal: Portal) -> None:
    hint = portal.tokens()["id_token"]
    world.clock.advance(timedelta(hours=3))
    done = portal.http.get("/oauth2/logout", params={"id_token_hint": hint})
    assert done.status_code == 200
    assert "您已退出登录" in text_of(done)
    assert not _signed_in(portal)


@pytest.mark.parametrize("query", [{}, {"client_id": "portal", "post_logout_redirect_uri": AFTER_LOGOUT}])
def test_without_a_hint_the_person_is_asked(portal: Portal, query: dict[str, str]) -> None:
    portal.tokens()
    page = portal.http.get("/oauth2/logout", params=query)
    assert page.status_code == 200
    assert "要退出登录吗" in text_of(page)
    assert _signed_in(portal)
    done = _confirm(portal, page)
    assert done.status_code == (303 if query else 200)
    assert not _signed_in(portal)


def test_a_hint_for_another_session_asks(world: World, portal: Portal) -> None:
    other = world.visit()
    hint = other.tokens()["id_token"]
    portal.tokens()
    page = portal.http.get("/oauth2/logout", params={"id_token_hint": hint})
    assert "要退出登录吗" in text_of(page)
    assert _signed_in(portal)


@pytest.mark.parametrize(
    "changed",
    [
        {"post_logout_redirect_uri": AFTER_LOGOUT + "?x=1"},
        {"post_logout_redirect_uri": "https://evil.test/"},
        {"id_token_hint": "eyJhbGciOiJub25lIn0.e30."},
        {"client_id": "app"},
    ],
)
def test_a_wish_out_of_order_is_not_followed(portal: Portal, changed: dict[str, str]) -> None:
    query = {"id_token_hint": portal.tokens()["id_token"], "post_logout_redirect_uri": AFTER_LOGOUT, **changed}
    refused = portal.http.get("/oauth2/logout", params=query)
    assert refused.status_code == 400
    assert "location" not in refused.headers
    assert _signed_in(portal)


def test_an_address_without_a_client_is_not_followed(portal: Portal) -> None:
    assert portal.http.get("/oauth2/logout", params={"post_logout_redirect_uri": AFTER_LOGOUT}).status_code == 400


def test_a_logout_form_without_our_token_is_refused(portal: Portal) -> None:
    portal.tokens()
    assert portal.http.post("/oauth2/logout", data={"confirm": "yes"}).status_code == 400
    assert _signed_in(portal)


def test_a_wish_by_post_is_followed_by_a_visit(portal: Portal) -> None:
    tokens = portal.tokens()
    cookies = list(portal.http.cookies.jar)
    portal.http.cookies.clear()  # as browsers do when another site posts
    moved = portal.http.post("/oauth2/logout", data={"id_token_hint": tokens["id_token"]})
    assert moved.status_code == 303
    for cookie in cookies:
        portal.http.cookies.jar.set_cookie(cookie)
    assert "您已退出登录" in text_of(portal.http.get(moved.headers["location"]))
    assert not _signed_in(portal)
