"""Signing in to the console, staying, and leaving; and what an attacker tries on the way."""

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import sqlalchemy as sa

from admin import build, faces
from admin.console import store
from kernel.audit import entries
from tests.admin.conftest import Town
from tests.admin.console.conftest import PASSWORD, Desk, Office, opened
from tests.cheap import cheap
from tests.inprocess import browser

HELD, PENDING = "xinyin_console", "xinyin_console_sign_in"
HTTPS = "https://id.example.gov.cn"


def left_for(desk: Desk, address: str = "/console") -> dict[str, str]:
    """Give what the provider is asked when somebody opens ``address``."""
    desk.get(address)
    leaving = next(each for each in desk.history if "/oauth2/authorize" in each.headers.get("location", ""))
    return {name: values[0] for name, values in parse_qs(urlsplit(leaving.headers["location"]).query).items()}


def answered(desk: Desk) -> str:
    """Sign in at the provider and stop before the answer is brought back; give its address."""
    page = desk.get("/console")
    form = desk.history[-2].headers["location"]
    fields = {"action": "login", "username": desk.login, "password": PASSWORD, **desk.hidden(page)}
    return str(desk.send(form, fields, follow=False).headers["location"])


def cookies(desk: Desk, address: str) -> dict[str, str]:
    """Give the cookies an address sets, each with its attributes."""
    response = desk.get(address, follow=False)
    return {each.partition("=")[0]: each for each in response.headers.get_list("set-cookie")}


# --- coming in ---------------------------------------------------------------------------------------------------


def test_an_officer_signs_in_at_our_own_provider_and_is_greeted(office: Office) -> None:
    desk = office.desk("zhao")
    asked = left_for(desk)
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert "赵主任，您好" in desk.sign_in().text


def test_where_somebody_was_going_is_where_they_arrive(office: Office) -> None:
    desk = office.desk("zhao")
    desk.sign_in("/console/seals?status=active")
    assert desk.history[-2].headers["location"] == "/console/seals?status=active"


def test_nobody_is_sent_anywhere_but_into_the_console(office: Office) -> None:
    desk = office.signed_in("zhao")
    for wished in (
        "https://evil.example/",
        "//evil.example/console",
        "/console/../evil",
        "/console@evil.example",
        "/console\\evil.example",
        "/console//evil.example",
        "/console/seals#frag",
        "javascript:alert(1)",
        "/oauth2/logout",
        "/console/seals?x=<script>",
        "/console\r\nLocation: https://evil.example",
        "/console" + "/a" * 300,
    ):
        desk.get(f"/console/sign-in?next={quote(wished, safe='')}", follow=False)
        for _ in range(2):
            desk.get(desk.history[-1].headers["location"], follow=False)
        assert desk.history[-1].headers["location"] == "/console", wished


def test_a_cookie_that_was_there_before_never_becomes_a_signed_in_one(office: Office) -> None:
    desk = office.desk("zhao")
    desk.client.cookies.set(HELD, "planted")
    assert desk.sign_in().status_code == 200
    assert not office.admits("planted")


def test_a_second_sign_in_ends_the_first_one_of_this_browser(office: Office) -> None:
    desk = office.signed_in("zhao")
    before = desk.client.cookies[HELD]
    desk.get("/console/sign-in")
    assert desk.client.cookies[HELD] != before
    assert not office.admits(before)
    assert office.admits(desk.client.cookies[HELD])


def test_an_answer_is_taken_from_the_browser_that_asked_alone(office: Office) -> None:
    attacker, victim = office.desk("sun"), office.desk("zhao")
    answer = answered(attacker)
    for desk in (office.desk("zhao"), victim):
        page = desk.get(answer)
        assert page.status_code == 403
        assert "console_sign_in_refused" in page.text
        assert HELD not in desk.client.cookies
        victim.get("/console")


def test_an_answer_is_taken_once(office: Office) -> None:
    desk = office.desk("zhao")
    answer = answered(desk)
    kept = desk.client.cookies[PENDING]
    assert desk.get(answer, follow=False).status_code == 303
    desk.client.cookies.set(PENDING, kept)
    assert desk.get(answer, follow=False).status_code == 403


@pytest.mark.parametrize("changed", ["state=other", "iss=https://evil.example", "code=other", "error=server_error"])
def test_an_answer_with_one_wrong_part_is_refused(office: Office, changed: str) -> None:
    desk = office.desk("zhao")
    name = changed.partition("=")[0]
    parts = [each for each in answered(desk).partition("?")[2].split("&") if not each.startswith(f"{name}=")]
    page = desk.get("/console/callback?" + "&".join([*parts, changed]))
    assert page.status_code == 403
    assert HELD not in desk.client.cookies


def test_an_answer_that_says_something_twice_is_refused(office: Office) -> None:
    desk = office.desk("zhao")
    assert desk.get(answered(desk) + "&state=other").status_code == 400


def test_whoever_breaks_the_sign_in_off_is_told_that_they_are_out(office: Office) -> None:
    desk = office.desk("zhao")
    page = desk.get("/console")
    done = desk.prove(page, action="cancel")
    assert done.status_code == 200
    assert "您已退出控制台" in done.text


def test_the_secret_of_a_session_is_nowhere_on_record(office: Office) -> None:
    desk = office.signed_in("zhao")
    with office.service.database.read() as conn:
        rows = conn.execute(sa.select(store.SESSIONS)).all()
    assert rows
    assert not any(desk.client.cookies[HELD] in str(value) for row in rows for value in row)


# --- cookies -----------------------------------------------------------------------------------------------------


def test_cookies_are_out_of_scripts_reach_and_bound_to_this_host(staffed: Town, tmp_path: Path) -> None:
    with opened(staffed, tmp_path / "home", public_url=HTTPS) as office:
        desk = office.desk("zhao")
        pending = cookies(desk, "/console/sign-in")[f"__Host-{PENDING}"]
        done = desk.client.get(answered(desk))
        held = next(each for each in done.headers.get_list("set-cookie") if each.startswith(f"__Host-{HELD}="))
        for cookie in (pending, held):
            assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
            assert "Domain" not in cookie
            assert "Max-Age" not in cookie


# --- staying -----------------------------------------------------------------------------------------------------


def test_whoever_does_nothing_for_a_quarter_of_an_hour_is_out(office: Office) -> None:
    desk = office.signed_in("zhao")
    for _ in range(3):
        office.clock.advance(timedelta(minutes=14))
        assert desk.get("/console", follow=False).status_code == 200
    office.clock.advance(timedelta(minutes=15))
    assert desk.get("/console", follow=False).status_code == 303


def test_a_page_that_reloads_itself_keeps_nobody_in(office: Office) -> None:
    desk = office.signed_in("zhao")
    for _ in range(2):
        office.clock.advance(timedelta(minutes=7))
        assert desk.get("/console?watch=1", follow=False).status_code == 200
    office.clock.advance(timedelta(minutes=7))
    assert desk.get("/console?watch=1", follow=False).status_code == 303


def test_nobody_stays_longer_than_eight_hours(office: Office) -> None:
    held = office.signed_in("zhao").client.cookies[HELD]
    for _ in range(47):
        office.clock.advance(timedelta(minutes=10))
        assert office.admits(held)
    office.clock.advance(timedelta(minutes=10))
    assert not office.admits(held)


def test_an_office_that_is_taken_away_is_gone_at_the_next_click(office: Office) -> None:
    desk = office.signed_in("zhao")
    office.appoint("zhao")
    page = desk.get("/console/seals")
    assert page.status_code == 403
    assert "您还不是印章管理员" in page.text
    assert office.seal not in page.text


def test_whoever_holds_no_office_is_told_what_to_do(office: Office) -> None:
    page = office.desk("sun").sign_in()
    assert page.status_code == 403
    assert "xinyin affair officer sun" in page.text
    assert "sign-out" in page.text


def test_a_person_who_is_stopped_is_out_at_the_next_click(office: Office) -> None:
    desk = office.signed_in("zhao")
    office.service.registry.set_person_active(office.people["zhao"].id, active=False)
    assert desk.get("/console", follow=False).status_code == 303


# --- leaving -----------------------------------------------------------------------------------------------------


def test_signing_out_ends_the_stay_here_and_at_the_provider(office: Office) -> None:
    desk = office.signed_in("zhao")
    kept = desk.client.cookies[HELD]
    page = desk.form("/console", "/console/sign-out")
    assert page.status_code == 200
    assert "您已退出控制台" in page.text
    assert not office.admits(kept)
    # The provider asks anew.
    assert 'name="password"' in desk.get("/console").text


def test_another_site_signs_nobody_out(office: Office) -> None:
    desk = office.signed_in("zhao")
    assert desk.send("/console/sign-out", {"csrf": "guess"}).status_code == 403
    assert desk.get("/console", follow=False).status_code == 200


def test_signing_out_elsewhere_ends_the_stay_here(office: Office) -> None:
    desk = office.signed_in("zhao")
    asked = desk.get("/oauth2/logout")
    desk.send("/oauth2/logout", {"confirm": "yes", **desk.hidden(asked)})
    assert desk.get("/console", follow=False).status_code == 303


def test_signing_in_and_out_is_on_record(office: Office) -> None:
    desk = office.signed_in("zhao")
    desk.form("/console", "/console/sign-out")
    with office.service.database.read() as conn:
        query = sa.select(entries.c.action, entries.c.actor).where(entries.c.action.startswith("console."))
        told = conn.execute(query.order_by(entries.c.seq.desc()).limit(2)).all()
    zhao = office.people["zhao"].id
    assert [tuple(row) for row in told] == [("console.signed_out", zhao), ("console.signed_in", zhao)]


# --- being registered --------------------------------------------------------------------------------------------


def test_the_console_is_registered_once_and_moves_with_the_address(town: Town) -> None:
    file = town.home / "console-client"
    with cheap():
        before = file.read_bytes()
        build.prepare(town.settings)
        assert file.read_bytes() == before
        with build.services(town.settings.model_copy(update={"public_url": HTTPS})) as service:
            assert service.console_client is None
            page = browser(faces.application(service), HTTPS, headers={"accept": "text/html"}).get("/console")
            assert page.status_code == 503
            assert "xinyin migrate" in page.text
        build.prepare(town.settings.model_copy(update={"public_url": HTTPS}))
        with build.services(town.settings) as service:
            assert service.console_client is None
            old = re.search(rb'"id": "([^"]+)"', before)
            assert old is not None
            assert not service.registry.client(old[1].decode()).active
        build.prepare(town.settings)
        with build.services(town.settings) as service:
            assert service.console_client is not None
            assert service.registry.client(service.console_client.id).active


def test_a_lost_registration_is_renewed(town: Town) -> None:
    file = town.home / "console-client"
    before = file.read_bytes()
    file.unlink()
    with cheap():
        build.prepare(town.settings)
    assert file.read_bytes() != before
    assert file.stat().st_mode & 0o077 == 0


def test_an_address_that_nobody_may_sign_in_at_has_no_console(town: Town) -> None:
    (town.home / "console-client").unlink()
    plain = town.settings.model_copy(update={"public_url": "http://id.example.gov.cn"})
    with cheap():
        build.prepare(plain)
    assert not (town.home / "console-client").exists()
