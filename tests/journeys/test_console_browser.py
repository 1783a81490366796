"""The console in a real Chromium with scripts turned off: two officers at their desks, one of them on a phone."""

import shutil
import socket
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from admin import devworld, faces
from admin.build import Service, services
from admin.settings import Settings
from kernel.clock import SystemClock
from kernel.principal import Principal, PrincipalKind
from seal.affairs.actions import Action
from seal.affairs.model import Proposal, Verdict
from seal.batches.model import BatchWish, ItemWish
from seal.model import SealId
from seal.request import SealRequest
from tests.cheap import cheap
from tests.journeys.conftest import _served
from tests.journeys.test_browser import ARGUMENTS, Phone
from tests.reliability.sealing import document

PASSWORD = "four-eyes-see-more"
RIGHTS = ("seal.manage:*", "seal.approve:*", "seal.lose:*", "seal.file:*", "seal.use:*", "seal.ledger:*")
SMALL, LARGE = {"width": 360, "height": 740}, {"width": 1280, "height": 800}


@dataclass(frozen=True, kw_only=True)
class Hall:
    """The service on a port of this machine."""

    service: Service
    url: str
    seal: SealId
    caller: Principal

    def resume(self) -> None:
        """Have the seal put into use again."""
        zhao, qian = (
            self.service.officers.principal(self.service.registry.person(each).id) for each in ("zhao", "qian")
        )
        affairs = self.service.affairs
        affair = affairs.propose(Proposal(action=Action.RESUME, seal=self.seal, payload={}, reason="调整完毕"), zhao)
        affairs.decide(affair.id, Verdict.APPROVE, qian, payload_sm3=affair.payload_sm3)


class Officer(Phone):
    """A person at a browser of their own."""

    def __init__(self, browser: Any, hall: Hall, login: str, viewport: dict[str, int]) -> None:
        context = browser.new_context(viewport=viewport, java_script_enabled=False, locale="zh-CN")
        super().__init__(context)
        self._hall = hall
        self._login = login

    def open(self, address: str) -> None:
        """Go to a page and wait until all of it is loaded; no script loads more."""
        self.page.goto(address, wait_until="load")

    def press(self, what: str) -> None:
        """Touch what leads to another page, and wait until all of that one is loaded."""
        with self.page.expect_navigation(wait_until="load"):
            self.page.click(what)

    def sign_in(self) -> None:
        """Open the console and give the password."""
        self.open(f"{self._hall.url}/console")
        self.page.fill("input[name=username]", self._login)
        self.page.fill("input[name=password]", PASSWORD)
        self.press("button.login")
        assert self.page.url == f"{self._hall.url}/console"

    def go(self, path: str) -> str:
        """Go to a room; its page fits the window."""
        self.open(f"{self._hall.url}{path}")
        assert self.overflow() == 0, path
        return self.text()


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        given = Settings(home=tmp_path_factory.mktemp("hall") / "home", public_url=url, port=port)
        settings = devworld.settings_of(given)
        with cheap():
            world = devworld.make(settings, portal_url="http://127.0.0.1:8100", clock=SystemClock())
            service = stack.enter_context(services(settings))
            for login, name in (("zhao", "赵主任"), ("qian", "钱科长")):
                person = service.registry.create_person(login=login, password=PASSWORD, name=name)
                service.officers.appoint(person.id, RIGHTS, by="operator")
        stack.enter_context(_served(faces.application(service), listener))
        seal = SealId(world.seal)
        caller = Principal(
            subject=world.department_id,
            kind=PrincipalKind.CLIENT,
            rights=frozenset({f"seal.use:{seal}"}),
            organisation=devworld.DEPARTMENT_CODE,
        )
        yield Hall(service=service, url=url, seal=seal, caller=caller)


@pytest.fixture(scope="module")
def officers(hall: Hall) -> Iterator[tuple[Officer, Officer]]:
    """Zhao on a phone, Qian at a desk, both signed in."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if program is None:
        pytest.skip("no Chromium on PATH")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        zhao, qian = Officer(browser, hall, "zhao", SMALL), Officer(browser, hall, "qian", LARGE)
        zhao.sign_in()
        qian.sign_in()
        yield zhao, qian
        browser.close()


def test_one_officer_suspends_a_seal_and_only_the_other_can_approve(
    hall: Hall, officers: tuple[Officer, Officer]
) -> None:
    zhao, qian = officers
    zhao.go("/console/seals")
    zhao.press(f"a[href='/console/seals/{hall.seal}']")
    zhao.press("a.suspend")
    zhao.page.fill("textarea[name=reason]", "机构调整期间停止用印")
    zhao.press("button.propose")
    assert "须由另一位印章管理员处理" in zhao.text()
    assert zhao.page.locator("button.approve").count() == 0
    assert zhao.overflow() == 0
    qian.go("/console")
    qian.press("ul.entries a")
    seen = qian.text()
    assert "机构调整期间停止用印" in seen
    assert "使用中" in seen
    assert "已暂停" in seen
    qian.page.fill("textarea[name=note]", "同意")
    qian.press("button.approve")
    assert "已执行，立即生效" in qian.text()
    assert hall.service.register.find(hall.seal).status == "suspended"
    qian.press(f"a[href='/console/seals/{hall.seal}']")
    assert "已暂停" in qian.text()
    assert zhao.complaints == qian.complaints == []
    hall.resume()


def test_the_ledger_shows_a_sealing_and_its_export_is_saved(hall: Hall, officers: tuple[Officer, Officer]) -> None:
    zhao, qian = officers
    asked = SealRequest(document=document("browser"), seal=hall.seal, reason="准予行政许可", case_number="2026-1")
    hall.service.sealing.seal(asked, hall.caller)
    for officer in officers:
        text = officer.go("/console/ledger")
        assert "准予行政许可" in text
        assert "2026-1" in text
    assert zhao.complaints == []
    with qian.page.expect_download() as saving:
        qian.page.click("button.export")
    # What is saved and not shown, the browser calls failed.
    assert qian.complaints == [f"failed: {hall.url}/console/ledger/exports"]
    qian.complaints.clear()
    with zipfile.ZipFile(saving.value.path()) as archive:
        assert "准予行政许可" in archive.read("ledger.csv").decode("utf-8-sig")


def test_a_batch_is_paused_resumed_and_seen_to_its_end(hall: Hall, officers: tuple[Officer, Officer]) -> None:
    zhao, _ = officers
    batches = hall.service.deferred.batches
    files = [batches.upload(document(f"batch {number}"), hall.caller).sm3 for number in range(2)]
    items = [ItemWish(content=sm3, request=SealRequest(document=b"", seal=hall.seal)) for sm3 in files]
    batch = batches.create(BatchWish(seal=hall.seal, items=items), hall.caller).id
    zhao.go(f"/console/batches/{batch}")
    zhao.press("button.pause")
    assert "批次已暂停" in zhao.text()
    assert hall.service.deferred.worker().drain() == 0
    zhao.press("button.resume")
    assert "批次继续进行" in zhao.text()
    while hall.service.deferred.worker().drain():
        pass
    assert "已完成" in zhao.go(f"/console/batches/{batch}")
    zhao.go("/console/unsealed")
    zhao.press("button.sign-out")
    assert "您已退出控制台" in zhao.text()
    zhao.sign_in()
    assert zhao.complaints == []
