"""Seal artwork as data: what is asked for, and the positioned outlines that answer it.

Lengths are millimetres from the seal's centre, x to the right, y down; angles are radians clockwise.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

Point = tuple[float, float]
Step = tuple[str, tuple[float, ...]]
"""One step of an outline, as SVG writes it: M, L, Q or C with absolute coordinates, or Z."""
Outline = tuple[Step, ...]
Matrix = tuple[float, float, float, float, float, float]
"""a, b, c, d, e, f: x' = ax + cy + e, y' = bx + dy + f."""

RED = "#e60012"
"""The red of seal ink on screens."""


class Shape(StrEnum):
    """How a seal is framed and its words arranged."""

    ROUND = "round"
    OVAL = "oval"
    INVOICE = "invoice"
    SQUARE = "square"
    PERSONAL = "personal"


class Centre(StrEnum):
    """What stands in the middle of a round seal."""

    STAR = "star"
    EMBLEM = "emblem"
    """A neutral mark where the state emblem belongs: the emblem itself is never drawn (国徽法 keeps it)."""
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of seal: its shape, its size and what is on it unless the design says otherwise."""

    title: str
    english: str
    size_mm: tuple[int, int]
    shape: Shape = Shape.ROUND
    border_mm: float = 1.2
    """Thickness of the ring or frame."""
    widths_mm: range | None = None
    """Other widths that occur; the height goes with the width. None where the rules leave no choice."""
    centre: Centre = Centre.NONE
    line: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What to draw: a kind of seal and its words. None stands for what the kind usually has.

    ``line`` stands below the centre; on square and personal seals it follows the name. ``number`` tells seals of
    one kind apart, such as (2). ``code`` is the registered number: on the lower arc, in an invoice seal the middle.
    """

    kind: str
    name: str
    line: str | None = None
    number: str = ""
    code: str = ""
    centre: Centre | None = None
    width_mm: int | None = None
    colour: str = RED


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One inked part of the seal, filled by the non-zero rule; ``box`` are the corners of a character's place."""

    part: str
    outline: Outline
    character: str = ""
    box: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Artwork:
    """A laid-out seal: everything decided, nothing left to a font or a renderer."""

    title: str
    width_mm: int
    height_mm: int
    colour: str
    marks: tuple[Mark, ...]


def turned(x: float, y: float, angle: float) -> Matrix:
    """Give the matrix that turns about the origin, then moves to ``x``, ``y``."""
    sine, cosine = math.sin(angle), math.cos(angle)
    return cosine, sine, -sine, cosine, x, y


def apply(matrix: Matrix, point: Point) -> Point:
    """Move one point."""
    a, b, c, d, e, f = matrix
    x, y = point
    return a * x + c * y + e, b * x + d * y + f


def transform(matrix: Matrix, outline: Outline) -> Outline:
    """Move every point of an outline."""
    a, b, c, d, e, f = matrix
    moved = []
    for step, at in outline:
        pairs = zip(at[::2], at[1::2], strict=True)
        moved.append((step, tuple(v for x, y in pairs for v in (a * x + c * y + e, b * x + d * y + f))))
    return tuple(moved)


def bounds(outline: Outline) -> tuple[float, float, float, float]:
    """Give left, top, right, bottom around all points of an outline, control points too."""
    xs = [x for _, at in outline for x in at[::2]]
    ys = [y for _, at in outline for y in at[1::2]]
    return min(xs), min(ys), max(xs), max(ys)
