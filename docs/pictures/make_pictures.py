# ruff: noqa: INP001 - a program beside the pictures, in no package
"""Make this folder's pictures anew, from the program as it runs today.

    python docs/pictures/make_pictures.py [terminal] [pages] [documents]

Needs the test tools, Chromium, pdftoppm, a CJK font and, for the OFD, npm (an independent reader draws it).
Everything shown is made in a temporary folder, with invented people, keys and seals.
"""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from rich.cells import cell_len
from rich.color import Color
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import MONOKAI
from rich.text import Text

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

from admin import devworld  # noqa: E402 - the checkout, not an installed copy
from admin.demo.processes import free_port, is_free, running  # noqa: E402

LARGEST = 250_000
"""Octets a picture may have."""
PHONE = {"width": 390, "height": 844}
COLUMNS = 104
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_CELL, _LINE = 10, 20
"""Pixels of one terminal cell: its width, its height. Two to one, so that a QR code of half blocks is square."""
_INK, _GROUND = "#d9dce3", "#1f2430"
_TERMINAL = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; background: {ground}; }}
pre {{ margin: 0; padding: 20px 24px; display: inline-block; color: {ink};
  font: 16px/{line}px "DejaVu Sans Mono", "Noto Sans Mono CJK SC", monospace; }}
i {{ display: inline-block; height: {line}px; vertical-align: top; font-style: normal; overflow: hidden; }}
</style><pre>{lines}</pre>"""
_BLOCKS = {
    "█": "{ink}",
    "▀": "linear-gradient({ink} 50%, {ground} 50%)",
    "▄": "linear-gradient({ground} 50%, {ink} 50%)",
    " ": "{ground}",
}


@dataclass(frozen=True, kw_only=True)
class World:
    """A running service and portal with everything invented in them."""

    service: str
    portal: str
    facts: devworld.DevWorld
    folder: Path

    def department(self, *arguments: str) -> dict[str, object]:
        """Run the example department's program."""
        program = str(ROOT / "examples/department/department.py")
        done = subprocess.run(  # noqa: S603 - our own example
            [sys.executable, program, *arguments],
            env={
                **_environment(),
                "XINYIN_SERVICE": self.service,
                "XINYIN_CLIENT_ID": self.facts.department_id,
                "XINYIN_CLIENT_SECRET": self.facts.department_secret,
            },
            stdout=subprocess.PIPE,
            check=True,
        )
        return dict(json.loads(done.stdout))


def _environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}


@contextlib.contextmanager
def world(folder: Path) -> Iterator[World]:
    """Run a service and the example portal until the block ends."""
    port, portal_port = (wish if is_free(wish) else free_port() for wish in (8000, 8100))
    service, portal = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{portal_port}"
    home, secret = folder / "data", folder / "portal-secret"
    dev = ["-m", "admin", "dev", "--home", str(home), "--port", str(port), "--portal-url", portal]
    with contextlib.ExitStack() as stack:
        ready = f"{service}/readyz"
        stack.enter_context(running(dev, log=folder / "service.log", ready=ready, env=_environment()))
        facts = devworld.read(home)
        assert facts is not None  # noqa: S101 - the service is ready
        secret.write_text(facts.portal_secret)
        party = [str(ROOT / "examples/portal/portal.py"), "--port", str(portal_port), "--issuer", service]
        party += ["--client-id", facts.portal_id, "--secret-file", str(secret)]
        stack.enter_context(running(party, log=folder / "portal.log", ready=portal, env=_environment()))
        yield World(service=service, portal=portal, facts=facts, folder=folder)


def keep(name: str, png: bytes, *, width: int | None = None) -> None:
    """Write a picture of few colours and few octets."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    if width is not None and picture.width > width:
        picture = picture.resize((width, picture.height * width // picture.width), Image.Resampling.LANCZOS)
    for colours in (256, 128, 64, 32):
        out = io.BytesIO()
        picture.quantize(colours, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        if len(out.getvalue()) <= LARGEST:
            break
    (HERE / name).write_bytes(out.getvalue())
    sys.stdout.write(f"{name:<24} {picture.width} x {picture.height}  {len(out.getvalue()):,} octets\n")


# --- the story in the terminal -----------------------------------------------------------------------------------


def terminal(browser: Browser, folder: Path) -> None:
    """Run `xinyin demo --exit` and draw what it printed."""
    colours = _environment(TTY_COMPATIBLE="1", TTY_INTERACTIVE="0", COLUMNS=str(COLUMNS), COLORTERM="truecolor")
    printed = subprocess.run(
        [sys.executable, "-m", "admin", "demo", "--exit"], cwd=folder, env=colours, stdout=subprocess.PIPE, check=True
    ).stdout.decode()
    # The temporary folder's name is nobody's affair; its length holds the frame together.
    printed = printed.replace(str(folder), "/home/you/xinyin-demo-folder"[: len(str(folder))])
    text = Text.from_ansi(f"$ make demo\n{printed.rstrip()}")
    console = Console(width=COLUMNS, force_terminal=True, color_system="truecolor", file=io.StringIO())
    lines = ["".join(map(_cells, line)) for line in console.render_lines(text, pad=False)]
    page = browser.new_page(viewport={"width": 1200, "height": 800}, device_scale_factor=1.5)
    page.set_content(_TERMINAL.format(ground=_GROUND, ink=_INK, line=_LINE, lines="\n".join(lines)))
    keep("terminal.png", page.locator("pre").screenshot())
    page.close()


def _cells(segment: Segment) -> str:
    """Draw each character in a box of its own, as a terminal does: fonts differ in what they call wide."""
    style = segment.style or Style()
    ink, ground = (_colour(style.color, _INK), _colour(style.bgcolor, _GROUND))
    if style.reverse:
        ink, ground = ground, ink
    looks = f"color:{ink}" + (";opacity:.55" if style.dim else "") + (";font-weight:700" if style.bold else "")
    boxes = []
    for character in segment.text.rstrip("\n"):
        background = _BLOCKS.get(character, "{ground}").format(ink=ink, ground=ground)
        shown = " " if character in _BLOCKS else escape(character)
        boxes.append(f'<i style="width:{_CELL * cell_len(character)}px;background:{background};{looks}">{shown}</i>')
    return "".join(boxes)


def _colour(colour: Color | None, default: str) -> str:
    return default if colour is None or colour.is_default else colour.get_truecolor(MONOKAI).hex


# --- pages -------------------------------------------------------------------------------------------------------


def pages(browser: Browser, here: World) -> None:
    """Walk through the pages that people see, with a phone in hand."""
    phone = browser.new_context(viewport=PHONE, device_scale_factor=2, locale="zh-CN")
    page = phone.new_page()
    page.goto(f"{here.portal}/login", wait_until="networkidle")
    page.fill("[name=username]", here.facts.citizen_login)
    _shoot(page, "login.png")
    page.fill("[name=password]", here.facts.citizen_password)
    _press(page, "button[value=login]")
    _shoot(page, "consent.png")
    _press(page, "button[value=allow]")
    _shoot(page, "portal.png")
    licence = issue(here)
    page.goto(f"{here.service}/v/{licence['id']}", wait_until="networkidle")
    _shoot(page, "public-valid.png", first=980)
    _shoot(page, "public-whole.png")
    grounds = ("--basis", "《示例条例》第十二条第一款", "--reason", "提交虚假材料取得登记")
    here.department("revoke", str(licence["id"]), *grounds)
    page.reload(wait_until="networkidle")
    _shoot(page, "public-revoked.png", first=980)
    phone.close()


def _press(page: Page, button: str) -> None:
    """Touch what leads to another page and wait until that one stands there whole."""
    with page.expect_navigation(wait_until="networkidle"):
        page.click(button)


def issue(here: World) -> Mapping[str, object]:
    """Issue the sample licence."""
    data, out = ROOT / "examples/licence/business-licence.json", here.folder / "licence.pdf"
    return here.department("issue", str(data), "--seal", here.facts.seal, "--out", str(out))


def _shoot(page: Page, name: str, *, first: int | None = None) -> None:
    """Take the whole page, or the ``first`` pixels of it."""
    clip = None if first is None else {"x": 0, "y": 0, "width": PHONE["width"], "height": first}
    keep(name, page.screenshot(full_page=True, animations="disabled", clip=clip))


# --- documents ---------------------------------------------------------------------------------------------------


def documents(here: World) -> None:
    """Seal the samples, issue a licence, and have readers that are not ours draw them."""
    issue(here)
    _draw_pdf("licence.png", here.folder / "licence.pdf")
    for kind, x, y in (("pdf", "132", "183"), ("ofd", "127", "229")):
        source, out = ROOT / f"examples/samples/approval.{kind}", here.folder / f"sealed.{kind}"
        options = ("--reason", "准予行政许可", "--page", "1", "--x-mm", x, "--y-mm", y)
        here.department("seal", str(source), "--seal", here.facts.seal, "--out", str(out), *options)
    _draw_pdf("sealed-pdf.png", here.folder / "sealed.pdf")
    drawn = here.folder / "ofd.png"
    reader = str(ROOT / "tests/judges/ofd_picture.py")
    command = [sys.executable, reader, str(drawn), str(here.folder / "sealed.ofd")]
    subprocess.run(command, env=_environment(), check=True)  # noqa: S603 - our own program
    keep("sealed-ofd.png", drawn.read_bytes(), width=900)


def _draw_pdf(name: str, document: Path) -> None:
    program = shutil.which("pdftoppm")
    if program is None:
        raise SystemExit("pdftoppm (poppler-utils) is not installed")
    drawn = subprocess.run(  # noqa: S603
        [program, "-png", "-r", "110", "-singlefile", str(document)], stdout=subprocess.PIPE, check=True
    )
    keep(name, drawn.stdout, width=900)


def main(wanted: list[str]) -> None:
    """Make the wanted pictures; all of them if none is named."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name).resolve()
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_ARGUMENTS))
        if not wanted or "terminal" in wanted:
            terminal(browser, folder)
        if not wanted or {"pages", "documents"} & set(wanted):
            with world(folder) as here:
                if not wanted or "pages" in wanted:
                    pages(browser, here)
                if not wanted or "documents" in wanted:
                    documents(here)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
