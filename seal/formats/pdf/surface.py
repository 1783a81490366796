"""A PDF document as placing sees it: page sizes, where words stand, and where a stamp lies in a page's own units."""

from collections.abc import Sequence
from dataclasses import replace

from seal.formats.pdf.artwork import Look
from seal.formats.pdf.pages import Box, Page, find_page, leaves, shown_area, user_unit
from seal.formats.pdf.reader import View
from seal.formats.pdf.words import Words
from seal.placing import AtPoint, InCorner, PageList, PageSize, Placement, Stamp, TextPlace
from seal.placing import Box as SeenBox

POINTS_PER_MM = 72 / 25.4
_FIRST = PageList.single(1)


class Sheet:
    """A page as it lies on the table: what of it is shown, and how its units and the millimetres seen relate."""

    __slots__ = ("page", "scale", "shown", "size")

    def __init__(self, view: View, page: Page) -> None:
        self.page = page
        self.shown = shown_area(view, page)
        self.scale = POINTS_PER_MM / user_unit(view, page)
        """Units in a millimetre."""
        across, down = self.shown.width / self.scale, self.shown.height / self.scale
        if self.shown.turn % 2:
            across, down = down, across
        self.size = PageSize(width=across, height=down)

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


class PdfSurface:
    """The pages of a document, measured when asked for; raises PdfError for what cannot be read."""

    def __init__(self, view: View, rows: Sequence[Page], words: Words) -> None:
        self._document = view.document
        self._words = words
        self.sheets = _Sheets(view, rows)
        self.pages: Sequence[PageSize] = _Sizes(self.sheets)

    def find(self, text: str, pages: Sequence[int]) -> Sequence[TextPlace]:
        """Give where ``text`` stands on ``pages``, as far as it can be seen there."""
        found: list[TextPlace] = []
        for page, own in self._words.find(self._document.data, text, pages, count=len(self.sheets)):
            sheet = self.sheets[page]
            box = sheet.seen(own)
            # Text beyond the crop box is in the file, not on the page.
            if 0 <= box.x + box.width / 2 <= sheet.size.width and 0 <= box.y + box.height / 2 <= sheet.size.height:
                found.append(TextPlace(page=page, box=box))
        return sorted(found, key=lambda each: (each.page, round(each.box.y, 1), each.box.x))


def surface_for(view: View, placement: Placement, words: Words) -> tuple[PdfSurface, Placement]:
    """Give what of the document ``placement`` needs to be seen, and the placement as it reads there.

    One page alone is found from the nearer end: the rest of a long document's page tree is not read for it.
    """
    if isinstance(placement, AtPoint | InCorner):
        alone = placement.pages.alone
        if alone is not None:
            return PdfSurface(view, (find_page(view, alone),), words), replace(placement, pages=_FIRST)
    return PdfSurface(view, tuple(leaves(view)), words), placement


class _Sheets:
    """Sheets, each measured when asked for, and once."""

    def __init__(self, view: View, rows: Sequence[Page]) -> None:
        self._view, self._rows = view, rows
        self._known: dict[int, Sheet] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, page: int) -> Sheet:
        sheet = self._known.get(page)
        if sheet is None:
            sheet = self._known[page] = Sheet(self._view, self._rows[page])
        return sheet


class _Sizes(Sequence[PageSize]):
    def __init__(self, sheets: _Sheets) -> None:
        self._sheets = sheets

    def __len__(self) -> int:
        return len(self._sheets)

    def __getitem__(self, page):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204 - two shapes
        if isinstance(page, slice):
            return [self[each] for each in range(*page.indices(len(self)))]
        return self._sheets[page].size
