"""A PDF document as placing sees it: page sizes, where words stand, and where a stamp lies in a page's own units."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from seal.formats.pdf.artwork import Look
from seal.formats.pdf.pages import Box, Page, find_page, leaves, shown_area, user_unit
from seal.formats.pdf.reader import View
from seal.formats.pdf.words import Words
from seal.placing import AtPoint, InCorner, PageList, PageSize, Placement, Stamp, TextPlace, stamps
from seal.placing import Box as SeenBox

POINTS_PER_MM = 72 / 25.4


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page as it lies on the table: what of it is shown, and how many of its units a millimetre has."""

    shown: Box
    scale: float

    @classmethod
    def of(cls, view: View, page: Page) -> "Sheet":
        """Measure ``page``; PdfError if it cannot be."""
        return cls(shown_area(view, page), POINTS_PER_MM / user_unit(view, page))

    @property
    def size(self) -> PageSize:
        """The page's size as it is seen."""
        across, down = self.shown.width / self.scale, self.shown.height / self.scale
        return PageSize(width=down, height=across) if self.shown.turn % 2 else PageSize(width=across, height=down)

    def own(self, seen: SeenBox) -> Box:
        """Give the rectangle in the page's own units for one in mm as seen."""
        shown, scale = self.shown, self.scale
        x, y, width, height = seen.x * scale, seen.y * scale, seen.width * scale, seen.height * scale
        left, bottom = (
            (x, shown.height - y - height),
            (y, x),
            (shown.width - x - width, y),
            (shown.width - y - height, shown.height - x - width),
        )[shown.turn]
        if shown.turn % 2:
            width, height = height, width
        left, bottom = left + shown.left, bottom + shown.bottom
        return Box(left, bottom, left + width, bottom + height, shown.turn)

    def seen(self, own: Box) -> SeenBox:
        """Give the rectangle in mm as seen for one in the page's own units."""
        shown, scale = self.shown, self.scale
        from_left, from_right = own.left - shown.left, shown.right - own.right
        from_bottom, from_top = own.bottom - shown.bottom, shown.top - own.top
        x, y = (
            (from_left, from_top),
            (from_bottom, from_left),
            (from_right, from_bottom),
            (from_top, from_right),
        )[shown.turn]
        width, height = (own.height, own.width) if shown.turn % 2 else (own.width, own.height)
        return SeenBox(x=x / scale, y=y / scale, width=width / scale, height=height / scale)

    def lay(self, stamp: Stamp) -> tuple[Box, Look]:
        """Give the rectangle of what shows of ``stamp``, and how the picture looks in it."""
        whole, clip, scale = stamp.box, stamp.clip, self.scale
        if clip is None:
            clip = SeenBox(x=0, y=0, width=whole.width, height=whole.height)
        area = self.own(SeenBox(x=whole.x + clip.x, y=whole.y + clip.y, width=clip.width, height=clip.height))
        look = Look(
            width=whole.width * scale,
            height=whole.height * scale,
            left=clip.x * scale,
            bottom=(whole.height - clip.y - clip.height) * scale,
            across=clip.width * scale,
            up=clip.height * scale,
            turn=area.turn,
        )
        return area, look


@dataclass(frozen=True, slots=True)
class Laid:
    """One appearance of the picture: the rectangle it takes up on its page, and how it looks there."""

    page: Page
    area: Box
    look: Look


def lay_out(view: View, placement: Placement, *, width: float, height: float, words: Words) -> Sequence[Laid]:
    """Give every appearance of a picture of ``width`` by ``height`` mm; PlacementRefused if none fits.

    One page alone is found from the nearer end: the rest of a long document's page tree is not read for it.
    """
    if isinstance(placement, AtPoint | InCorner):
        alone = placement.pages.alone
        if alone is not None:
            page = find_page(view, alone)
            return [Laid(page, *_alone(placement, width, height, Sheet.of(view, page)))]
    surface = PdfSurface(view, words)
    placed = stamps(placement, width=width, height=height, surface=surface)
    return [Laid(surface.rows[each.page], *surface.sheet(each.page).lay(each)) for each in placed]


# Documents made from one template bear the seal in one place: what was computed once is kept.
@lru_cache(maxsize=256)
def _alone(placement: AtPoint | InCorner, width: float, height: float, sheet: Sheet) -> tuple[Box, Look]:
    only = replace(placement, pages=PageList.single(1))
    (stamp,) = stamps(only, width=width, height=height, surface=_OnePage((sheet.size,)))
    return sheet.lay(stamp)


@dataclass(frozen=True, slots=True)
class _OnePage:
    """A page with nothing to be looked for on it."""

    pages: Sequence[PageSize]

    def find(self, text: str, pages: Sequence[int]) -> Sequence[TextPlace]:  # noqa: ARG002 - a surface's
        return ()


class PdfSurface:
    """The pages of a document, each measured when asked for; raises PdfError for what cannot be read."""

    def __init__(self, view: View, words: Words) -> None:
        self._view = view
        self._words = words
        self.rows: Sequence[Page] = tuple(leaves(view))
        self._known: dict[int, Sheet] = {}
        self.pages: Sequence[PageSize] = _Sizes(self)

    def sheet(self, page: int) -> Sheet:
        """Give the page as it lies on the table."""
        if page not in self._known:
            self._known[page] = Sheet.of(self._view, self.rows[page])
        return self._known[page]

    def find(self, text: str, pages: Sequence[int]) -> Sequence[TextPlace]:
        """Give where ``text`` stands on ``pages``, as far as it can be seen there."""
        found: list[TextPlace] = []
        for page, own in self._words.find(self._view.document.data, text, pages, count=len(self.rows)):
            box, size = self.sheet(page).seen(own), self.pages[page]
            # Text beyond the crop box is in the file, not on the page.
            if 0 <= box.x + box.width / 2 <= size.width and 0 <= box.y + box.height / 2 <= size.height:
                found.append(TextPlace(page=page, box=box))
        return sorted(found, key=lambda each: (each.page, round(each.box.y, 1), each.box.x))


class _Sizes(Sequence[PageSize]):
    def __init__(self, surface: PdfSurface) -> None:
        self._surface = surface

    def __len__(self) -> int:
        return len(self._surface.rows)

    def __getitem__(self, page):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204 - two shapes
        if isinstance(page, slice):
            return [self[each] for each in range(*page.indices(len(self)))]
        return self._surface.sheet(page).size
