"""The look: readable in any light, at any size, on the smallest phone, and without a single script."""

import re
import shutil
import threading
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

CSS = (files("kernel") / "static" / "xinyin.css").read_text()
AA = 4.5


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _token(name: str) -> str:
    (found,) = re.findall(rf"--{name}: (#[0-9a-f]{{3,6}});", CSS)
    colour = str(found)
    return colour if len(colour) == 7 else "#" + "".join(digit * 2 for digit in colour[1:])


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("ink", "paper"),
        ("ink", "focus"),
        ("muted", "paper"),
        ("muted", "soft"),
        ("blue", "paper"),
        ("blue", "soft"),
        ("grey", "soft"),
        ("green", "green-soft"),
        ("red", "red-soft"),
        ("red", "paper"),
        ("amber", "amber-soft"),
        ("paper", "blue"),
        ("paper", "blue-dark"),
        ("paper", "red"),
        ("paper", "deep"),
        ("paper", "cinnabar"),
    ],
)
def test_every_text_stands_out_from_its_ground(text: str, ground: str) -> None:
    assert _contrast(_token(text), _token(ground)) >= AA  # WCAG 2.2 1.4.3


def test_the_style_sheet_fetches_nothing() -> None:
    assert not re.search(r"url\(|@import|@font-face", CSS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    playwright = pytest.importorskip("playwright.sync_api")
    if chromium is None:
        pytest.skip("no Chromium on PATH")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium, args=quiet)
        yield opened
        opened.close()


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("query", ["lang=zh&type=normal", "lang=zh&type=large", "lang=en&type=large"])
def test_every_component_fits_without_scripts_and_without_a_complaint(
    browser: Any, address: str, tmp_path: Path, width: int, query: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.goto(f"{address}/form?{query}")
    wide = page.evaluate("document.documentElement.scrollWidth")
    small = page.evaluate(
        """[...document.querySelectorAll('main button, .field input, .choice')]
           .filter(e => e.getBoundingClientRect().height < 44).map(e => e.outerHTML)"""
    )
    unnamed = page.evaluate(
        "[...document.querySelectorAll('main input:not([type=hidden])')].filter(e => !e.labels.length).length"
    )
    page.screenshot(path=tmp_path / "page.png", full_page=True)
    context.close()
    assert (complaints, wide, small, unnamed) == ([], width, [], 0)
    assert (tmp_path / "page.png").stat().st_size > 50_000
