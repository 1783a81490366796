"""Journeys in a real Chromium with scripts turned off: what a citizen sees, and what a phone has to load."""

import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from rich.console import Console

from admin import devworld
from admin.demo import story
from admin.demo.story import Scene
from admin.demo.ticks import Ticks
from tests.journeys.conftest import Staged

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE = {"width": 390, "height": 844}
PAGE_LIMIT = 50 * 1024
"""All that the answer is read from: page, style sheet, icon."""
PICTURE_LIMIT = 200 * 1024


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """One answer that a page was made of; octets as they went over the wire."""

    url: str
    status: int
    octets: int


class Phone:
    """A browser of its own, without scripts, and all it loads."""

    def __init__(self, context: Any) -> None:
        self.page = context.new_page()
        self.complaints: list[str] = []
        self._finished: list[Any] = []
        self.page.on("requestfinished", lambda request: self._finished.append(request))  # noqa: PLW0108 - it marks its handlers
        self.page.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url}"))
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: Any) -> None:
        # Where it puts the focus the browser remarks on, too.
        if message.type in {"error", "warning"} and not message.text.startswith("Autofocus"):
            self.complaints.append(message.text)

    def open(self, address: str) -> None:
        """Go to a page and wait until nothing more is loaded."""
        self._finished.clear()
        self.page.goto(address, wait_until="networkidle")

    def press(self, what: str) -> None:
        """Touch what leads to another page, and wait until nothing more of that one is loaded.

        A click alone returns while the old page still stands: what is asked next would be asked of that one, and
        what is opened next would break the answer off.
        """
        self._finished.clear()
        with self.page.expect_navigation(wait_until="networkidle"):
            self.page.click(what)

    def loaded(self) -> list[Loaded]:
        """What the page that stands there was made of."""
        answers = []
        for request in self._finished:
            sizes = request.sizes()
            octets = sizes["responseHeadersSize"] + sizes["responseBodySize"]
            answers.append(Loaded(url=request.url, status=request.response().status, octets=octets))
        return answers

    def text(self) -> str:
        """What stands there to read."""
        return str(self.page.inner_text("body"))

    def overflow(self) -> int:
        """By how many CSS pixels the page is wider than its window."""
        # The debugger may run scripts where the page may not.
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def letter(self) -> float:
        """How large the text is, in CSS pixels."""
        return float(self.page.evaluate("parseFloat(getComputedStyle(document.querySelector('main p')).fontSize)"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if program is None:
        pytest.skip("no Chromium on PATH")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def scene(staged: Staged, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with staged(tmp_path_factory.mktemp("stage")) as scene:
        yield scene


@pytest.fixture(scope="module")
def licence(scene: Scene) -> dict[str, Any]:
    """A licence in force."""
    return story.issue_licence(silent(), scene)


@pytest.fixture
def phone(chromium: Any) -> Iterator[Phone]:
    context = chromium.new_context(viewport=PHONE, is_mobile=True, java_script_enabled=False, locale="zh-CN")
    yield Phone(context)
    context.close()


def silent() -> Ticks:
    return Ticks(Console(file=io.StringIO()))


def sign_in(phone: Phone, scene: Scene) -> None:
    phone.open(scene.portal_url)
    phone.press("a.login")
    phone.page.fill("input[name=username]", scene.world.citizen_login)
    phone.page.fill("input[name=password]", scene.world.citizen_password)
    phone.press("button.login")


# --- signing in --------------------------------------------------------------------------------------------------


def test_a_citizen_signs_in_agrees_is_greeted_by_name_and_signs_out(phone: Phone, scene: Scene) -> None:
    sign_in(phone, scene)
    assert phone.page.url.startswith(scene.service)
    assert "该应用希望获取以下信息" in phone.text()
    assert phone.overflow() == 0
    phone.press("button.allow")
    assert phone.page.url == f"{scene.portal_url}/me"
    assert devworld.CITIZEN_NAME in phone.text()
    phone.press("button.logout")
    assert phone.page.url == f"{scene.portal_url}/bye"
    phone.open(f"{scene.portal_url}/me")
    assert devworld.CITIZEN_NAME not in phone.text()
    # The provider has forgotten, too.
    phone.open(f"{scene.portal_url}/login")
    assert phone.page.is_visible("input[name=password]")
    assert phone.complaints == []


def test_a_citizen_who_mistypes_is_told_and_may_try_again(phone: Phone, scene: Scene) -> None:
    phone.open(f"{scene.portal_url}/login")
    phone.page.fill("input[name=username]", scene.world.citizen_login)
    phone.page.fill("input[name=password]", "not the password")
    phone.press("button.login")
    assert "用户名或密码不正确" in phone.text()
    assert phone.page.input_value("input[name=username]") == scene.world.citizen_login
    assert phone.page.input_value("input[name=password]") == ""
    assert "not the password" not in phone.page.content() + phone.page.url
    phone.page.fill("input[name=password]", scene.world.citizen_password)
    phone.press("button.login")
    assert "无法登录" not in phone.text()


def test_what_the_client_asked_does_not_stay_in_the_address_bar(phone: Phone, scene: Scene) -> None:
    phone.open(f"{scene.portal_url}/login")
    address = urlsplit(phone.page.url)
    assert address.path.startswith("/oauth2/flows/")
    assert address.query == ""


# --- the page behind the code ------------------------------------------------------------------------------------


def test_a_licence_in_force_is_said_to_be_at_once_on_a_phone(phone: Phone, licence: dict[str, Any]) -> None:
    phone.open(licence["address"])
    assert "证照真实，当前有效" in phone.text()
    assert phone.overflow() == 0
    # Without scrolling.
    box = phone.page.get_by_text("证照真实，当前有效").first.bounding_box()
    assert box["y"] + box["height"] < PHONE["height"]
    assert phone.complaints == []


def test_the_public_page_is_small_and_comes_from_one_host(phone: Phone, scene: Scene, licence: dict[str, Any]) -> None:
    phone.open(licence["address"])
    loaded = phone.loaded()
    host = urlsplit(scene.service).netloc
    assert {urlsplit(one.url).netloc for one in loaded} == {host}
    assert {one.status for one in loaded} == {200}
    pictures = [one for one in loaded if one.url.endswith("/picture.png")]
    assert sum(one.octets for one in loaded if one not in pictures) <= PAGE_LIMIT
    assert 0 < sum(one.octets for one in pictures) <= PICTURE_LIMIT
    assert phone.page.locator("script").count() == 0
    assert phone.page.context.cookies() == []


def test_a_revoked_licence_is_said_to_be_revoked(phone: Phone, scene: Scene) -> None:
    ticks = silent()
    revoked = story.issue_licence(ticks, scene)
    story.revoke(ticks, scene, revoked, revoked["address"])
    phone.open(revoked["address"])
    assert "证照已被吊销" in phone.text()
    assert "证照真实，当前有效" not in phone.text()
    assert phone.overflow() == 0
    assert phone.complaints == []


def test_an_unknown_licence_is_called_unknown(phone: Phone, scene: Scene) -> None:
    phone.open(f"{scene.service}/v/aaaaaaaaaaaaaaaaaaaaaaaaaa")
    assert "证照真实" not in phone.text()
    assert phone.overflow() == 0


def test_the_language_is_one_touch_away_and_stays(phone: Phone, licence: dict[str, Any]) -> None:
    phone.open(licence["address"])
    phone.press("text=English")
    assert "Genuine and in force" in phone.text()
    assert phone.page.get_attribute("html", "lang") == "en"
    assert phone.overflow() == 0
    phone.open(licence["address"])
    assert "Genuine and in force" in phone.text()
    phone.press("text=中文")
    assert "证照真实，当前有效" in phone.text()
    assert phone.complaints == []


def test_large_type_is_one_touch_away_and_stays(phone: Phone, licence: dict[str, Any]) -> None:
    phone.open(licence["address"])
    before = phone.letter()
    phone.press("text=大字版")
    assert phone.letter() > before * 1.15
    assert phone.overflow() == 0
    phone.open(licence["address"])
    assert phone.letter() > before * 1.15
    phone.press("text=标准字号")
    assert phone.letter() == before
    assert phone.complaints == []
