"""Written seals: SVG and PNG of the printed size, transparent where nothing is inked, the same each time."""

import io
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from lxml import etree
from PIL import Image, ImageChops

from seal.artwork import RESOLUTIONS, Artwork, Design, Lettering, draw, lay_out, png, svg
from seal.errors import ArtworkRefused
from seal.fonts import packaged_seal_font

SVG = "{http://www.w3.org/2000/svg}"
DESIGNS = (
    Design(kind="department", name="某某市政务服务数据管理局", line="审批专用章", code="44030000000001"),
    Design(kind="county", name="某某市某某区人民政府"),
    Design(kind="invoice", name="深圳市某某（中国）有限公司", code="91440300MA5D0000XA", number="(1)"),
    Design(kind="finance-square", name="某某商贸公司", colour="#0a3d91"),
    Design(kind="personal", name="王小明"),
)
by_kind = pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.kind)


def laid(design: Design) -> Artwork:
    return lay_out(design, Lettering(packaged_seal_font()))


def opened(octets: bytes) -> Image.Image:
    return Image.open(io.BytesIO(octets))


@by_kind
@pytest.mark.parametrize("dpi", [300, 600])
def test_a_png_has_its_printed_size(design: Design, dpi: int) -> None:
    artwork = laid(design)
    image = opened(png(artwork, dpi=dpi))
    assert image.mode == "RGBA"
    for pixels, length in zip(image.size, (artwork.width_mm, artwork.height_mm), strict=True):
        assert pixels == round(length / 25.4 * dpi)
    # pHYs counts whole pixels a metre.
    assert image.info["dpi"] == pytest.approx((dpi, dpi), abs=0.02)


@by_kind
def test_ink_reaches_the_edges_and_no_further(design: Design) -> None:
    image = opened(png(laid(design), dpi=300))
    left, top, right, bottom = image.getchannel("A").point(lambda a: 255 if a > 127 else 0).getbbox() or (0, 0, 0, 0)
    assert left <= 1
    assert top <= 1
    assert right >= image.width - 1
    assert bottom >= image.height - 1


@pytest.mark.parametrize("design", DESIGNS[:3], ids=lambda design: design.kind)
def test_the_ground_is_transparent_and_all_ink_of_one_colour(design: Design) -> None:
    image = opened(png(laid(design), dpi=300))
    last = (image.width - 1, image.height - 1)
    for corner in ((0, 0), last, (last[0], 0), (0, last[1])):
        assert image.getpixel(corner) == (255, 255, 255, 0)
    colours = image.getcolors(maxcolors=1000)
    assert colours is not None
    assert {colour[:3] for _, colour in colours if colour[3]} == {(0xE6, 0x00, 0x12)}  # type: ignore[index]
    assert len(colours) > 8, "edges are smooth"


def test_a_picture_for_the_register_says_its_size() -> None:
    picture = draw(DESIGNS[2], font=packaged_seal_font(), dpi=300)
    assert (picture.width_mm, picture.height_mm) == (40, 30)
    assert picture.png == png(laid(DESIGNS[2]), dpi=300)


@by_kind
def test_the_same_design_gives_the_same_octets(design: Design) -> None:
    assert svg(laid(design)) == svg(laid(design))
    assert png(laid(design), dpi=300) == png(laid(design), dpi=300)


@pytest.mark.parametrize("dpi", [RESOLUTIONS[0] - 1, RESOLUTIONS[-1] + 1, 0])
def test_a_resolution_out_of_range_is_refused(dpi: int) -> None:
    with pytest.raises(ArtworkRefused):
        png(laid(DESIGNS[4]), dpi=dpi)


@by_kind
def test_an_svg_is_paths_alone_in_millimetres(design: Design) -> None:
    artwork = laid(design)
    root = etree.fromstring(svg(artwork))
    width, height = artwork.width_mm, artwork.height_mm
    assert (root.get("width"), root.get("height")) == (f"{width}mm", f"{height}mm")
    assert root.get("viewBox") == f"{-width / 2:g} {-height / 2:g} {width} {height}"
    assert root.get("fill") == design.colour
    title, *paths = root
    assert title.tag == f"{SVG}title"
    assert design.name in str(title.text)
    assert {path.tag for path in paths} == {f"{SVG}path"}
    assert [path.get("class") for path in paths] == [mark.part for mark in artwork.marks]
    for path in paths:
        assert re.fullmatch(r"(M[-\d. ]+([LQC][-\d. ]+)*Z)+", path.get("d") or "")


def test_a_title_is_escaped() -> None:
    root = etree.fromstring(svg(laid(Design(kind="company", name="甲&乙<丙>公司"))))
    assert root[0].text == "甲&乙<丙>公司"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if program is None:
        pytest.skip("no Chromium on PATH")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def test_a_browser_draws_the_svg_as_our_png_shows_it(chromium: Any) -> None:
    """At 508 dots an inch a millimetre is 20 pixels for both, and nothing is rounded to whole ones."""
    page = chromium.new_page(device_scale_factor=508 / 96, viewport={"width": 200, "height": 200})
    for design in DESIGNS:
        artwork = laid(design)
        # A browser clips an SVG's box to whole CSS pixels; the drawing within is not moved.
        page.set_content(f"<style>svg {{ overflow: visible }} body {{ margin: 0 }}</style>{svg(artwork).decode()}")
        shown = opened(page.screenshot()).convert("RGB")
        ours = Image.new("RGBA", shown.size, "white")
        ours.alpha_composite(opened(png(artwork, dpi=508)))
        difference = ImageChops.difference(shown, ours.convert("RGB")).convert("L")
        far = difference.point(lambda value: 255 if value > 96 else 0).histogram()[255]
        inked = opened(png(artwork, dpi=508)).getchannel("A").histogram()[255]
        assert inked > 10_000
        assert far < inked / 500, design.kind
    page.close()
