"""QR codes: read back by a reader, of the size the standard's reference encoder gives, in every form we draw."""

import io
from typing import Any

import pytest
import qrcode
import qrcode.util
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from license_store import qr, qr_mask

ADDRESS = "HTTPS://ZZ.EXAMPLE.GOV.CN/V/K3V7Q2M5X6YNBZ4TPA3CWE2RDU"


def read(image: Image.Image) -> str:
    found = zxingcpp.read_barcodes(image)
    assert len(found) == 1
    return str(found[0].text)


def version_of(content: str) -> int:
    reference = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M)
    reference.add_data(content)
    reference.make(fit=True)
    return int(reference.version or 0)


@settings(max_examples=25)
@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/.-", min_size=1, max_size=300))
def test_any_address_is_read_back_and_no_bigger_than_the_reference_makes_it(content: str) -> None:
    modules = qr.matrix(content)
    assert read(Image.open(io.BytesIO(qr.png(modules, scale=4)))) == content
    assert len(modules) <= 17 + 4 * version_of(content)


def test_a_licence_address_fits_version_3() -> None:
    assert len(qr.matrix(ADDRESS)) == 29


def test_the_address_is_upper_case_and_keeps_the_port() -> None:
    public_id = "k3v7q2m5x6ynbz4tpa3cwe2rdu"
    assert qr.scan_address("http://127.0.0.1:8000", public_id) == f"HTTP://127.0.0.1:8000/V/{public_id.upper()}"
    assert qr.scan_address("https://zz.example.gov.cn/", public_id) == ADDRESS


def test_the_svg_path_covers_exactly_the_dark_modules() -> None:
    modules = qr.matrix(ADDRESS)
    side = len(modules) + 2 * qr.QUIET
    image = Image.new("L", (side, side), 255)
    draw = ImageDraw.Draw(image)
    path = qr.svg(modules).rsplit('d="', 1)[1].split('"')[0]
    for run in path.split("M")[1:]:
        start, length = run.split("h")[0].split(), int(run.split("h")[1].split("v")[0])
        x, y = int(start[0]), int(start[1])
        draw.line((x, y, x + length - 1, y), fill=0)
    assert read(image.resize((side * 4, side * 4), Image.Resampling.NEAREST)) == ADDRESS


def test_the_terminal_form_shows_the_same_modules() -> None:
    modules = qr.matrix(ADDRESS)
    lines = [line.removeprefix("\x1b[30;107m").removesuffix("\x1b[0m") for line in qr.terminal(modules).split("\n")]
    rows: list[bytes] = []
    for line in lines:
        rows.append(bytes(character in "▀█" for character in line))
        rows.append(bytes(character in "▄█" for character in line))
    inner = tuple(row[qr.QUIET : -qr.QUIET] for row in rows[qr.QUIET : qr.QUIET + len(modules)])
    assert inner == modules
    assert not any(any(row) for row in rows[: qr.QUIET])


@pytest.mark.parametrize("scale", [1, 8])
def test_the_png_has_four_modules_of_quiet_zone(scale: int) -> None:
    image = Image.open(io.BytesIO(qr.png(qr.matrix(ADDRESS), scale=scale)))
    assert image.size == ((29 + 8) * scale,) * 2
    assert image.convert("L").crop((0, 0, image.width, 4 * scale)).getextrema() == (255, 255)


@settings(max_examples=10, deadline=None)
@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/.-", min_size=1, max_size=200))
def test_the_penalty_of_a_symbol_is_the_one_the_reference_computes(content: str) -> None:
    modules = qr.matrix(content)
    packed = qr_mask.Symbol.of(b"".join(modules), len(modules))
    assert qr_mask.penalty(packed) == qrcode.util.lost_point([[bool(dark) for dark in row] for row in modules])


def test_of_the_eight_masks_the_best_is_taken() -> None:
    symbols = []
    for mask in range(8):
        code = zxingcpp.create_barcode(ADDRESS, zxingcpp.BarcodeFormat.QRCode, ec_level="M", data_mask=mask)
        pixels: Any = code.to_image(scale=1, add_quiet_zones=False)
        levels: Any = memoryview(pixels).tolist()
        symbols.append([[level == 0 for level in row] for row in levels])
    chosen = [[bool(dark) for dark in row] for row in qr.matrix(ADDRESS)]
    assert chosen in symbols
    assert qrcode.util.lost_point(chosen) == min(qrcode.util.lost_point(one) for one in symbols)
