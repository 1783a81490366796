"""Real documents: every page of every one is shown, and what is not shown is known."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from seal.formats.ofd.package import OfdPackage
from seal.formats.ofd.preview import Drawing, draw_page, to_png
from seal.formats.ofd.structure import read_bodies, read_signature, read_signature_list

PAGES = {
    "999": 5,
    "DigitalSign": 1,
    "SESV4SignDoc": 1,
    "V4RideRight": 5,
    "VPage7": 5,
    "allprotected": 1,
    "chineseDir": 1,
    "draw_param_ref": 5,
    "gen_13_riding_seal": 6,
    "h": 5,
    "hello": 2,
    "hello-integrity": 2,
    "helloworld": 1,
    "multiKeywordInTextCode": 1,
    "n": 2,
    "namespace_no_std": 1,
    "path_unstd": 2,
    "tampered_document_xml": 1,
    "testImageNotFound": 2,
    "v4signed": 1,
}
NO_RESOURCES = {"resource file PublicRes.xml is missing"}
NOTES = {
    "V4RideRight": NO_RESOURCES,
    "VPage7": NO_RESOURCES,
    "h": NO_RESOURCES,
    "path_unstd": {"the picture  is missing, or of a kind that is not shown"},
    "testImageNotFound": {"the picture 135 is missing, or of a kind that is not shown"},
}
"""What these files leave out themselves; nothing is left out of any other."""
DPI = 127


def drawings(document: bytes) -> Iterator[Drawing]:
    first = draw_page(document, 1)
    yield first
    yield from (draw_page(document, number) for number in range(2, first.pages + 1))


def pixels(drawing: Drawing) -> Image.Image:
    return Image.open(io.BytesIO(to_png(drawing.svg, drawing.width_mm, drawing.height_mm, DPI))).convert("RGB")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_shown(corpus: Path, name: str) -> None:
    shown = list(drawings((corpus / f"ofd/ofd/{name}.ofd").read_bytes()))
    assert len(shown) == PAGES[name]
    assert {note for drawing in shown for note in drawing.notes} == NOTES.get(name, set())


def test_no_document_of_the_corpus_is_left_out(corpus: Path) -> None:
    assert {path.stem for path in (corpus / "ofd/ofd").glob("*.ofd")} == set(PAGES)


@pytest.mark.parametrize("name", ["999", "v4signed", "V4RideRight", "gen_13_riding_seal", "SESV4SignDoc", "n"])
def test_the_red_of_every_seal_is_where_its_stamp_says(corpus: Path, name: str) -> None:
    document = (corpus / f"ofd/ofd/{name}.ofd").read_bytes()
    shown = list(drawings(document))
    for page, left, top, right, bottom in stamps(document):
        drawing = shown[page]
        inside = (max(left, 0), max(top, 0), min(right, drawing.width_mm), min(bottom, drawing.height_mm))
        box = [side * DPI / 25.4 for side in inside]
        seal = pixels(drawing).crop((round(box[0]), round(box[1]), round(box[2]), round(box[3])))
        found = [pixel for _, pixel in seal.convert("HSV").getcolors(1 << 24) or () if isinstance(pixel, tuple)]
        assert any((hue < 12 or hue > 243) and depth > 200 and light > 150 for hue, depth, light in found), page


def stamps(document: bytes) -> Iterator[tuple[int, float, float, float, float]]:
    """Give the page, from 0, and the visible box of every stamp, read from the signatures themselves."""
    package = OfdPackage(document)
    (body,) = read_bodies(package)
    assert body.root is not None
    assert body.signatures is not None
    pages = [page.get("ID") for page in package.xml(body.root).iter("{*}Page")]
    for row in read_signature_list(package, body.signatures):
        path = package.locate(row.location, body.signatures)
        for stamp in read_signature(package, path or "").stamps:
            x, y, width, height = map(float, stamp.boundary.split())
            dx, dy, width, height = map(float, (stamp.clip or f"0 0 {width} {height}").split())
            yield pages.index(stamp.page), x + dx, y + dy, x + dx + width, y + dy + height


def test_a_sealed_page_differs_from_its_unsealed_self_inside_the_stamp_alone(corpus: Path) -> None:
    plain = pixels(draw_page((corpus / "ofd/ofd/VPage7.ofd").read_bytes(), 2))
    sealed_document = (corpus / "ofd/ofd/V4RideRight.ofd").read_bytes()
    sealed = pixels(draw_page(sealed_document, 2))
    (box,) = [stamp[1:] for stamp in stamps(sealed_document) if stamp[0] == 1]
    changed = ImageChops.difference(plain, sealed).getbbox()
    assert changed is not None
    left, top, right, bottom = (side * DPI / 25.4 for side in box)
    assert left - 1.5 <= changed[0] < changed[2] <= right + 1.5
    assert top - 1.5 <= changed[1] < changed[3] <= bottom + 1.5
