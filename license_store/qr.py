"""QR codes of licence addresses: the matrix, and its SVG, PNG and terminal forms."""

import io
from collections.abc import Sequence
from typing import Any, NewType
from urllib.parse import urlsplit

import zxingcpp
from PIL import Image

from license_store import qr_mask
from license_store.qr_mask import Symbol

Matrix = NewType("Matrix", tuple[bytes, ...])
"""Square rows of octets, 1 for a dark module, without the quiet zone."""

_MASKS = 8
_CHANGES: dict[int, tuple[Symbol, ...]] = {}
"""By side of the symbol; grows to the forty versions at most."""

QUIET = 4
"""Modules of quiet zone on every side (ISO/IEC 18004 6.3.8)."""


def matrix(content: str) -> Matrix:
    """Encode ``content`` at error correction M, in the smallest version that holds it.

    M, not Q: at a fixed printed size the bigger modules decode better than the stronger correction.
    """
    base = _encoded(content, 0)
    dark = qr_mask.best([base, *(base.xor(change) for change in _mask_changes(base, content))]).dark()
    return Matrix(tuple(dark[start : start + base.side] for start in range(0, len(dark), base.side)))


def _encoded(content: str, mask: int) -> Symbol:
    barcode = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.QRCode, ec_level="M", data_mask=mask)
    pixels: Any = barcode.to_image(scale=1, add_quiet_zones=False)  # a buffer, though its stub does not say so
    return Symbol.of(bytes(memoryview(pixels)).translate(_DARK), pixels.shape[0])


def _mask_changes(base: Symbol, content: str) -> tuple[Symbol, ...]:
    """Give what changes from mask 0 to each other mask: the same for all symbols of a version, so found once.

    Weighing the masks here, by whole-symbol arithmetic, takes a third of the time of having the library do it.
    """
    changes = _CHANGES.get(base.side)
    if changes is None:
        changes = tuple(base.xor(_encoded(content, mask)) for mask in range(1, _MASKS))
        _CHANGES[base.side] = changes
    return changes


def scan_address(base_url: str, public_id: str) -> str:
    """Give the address printed in the code: all upper case, so that it fits the alphanumeric mode.

    ``base_url`` is scheme and host, with a port if need be; scheme and host are case-insensitive (RFC 3986 6.2.2.1)
    and the page answers to /V/ as to /v/.
    """
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}/V/{public_id}".upper()


def svg(modules: Matrix) -> str:
    """Draw the code as one SVG path, one unit a module, quiet zone included."""
    side = len(modules) + 2 * QUIET
    path = "".join(
        f"M{start + QUIET} {row + QUIET}h{length}v1h-{length}z"
        for row, line in enumerate(modules)
        for start, length in _runs(line)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{path}"/></svg>'
    )


def png(modules: Matrix, scale: int = 8) -> bytes:
    """Draw the code as a black-and-white PNG, ``scale`` pixels a module, quiet zone included."""
    inner = len(modules)
    side = inner + 2 * QUIET
    image = Image.new("1", (side, side), 1)
    light = b"".join(modules).translate(_LIGHT)
    image.paste(Image.frombytes("L", (inner, inner), light), (QUIET, QUIET))
    out = io.BytesIO()
    image.resize((side * scale, side * scale), Image.Resampling.NEAREST).save(out, "PNG", optimize=True)
    return out.getvalue()


def terminal(modules: Matrix) -> str:
    """Draw the code for a terminal, two rows a line in half blocks, dark on light whatever the colours around."""
    side = len(modules) + 2 * QUIET
    blank = bytes(side)
    rows = [blank] * QUIET + [bytes(QUIET) + line + bytes(QUIET) for line in modules] + [blank] * (QUIET + 1)
    lines = ("".join(_HALF[pair] for pair in zip(rows[y], rows[y + 1], strict=True)) for y in range(0, side, 2))
    return "\n".join(f"\x1b[30;107m{line}\x1b[0m" for line in lines)


_DARK = bytes([1] + [0] * 255)
"""zxing gives 0 for a dark module and 255 for a light one."""
_LIGHT = bytes([255, 0] + [0] * 254)
_HALF = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}


def _runs(line: bytes) -> Sequence[tuple[int, int]]:
    """Give (start, length) of each run of dark modules."""
    runs = []
    start = line.find(1)
    while start >= 0:
        end = line.find(0, start)
        end = len(line) if end < 0 else end
        runs.append((start, end - start))
        start = line.find(1, end)
    return runs
