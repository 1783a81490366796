"""Placements: where a seal's picture shall stand, said without having seen the document."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from seal.placing.pages import PageList

LAST = PageList.parse("-1")
EVERY = PageList.parse("all")


class Edge(StrEnum):
    """A page's edge, as the page is looked at."""

    LEFT = "left"
    RIGHT = "right"
    TOP = "top"
    BOTTOM = "bottom"

    @property
    def upright(self) -> bool:
        """Whether the edge runs up and down."""
        return self in (Edge.LEFT, Edge.RIGHT)


class Corner(StrEnum):
    """A page's corner, as the page is looked at."""

    TOP_LEFT = "top-left"
    TOP_RIGHT = "top-right"
    BOTTOM_LEFT = "bottom-left"
    BOTTOM_RIGHT = "bottom-right"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtPoint:
    """The picture's top-left corner, in mm from the top left of each of ``pages``."""

    pages: PageList = LAST
    x_mm: float
    y_mm: float

    @classmethod
    def on(cls, page: int, *, x_mm: float, y_mm: float) -> "AtPoint":
        """Take a single page, counted from 1, or from -1 backwards."""
        return cls(pages=PageList.single(page), x_mm=x_mm, y_mm=y_mm)


@dataclass(frozen=True, slots=True, kw_only=True)
class InCorner:
    """``dx_mm`` and ``dy_mm`` between the picture and the edges that meet in the corner of each of ``pages``."""

    pages: PageList = LAST
    corner: Corner = Corner.BOTTOM_RIGHT
    dx_mm: float = 20
    dy_mm: float = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class AtKeyword:
    """The picture's centre over the middle of ``text`` where it stands in ``pages``, moved by dx (right), dy (down).

    ``pick`` counts the occurrences in reading order from 1, or from -1 backwards; "all" takes each.
    A picture that would reach over the edge is moved back onto the page.
    """

    text: str
    pages: PageList = EVERY
    pick: int | Literal["all"] = "all"
    dx_mm: float = 0
    dy_mm: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Straddle:
    """骑缝章: the picture in slices along one edge of ``pages``; the fanned-out sheets show it whole.

    Where the slices would be narrower than can be seen, or more than ``most`` sheets would share one picture, the
    pages are parted into groups of nearly the same size with a picture each.
    """

    edge: Edge = Edge.RIGHT
    pages: PageList = EVERY
    margin_mm: float = 0
    """Between the edge and the slice."""
    along_mm: float | None = None
    """From the page's top (left and right edges) or left to the picture; centred if left out."""
    most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facing:
    """对开骑缝: over each joint of neighbouring ``pages``, one part on the right of the first, the rest on the next."""

    pages: PageList = EVERY
    share: float = 0.5
    """How much of the picture's width stands on the first page of a joint, between 0 and 1."""
    along_mm: float | None = None


Placement: TypeAlias = AtPoint | InCorner | AtKeyword | Straddle | Facing


# --- what a placement becomes in a document --------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle in mm, y downwards."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSize:
    """A page's size in mm as it is looked at, after any rotation."""

    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPlace:
    """Where some text stands: ``page`` counts from 0."""

    page: int
    box: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """One appearance of the picture: ``page`` counts from 0, ``box`` is the whole picture, ``clip`` what of it shows.

    ``box`` may reach over the page's edge; ``clip`` is in the box's own coordinates, None for all of it.
    """

    page: int
    box: Box
    clip: Box | None = None
