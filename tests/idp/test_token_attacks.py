"""What the token endpoint must not fall for: every known weak spot of the library under it has a test here."""

import asyncio
import base64
import json
from collections.abc import MutableMapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Response

from tests.idp.conftest import Department, World
from tests.idp.portal import CALLBACK, Portal, payload


def _error(response: Response) -> str:
    assert response.status_code in {400, 401}, response.text
    assert response.headers["cache-control"] == "no-store"
    return str(response.json()["error"])


def test_a_code_used_twice_revokes_the_tokens_it_gave(world: World, portal: Portal) -> None:
    code = portal.code()
    tokens = portal.redeem(code).json()
    assert portal.userinfo(tokens["access_token"]).status_code == 200
    assert _error(portal.redeem(code)) == "invalid_grant"
    assert portal.userinfo(tokens["access_token"]).status_code == 401
    with world.database.read() as conn:
        assert world.audit.verify(conn).holds


def test_of_eight_redemptions_at_once_at_most_one_gets_tokens(portal: Portal) -> None:
    code = portal.code()
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: portal.redeem(code).status_code, range(8)))
    assert sorted(statuses) == [200, *[400] * 7]


def test_a_code_lives_a_minute(world: World, portal: Portal) -> None:
    code = portal.code()
    world.clock.advance(timedelta(seconds=60))
    assert _error(portal.redeem(code)) == "invalid_grant"


def test_a_code_is_worth_nothing_to_another_client(world: World, portal: Portal) -> None:
    code = portal.code()
    other = world.visit(world.idp.registry.create_client(name="另一个", redirect_uris=[CALLBACK]))
    other.verifier = portal.verifier
    assert _error(other.redeem(code)) == "invalid_grant"
    assert portal.redeem(code).status_code == 200


def test_a_code_is_worth_nothing_with_another_redirect_uri(portal: Portal) -> None:
    assert _error(portal.redeem(portal.code(), redirect_uri=CALLBACK + "/")) == "invalid_grant"


@pytest.mark.parametrize(("verifier", "error"), [("x" * 43, "invalid_grant"), ("short", "invalid_request")])
def test_a_code_is_worth_nothing_with_another_verifier(portal: Portal, verifier: str, error: str) -> None:
    assert _error(portal.redeem(portal.code(), code_verifier=verifier)) == error


def test_the_challenge_itself_is_no_verifier(portal: Portal) -> None:
    code = portal.code()
    assert _error(portal.redeem(code, code_verifier=portal.query()["code_challenge"])) == "invalid_grant"


def test_a_code_with_a_challenge_needs_its_verifier(portal: Portal) -> None:
    assert _error(portal.redeem(portal.code(), code_verifier="")) == "invalid_request"


def test_a_public_client_needs_its_verifier(public: Portal) -> None:
    assert _error(public.redeem(public.code(), code_verifier="")) == "invalid_request"


def test_a_grant_type_in_the_query_is_not_seen(department: Department) -> None:
    system = department("license.issue:*")
    assert _error(system.token(query="?grant_type=client_credentials")) == "invalid_request"
    assert system.token(grant_type="client_credentials").status_code == 200


def test_a_client_id_beside_another_in_basic_is_refused(department: Department) -> None:
    system = department("license.issue:*")
    assert _error(system.token(grant_type="client_credentials", client_id="portal")) == "invalid_request"
    assert system.token(grant_type="client_credentials", client_id=system.client_id).status_code == 200


def test_two_proofs_in_one_request_are_refused(department: Department) -> None:
    system = department("license.issue:*")
    form = {"grant_type": "client_credentials", "client_secret": system.secret or ""}
    assert _error(system.token(**form)) == "invalid_request"


@pytest.mark.parametrize(
    "body",
    [
        b"grant_type=%ff",
        b"\xff\xfe",
        b"grant_type=client_credentials&grant_type=client_credentials",
        b"grant_type=a%00",
    ],
)
def test_a_body_that_cannot_be_read_is_a_plain_no(portal: Portal, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert _error(portal.http.post("/oauth2/token", content=body, headers=headers)) == "invalid_request"


def test_a_json_body_is_refused(portal: Portal) -> None:
    assert _error(portal.http.post("/oauth2/token", json={"grant_type": "client_credentials"})) == "invalid_request"


@pytest.mark.parametrize(
    "credentials", ["Basic !!!", "Basic " + base64.b64encode(b"\xff:\xff").decode(), "Basic", "Bearer x", "Basic Og=="]
)
def test_credentials_that_cannot_be_read_are_a_plain_no(portal: Portal, credentials: str) -> None:
    refused = portal.http.post(
        "/oauth2/token", data={"grant_type": "client_credentials"}, headers={"Authorization": credentials}
    )
    assert refused.status_code == 401
    assert refused.json()["error"] == "invalid_client"
    assert refused.headers["www-authenticate"].startswith("Basic")


def test_an_unknown_client_and_a_wrong_secret_are_answered_alike(portal: Portal) -> None:
    form = {"grant_type": "authorization_code", "code": "x"}
    unknown = portal.http.post("/oauth2/token", data=form, auth=("nobody", "x"))
    wrong = portal.http.post("/oauth2/token", data=form, auth=("portal", "x"))
    assert unknown.status_code == wrong.status_code == 401
    assert unknown.content == wrong.content


def test_a_confidential_client_cannot_pass_as_public(portal: Portal) -> None:
    code = portal.code()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": portal.verifier,
        "client_id": "portal",
    }
    assert _error(portal.http.post("/oauth2/token", data=form)) == "invalid_client"


def test_a_client_proves_itself_only_in_its_registered_way(portal: Portal) -> None:
    form = {"grant_type": "authorization_code", "code": "x", "client_id": "portal", "client_secret": portal.secret}
    assert _error(portal.http.post("/oauth2/token", data=form)) == "invalid_client"


def test_an_old_secret_ends_when_it_is_renewed(world: World, portal: Portal) -> None:
    code = portal.code()
    new = world.idp.registry.renew_secret(world.portal.client.id)
    assert _error(portal.redeem(code)) == "invalid_client"
    portal.secret = new
    assert portal.redeem(code).status_code == 200


@pytest.mark.parametrize("grant", ["password", "refresh_token", "implicit", "urn:x", "<script>"])
def test_a_grant_we_do_not_have_is_refused(portal: Portal, grant: str) -> None:
    assert _error(portal.token(grant_type=grant)) == "unsupported_grant_type"


def test_a_portal_gets_no_token_for_itself(portal: Portal) -> None:
    assert _error(portal.token(grant_type="client_credentials")) == "unauthorized_client"


def test_a_person_who_was_stopped_gets_no_tokens(world: World, portal: Portal) -> None:
    code = portal.code()
    world.idp.registry.set_person_active(world.zhangsan.id, active=False)
    assert _error(portal.redeem(code)) == "invalid_grant"


def _forged(token: str, header: dict[str, object], *, signature: str | None = None) -> str:
    encoded = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    _, claims, old = token.split(".")
    return f"{encoded}.{claims}.{old if signature is None else signature}"


@pytest.mark.parametrize(
    ("header", "signature"),
    [
        ({"alg": "none", "typ": "at+jwt"}, ""),
        ({"alg": "None", "typ": "at+jwt"}, ""),
        ({"alg": "none", "typ": "at+jwt"}, None),
        ({"alg": "HS256", "typ": "at+jwt"}, None),
        ({"alg": "ES256", "typ": "at+jwt", "crit": ["x"], "x": 1}, None),
        ({"alg": "ES256", "typ": "at+jwt", "jwk": {"kty": "EC"}}, None),
        ({"alg": "ES256", "typ": "JWT"}, None),
    ],
)
def test_a_forged_access_token_opens_nothing(portal: Portal, header: dict[str, object], signature: str | None) -> None:
    token = portal.tokens()["access_token"]
    refused = portal.userinfo(_forged(token, header, signature=signature))
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]


def test_an_id_token_is_no_access_token(portal: Portal) -> None:
    assert portal.userinfo(portal.tokens()["id_token"]).status_code == 401


def test_an_access_token_ends_after_ten_minutes(world: World, portal: Portal) -> None:
    token = portal.tokens()["access_token"]
    world.clock.advance(timedelta(minutes=10, seconds=6))
    assert portal.userinfo(token).status_code == 401


def test_an_access_token_in_the_url_is_not_seen(portal: Portal) -> None:
    token = portal.tokens()["access_token"]
    assert portal.http.get(f"/oauth2/userinfo?access_token={token}").status_code == 401


def test_an_access_token_may_come_in_a_form(portal: Portal) -> None:
    token = portal.tokens()["access_token"]
    assert portal.http.post("/oauth2/userinfo", data={"access_token": token}).status_code == 200
    twice = portal.http.post(
        "/oauth2/userinfo", data={"access_token": token}, headers={"Authorization": f"Bearer {token}"}
    )
    assert twice.status_code == 400


def test_a_departments_token_is_no_key_to_a_person(department: Department) -> None:
    token = department("license.issue:*").token(grant_type="client_credentials").json()["access_token"]
    portal = department("license.issue:*")
    assert portal.userinfo(token).status_code == 403


def test_userinfo_says_in_the_header_what_is_wrong(portal: Portal, department: Department) -> None:
    # RFC 6750 3: the header is there whenever the token does not open the door.
    form = "application/x-www-form-urlencoded"
    own = department("license.issue:*").token(grant_type="client_credentials").json()["access_token"]
    person = portal.tokens()["access_token"]
    refused = portal.userinfo(own)
    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
    bearer = {"Authorization": f"Bearer {person}", "Content-Type": form}
    for body in (f"access_token={person}".encode(), b"\xff", b"x=" + b"x" * 20_000):
        refused = portal.http.post("/oauth2/userinfo", content=body, headers=bearer)
        assert refused.status_code == 400
        assert refused.json()["code"] == "invalid_request"
        assert 'error="invalid_request"' in refused.headers["www-authenticate"]
    odd = {"Content-Type": "Application/X-WWW-Form-URLencoded; charset=UTF-8"}
    told = portal.http.post("/oauth2/userinfo", content=f"access_token={person}", headers=odd)
    assert told.status_code == 200


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/authorize", "/oauth2/logout", "/oauth2/userinfo"])
def test_of_a_body_that_is_too_long_only_the_beginning_is_read(world: World, path: str) -> None:
    taken: list[int] = []

    async def receive() -> dict[str, object]:
        taken.append(1)
        return {"type": "http.request", "body": b"x" * 4096, "more_body": len(taken) < 1000}

    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(b"content-type", b"application/x-www-form-urlencoded")],
    }

    async def serve() -> None:
        await world.app(scope, receive, send)

    asyncio.run(serve())
    assert sent[0]["status"] == 400
    assert len(taken) <= 5


def test_credentials_are_form_decoded_as_the_standard_says(department: Department) -> None:
    # RFC 6749 2.3.1: both halves are form-encoded before Basic.
    system = department("license.issue:*")
    quoted = "".join(f"%{ord(letter):02X}" for letter in system.secret or "")
    headers = {"Authorization": "Basic " + base64.b64encode(f"{system.client_id}:{quoted}".encode()).decode()}
    given = system.http.post("/oauth2/token", data={"grant_type": "client_credentials"}, headers=headers)
    assert payload(given.json()["access_token"])["sub"] == system.client_id
