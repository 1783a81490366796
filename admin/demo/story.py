"""The story: a person logs in, a department seals and issues, a phone verifies, a forger fails."""

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zxingcpp
from PIL import Image

from admin import devworld
from admin.demo.browser import Browser, read_forms
from admin.demo.papers import contract
from admin.demo.processes import running
from admin.demo.ticks import Ticks, expect
from admin.settings import Settings
from crypto.vaults.files import write_once
from kernel.clock import SystemClock
from seal.formats.ofd.preview import Previewer

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
_OK = 200
_PDF_PLACE = ("--page", "1", "--x-mm", "132", "--y-mm", "183")
_OFD_PLACE = ("--page", "1", "--x-mm", "127", "--y-mm", "229")
"""Over the agency's name and the date in the samples (GB/T 9704 7.3.5.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where the story plays: addresses, folders and the invented world."""

    settings: Settings
    portal_url: str
    out: Path
    world: devworld.DevWorld

    @property
    def service(self) -> str:
        """Address of the service."""
        return self.settings.public_url

    def environment(self) -> dict[str, str]:
        """Environment of the story's other processes."""
        # PYTHONPATH, so that the programs of a checkout find it wherever they are started.
        return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def set_stage(ticks: Ticks, settings: Settings, *, portal_url: str, out: Path) -> Scene:
    """Make the data folder and everything invented in it."""
    with ticks.step("数据目录、密钥库与开发用证书机构  data folder, key vault, development CA, seal, clients") as step:
        world = devworld.make(settings, portal_url=portal_url, clock=SystemClock())
        step.facts["data"] = str(settings.home)
        step.facts["seal"] = f"{devworld.DEPARTMENT}{devworld.SEAL_BELOW} {world.seal}"
    return Scene(settings=settings, portal_url=portal_url, out=out, world=world)


def start(ticks: Ticks, scene: Scene, stack: ExitStack) -> None:
    """Start the service and the portal, each a process of its own."""
    with ticks.step("启动服务与示例门户  start the service and the example portal") as step:
        settings, world = scene.settings, scene.world
        stack.enter_context(
            running(
                ["-m", "admin", "dev", "--home", str(settings.home), "--port", str(settings.port)],
                log=scene.out / "service.log",
                ready=f"{scene.service}/readyz",
                env=scene.environment(),
            )
        )
        # A file, not an argument: arguments are for everyone on the machine to read.
        secret = settings.home / devworld.PORTAL_FILE
        write_once(secret, world.portal_secret.encode())
        portal = [str(EXAMPLES / "portal" / "portal.py"), "--port", scene.portal_url.rpartition(":")[2]]
        stack.enter_context(
            running(
                [*portal, "--issuer", scene.service, "--client-id", world.portal_id, "--secret-file", str(secret)],
                log=scene.out / "portal.log",
                ready=scene.portal_url,
                env=scene.environment(),
            )
        )
        step.facts["service"] = scene.service
        step.facts["portal"] = scene.portal_url


def login_and_logout(ticks: Ticks, scene: Scene) -> None:
    """Log a citizen in to the portal through the service, and out of both."""
    browser = Browser()
    with ticks.step("门户登录：张三  portal login by OpenID Connect, PKCE, consent") as step:
        page = browser.visit(f"{scene.portal_url}/login")
        page = browser.submit(page, username=scene.world.citizen_login, password=scene.world.citizen_password)
        if page.url.startswith(scene.service):
            page = browser.submit(page)
        expect(page.url.startswith(scene.portal_url), f"the login ended at {page.url.partition('?')[0]}")
        expect(devworld.CITIZEN_NAME in page.text, "the portal does not show the citizen's name")
        step.facts["signed in"] = f"{devworld.CITIZEN_NAME} @ {page.url.partition('?')[0]}"
    with ticks.step("门户退出  logout ends both sessions"):
        page = browser.submit(browser.visit(f"{scene.portal_url}/me"))
        expect(page.url.startswith(scene.portal_url), f"the logout ended at {page.url.partition('?')[0]}")
        again = browser.visit(f"{scene.portal_url}/login")
        asked = any("password" in form.fields for form in read_forms(again.text))
        expect(asked, "after the logout the service did not ask for the password again")


def seal_documents(ticks: Ticks, scene: Scene) -> dict[str, Path]:
    """Let the department seal the approval result: as PDF in three ways, and as OFD."""
    sealed: dict[str, Path] = {}
    for name, sample, options, words in (
        ("approval-sm2.pdf", "approval.pdf", ("--format", "pdf-pades-sm2"), "PDF, PAdES B-B, SM2-SM3"),
        ("approval-p256.pdf", "approval.pdf", ("--format", "pdf-pades-p256"), "PDF, PAdES B-B, P-256"),
        (
            "approval-gm.pdf",
            "approval.pdf",
            ("--format", "pdf-ses-v4", "--also", "pdf-pades-p256"),
            "PDF, GM.sm2seal (GB/T 38540 V4), P-256 beside it",
        ),
        ("approval.ofd", "approval.ofd", ("--format", "ofd-ses-v4"), "OFD, GB/T 38540 V4"),
    ):
        with ticks.step(f"部门用印  seal the approval result: {words}") as step:
            target = scene.out / name
            source = EXAMPLES / "samples" / sample
            given = [*options, "--reason", "准予行政许可", "--case", "YJ20261112-0317"]
            given += _OFD_PLACE if sample.endswith(".ofd") else _PDF_PLACE
            _department(scene, "seal", str(source), "--seal", scene.world.seal, "--out", str(target), *given)
            step.facts["file"] = f"{target} ({target.stat().st_size:,} octets)"
            sealed[name] = target
    return sealed


def seal_over_edges(ticks: Ticks, scene: Scene) -> dict[str, Path]:
    """Let the department seal a document of several pages over their edges, and beside a word in it."""
    with ticks.step("骑缝章与关键字章  straddle seal over all pages, seal beside a keyword") as step:
        source, once, twice = (scene.out / name for name in ("contract.ofd", "contract-1.ofd", "contract-sealed.ofd"))
        source.write_bytes(contract())
        for given, made, place in (
            (source, once, "keyword:（盖章）;dy=-4"),
            (once, twice, "straddle:right;margin=0"),
        ):
            _department(scene, "seal", str(given), "--seal", scene.world.seal, "--out", str(made), "--placement", place)
        shown = Previewer().preview(twice.read_bytes(), page=1)
        (scene.out / "contract-page-1.png").write_bytes(shown.picture)
        step.facts["file"] = f"{twice}, seen in {scene.out / 'contract-page-1.png'}"
    return {"contract-sealed.ofd": twice}


def verify_documents(ticks: Ticks, scene: Scene, sealed: Mapping[str, Path]) -> None:
    """Everyone can verify what was sealed."""
    with ticks.step("核验  verify every sealed file") as step:
        for name, file in sealed.items():
            report = _department(scene, "verify", str(file))
            expect(report["verdict"] == "valid", f"{name}: {_why(report)}")
            step.facts[name] = f"valid, {report['signatures'][0]['format']}"


def issue_licence(ticks: Ticks, scene: Scene) -> dict[str, Any]:
    """Let the department issue a licence."""
    with ticks.step("签发电子证照  issue a business licence: data, identifier, PDF/A, seal, QR") as step:
        document = scene.out / "licence.pdf"
        data = EXAMPLES / "licence" / "business-licence.json"
        licence = _department(scene, "issue", str(data), "--seal", scene.world.seal, "--out", str(document))
        step.facts["identifier"] = licence["identifier"]
        step.facts["file"] = str(document)
        report = _department(scene, "verify", str(document))
        expect(report["verdict"] == "valid", f"licence.pdf: {_why(report)}")
    return licence


def scan(ticks: Ticks, scene: Scene, licence: Mapping[str, Any]) -> str:
    """Read, as a phone does, the QR from the licence's picture and open its page; give the address in the code."""
    with ticks.step("手机扫码  read the QR from the licence's picture, open its page") as step:
        picture = Browser().visit(f"{scene.service}/v/{licence['id']}/picture.png")
        expect(picture.status == _OK, f"the picture answers {picture.status}")
        (scene.out / "licence.png").write_bytes(picture.body)
        codes = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture.body)))
        expect(len(codes) == 1, f"{len(codes)} codes were found in the picture")
        address = codes[0].text
        page = Browser().visit(address)
        expect("证照真实，当前有效" in page.text, f"the page of {address} answers {page.status} without the verdict")
        (scene.out / "scan.html").write_bytes(page.body)
        step.facts["QR"] = address
        step.facts["verdict"] = "证照真实，当前有效 genuine and in force"
    return address


def forge(ticks: Ticks, scene: Scene, sealed: Mapping[str, Path]) -> None:
    """Change one byte of each file, as a forger would; every verdict must turn."""
    with ticks.step("篡改一个字节  change one byte of each sealed file: refused") as step:
        folder = scene.out / "forged"
        folder.mkdir(exist_ok=True)
        for name, file in {**sealed, "licence.pdf": scene.out / "licence.pdf"}.items():
            forged = folder / name
            change = _change_ofd if name.endswith(".ofd") else _change_pdf
            forged.write_bytes(change(file.read_bytes()))
            report = _department(scene, "verify", str(forged))
            expect(report["verdict"] == "invalid", f"{name} forged, and the verdict is {report['verdict']}")
            step.facts[name] = f"invalid: {_why(report)}"


def revoke(ticks: Ticks, scene: Scene, licence: Mapping[str, Any], address: str) -> None:
    """Let the department revoke the licence; the page must say so."""
    with ticks.step("吊销  revoke the licence, scan again") as step:
        basis = "《中华人民共和国市场主体登记管理条例》第四十条（示例）"
        _department(scene, "revoke", licence["id"], "--basis", basis, "--reason", "提交虚假材料取得登记（示例）")
        page = Browser().visit(address)
        expect("证照已被吊销" in page.text, f"the page answers {page.status} and does not say revoked")
        (scene.out / "scan-revoked.html").write_bytes(page.body)
        step.facts["verdict"] = "证照已被吊销 revoked"


def _department(scene: Scene, *arguments: str) -> dict[str, Any]:
    """Run the example department client: a process of its own that knows only the public interfaces."""
    done = subprocess.run(  # noqa: S603 - our own example
        [sys.executable, str(EXAMPLES / "department" / "department.py"), *arguments],
        env={
            **scene.environment(),
            "XINYIN_SERVICE": scene.service,
            "XINYIN_CLIENT_ID": scene.world.department_id,
            "XINYIN_CLIENT_SECRET": scene.world.department_secret,
        },
        capture_output=True,
        check=False,
        timeout=120,
    )
    expect(done.returncode == 0, f"the department's client was refused: {done.stderr.decode(errors='replace').strip()}")
    return dict(json.loads(done.stdout))


def _why(report: Mapping[str, Any]) -> str:
    findings = [*report["findings"], *(row for one in report["signatures"] for row in one["findings"])]
    return ", ".join(dict.fromkeys(row["code"] for row in findings if row["verdict"] == report["verdict"])) or "?"


def _change_pdf(document: bytes) -> bytes:
    """Change one byte of the first stream's content."""
    at = document.index(b"stream") + 40
    return document[:at] + bytes((document[at] ^ 0x01,)) + document[at + 1 :]


def _change_ofd(document: bytes) -> bytes:
    """Change one digit of a date in the page's text, and pack everything again as a forger would."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for entry in source.infolist():
            content = source.read(entry)
            if "/Pages/" in f"/{entry.filename}":
                content = content.replace(b"2026", b"2027", 1)
            packed.writestr(entry.filename, content)
    return target.getvalue()
