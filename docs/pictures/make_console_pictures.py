# ruff: noqa: INP001 - a program beside the pictures, in no package
"""Make the console's pictures anew, from the program as it runs today.

    python docs/pictures/make_console_pictures.py

Needs the test tools, Chromium and a CJK font. Everything shown is made in a temporary folder, with invented people,
keys and seals.
"""

import io
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import uvicorn
from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

from admin import devworld, faces  # noqa: E402 - the checkout, not an installed copy
from admin.build import Service, services  # noqa: E402
from admin.settings import Settings  # noqa: E402
from kernel.clock import SystemClock  # noqa: E402
from kernel.principal import Principal, PrincipalKind  # noqa: E402
from seal.affairs.actions import APPLICATION, Action  # noqa: E402
from seal.affairs.model import Paper, Proposal  # noqa: E402
from seal.artwork import Design, draw  # noqa: E402
from seal.model import SealId  # noqa: E402
from seal.request import SealRequest  # noqa: E402
from tests.reliability.sealing import document  # noqa: E402

PASSWORD = "invented-for-pictures"  # noqa: S105
RIGHTS = [
    f"seal.{name}:*" for name in ("apply", "review", "make", "manage", "approve", "lose", "file", "use", "ledger")
]
SMALL, LARGE = {"width": 360, "height": 800}, {"width": 1280, "height": 900}
_GROUND, _GAP, _COLOURS = "#e6eaee", 32, 128


def fill(service: Service, world: devworld.DevWorld) -> str:
    """Let two officers, a department and a seal to be made come into being; give the affair to be shown."""
    for login, name in (("zhao", "赵主任"), ("qian", "钱科长")):
        person = service.registry.create_person(login=login, password=PASSWORD, name=name)
        service.officers.appoint(person.id, RIGHTS, by="operator")
    qian = service.officers.principal(service.registry.person("qian").id)
    seal, now = SealId(world.seal), service.clock.now()
    caller = Principal(
        subject=world.department_id,
        kind=PrincipalKind.CLIENT,
        rights=frozenset({f"seal.use:{seal}"}),
        organisation=devworld.DEPARTMENT_CODE,
    )
    for number in range(4):
        asked = SealRequest(
            document=document(str(number)),
            seal=seal,
            reason="准予行政许可决定书",
            case_number=f"2026-云政服-{number + 101:05}",
            document_kind="行政许可决定书",
        )
        service.sealing.seal(asked, caller)
    service.affairs.propose(
        Proposal(action=Action.SUSPEND, seal=seal, payload={}, reason="机构调整期间停止用印，预计两周"), qian
    )
    number = service.register.next_id(devworld.REGION)
    picture = draw(Design(kind="department", name="云江市民政局", line="婚姻登记专用章", code=number))
    payload = {
        "kind": 6,
        "name": "云江市民政局婚姻登记专用章",
        "owner": devworld.DEPARTMENT_CODE,
        "owner_name": "云江市民政局",
        "picture": {
            "object_key": service.affairs.keep(picture.png),
            "width_mm": picture.width_mm,
            "height_mm": picture.height_mm,
        },
        "valid_from": now,
        "valid_to": now + timedelta(days=1000),
        "keys": devworld.parts_of(devworld.seal_keys(service, number)),
        "maker": devworld.parts_of([devworld.seal_maker(service)])[0],
    }
    paper = Paper(kind=APPLICATION, object_key=service.affairs.keep(b"%PDF-1.7 invented"))
    proposal = Proposal(action=Action.MAKE, seal=number, payload=payload, reason="新设婚姻登记窗口", papers=(paper,))
    return service.affairs.propose(proposal, qian).id


def shots(url: str, pages: Sequence[tuple[str, bool]]) -> list[Image.Image]:
    """Photograph pages as Zhao sees them; the second part says whether on a phone."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        made = []
        for path, small in pages:
            page = browser.new_context(viewport=SMALL if small else LARGE, locale="zh-CN").new_page()
            sign_in(page, url)
            page.goto(url + path, wait_until="networkidle")
            made.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
        browser.close()
    return made


def sign_in(page: Page, url: str) -> None:
    """Give Zhao's password."""
    page.goto(f"{url}/console")
    page.fill("input[name=username]", "zhao")
    page.fill("input[name=password]", PASSWORD)
    with page.expect_navigation(wait_until="networkidle"):
        page.click("button.login")


def beside(pictures: Sequence[Image.Image], name: str) -> None:
    """Put pictures side by side, in few colours, and keep them."""
    width = sum(each.width + _GAP for each in pictures) + _GAP
    sheet = Image.new("RGB", (width, max(each.height for each in pictures) + 2 * _GAP), _GROUND)
    left = _GAP
    for each in pictures:
        sheet.paste(each, (left, _GAP))
        left += each.width + _GAP
    sheet.quantize(_COLOURS).save(HERE / name, optimize=True)


def main() -> None:
    """Make both pictures."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        settings = devworld.settings_of(Settings(home=Path(folder) / "home", public_url=url, port=port))
        world = devworld.make(settings, portal_url="http://127.0.0.1:8100", clock=SystemClock())
        with services(settings) as service:
            affair = fill(service, world)
            server = uvicorn.Server(uvicorn.Config(faces.application(service), log_config=None, lifespan="off"))
            serving = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
            serving.start()
            beside(shots(url, [("/console", True), (f"/console/seals/{world.seal}", False)]), "console-home.png")
            beside(shots(url, [(f"/console/affairs/{affair}", False), ("/console/ledger", True)]), "console-affair.png")
            server.should_exit = True
            serving.join(20)


if __name__ == "__main__":
    main()
