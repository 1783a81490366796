"""What the authorisation endpoint must not fall for."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from idp.errors import RegistrationRefused
from idp.model import ClientKind, ConsentPolicy, PkcePolicy
from tests.idp.conftest import World
from tests.idp.portal import CALLBACK, Portal, answer_of, challenge, form_of, text_of

NEAR_MISSES = [
    "https://portal.example.test/callback/",
    "https://portal.example.test/callback?",
    "https://portal.example.test/callback?x=1",
    "https://portal.example.test/callback#",
    "https://portal.example.test/callback#fragment",
    "https://portal.example.test/callback/..",
    "https://portal.example.test/callback/../callback",
    "https://portal.example.test/./callback",
    "https://portal.example.test//callback",
    "https://portal.example.test/Callback",
    "https://portal.example.test/callback2",
    "https://portal.example.test/callbac",
    "https://portal.example.test/",
    "https://portal.example.test",
    "https://portal.example.test/callback%2f",
    "https://portal.example.test/%63allback",
    "https://portal.example.test/callback%00",
    "https://portal.example.test/callback ",
    " https://portal.example.test/callback",
    "https://portal.example.test/callback;x=1",
    "https://portal.example.test\\/callback",
    "https:\\\\portal.example.test\\callback",
    "https:/portal.example.test/callback",
    "https:portal.example.test/callback",
    "//portal.example.test/callback",
    "/callback",
    "http://portal.example.test/callback",
    "HTTPS://portal.example.test/callback",
    "https://PORTAL.example.test/callback",
    "https://portal.example.test:443/callback",
    "https://portal.example.test:8443/callback",
    "https://portal.example.test./callback",
    "https://evil.portal.example.test/callback",
    "https://portal.example.test.evil.test/callback",
    "https://evil.test/callback",
    "https://evil.test/https://portal.example.test/callback",
    "https://evil.test?https://portal.example.test/callback",
    "https://evil.test#https://portal.example.test/callback",
    "https://portal.example.test@evil.test/callback",
    "https://user:pass@portal.example.test/callback",
    "https://portal.example.test%40evil.test/callback",
    "https://portal.example.test%2eevil.test/callback",
    "https://pоrtal.example.test/callback",
    "https://portal。example.test/callback",
    "https://portal.example.test/callback\u2028",
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///callback",
    "http://127.0.0.1/callback",
    "*",
    "null",
]


def test_a_redirect_uri_that_is_not_registered_letter_for_letter_gets_no_redirect(portal: Portal) -> None:
    assert len(set(NEAR_MISSES)) >= 30
    for uri in NEAR_MISSES:
        page = portal.authorize(redirect_uri=uri)
        assert page.status_code == 400, uri
        assert "location" not in page.headers, uri
        assert "无法处理这次登录请求" in text_of(page), uri


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "unknown"},
        {"client_id": None},
        {"redirect_uri": None},
        {"client_id": "portal\x00"},
        {"state": "a\x00b"},
        {"state": "a\r\nLocation: https://evil.test"},
    ],
)
def test_a_request_nobody_may_be_answered_for_shows_a_page(portal: Portal, changed: dict[str, str | None]) -> None:
    page = portal.authorize(**changed)
    assert page.status_code == 400
    assert "location" not in page.headers


def test_a_repeated_parameter_shows_a_page(portal: Portal) -> None:
    query = urlencode(portal.query(prompt="login"))
    for name in ("client_id", "redirect_uri", "state", "scope", "response_type", "nonce", "prompt", "unheard_of=&x"):
        page = portal.http.get(f"/oauth2/authorize?{query}&x=1&{name}=x")
        assert page.status_code == 400, name
        assert "location" not in page.headers, name


def test_a_query_that_is_no_utf8_shows_a_page(portal: Portal) -> None:
    page = portal.http.get(f"/oauth2/authorize?{urlencode(portal.query())}&x=%ff%fe")
    assert page.status_code == 400


def test_a_stopped_client_is_answered_like_an_unknown_one(world: World, portal: Portal) -> None:
    world.idp.registry.set_client_active(world.portal.client.id, active=False)
    assert portal.authorize().status_code == 400


OUT_OF_ORDER: list[tuple[dict[str, str | None], str]] = [
    ({"response_type": None}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"scope": None}, "invalid_scope"),
    ({"scope": "profile"}, "invalid_scope"),
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": "s256"}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"prompt": "dance"}, "invalid_request"),
    ({"max_age": "-1"}, "invalid_request"),
    ({"max_age": "soon"}, "invalid_request"),
    ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
    ({"request_uri": "https://portal.example.test/r"}, "request_uri_not_supported"),
    ({"registration": "{}"}, "registration_not_supported"),
    ({"state": "x" * 5000}, "invalid_request"),
    ({"id_token_hint": "eyJhbGciOiJub25lIn0.e30."}, "invalid_request"),
]


def test_a_request_out_of_order_is_told_to_the_client(portal: Portal) -> None:
    for changed, error in OUT_OF_ORDER:
        told = answer_of(portal.authorize(**changed))
        assert told["error"] == error, changed
        assert "code" not in told
        assert told["state"] == changed.get("state", "af0ifjsldkj")


def test_a_request_without_state_is_answered_without_one(portal: Portal) -> None:
    assert set(answer_of(portal.sign_in(state=None))) == {"code", "iss"}


def test_only_a_registered_exception_may_leave_pkce_out(world: World) -> None:
    old = world.visit(
        world.idp.registry.create_client(name="旧系统", redirect_uris=[CALLBACK], pkce=PkcePolicy.OPTIONAL)
    )
    answer = answer_of(old.sign_in(code_challenge=None, code_challenge_method=None))
    form = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": CALLBACK}
    assert old.token(**form).status_code == 200
    assert answer_of(old.authorize(code_challenge="plain", code_challenge_method="plain"))["error"] == "invalid_request"


def test_a_verifier_for_a_code_that_had_no_challenge_is_refused(world: World) -> None:
    old = world.visit(
        world.idp.registry.create_client(name="旧系统", redirect_uris=[CALLBACK], pkce=PkcePolicy.OPTIONAL)
    )
    code = answer_of(old.sign_in(code_challenge=None, code_challenge_method=None))["code"]
    assert old.redeem(code).json()["error"] == "invalid_request"


def test_a_scope_the_client_was_not_granted_is_not_given(world: World) -> None:
    narrow = world.visit(world.idp.registry.create_client(name="只要编号", redirect_uris=[CALLBACK], scopes=["openid"]))
    tokens = narrow.tokens()
    assert tokens["scope"] == "openid"
    assert set(narrow.userinfo(tokens["access_token"]).json()) == {"sub"}


@pytest.mark.parametrize("callback", ["cn.example.app:/callback", "http://127.0.0.1:7777/callback"])
@pytest.mark.parametrize("consent", list(ConsentPolicy))
def test_an_app_that_another_could_pass_itself_off_as_is_agreed_to_each_time(
    world: World, callback: str, consent: ConsentPolicy
) -> None:
    app = world.visit(
        world.idp.registry.create_client(
            name="办事 App", kind=ClientKind.PUBLIC, redirect_uris=[callback], consent=consent
        )
    )
    assert "code" in answer_of(app.sign_in(redirect_uri=callback))
    assert "allow" in form_of(app.authorize(redirect_uri=callback)).buttons
    assert answer_of(app.authorize(redirect_uri=callback, prompt="none"))["error"] == "consent_required"


def test_a_flow_belongs_to_the_browser_that_began_it(world: World, portal: Portal) -> None:
    page = portal.authorize()
    stranger = world.visit()
    stranger.authorize()  # has cookies of its own
    other = stranger.http.get(str(page.url))
    assert other.status_code == 400
    assert "这次登录已失效" in text_of(other)


def test_a_flow_gives_one_answer(portal: Portal) -> None:
    page = portal.login(portal.authorize())
    portal.send(page, "allow")
    again = portal.send(page, "allow")
    assert again.status_code == 400
    assert "这次登录已失效" in text_of(again)


def test_of_eight_consents_at_once_one_gives_a_code(portal: Portal) -> None:
    page = portal.login(portal.authorize())
    form = {**form_of(page).fields, "action": "allow"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: portal.http.post(str(page.url), data=form).status_code, range(8)))
    assert sorted(answers) == [303, *[400] * 7]


def test_a_flow_that_took_too_long_is_over(world: World, portal: Portal) -> None:
    page = portal.authorize()
    world.clock.advance(timedelta(minutes=31))
    assert portal.login(page).status_code == 400


def test_a_form_without_our_token_is_refused_and_changes_nothing(portal: Portal) -> None:
    page = portal.authorize()
    sent = {"username": "zhangsan", "password": "correct horse 电池", "action": "login"}
    refused = portal.http.post(str(page.url), data=sent)
    assert refused.status_code == 400
    assert "页面已失效" in text_of(refused)
    assert "password" in form_of(portal.http.get(str(page.url))).fields


def test_a_form_sent_from_another_site_is_refused(portal: Portal) -> None:
    page = portal.authorize()
    form = {**form_of(page).fields, "username": "zhangsan", "password": "correct horse 电池", "action": "login"}
    refused = portal.http.post(str(page.url), data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 400


def test_a_policy_holds_on_every_page(portal: Portal) -> None:
    page = portal.authorize()
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "form-action 'self' https://portal.example.test" in policy
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"


DANGEROUS = [
    "http://portal.example.test/callback",
    "https://portal.example.test/callback#x",
    "https://*.example.test/callback",
    "https://user@portal.example.test/callback",
    "https://portal.example.test\\@evil.test/",
    "javascript:alert(1)",
    "portal.example.test/callback",
    "https:///callback",
    "https://[::1/callback",
    "https://portal.example.test/call back",
]


def test_a_dangerous_redirect_uri_cannot_be_registered(world: World) -> None:
    for uri in DANGEROUS:
        with pytest.raises(RegistrationRefused):
            world.idp.registry.create_client(name="坏", redirect_uris=[uri])


def test_a_challenge_is_the_digest_of_its_verifier() -> None:
    # RFC 7636 appendix B
    assert challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
