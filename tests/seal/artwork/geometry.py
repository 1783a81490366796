"""Geometry for judging a layout: quadrilaterals, hulls, and whether they overlap."""

import math
from itertools import pairwise

from seal.artwork import Artwork, Mark

Point = tuple[float, float]
Polygon = tuple[Point, ...]


def points(mark: Mark) -> list[Point]:
    """Give every point of an outline, those that pull at curves too: the curve lies within their hull."""
    return [pair for _, at in mark.outline for pair in zip(at[::2], at[1::2], strict=True)]


def middle(mark: Mark) -> Point:
    return sum(x for x, _ in mark.box) / 4, sum(y for _, y in mark.box) / 4


def turn(mark: Mark) -> float:
    """Give how far a character is turned clockwise from upright, in radians."""
    (left, top), (right, top_right), *_ = mark.box
    return math.atan2(top_right - top, right - left)


def hull(mark: Mark) -> Polygon:
    """Give a convex polygon around a mark: its box, or what its outline's outmost points span."""
    if mark.box:
        return mark.box
    found = sorted(set(points(mark)))
    return (*_half(found), *_half(found[::-1]))


def _half(ordered: list[Point]) -> list[Point]:
    chain: list[Point] = []
    for point in ordered:
        while len(chain) > 1 and _cross(chain[-2], chain[-1], point) <= 0:
            chain.pop()
        chain.append(point)
    return chain[:-1]


def _cross(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def apart(one: Polygon, other: Polygon) -> bool:
    """Tell whether a straight line parts two convex polygons (touching is apart, to a micrometre)."""
    for polygon in (one, other):
        for (x1, y1), (x2, y2) in pairwise((*polygon, polygon[0])):
            nx, ny = y2 - y1, x1 - x2
            length = math.hypot(nx, ny)
            if not length:
                continue
            here = [(x * nx + y * ny) / length for x, y in one]
            there = [(x * nx + y * ny) / length for x, y in other]
            if max(here) <= min(there) + 0.001 or max(there) <= min(here) + 0.001:
                return True
    return False


def collisions(artwork: Artwork) -> list[str]:
    """Name the pairs of parts that overlap; the ring and the two parts of an emblem are left aside."""
    marks = [(mark, hull(mark)) for mark in artwork.marks if mark.part != "ring"]
    return [
        f"{one.part} {one.character} / {other.part} {other.character}"
        for place, (one, here) in enumerate(marks)
        for other, there in marks[place + 1 :]
        if not one.part == other.part == "emblem" and not apart(here, there)
    ]


def inside(artwork: Artwork, border: float, *, oval: bool) -> bool:
    """Tell whether everything but the ring lies within the ring or frame."""
    across, down = artwork.width_mm / 2 - border, artwork.height_mm / 2 - border
    marks = (mark for mark in artwork.marks if mark.part != "ring")
    reached = [point for mark in marks for point in (*points(mark), *mark.box)]
    if oval:
        return all((x / across) ** 2 + (y / down) ** 2 <= 1 for x, y in reached)
    return all(abs(x) <= across and abs(y) <= down for x, y in reached)
