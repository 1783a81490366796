"""Pages: finding one in the page tree, and where on it a picture goes (ISO 32000-2 7.7.3)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from seal.errors import PlacementRefused
from seal.formats.pdf.objects import PdfDict, PdfError, PdfObject, Ref
from seal.formats.pdf.reader import View
from seal.model import Picture
from seal.placing import AtPoint, Corner, InCorner, Placement

POINTS_PER_MM = 72 / 25.4
_MAX_NODES = 200_000
_MAX_DEPTH = 64
_INHERITED = ("MediaBox", "CropBox", "Rotate", "Resources")
_SLACK = 0.5
_ONE_PAGE = re.compile(r"-?[0-9]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Page:
    """A page object, and what it inherits from the nodes above it."""

    ref: Ref
    entries: PdfDict
    inherited: PdfDict

    def get(self, key: str) -> PdfObject:
        """Give an attribute, its own or an inherited one."""
        return self.entries.get(key, self.inherited.get(key))


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in a page's own units, and the quarter turns by which the page is shown."""

    left: float
    bottom: float
    right: float
    top: float
    turn: int = 0

    @property
    def width(self) -> float:
        """Width in units."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height in units."""
        return self.top - self.bottom


def leaves(view: View, *, backwards: bool = False) -> Iterator[Page]:
    """Give every page in order, or from the last one back; a loop in the tree is refused."""
    seen: set[Ref] = set()
    todo: list[tuple[PdfObject, PdfDict, int]] = [(view.catalog.get("Pages"), {}, 0)]
    while todo:
        node, inherited, depth = todo.pop()
        if not isinstance(node, Ref) or node in seen or depth > _MAX_DEPTH or len(seen) > _MAX_NODES:
            raise PdfError("the page tree is not a tree of references")
        seen.add(node)
        entries = view.dictionary(node, "a page")
        if "Kids" not in entries:
            yield Page(node, entries, inherited)
            continue
        below = inherited | {key: entries[key] for key in _INHERITED if key in entries}
        kids = view.array(entries["Kids"], "/Kids")
        todo.extend((kid, below, depth + 1) for kid in (kids if backwards else reversed(kids)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where on which page: ``page`` from 1 or from -1 backwards, distances from the named edges in mm."""

    page: int
    x_mm: float
    y_mm: float
    from_right: bool = False
    from_bottom: bool = False


def single_place(placement: Placement) -> Place:
    """Give the one place a placement means; PlacementRefused for those that need the whole document."""
    if not isinstance(placement, AtPoint | InCorner) or not _ONE_PAGE.fullmatch(placement.pages.text):
        raise PlacementRefused("a PDF document is sealed at a point or in a corner of one page")
    page = int(placement.pages.text)
    if isinstance(placement, AtPoint):
        return Place(page=page, x_mm=placement.x_mm, y_mm=placement.y_mm)
    return Place(
        page=page,
        x_mm=placement.dx_mm,
        y_mm=placement.dy_mm,
        from_right=placement.corner in (Corner.TOP_RIGHT, Corner.BOTTOM_RIGHT),
        from_bottom=placement.corner in (Corner.BOTTOM_LEFT, Corner.BOTTOM_RIGHT),
    )


def find_page(view: View, number: int) -> Page:
    """Give page ``number``, counted from 1; -1 is the last, -2 the one before it."""
    if number == 0:
        raise PlacementRefused("pages are counted from 1, or from -1 backwards")
    wanted = abs(number)
    for at, page in enumerate(leaves(view, backwards=number < 0), 1):
        if at == wanted:
            return page
    raise PlacementRefused(f"the document has no page {number}")


def picture_box(view: View, page: Page, picture: Picture, place: Place) -> Box:
    """Give the rectangle for ``picture`` on ``page``, refused if it would not be seen whole."""
    # 1. What is shown: the crop box inside the media box, turned clockwise.
    shown = _shown(view, page)
    scale = POINTS_PER_MM / _user_unit(view, page)
    across, down = (shown.width, shown.height) if shown.turn % 2 == 0 else (shown.height, shown.width)
    # 2. The picture's box as seen, from the top left corner of what is shown.
    width, height = picture.width_mm * scale, picture.height_mm * scale
    x, y = place.x_mm * scale, place.y_mm * scale
    x = across - width - x if place.from_right else x
    y = down - height - y if place.from_bottom else y
    # What is no number fails every comparison, so it is refused with the rest.
    if not (min(x, y) >= -_SLACK and x + width <= across + _SLACK and y + height <= down + _SLACK):
        raise PlacementRefused("the seal would not lie wholly on the page")
    # 3. The same box in the page's own coordinates.
    return _unturned(shown, (x, y, width, height))


def _unturned(shown: Box, seen: tuple[float, float, float, float]) -> Box:
    x, y, width, height = seen
    left, bottom = {
        0: (x, shown.height - y - height),
        1: (y, x),
        2: (shown.width - x - width, y),
        3: (shown.width - y - height, shown.height - x - width),
    }[shown.turn]
    if shown.turn % 2:
        width, height = height, width
    left, bottom = left + shown.left, bottom + shown.bottom
    return Box(left, bottom, left + width, bottom + height, shown.turn)


def _shown(view: View, page: Page) -> Box:
    media = _rectangle(view, page.get("MediaBox"))
    if media is None:
        raise PdfError("a page has no /MediaBox")
    crop = _rectangle(view, page.get("CropBox")) or media
    rotate = view.resolve(page.get("Rotate")) or 0
    if not isinstance(rotate, int) or rotate % 90:
        raise PdfError("a page's /Rotate is not a multiple of 90")
    box = Box(
        max(crop.left, media.left),
        max(crop.bottom, media.bottom),
        min(crop.right, media.right),
        min(crop.top, media.top),
        rotate // 90 % 4,
    )
    if box.width <= 0 or box.height <= 0:
        raise PdfError("a page shows nothing")
    return box


def _rectangle(view: View, value: PdfObject) -> Box | None:
    numbers = [view.resolve(item) for item in view.array(value, "a rectangle")]
    if not numbers:
        return None
    sides = [float(side) for side in numbers if isinstance(side, int | float)]
    if len(sides) != 4 or len(numbers) != 4:  # noqa: PLR2004 - 7.9.5: a rectangle is four numbers
        raise PdfError("a rectangle is not four numbers")
    x0, y0, x1, y1 = sides
    return Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))


def _user_unit(view: View, page: Page) -> float:
    unit = view.resolve(page.entries.get("UserUnit")) or 1
    if not isinstance(unit, int | float) or unit <= 0:
        raise PdfError("a page's /UserUnit is not a positive number")
    return float(unit)
