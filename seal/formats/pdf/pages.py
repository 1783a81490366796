"""Pages: finding one in the page tree, and what of it is shown (ISO 32000-2 7.7.3)."""

from collections.abc import Iterator
from dataclasses import dataclass

from seal.errors import PlacementRefused
from seal.formats.pdf.objects import PdfDict, PdfError, PdfObject, Ref
from seal.formats.pdf.reader import View

_MAX_NODES = 200_000
_MAX_DEPTH = 64
_INHERITED = ("MediaBox", "CropBox", "Rotate", "Resources")


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


def count_pages(view: View) -> int | None:
    """Count the pages, as they hang in the tree and not as it says; None for a tree that cannot be walked."""
    try:
        return sum(1 for _ in leaves(view))
    except PdfError:
        return None


def find_page(view: View, number: int) -> Page:
    """Give page ``number``, counted from 1; -1 is the last, -2 the one before it."""
    if number == 0:
        raise PlacementRefused("pages are counted from 1, or from -1 backwards")
    wanted = abs(number)
    for at, page in enumerate(leaves(view, backwards=number < 0), 1):
        if at == wanted:
            return page
    raise PlacementRefused(f"the document has no page {number}")


def shown_area(view: View, page: Page) -> Box:
    """Give the crop box inside the media box, and how the page is turned; PdfError where that shows nothing."""
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


def user_unit(view: View, page: Page) -> float:
    """Give how many points one of the page's units is (14.11)."""
    unit = view.resolve(page.entries.get("UserUnit")) or 1
    if not isinstance(unit, int | float) or unit <= 0:
        raise PdfError("a page's /UserUnit is not a positive number")
    return float(unit)
