"""The code flow, from the portal's button to the person's claims."""

import logging
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.idp.conftest import ISSUER, World
from tests.idp.portal import CALLBACK, PASSWORD, Portal, answer_of, form_of, payload, text_of


def test_a_person_signs_in_and_the_portal_learns_who_it_is(world: World, portal: Portal) -> None:
    page = portal.authorize()
    assert page.status_code == 200
    assert "鹏城办事大厅" in page.text
    assert set(form_of(page).fields) == {"csrf", "username", "password"}
    page = portal.login(page)
    assert "该应用希望获取以下信息" in text_of(page)
    answer = portal.send(page, "allow")
    assert answer.headers["location"].startswith(CALLBACK)
    told = answer_of(answer)
    assert told["state"] == "af0ifjsldkj"
    assert told["iss"] == ISSUER
    given = portal.redeem(told["code"])
    assert given.headers["cache-control"] == "no-store"
    tokens = given.json()
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 600
    told = portal.userinfo(tokens["access_token"]).json()
    assert told == {
        "sub": world.zhangsan.id,
        "name": "张三",
        "preferred_username": "zhangsan",
        "identity_level": 1,
        "identity_level_at": int(world.zhangsan.level_at.timestamp()),
        "identity_evidence": "self_asserted",
    }


def test_the_id_token_verifies_under_the_published_keys_and_tells_all_it_must(world: World, portal: Portal) -> None:
    tokens = portal.tokens()
    keys = KeySet.import_key_set(portal.http.get("/oauth2/jwks").json())
    token = jwt.decode(tokens["id_token"], keys, algorithms=["ES256"])
    assert token.header["kid"] == keys.keys[0].kid
    claims = token.claims
    now = int(world.clock.now().timestamp())
    assert claims["iss"] == ISSUER
    assert claims["aud"] == "portal"
    assert claims["sub"] == world.zhangsan.id
    assert (claims["iat"], claims["exp"], claims["auth_time"]) == (now, now + 600, now)
    assert claims["nonce"] == "n-0S6_WzA2Mj"
    assert claims["acr"] == "urn:xinyin:acr:ial1"
    assert claims["amr"] == ["pwd"]
    assert claims["sid"]
    assert len(claims["at_hash"]) == 22


def test_a_second_portal_needs_no_second_login_and_no_second_consent(portal: Portal) -> None:
    portal.tokens()
    assert "code" in answer_of(portal.authorize())


def test_the_authentication_time_is_when_the_person_authenticated(world: World, portal: Portal) -> None:
    before = payload(portal.tokens()["id_token"])["auth_time"]
    world.clock.advance(timedelta(minutes=5))
    later = payload(portal.tokens()["id_token"])
    assert later["auth_time"] == before
    assert later["iat"] == before + 300


def test_a_person_who_declines_sends_the_portal_access_denied(portal: Portal) -> None:
    page = portal.login(portal.authorize())
    told = answer_of(portal.send(page, "deny"))
    assert told["error"] == "access_denied"
    assert told["state"] == "af0ifjsldkj"
    assert told["iss"] == ISSUER


def test_a_public_client_signs_in_by_its_verifier_alone(public: Portal) -> None:
    tokens = public.tokens()
    assert payload(tokens["id_token"])["aud"] == "app"


def test_the_answer_can_come_by_form_post(portal: Portal) -> None:
    page = portal.sign_in(response_mode="form_post")
    assert page.status_code == 200
    form = form_of(page)
    assert form.fields["state"] == "af0ifjsldkj"
    assert portal.redeem(form.fields["code"]).status_code == 200
    assert "script-src 'sha256-" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]


def test_a_request_may_come_by_post(portal: Portal) -> None:
    moved = portal.http.post("/oauth2/authorize", data=portal.query())
    assert moved.status_code == 303
    page = portal.login(portal.follow(moved))
    assert "code" in answer_of(portal.send(page, "allow"))


def test_no_secret_and_no_name_reaches_the_log(
    portal: Portal, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    page = portal.login(portal.authorize(login_hint="zhangsan"), password="wrong password")
    code = answer_of(portal.send(portal.login(page), "allow"))["code"]
    tokens = portal.redeem(code).json()
    portal.redeem(code)
    portal.userinfo(tokens["access_token"])
    portal.http.get("/oauth2/logout", params={"id_token_hint": tokens["id_token"]})
    written = capsys.readouterr()
    # The test's own client logs the addresses it asks for; what counts is what the provider writes.
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    logged = "\n".join([*ours, written.out, written.err])
    secrets = (code, tokens["access_token"], tokens["id_token"], portal.secret or "", PASSWORD, "wrong password")
    for secret in (*secrets, portal.verifier, "zhangsan", "张三"):
        assert secret not in logged
