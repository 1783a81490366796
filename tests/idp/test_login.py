"""Logging in: prompts, ages, levels, guesses, sessions."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
import sqlalchemy as sa
from httpx2 import Response
from starlette.applications import Starlette

from crypto.keys import VaultSigner
from idp.api import routes
from idp.attempts import ACCOUNT, begin, network_of
from idp.errors import LoginTaken, RegistrationRefused
from idp.model import Evidence, IdentityLevel
from idp.passwords import Passwords
from idp.realname import well_formed
from idp.service import Idp
from idp.session import sign_out
from idp.store import sessions
from idp.store.tables import attempts, people
from idp.store.tables import sessions as sessions_table
from kernel.audit import entries
from kernel.page import Pages
from tests.idp.conftest import ISSUER, NUMBER, World
from tests.idp.portal import PASSWORD, Portal, answer_of, form_of, payload, text_of
from tests.inprocess import browser

WRONG = "用户名或密码不正确"
LATER = "尝试次数过多"
SESSION = "__Host-xinyin_session"
WISH = "urn:xinyin:acr:ial2"


def _asks_password(page: Response) -> bool:
    return page.status_code == 200 and "password" in form_of(page).fields


def test_a_wrong_password_and_an_unknown_name_read_alike(portal: Portal) -> None:
    page = portal.authorize()
    wrong = portal.login(page, "zhangsan", "wrong password")
    unknown = portal.login(page, "nobody-here", "wrong password")
    assert wrong.status_code == unknown.status_code == 400
    assert WRONG in text_of(wrong)
    assert text_of(wrong) == text_of(unknown)


@pytest.mark.parametrize("username", ["zhangsan", "nobody-here"])
def test_after_five_failures_there_is_a_wait_even_for_the_right_password(world: World, username: str) -> None:
    portal = world.visit()
    page = portal.authorize()
    for _ in range(5):
        assert WRONG in text_of(portal.login(page, username, "wrong password"))
    locked = portal.login(page, username)
    assert locked.status_code == 429
    assert LATER in text_of(locked)
    world.clock.advance(timedelta(seconds=31))
    assert (LATER not in text_of(portal.login(page, username))) is True


def test_the_wait_grows_with_each_further_failure(world: World, portal: Portal) -> None:
    page = portal.authorize()
    for _ in range(5):
        portal.login(page, password="wrong password")
    world.clock.advance(timedelta(seconds=31))
    assert WRONG in text_of(portal.login(page, password="wrong password"))
    world.clock.advance(timedelta(seconds=31))
    assert LATER in text_of(portal.login(page))


def test_the_right_password_forgets_the_failures(portal: Portal) -> None:
    page = portal.authorize()
    for _ in range(4):
        portal.login(page, password="wrong password")
    assert "allow" in form_of(portal.login(page)).buttons


def test_guesses_from_one_address_at_many_accounts_are_counted_too(world: World) -> None:
    portal = world.visit()
    page = portal.authorize()
    for number in range(50):
        portal.login(page, f"name{number}", "wrong password")
    assert LATER in text_of(portal.login(page))


def test_a_locked_address_locks_nobodys_account(world: World) -> None:
    portal = world.visit()
    page = portal.authorize()
    for number in range(50):
        portal.login(page, f"name{number}", "wrong password")
    for _ in range(6):
        assert LATER in text_of(portal.login(page))
    world.clock.advance(timedelta(seconds=31))
    assert "allow" in form_of(portal.login(page)).buttons


def test_many_people_behind_one_address_do_not_lock_each_other_out(world: World) -> None:
    portal = world.visit()
    for _ in range(55):
        portal.http.cookies.clear()
        page = portal.login(portal.authorize())
        assert LATER not in text_of(page)


def test_an_address_that_is_never_quiet_is_not_locked_for_good(world: World, portal: Portal) -> None:
    for number in range(60):
        portal.login(portal.authorize(), f"name{number}", "wrong password")
        world.clock.advance(timedelta(minutes=10))
    assert WRONG in text_of(portal.login(portal.authorize(), password="wrong password"))
    assert "allow" in form_of(portal.login(portal.authorize())).buttons


def test_a_success_leaves_no_lock_behind_for_the_others_of_its_address(world: World) -> None:
    portal = world.visit()
    page = portal.authorize()
    for number in range(50):
        portal.login(page, f"name{number}", "wrong password")
    world.clock.advance(timedelta(seconds=31))
    assert "allow" in form_of(portal.login(page)).buttons
    neighbour = world.visit()
    assert "allow" in form_of(neighbour.login(neighbour.authorize(), "lisi")).buttons


def test_one_subscribers_many_addresses_are_counted_as_one(world: World) -> None:
    page = None
    for number in range(51):
        http = browser(world.app, ISSUER, caller=(f"2001:db8:1:2::{number:x}", 50000))
        portal = Portal(http, "portal", world.portal.secret)
        page = portal.login(portal.authorize(), f"name{number}", "wrong password")
    assert page is not None
    assert LATER in text_of(page)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_what_is_counted_is_the_subscriber(address: str, counted: str) -> None:
    assert network_of(address) == counted


def test_no_login_name_stands_for_somebodys_proofs(world: World, portal: Portal) -> None:
    page = portal.login(portal.authorize(acr_values=WISH))
    stranger = world.visit()
    other = stranger.authorize()
    for _ in range(6):
        stranger.login(other, f"real name of {world.zhangsan.id}", "x")
    assert LATER not in text_of(portal.send(page, "prove", real_name="张三丰", id_number=NUMBER))


def test_a_counter_forgotten_at_the_moment_it_is_read_is_made_anew(world: World) -> None:
    forgotten: list[str] = []

    def meanwhile(conn: sa.Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO idp_attempts") and not forgotten:
            forgotten.append(statement)
            conn.execute(sa.delete(attempts))

    with world.database.begin() as conn:
        sa.event.listen(conn, "after_cursor_execute", meanwhile)
        assert begin(conn, ACCOUNT, "zhangsan", world.clock.now()) is None
    assert forgotten


def test_neither_names_nor_addresses_are_kept_with_the_counters(world: World, portal: Portal) -> None:
    portal.login(portal.authorize(), password="wrong password")
    with world.database.read() as conn:
        keys = list(conn.execute(sa.select(attempts.c.key)).scalars())
    assert keys
    assert all(len(key) == 64 for key in keys)


@pytest.mark.parametrize("username", ["ZhangSan", " zhangsan ", "ｚｈａｎｇｓａｎ"])
def test_a_login_name_is_the_same_in_any_case_and_width(portal: Portal, username: str) -> None:
    assert "allow" in form_of(portal.login(portal.authorize(), username)).buttons


@pytest.mark.parametrize("password", ["", "x" * 5000, "\ud800"])
def test_odd_passwords_are_just_wrong(portal: Portal, password: str) -> None:
    page = portal.authorize()
    form = {**form_of(page).fields, "username": "zhangsan", "action": "login"}
    sent = {**form, "password": password.encode("utf-8", "ignore").decode()}
    assert portal.http.post(str(page.url), data=sent).status_code == 400


def test_the_session_cookie_is_new_after_every_login(portal: Portal) -> None:
    page = portal.authorize()
    portal.http.cookies.set(SESSION, "planted-by-an-attacker", domain="id.example.test")
    portal.login(page)
    first = portal.http.cookies.get(SESSION, domain="id.example.test")
    assert first not in (None, "planted-by-an-attacker")
    portal.login(portal.authorize(prompt="login"))
    second = [cookie.value for cookie in portal.http.cookies.jar if cookie.name == SESSION]
    assert first not in second


def test_an_old_session_cookie_is_worth_nothing_after_a_new_login(world: World, portal: Portal) -> None:
    portal.sign_in()
    old = next(cookie.value for cookie in portal.http.cookies.jar if cookie.name == SESSION)
    portal.login(portal.authorize(prompt="login"))
    thief = world.visit()
    thief.http.cookies.set(SESSION, old or "", domain="id.example.test")
    assert _asks_password(thief.authorize())


def test_cookies_are_out_of_scripts_reach_and_bound_to_the_host(portal: Portal) -> None:
    page = portal.authorize()
    form = {**form_of(page).fields, "username": "zhangsan", "password": PASSWORD, "action": "login"}
    cookies = portal.http.post(str(page.url), data=form).headers.get_list("set-cookie")
    assert len(cookies) == 1
    assert cookies[0].startswith(SESSION)
    for part in ("HttpOnly", "Secure", "Path=/", "SameSite=lax"):
        assert part in cookies[0]
    assert "Domain" not in cookies[0]


def test_the_same_person_keeps_the_session_id_over_logins(portal: Portal) -> None:
    before = payload(portal.tokens()["id_token"])["sid"]
    assert payload(portal.tokens(prompt="login")["id_token"])["sid"] == before


def test_another_person_gets_another_session_and_ends_the_first(world: World, portal: Portal) -> None:
    tokens = portal.tokens()
    code = portal.code("lisi", prompt="login")
    other = portal.redeem(code).json()
    assert payload(other["id_token"])["sub"] == world.lisi.id
    assert payload(other["id_token"])["sid"] != payload(tokens["id_token"])["sid"]
    assert portal.userinfo(tokens["access_token"]).status_code == 401


def test_a_session_ends_after_twelve_hours(world: World, portal: Portal) -> None:
    portal.sign_in()
    world.clock.advance(timedelta(hours=12))
    assert _asks_password(portal.authorize())


def test_a_stopped_person_is_signed_out_everywhere(world: World, portal: Portal) -> None:
    tokens = portal.tokens()
    world.idp.registry.set_person_active(world.zhangsan.id, active=False)
    assert portal.userinfo(tokens["access_token"]).status_code == 401
    page = portal.authorize()
    assert _asks_password(page)
    assert WRONG in text_of(portal.login(page))


# --- what the client may ask of the login ----------------------------------------------------------------------


def test_prompt_login_asks_again_and_the_time_is_new(world: World, portal: Portal) -> None:
    before = payload(portal.tokens()["id_token"])["auth_time"]
    world.clock.advance(timedelta(minutes=1))
    page = portal.authorize(prompt="login")
    assert _asks_password(page)
    assert "该应用要求再次验证身份" in text_of(page)
    tokens = portal.redeem(answer_of(portal.login(page))["code"]).json()
    assert payload(tokens["id_token"])["auth_time"] == before + 60


def test_prompt_none_shows_nothing(portal: Portal) -> None:
    assert answer_of(portal.authorize(prompt="none"))["error"] == "login_required"
    portal.login(portal.authorize())
    assert answer_of(portal.authorize(prompt="none"))["error"] == "consent_required"
    portal.sign_in()
    assert "code" in answer_of(portal.authorize(prompt="none"))


def test_prompt_consent_asks_again(portal: Portal) -> None:
    portal.sign_in()
    assert "allow" in form_of(portal.authorize(prompt="consent")).buttons


@pytest.mark.parametrize(("max_age", "asked"), [("0", True), ("59", True), ("60", False), ("10000", False)])
def test_an_older_login_than_the_client_takes_is_made_anew(
    world: World, portal: Portal, max_age: str, asked: bool
) -> None:
    portal.sign_in()
    world.clock.advance(timedelta(seconds=60))
    page = portal.authorize(max_age=max_age)
    assert (page.status_code == 200) is asked
    if asked:
        assert "code" in answer_of(portal.login(page))


def test_a_login_hint_fills_the_name_in(portal: Portal) -> None:
    assert form_of(portal.authorize(login_hint="zhangsan")).fields["username"] == "zhangsan"


def test_a_login_hint_cannot_write_html(portal: Portal) -> None:
    assert "<script>alert" not in portal.authorize(login_hint='"><script>alert(1)</script>').text


@pytest.mark.parametrize(("locales", "title"), [("en", "Sign in"), ("fr-CA en-GB", "Sign in"), ("zh-CN en", "登录")])
def test_the_client_may_choose_the_language(portal: Portal, locales: str, title: str) -> None:
    assert f"<h1>{title}</h1>" in portal.authorize(ui_locales=locales).text


def test_an_id_token_hint_asks_for_that_person(portal: Portal) -> None:
    hint = portal.tokens()["id_token"]
    assert "code" in answer_of(portal.authorize(id_token_hint=hint))
    portal.code("lisi", prompt="login")
    page = portal.authorize(id_token_hint=hint)
    assert _asks_password(page)
    assert answer_of(portal.login(page, "lisi"))["error"] == "login_required"


# --- identity levels -------------------------------------------------------------------------------------------


def test_a_client_that_wishes_a_proved_name_gets_one(portal: Portal) -> None:
    page = portal.login(portal.authorize(acr_values=WISH))
    assert "需要实名核验" in text_of(page)
    page = portal.send(page, "prove", real_name="张三丰", id_number=NUMBER.lower())
    tokens = portal.redeem(answer_of(portal.send(page, "allow"))["code"]).json()
    assert payload(tokens["id_token"])["acr"] == WISH
    told = portal.userinfo(tokens["access_token"]).json()
    assert (told["name"], told["identity_level"], told["identity_evidence"]) == ("张三丰", 2, "name_and_number")
    assert "code" in answer_of(portal.authorize(acr_values=WISH))


def test_a_person_may_go_on_without_and_the_client_is_told_the_truth(portal: Portal) -> None:
    page = portal.send(portal.login(portal.authorize(acr_values=WISH)), "continue")
    tokens = portal.redeem(answer_of(portal.send(page, "allow"))["code"]).json()
    assert payload(tokens["id_token"])["acr"] == "urn:xinyin:acr:ial1"


@pytest.mark.parametrize(
    ("number", "text"), [("110105194912310021", "身份证号码有误"), (NUMBER, "姓名与身份证号码不一致")]
)
def test_a_number_that_does_not_fit_proves_nothing(world: World, portal: Portal, number: str, text: str) -> None:
    page = portal.login(portal.authorize(acr_values=WISH))
    page = portal.send(page, "prove", real_name="李四", id_number=number)
    assert text in text_of(page)
    assert world.idp.registry.person("zhangsan").level == 1


def test_guessing_names_for_a_number_is_slowed_down(portal: Portal) -> None:
    page = portal.login(portal.authorize(acr_values=WISH))
    for _ in range(5):
        portal.send(page, "prove", real_name="李四", id_number=NUMBER)
    assert LATER in text_of(portal.send(page, "prove", real_name="张三丰", id_number=NUMBER))


def test_a_register_that_cannot_be_asked_changes_nothing(world: World, portal: Portal) -> None:
    world.population.available = False
    page = portal.login(portal.authorize(acr_values=WISH))
    assert portal.send(page, "prove", real_name="张三丰", id_number=NUMBER).status_code == 400
    assert world.idp.registry.person("zhangsan").level == 1


@pytest.mark.parametrize("name", ["", "　", "x" * 101, "张\u200b三"])
def test_what_is_no_name_proves_nothing(world: World, portal: Portal, name: str) -> None:
    page = portal.login(portal.authorize(acr_values=WISH))
    unknown = "110105194912310038"
    assert well_formed(unknown)
    assert "姓名与身份证号码不一致" in text_of(portal.send(page, "prove", real_name=name, id_number=unknown))
    assert world.idp.registry.person("zhangsan").level == 1


def test_a_number_nobody_has_matches_no_name(world: World) -> None:
    assert not world.population.matches("", "110105194912310038")


class _Meanwhile:
    """A register that takes its time: something happens before it says yes."""

    def __init__(self, deed: Callable[[], object]) -> None:
        self._deed = deed

    def matches(self, name: str, number: str) -> bool:
        del name, number
        self._deed()
        return True


@pytest.mark.parametrize("meanwhile", ["signed out", "stopped", "proved at a counter"])
def test_an_answer_of_the_register_counts_only_if_nothing_has_changed(
    world: World, signer: VaultSigner, cheap_passwords: Passwords, meanwhile: str
) -> None:
    registry, zhangsan = world.idp.registry, world.zhangsan.id
    deeds: dict[str, Callable[[], object]] = {
        "signed out": lambda: _sign_out_everywhere(world),
        "stopped": lambda: registry.set_person_active(zhangsan, active=False),
        "proved at a counter": lambda: registry.prove_identity(
            zhangsan, name="张三", level=IdentityLevel.MATCHED, evidence=Evidence.COUNTER
        ),
    }
    slow = Idp(
        issuer=ISSUER,
        database=world.database,
        audit=world.audit,
        clock=world.clock,
        vault=signer.vault,
        passwords=cheap_passwords,
        real_names=_Meanwhile(deeds[meanwhile]),
    )
    app = Starlette(routes=routes(slow, Pages(("idp",), csrf_key=bytes(32))))
    portal = Portal(browser(app, ISSUER), "portal", world.portal.secret)
    page = portal.login(portal.authorize(acr_values=WISH))
    portal.send(page, "prove", real_name="张三丰", id_number=NUMBER)
    assert registry.person("zhangsan").name == "张三"
    assert registry.person("zhangsan").evidence is not Evidence.NAME_AND_NUMBER


def _sign_out_everywhere(world: World) -> None:
    with world.database.begin() as conn:
        for session in sessions.of_person(conn, world.zhangsan.id, world.clock.now()):
            sign_out(conn, session.id, world.clock.now())


# --- passwords and registration --------------------------------------------------------------------------------


def test_a_password_hashed_at_another_cost_is_hashed_anew_at_login(world: World, portal: Portal) -> None:
    old = Passwords(memory_mib=2, rounds=1).hash(PASSWORD)
    with world.database.begin() as conn:
        conn.execute(sa.update(people).where(people.c.login == "zhangsan").values(password_hash=old))
    portal.sign_in()
    with world.database.read() as conn:
        kept = conn.execute(sa.select(people.c.password_hash).where(people.c.login == "zhangsan")).scalar_one()
    assert "m=1024," in kept
    assert "code" in answer_of(portal.sign_in(prompt="login"))


def test_a_login_name_is_given_once(world: World) -> None:
    with pytest.raises(LoginTaken):
        world.idp.registry.create_person(login="ZHANGSAN", password=PASSWORD, name="张三")


@pytest.mark.parametrize(
    "login",
    ["zhаngsan", "ζhangsan", "zhangsan\u200b", "zhangſan ", "zh\u0251ngsan", "1٣8", "", " ", "a b", "a\x00", "\ud800"],
)
def test_a_login_name_that_reads_like_another_is_refused(world: World, login: str) -> None:
    with pytest.raises((RegistrationRefused, LoginTaken)):
        world.idp.registry.create_person(login=login, password=PASSWORD, name="张三")


@pytest.mark.parametrize("login", ["张三", "zhang.san+1@example.cn", "13800000000", "𠮷田"])
def test_a_plain_login_name_is_taken(world: World, portal: Portal, login: str) -> None:
    world.idp.registry.create_person(login=login, password=PASSWORD, name="张三")
    assert "allow" in form_of(portal.login(portal.authorize(), login)).buttons


@pytest.mark.parametrize("password", ["short", "zhaoliu-9", "ZHAOLIU-9", "aaaaaaaaaa", "x" * 200])
def test_a_weak_password_is_refused(world: World, password: str) -> None:
    with pytest.raises(RegistrationRefused):
        world.idp.registry.create_person(login="zhaoliu-9", password=password, name="赵六")


def test_every_step_is_in_the_audit_log_without_names(world: World, portal: Portal) -> None:
    portal.login(portal.authorize(), password="wrong password")
    portal.tokens()
    with world.database.read() as conn:
        rows = conn.execute(sa.select(entries).order_by(entries.c.seq)).all()
        assert world.audit.verify(conn).holds
    actions = [row.action for row in rows]
    assert actions[-4:] == ["idp.login_failed", "idp.signed_in", "idp.consented", "idp.client_admitted"]
    assert all("张三" not in str(row) and "zhangsan" not in str(row) for row in rows)


def test_a_refusal_and_a_session_that_another_login_ends_are_in_the_audit_log(world: World, portal: Portal) -> None:
    portal.code("zhangsan")
    page = portal.login(portal.authorize(prompt="login"), "lisi")
    portal.send(page, "deny")
    with world.database.read() as conn:
        rows = conn.execute(sa.select(entries).order_by(entries.c.seq.desc()).limit(3)).all()
    told = [(row.action, row.actor) for row in rows]
    lisi, zhangsan = world.lisi.id, world.zhangsan.id
    assert told == [("idp.declined", lisi), ("idp.signed_in", lisi), ("idp.signed_out", zhangsan)]


def test_all_rights_of_a_new_client_are_in_the_audit_log(world: World) -> None:
    rights = [f"seal.use:{number:020}" for number in range(40)]
    world.idp.registry.create_client(name="系统", client_id="many", rights=rights)
    with world.database.read() as conn:
        facts = conn.execute(sa.select(entries.c.facts).where(entries.c.target == "many")).scalar_one()
    assert all(right in facts for right in rights)
    with pytest.raises(RegistrationRefused):
        world.idp.registry.create_client(name="系统", rights=[f"seal.use:{number:020}" for number in range(400)])


def test_a_client_identifier_is_given_once(world: World) -> None:
    with pytest.raises(RegistrationRefused):
        world.idp.registry.create_client(name="又一个", client_id="portal", rights=["seal.use:1"])


def test_a_person_allowed_again_is_not_signed_in_by_what_was_under_way(world: World, portal: Portal) -> None:
    portal.code()
    world.idp.registry.set_person_active(world.zhangsan.id, active=False)
    with world.database.begin() as conn:  # as a login does that read the person just before
        conn.execute(sa.update(sessions_table).values(ended_at=None))
    world.idp.registry.set_person_active(world.zhangsan.id, active=True)
    assert _asks_password(portal.authorize())


def test_a_consent_at_the_moment_of_logout_gives_nothing_that_outlives_it(world: World, portal: Portal) -> None:
    page = portal.login(portal.authorize())
    with ThreadPoolExecutor(1) as pool:
        with world.database.begin() as conn:
            (session,) = sessions.of_person(conn, world.zhangsan.id, world.clock.now())
            sign_out(conn, session.id, world.clock.now())
            consent = pool.submit(portal.send, page, "allow")
            wait([consent], timeout=0.5)  # it must wait for us; when it does not, it has had the time to go wrong
        answered = consent.result()
    assert _asks_password(answered)


def test_what_has_expired_is_swept(world: World, portal: Portal) -> None:
    portal.tokens()
    world.clock.advance(timedelta(days=2))
    assert world.idp.sweep() >= 3
    assert world.idp.sweep() == 0
