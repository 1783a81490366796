"""Writing artwork as SVG: millimetres, paths only; no font is needed to show it. The same artwork, the same octets."""

from xml.sax.saxutils import escape

from seal.artwork.model import Artwork, Outline

_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{w}mm" height="{h}mm" viewBox="{x:g} {y:g} {w} {h}"'
    ' fill="{colour}">\n'
    "<title>{title}</title>\n"
)


def svg(artwork: Artwork) -> bytes:
    """Write artwork as an SVG of its printed size; each part is a path with the part's name as its class."""
    head = _HEAD.format(
        w=artwork.width_mm,
        h=artwork.height_mm,
        x=-artwork.width_mm / 2,
        y=-artwork.height_mm / 2,
        colour=artwork.colour,
        title=escape(artwork.title),
    )
    paths = "".join(f'<path class="{mark.part}" d="{_path(mark.outline)}"/>\n' for mark in artwork.marks)
    return f"{head}{paths}</svg>\n".encode()


def _path(outline: Outline) -> str:
    return "".join(step + " ".join(map(_number, at)) for step, at in outline)


def _number(value: float) -> str:
    """Write a length to the micrometre, without a negative zero."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
