"""Ornament: invented line work for the face of a licence. No state emblem, no likeness of one.

Drawn once per process as compact SVG; computing it in the template would cost more than the rest of the page.
Lengths are millimetres on an A4 page on its side.
"""

from functools import cache
from math import cos, pi, sin

WIDTH, HEIGHT = 297.0, 210.0

_GOLD, _DEEP, _PALE, _PAPER, _RED = "#b08d3c", "#8a6a24", "#e3cf9b", "#fdfaf1", "#9d2a22"
_WATERMARK = "#f1e5c6"
_BRAID_INSET = 12.65
_CORNERS = tuple((x, y) for x in (_BRAID_INSET, WIDTH - _BRAID_INSET) for y in (_BRAID_INSET, HEIGHT - _BRAID_INSET))
_CREST_CENTRE = (WIDTH / 2, 32.0)

Point = tuple[float, float]


@cache
def frame() -> str:
    """Draw the page's ground: paper, watermark, rules, braided border, corner medallions and the crest."""
    middle = (WIDTH / 2, HEIGHT / 2 + 7)
    braids = [_braid((20, y), length=257, waves=32) for y in (_BRAID_INSET, HEIGHT - _BRAID_INSET)]
    braids += [_braid((x, 20), length=170, waves=21, upright=True) for x in (_BRAID_INSET, WIDTH - _BRAID_INSET)]
    parts = [
        f'<path fill="{_PAPER}" d="M0 0H{WIDTH:g}V{HEIGHT:g}H0z"/>',
        _stroke(_WATERMARK, 0.2, *(_rosette(middle, 60 * 0.83**n, 24, 0.34, turn=n / 2) for n in range(8))),
        _stroke(_WATERMARK, 0.2, *(_rosette(middle, 60 * 0.83**n, 24, 0.34, turn=n / 2 + 0.25) for n in range(8))),
        _stroke(_DEEP, 0.5, _rectangle(7)),
        _stroke(_GOLD, 0.14, _rectangle(8.1), _rectangle(17.2)),
        _stroke(_DEEP, 0.32, _rectangle(18.2)),
        _stroke(_PALE, 0.14, *(inner for _outer, inner in braids)),
        _stroke(_GOLD, 0.14, *(outer for outer, _inner in braids)),
        *(_disc(corner, 6.4, _DEEP, 0.32) for corner in _CORNERS),
        _stroke(_GOLD, 0.13, *(path for corner in _CORNERS for path in _medallion(corner, 5.7, 12))),
        _stroke(_GOLD, 0.15, *_medallion(_CREST_CENTRE, 9.2, 20)),
        _disc(_CREST_CENTRE, 5.6, _RED, 0.34),
        _disc(_CREST_CENTRE, 4.9, _RED, 0.13),
    ]
    size = f'width="{WIDTH:g}mm" height="{HEIGHT:g}mm" viewBox="0 0 {WIDTH:g} {HEIGHT:g}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} fill="none">{"".join(parts)}</svg>'


def _stroke(colour: str, width: float, *paths: str) -> str:
    return f'<path stroke="{colour}" stroke-width="{width}" d="{"".join(paths)}"/>'


def _disc(centre: Point, radius: float, colour: str, width: float) -> str:
    x, y = centre
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{_PAPER}" stroke="{colour}" stroke-width="{width:g}"/>'


def _rectangle(inset: float) -> str:
    return f"M{inset:g} {inset:g}H{WIDTH - inset:g}V{HEIGHT - inset:g}H{inset:g}z"


def _braid(start: Point, *, length: float, waves: int, upright: bool = False) -> tuple[str, str]:
    """Lace sine lines of two heights and both phases along a line; give the high ones and the low ones."""
    high = "".join(_wave(start, length, waves, height, upright=upright) for height in (3.3, -3.3, 1.5, -1.5))
    low = "".join(_wave(start, length, waves, height, upright=upright) for height in (2.4, -2.4))
    return high, low


def _wave(start: Point, length: float, waves: int, height: float, *, upright: bool) -> str:
    """Draw a sine line, one cubic for each half wave; 1.3 heights of control make the crest touch the height."""
    x, y = start
    half = length / waves / 2
    steps = []
    for n in range(2 * waves):
        rise = height * 1.3 * (-1) ** n
        controls = ((half * 0.364, rise), (half * 0.636, rise), (half, 0.0))
        steps.append(" ".join(f"{b:.2f} {a:.2f}" if upright else f"{a:.2f} {b:.2f}" for a, b in controls))
    return f"M{x:g} {y:g}c{' '.join(steps)}"


def _medallion(centre: Point, radius: float, petals: int) -> list[str]:
    return [_rosette(centre, radius * (1 - 0.14 * n), petals, 0.3 + 0.14 * n, turn=n / 3) for n in range(3)]


def _rosette(centre: Point, radius: float, petals: int, depth: float, *, turn: float) -> str:
    """Draw a closed line that swings ``petals`` times between ``radius`` and ``1 - depth`` of it.

    One cubic from each tip to each trough; ``turn`` is the rotation as a share of a petal.
    """
    step = pi / petals
    x, y = centre

    def at(n: int) -> tuple[float, float, float, float]:
        angle = (n + 2 * turn) * step
        reach = radius * (1 - depth * (n % 2))
        along = reach * step / 3
        return x + reach * cos(angle), y + reach * sin(angle), -along * sin(angle), along * cos(angle)

    first = at(0)
    path = [f"M{first[0]:.2f} {first[1]:.2f}C"]
    for n in range(2 * petals):
        x0, y0, dx0, dy0 = at(n)
        x1, y1, dx1, dy1 = at(n + 1)
        path.append(f"{x0 + dx0:.2f} {y0 + dy0:.2f} {x1 - dx1:.2f} {y1 - dy1:.2f} {x1:.2f} {y1:.2f} ")
    return "".join(path) + "z"
