"""Placements: where the seal's picture goes, as the one line of text that the service reads.

Lengths are in mm on the page as it is seen; page lists are ``3``, ``1-3,5``, ``-1`` (the last),
``all``, ``odd``, ``even``.
"""

from typing import Literal
from urllib.parse import quote

_PLAIN = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in "%;=")


def at_point(x_mm: float, y_mm: float, *, pages: str = "-1") -> str:
    """Put the picture's top left corner there on each of the pages."""
    return f"point;x={x_mm};y={y_mm};pages={pages}"


def in_corner(
    corner: Literal["top-left", "top-right", "bottom-left", "bottom-right"] = "bottom-right",
    *,
    dx_mm: float = 20,
    dy_mm: float = 25,
    pages: str = "-1",
) -> str:
    """Put the picture that far from the edges that meet in the corner."""
    return f"corner:{corner};dx={dx_mm};dy={dy_mm};pages={pages}"


def at_keyword(
    words: str, *, pick: int | Literal["all"] = "all", dx_mm: float = 0, dy_mm: float = 0, pages: str = "all"
) -> str:
    """Put the picture's centre over the words, moved right and down; ``pick`` is 1 for the first, -1 for the last."""
    return f"keyword:{quote(words, safe=_PLAIN)};pick={pick};dx={dx_mm};dy={dy_mm};pages={pages}"


def straddle(
    edge: Literal["right", "left", "top", "bottom"] = "right", *, margin_mm: float = 0, pages: str = "all"
) -> str:
    """Put slices of the picture over an edge of the pages (骑缝章): the fanned sheets show it whole."""
    return f"straddle:{edge};margin={margin_mm};pages={pages}"


def facing(*, share: float = 0.5, pages: str = "all") -> str:
    """Put the picture over each joint of neighbouring pages."""
    return f"facing;share={share};pages={pages}"
