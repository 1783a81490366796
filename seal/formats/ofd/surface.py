"""An OFD document as placing sees it: page sizes, and where words stand."""

from collections import Counter
from collections.abc import Sequence

from seal.errors import PlacementRefused
from seal.formats.ofd.package import OfdPackage, PackageError
from seal.formats.ofd.structure import Body, Page, page_area, page_box, read_pages
from seal.formats.ofd.text import PageTexts
from seal.placing import PageSize, TextPlace


class OfdSurface:
    """The pages of one document of a package; raises PackageError for what cannot be read."""

    def __init__(self, package: OfdPackage, body: Body) -> None:
        self._package = package
        self._root = body.root or ""
        self.rows: Sequence[Page] = read_pages(package, self._root)
        self._ids = Counter(row.id for row in self.rows)
        self.pages: Sequence[PageSize] = _Sizes(package, self._root, self.rows)

    def page_id(self, page: int) -> str:
        """Give the id by which a stamp names its page; PlacementRefused where that would name another one too."""
        found = self.rows[page].id
        if not found or self._ids[found] > 1:
            raise PlacementRefused(f"Page {page + 1} of the document has no id of its own: no seal can name it.")
        return found

    def find(self, text: str, pages: Sequence[int]) -> Sequence[TextPlace]:
        """Give where ``text`` stands on ``pages``."""
        return PageTexts(self._package, self._root, self.rows).find(text, pages)


class _Sizes(Sequence[PageSize]):
    """Page sizes, each read when asked for, and once: most seals are on one page of many, some on all."""

    def __init__(self, package: OfdPackage, root: str, rows: Sequence[Page]) -> None:
        self._package, self._rows = package, rows
        self._default = page_area(package, root)
        self._known: dict[str | None, PageSize] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, page):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204 - two shapes
        if isinstance(page, slice):
            return [self[each] for each in range(*page.indices(len(self)))]
        content = self._rows[page].content
        if content not in self._known:
            box = page_box(self._package, content, self._default)
            if box is None or min(box) <= 0:
                raise PackageError("a page has no size")
            self._known[content] = PageSize(width=box[0], height=box[1])
        return self._known[content]
