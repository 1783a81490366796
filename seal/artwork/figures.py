"""Figures: the shapes of a seal that are not writing."""

import math

from seal.artwork.model import Outline, Point, Step

_ARCS = 8
"""Cubic curves to a circle: each is then off by 4 millionths of the radius."""
_POINTED = math.sin(math.radians(18)) / math.sin(math.radians(126))
"""Inner to outer radius of the five-pointed star whose edges are straight lines."""


def ellipse(across: float, down: float, *, hole: bool = False) -> Outline:
    """Give an ellipse about the centre by its two radii; ``hole`` runs it backwards, to cut it out."""
    step = math.tau / _ARCS * (-1 if hole else 1)
    reach = 4 / 3 * math.tan(step / 4)
    steps: list[Step] = [("M", (across, 0.0))]
    for place in range(_ARCS):
        first, last = place * step, (place + 1) * step
        bends = (
            (math.cos(first) - reach * math.sin(first), math.sin(first) + reach * math.cos(first)),
            (math.cos(last) + reach * math.sin(last), math.sin(last) - reach * math.cos(last)),
            (math.cos(last), math.sin(last)),
        )
        steps.append(("C", tuple(v for x, y in bends for v in (across * x, down * y))))
    return (*steps, ("Z", ()))


def ring(across: float, down: float, thickness: float) -> Outline:
    """Give an elliptic ring by its outer radii."""
    return ellipse(across, down) + ellipse(across - thickness, down - thickness, hole=True)


def polygon(points: list[Point]) -> Outline:
    """Give a closed polygon."""
    return (("M", points[0]), *(("L", point) for point in points[1:]), ("Z", ()))


def frame(width: float, height: float, thickness: float) -> Outline:
    """Give a rectangular frame about the centre by its outer size."""
    x, y = width / 2, height / 2
    outer = [(-x, -y), (x, -y), (x, y), (-x, y)]
    x, y = x - thickness, y - thickness
    return polygon(outer) + polygon([(-x, -y), (-x, y), (x, y), (x, -y)])


def star(radius: float, middle: float) -> Outline:
    """Give the five-pointed star, one point up, its circle's centre at height ``middle``."""
    corners = []
    for corner in range(10):
        reach = radius * (_POINTED if corner % 2 else 1)
        angle = math.radians(36 * corner)
        corners.append((reach * math.sin(angle), middle - reach * math.cos(angle)))
    return polygon(corners)


def dashes(middle: Point, radius: float, thickness: float, count: int) -> Outline:
    """Give a ring of ``count`` dashes, as drawn where something is still to be put."""
    outline: Outline = ()
    half = math.radians(360 / count * 0.3)
    for dash in range(count):
        turns = [math.tau * dash / count + half * side for side in (-1, 0, 1)]
        outer = [_on_circle(middle, radius, turn) for turn in turns]
        inner = [_on_circle(middle, radius - thickness, turn) for turn in reversed(turns)]
        outline += polygon([*outer, *inner])
    return outline


def _on_circle(middle: Point, radius: float, turn: float) -> Point:
    return middle[0] + radius * math.sin(turn), middle[1] - radius * math.cos(turn)
