"""From a placement and a document to the places where the picture stands."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from seal.errors import PlacementRefused
from seal.placing.model import (
    AtKeyword,
    AtPoint,
    Box,
    Corner,
    Facing,
    InCorner,
    PageSize,
    Placement,
    Stamp,
    Straddle,
    TextPlace,
)
from seal.placing.straddle import facing, straddle

MOST_STAMPS = 4000
"""Appearances of one sealing: a keyword that stands everywhere must not make a document that nothing can open."""
OVERHANG_MM = 0.5
"""How far a picture may reach over the page's edge by rounding."""


class Surface(Protocol):
    """A document as placing sees it."""

    @property
    def pages(self) -> Sequence[PageSize]:
        """Every page's size, in order."""

    def find(self, text: str, pages: Sequence[int]) -> Sequence[TextPlace]:
        """Give where ``text`` stands in ``pages`` (from 0), in reading order; refuses what it cannot search."""


def stamps(placement: Placement, *, width: float, height: float, surface: Surface) -> tuple[Stamp, ...]:
    """Give every appearance of a picture of ``width`` by ``height`` mm, at least one; PlacementRefused if none fits."""
    found: list[Stamp] = []
    for stamp in _stamps(placement, width, height, surface):
        found.append(stamp)
        if len(found) > MOST_STAMPS:
            raise PlacementRefused(f"The seal would stand in more than {MOST_STAMPS} places: choose fewer pages.")
    return tuple(found)


def _stamps(placement: Placement, width: float, height: float, surface: Surface) -> Iterator[Stamp]:
    match placement:
        case AtPoint():
            for page in placement.pages.of(len(surface.pages)):
                yield _whole(
                    page, surface.pages[page], Box(x=placement.x_mm, y=placement.y_mm, width=width, height=height)
                )
        case InCorner():
            for page in placement.pages.of(len(surface.pages)):
                size = surface.pages[page]
                yield _whole(page, size, _in_corner(placement, size, width, height))
        case AtKeyword():
            yield from _at_keyword(placement, width, height, surface)
        case Straddle():
            yield from straddle(placement, width, height, surface.pages)
        case Facing():
            yield from facing(placement, width, height, surface.pages)


def _whole(page: int, size: PageSize, box: Box) -> Stamp:
    right, bottom = box.x + box.width, box.y + box.height
    gaps = (box.x, box.y, size.width - right, size.height - bottom)
    if not all(gap >= -OVERHANG_MM for gap in gaps):  # what is no number is refused too
        raise PlacementRefused(
            f"The page is {size.width:g} by {size.height:g} mm: the picture would not lie on it whole "
            f"(from {box.x:g}, {box.y:g} to {right:g}, {bottom:g})."
        )
    return Stamp(page=page, box=box)


def _in_corner(placement: InCorner, size: PageSize, width: float, height: float) -> Box:
    left = placement.corner in (Corner.TOP_LEFT, Corner.BOTTOM_LEFT)
    top = placement.corner in (Corner.TOP_LEFT, Corner.TOP_RIGHT)
    return Box(
        x=placement.dx_mm if left else size.width - width - placement.dx_mm,
        y=placement.dy_mm if top else size.height - height - placement.dy_mm,
        width=width,
        height=height,
    )


def _at_keyword(placement: AtKeyword, width: float, height: float, surface: Surface) -> Iterator[Stamp]:
    pages = placement.pages.of(len(surface.pages))
    if not placement.text.strip():
        raise PlacementRefused("The keyword is empty.")
    places = surface.find(placement.text, pages)
    for place in _picked(placement, places):
        size = surface.pages[place.page]
        middle_x = place.box.x + place.box.width / 2 + placement.dx_mm
        middle_y = place.box.y + place.box.height / 2 + placement.dy_mm
        x = min(max(middle_x - width / 2, 0), size.width - width)
        y = min(max(middle_y - height / 2, 0), size.height - height)
        yield _whole(place.page, size, Box(x=x, y=y, width=width, height=height))


def _picked(placement: AtKeyword, places: Sequence[TextPlace]) -> Sequence[TextPlace]:
    if not places:
        where = "" if placement.pages.text == "all" else f" on its pages {placement.pages.text}"
        raise PlacementRefused(f"The document does not say {placement.text[:40]!r}{where}.")
    if placement.pick == "all":
        return places
    index = placement.pick - 1 if placement.pick > 0 else len(places) + placement.pick
    if placement.pick == 0 or not 0 <= index < len(places):
        times = "once" if len(places) == 1 else f"{len(places)} times"
        raise PlacementRefused(
            f"The document says {placement.text[:40]!r} {times}: there is no place number {placement.pick}."
        )
    return (places[index],)
