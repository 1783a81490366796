"""Where the seal is seen: rendered by another program and looked at, pixel by pixel."""

import io
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from seal.model import Mark
from seal.placing import AtPoint, InCorner
from tests.seal.pdf.making import Sealer, plain_pdf, render

WHITE, RED, BLUE = (255, 255, 255), (255, 0, 0), (0, 0, 255)
SIZE_MM = 40


def page(attributes: bytes, *, inherited: bytes = b"") -> bytes:
    return plain_pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1" + inherited + b">>",
            b"<</Type/Page/Parent 2 0 R" + attributes + b">>",
        ]
    )


def seen(document: bytes, folder: Path, number: int = 1) -> Image.Image:
    """Render a page at one pixel to 0.2 mm, by its crop box."""
    if shutil.which("pdftoppm") is None:
        pytest.skip("no pdftoppm")
    (folder / "sealed.pdf").write_bytes(document)
    command = ["pdftoppm", "-cropbox", "-r", "127", "-png", "-f", str(number), "-l", str(number), "-singlefile"]
    subprocess.run([*command, "sealed.pdf", "seen"], cwd=folder, check=True, capture_output=True)
    with Image.open(folder / "seen.png") as image:
        return image.convert("RGB")


def colour(image: Image.Image, x_mm: float, y_mm: float) -> tuple[int, int, int]:
    pixel = image.getpixel((round(x_mm * 5), round(y_mm * 5)))
    assert isinstance(pixel, tuple)
    red, green, blue = pixel[:3]
    return red, green, blue


def shows_seal(image: Image.Image, x_mm: float, y_mm: float) -> bool:
    """Tell whether the disc stands upright in the box at this corner, and nothing of it outside."""
    middle = x_mm + SIZE_MM / 2
    inside = colour(image, middle, y_mm + 10) == BLUE and colour(image, middle, y_mm + 30) == RED
    beside = [(x_mm - 2, y_mm + 20), (x_mm + SIZE_MM + 2, y_mm + 20), (middle, y_mm - 2), (middle, y_mm + SIZE_MM + 2)]
    edges = [(x_mm + 1, y_mm + 17), (x_mm + SIZE_MM - 1, y_mm + 17)]
    # The corners of the box are transparent.
    corners = [(x_mm + 1, y_mm + 1), (x_mm + SIZE_MM - 1, y_mm + SIZE_MM - 1)]
    return (
        inside
        and all(colour(image, *place) == WHITE for place in beside + corners)
        and all(colour(image, *place) == BLUE for place in edges)
    )


@pytest.mark.parametrize(
    "document",
    [
        page(b"/MediaBox[0 0 595 842]"),
        page(b"/MediaBox[0 0 595 842]/Rotate 90"),
        page(b"/MediaBox[0 0 595 842]/Rotate 180"),
        page(b"/MediaBox[0 0 595 842]/Rotate -90"),
        page(b"", inherited=b"/MediaBox[0 0 595 842]/Rotate 270"),
        page(b"/MediaBox[-100 50 595 842]/CropBox[20 90 560 800]"),
        page(b"/MediaBox[595 842 0 0]/CropBox[-50 -50 500 5000]/Rotate 90"),
    ],
    ids=["plain", "90", "180", "270", "inherited", "cropped", "odd boxes"],
)
def test_the_seal_is_seen_upright_where_it_was_put(
    document: bytes, p256_sealer: Sealer, mark: Mark, tmp_path: Path
) -> None:
    sealed = p256_sealer.seal(document, replace(mark, placement=AtPoint.on(1, x_mm=30, y_mm=50)))
    assert shows_seal(seen(sealed, tmp_path), 30, 50)


def test_a_user_unit_scales_the_seal(p256_sealer: Sealer, mark: Mark) -> None:
    # By its numbers: pdftoppm does not know /UserUnit.
    document = page(b"/MediaBox[0 0 297.5 421]/UserUnit 2")
    sealed = p256_sealer.seal(document, replace(mark, placement=AtPoint.on(1, x_mm=25.4, y_mm=25.4)))
    side = SIZE_MM / 25.4 * 36
    assert f"/Rect[36.0000 {421 - 36 - side:.4f}".encode() in sealed


def test_negative_distances_count_from_the_right_and_the_bottom(
    p256_sealer: Sealer, mark: Mark, tmp_path: Path
) -> None:
    document = page(b"/MediaBox[0 0 595.2756 841.8898]")
    sealed = p256_sealer.seal(document, replace(mark, placement=InCorner(dx_mm=20, dy_mm=30)))
    assert shows_seal(seen(sealed, tmp_path), 210 - 20 - SIZE_MM, 297 - 30 - SIZE_MM)


def test_the_seal_is_on_the_page_that_was_meant(p256_sealer: Sealer, mark: Mark, tmp_path: Path) -> None:
    document = render(3)
    for number, shown in ((-1, 3), (2, 2), (-3, 1)):
        sealed = p256_sealer.seal(document, replace(mark, placement=AtPoint.on(number, x_mm=150, y_mm=240)))
        assert [shows_seal(seen(sealed, tmp_path, one), 150, 240) for one in (1, 2, 3)] == [
            one == shown for one in (1, 2, 3)
        ]


def test_what_was_on_the_page_is_still_to_be_seen_around_the_seal(
    licence: bytes, p256_sealer: Sealer, mark: Mark, tmp_path: Path
) -> None:
    before = seen(licence, tmp_path)
    after = seen(p256_sealer.seal(licence, mark), tmp_path)
    box = tuple(round(side * 5) for side in (140, 230, 180, 270))
    before.paste(WHITE, (box[0], box[1], box[2], box[3]))
    after.paste(WHITE, (box[0], box[1], box[2], box[3]))
    assert before.tobytes() == after.tobytes()


def test_a_picture_of_one_colour_is_drawn_by_its_mask_alone(p256_sealer: Sealer, mark: Mark, tmp_path: Path) -> None:
    ink = Image.new("RGBA", (400, 400), (230, 0, 18, 0))
    ImageDraw.Draw(ink).ellipse((0, 0, 399, 399), fill=(230, 0, 18, 255))
    written = io.BytesIO()
    ink.save(written, "PNG")
    red = replace(
        mark, picture=replace(mark.picture, png=written.getvalue()), placement=AtPoint.on(1, x_mm=20, y_mm=30)
    )
    sealed = p256_sealer.seal(page(b"/MediaBox[0 0 595 842]"), red)
    assert b"/Width 1/Height 1/" in sealed
    image = seen(sealed, tmp_path)
    assert colour(image, 40, 50) == (230, 0, 18)
    assert colour(image, 21, 31) == WHITE
