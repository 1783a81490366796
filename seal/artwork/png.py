"""Writing artwork as PNG: its SVG drawn by typst's renderer, antialiased, on a transparent ground, true to size."""

import io

import typst
from PIL import Image, ImageColor

from seal.artwork.model import Artwork
from seal.artwork.svg import svg
from seal.errors import ArtworkRefused

DPI = 400
RESOLUTIONS = range(300, 601)
_EFFORT = 6
"""Of deflate: 9 takes eight times as long, for 7 % fewer octets."""
_PAGE = """
#set page(width: {w}mm, height: {h}mm, margin: 0mm, fill: none)
#image(bytes(sys.inputs.svg), format: "svg", width: {w}mm, height: {h}mm)
"""


def png(artwork: Artwork, *, dpi: int = DPI) -> bytes:
    """Draw artwork; the picture says its resolution, so that it prints at its size."""
    if dpi not in RESOLUTIONS:
        raise ArtworkRefused(f"A seal's picture has {RESOLUTIONS[0]} to {RESOLUTIONS[-1]} dots an inch.")
    alpha = _coverage(artwork, dpi)
    picture = Image.new("RGBA", alpha.size, ImageColor.getrgb(artwork.colour))
    picture.putalpha(alpha)
    # Where nothing is seen nothing is stored: viewers that ignore alpha then show white, not red.
    blank = Image.new("RGBA", alpha.size, (255, 255, 255, 0))
    picture = Image.composite(picture, blank, alpha.point(lambda a: 255 if a else 0))
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=_EFFORT, dpi=(dpi, dpi))
    return out.getvalue()


def _coverage(artwork: Artwork, dpi: int) -> Image.Image:
    drawn = typst.compile(
        _PAGE.format(w=artwork.width_mm, h=artwork.height_mm).encode(),
        sys_inputs={"svg": svg(artwork).decode()},
        format="png",
        ppi=float(dpi),
        font_paths=typst.Fonts(include_system_fonts=False, include_embedded_fonts=False),
        ignore_system_fonts=True,
    )
    if not isinstance(drawn, bytes):
        raise TypeError("a seal is one picture: several pages were drawn, or none")
    with Image.open(io.BytesIO(drawn)) as opened:
        return opened.getchannel("A")
