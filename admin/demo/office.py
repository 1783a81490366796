"""The story's office: two officers, a batch, a gateway, a stamp that comes late, and the month's ledger."""

import base64
import io
import json
import re
import subprocess
import sys
import time
import zipfile
from urllib.parse import urlencode

from admin import devworld
from admin.demo.browser import Answer, Browser, read_forms
from admin.demo.commands import xinyin
from admin.demo.story import EXAMPLES, Scene
from admin.demo.ticks import StoryBroken, Ticks, expect
from kernel.clock import SystemClock

_SAMPLE = EXAMPLES / "samples" / "approval.pdf"
_BATCH = 12
_PATIENCE_SECONDS = 60
_NOWHERE = "http://127.0.0.1:9/tsa"
"""A port at which nobody answers (RFC 863)."""
_JSON = "application/json"
_REFUSED = 300
"""From here on a status is no success."""


def four_eyes(ticks: Ticks, scene: Scene) -> None:
    """Have one officer propose in the console that the seal rests, and another approve it; then wake it again."""
    with ticks.step(
        "控制台双人复核  console: one officer proposes, another approves, the seal rests and wakes"
    ) as step:
        (first, called), (second, approver) = devworld.OFFICERS
        proposer, decider = _Officer(scene, first), _Officer(scene, second)
        for action, word in (("suspend", "suspended"), ("resume", "active")):
            page = proposer.propose(action)
            expect("approve" not in _buttons(page), "the proposer is offered to approve their own proposal")
            page = decider.approve(page.url)
            status = json.loads(Browser().visit(f"{scene.service}/api/seals/v1/seals/{scene.world.seal}/status").text)
            expect(status["status"] == word, f"the seal is {status['status']} after {action}")
        step.facts["console"] = f"{scene.service}/console"
        step.facts["decided"] = f"{called} 提出 proposed, {approver} 批准 approved"


class _Officer:
    """A person at the console."""

    def __init__(self, scene: Scene, login: str) -> None:
        self._browser, self._scene = Browser(), scene
        page = self._browser.visit(f"{scene.service}/console")
        page = self._browser.submit(page, username=login, password=scene.world.officer_password)
        expect(page.url.startswith(f"{scene.service}/console"), f"the sign-in to the console ended at {page.url}")

    def propose(self, action: str) -> Answer:
        """Propose something about the seal; give the affair's page."""
        room = f"{self._scene.service}/console/seals/{self._scene.world.seal}"
        page = self._browser.visit(f"{room}/propose/{action}")
        words = {"reason": "盘点用印（示例）", "legal_basis": "《电子印章管理办法》（示例）"}
        return self._send(page, f"/proposals/{action}", words)

    def approve(self, address: str) -> Answer:
        """Approve the affair at an address."""
        return self._send(self._browser.visit(address), "/decisions", {"verdict": "approve", "note": "同意"})

    def _send(self, page: Answer, action: str, words: dict[str, str]) -> Answer:
        form = next((each for each in read_forms(page.text) if each.action.endswith(action)), None)
        if form is None:
            raise StoryBroken(f"{page.url} has no form for {action}")
        body = urlencode({**form.fields, **words}).encode()
        target = f"{self._scene.service}{form.action}"
        answer = self._browser.post(target, data=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
        expect(answer.status < _REFUSED, f"{form.action} answers {answer.status}")
        return answer


def _buttons(page: Answer) -> set[str]:
    return {value for form in read_forms(page.text) for _, value in form.buttons}


def seal_a_batch(ticks: Ticks, scene: Scene) -> None:
    """Upload documents, have them sealed by the worker, and check the results."""
    with ticks.step(f"批量用印  a batch of {_BATCH} documents through the API, sealed by a worker") as step:
        desk = _Desk(scene)
        items = []
        for number in range(_BATCH):
            document = _SAMPLE.read_bytes() + f"\n% {number}\n".encode()
            sm3 = desk.ask("uploads", document, "application/pdf")["sm3"]
            items.append({"sm3": sm3, "case_number": f"YJ20261112-{number:04}"})
        wish = json.dumps({"seal": scene.world.seal, "items": items}).encode()
        batch = desk.ask("batches", wish, _JSON)["id"]
        until = time.monotonic() + _PATIENCE_SECONDS
        while (now := desk.ask(f"batches/{batch}"))["state"] == "running" and time.monotonic() < until:
            time.sleep(0.2)
        expect(now["state"] == "completed", f"the batch is {now['state']}")
        results = Browser().visit(f"{desk.api}/batches/{batch}/results.zip", headers=desk.headers)
        with zipfile.ZipFile(io.BytesIO(results.body)) as archive:
            names = [name for name in archive.namelist() if name != "results.json"]
        expect(len(names) == _BATCH, f"{len(names)} files came back")
        step.facts["batch"] = f"{batch}: {len(names)} sealed"


class _Desk:
    """The department's system, with its token."""

    def __init__(self, scene: Scene) -> None:
        self.api = f"{scene.service}/api/seals/v1"
        world = scene.world
        known = base64.b64encode(f"{world.department_id}:{world.department_secret}".encode()).decode()
        asked = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"Basic {known}"}
        answer = Browser().post(f"{scene.service}/oauth2/token", data=b"grant_type=client_credentials", headers=asked)
        expect(answer.status < _REFUSED, f"the department gets no token: {answer.text}")
        self.headers = {"Authorization": f"Bearer {json.loads(answer.text)['access_token']}"}

    def ask(self, path: str, body: bytes | None = None, kind: str = _JSON) -> dict[str, str]:
        """Ask the service; break the story if it refuses."""
        url = f"{self.api}/{path}"
        headers = {**self.headers, "Content-Type": kind}
        browser = Browser()
        answer = (
            browser.visit(url, headers=self.headers) if body is None else browser.post(url, data=body, headers=headers)
        )
        expect(answer.status < _REFUSED, f"{path} answers {answer.status}: {answer.text[:200]}")
        return dict(json.loads(answer.text))


def seal_through_a_gateway(ticks: Ticks, scene: Scene) -> None:
    """Let a gateway that knows no tokens sign its request with an app key."""
    with ticks.step("网关签名  a gateway without tokens: a request signed with an app key, HMAC-SM3") as step:
        told = xinyin(scene, "client", "appkey", "add", scene.world.department_id)
        key, secret = (_found(rf"^{name} +(\S+)$", told) for name in ("app_key", "app_secret"))
        target = f"/api/seals/v1/seals/{scene.world.seal}/sealings?case_number=YJ20261112-0400"
        out = scene.out / "gateway.pdf"
        out.unlink(missing_ok=True)
        command = [sys.executable, str(EXAMPLES / "gateway" / "gateway.py"), "POST", target, "--body", str(_SAMPLE)]
        done = subprocess.run(  # noqa: S603 - our own example
            [*command, "--type", "application/pdf", "--accept", "application/pdf", "--out", str(out)],
            env={
                **scene.environment(),
                "XINYIN_SERVICE": scene.service,
                "XINYIN_APP_KEY": key,
                "XINYIN_APP_SECRET": secret,
            },
            capture_output=True,
            check=False,
            timeout=60,
        )
        expect(
            done.returncode == 0 and out.exists(), f"the gateway was refused: {done.stderr.decode(errors='replace')}"
        )
        step.facts["file"] = f"{out} ({out.stat().st_size:,} octets), by {key}"


def _found(pattern: str, said: str) -> str:
    match = re.search(pattern, said, re.MULTILINE)
    if match is None:
        raise StoryBroken(f"nothing like {pattern} was said")
    return match[1]


def stamp_late(ticks: Ticks, scene: Scene) -> None:
    """Seal while no time-stamp authority answers, and have the stamp follow when one does."""
    with ticks.step("时间戳补办  sealed while the time-stamp authority is down, stamped when it is back") as step:
        sealed, stamped = scene.out / "unstamped.pdf", scene.out / "stamped.pdf"
        for made in (sealed, stamped):
            made.unlink(missing_ok=True)
        given = ("seal", str(_SAMPLE), "--seal", scene.world.seal, "--out", str(sealed))
        said = xinyin(scene, *given, XINYIN_TSA=_NOWHERE)
        sealing = _found(r"`xinyin seal fetch (\S+)`", said)
        until = time.monotonic() + _PATIENCE_SECONDS
        while sealing in xinyin(scene, "seal", "unstamped") and time.monotonic() < until:
            xinyin(scene, "worker", "--until-idle", XINYIN_TSA=f"{scene.service}/pki/tsa/sm2")
        xinyin(scene, "seal", "fetch", sealing, "--out", str(stamped))
        levels = []
        for file in (sealed, stamped):
            verdict = json.loads(xinyin(scene, "verify", str(file), "--json"))
            expect(verdict["verdict"] == "valid", f"{file.name} is {verdict['verdict']}")
            levels.append(verdict["signatures"][0]["level"])
        expect(levels == ["b-b", "b-t"], f"the levels are {levels}")
        step.facts["levels"] = f"{levels[0]} {sealed.name}, then {levels[1]} {stamped.name}"


def write_the_ledger(ticks: Ticks, scene: Scene) -> None:
    """Write the month's usage ledger as a signed archive."""
    with ticks.step("用印台账  the month's usage ledger, as a signed archive") as step:
        month, out = SystemClock().now().strftime("%Y-%m"), scene.out / "ledger.zip"
        out.unlink(missing_ok=True)
        xinyin(scene, "seal", "ledger", "--month", month, "--out", str(out))
        with zipfile.ZipFile(out) as archive:
            names = archive.namelist()
            rows = sum(len(archive.read(name).splitlines()) for name in names if name.endswith(".jsonl"))
        expect(rows > _BATCH, f"the ledger has {rows} rows")
        step.facts["archive"] = f"{out}: {rows} uses; {', '.join(names)}"
