"""An OFD document as placing sees it: page sizes, and where words stand."""

from collections.abc import Sequence

from seal.formats.ofd.package import OfdPackage, PackageError
from seal.formats.ofd.structure import Body, Page, page_box, read_pages
from seal.formats.ofd.text import PageTexts
from seal.placing import PageSize, TextPlace


class OfdSurface:
    """The pages of one document of a package; raises PackageError for what cannot be read."""

    def __init__(self, package: OfdPackage, body: Body) -> None:
        self._package = package
        self._root = body.root or ""
        self.rows: Sequence[Page] = read_pages(package, self._root)
        self.pages: Sequence[PageSize] = _Sizes(package, self._root, self.rows)

    def find(self, text: str, pages: Sequence[int]) -> Sequence[TextPlace]:
        """Give where ``text`` stands on ``pages``."""
        return PageTexts(self._package, self._root, self.rows).find(text, pages)


class _Sizes(Sequence[PageSize]):
    """Page sizes, each read when asked for: most seals are on one page of many."""

    def __init__(self, package: OfdPackage, root: str, rows: Sequence[Page]) -> None:
        self._package, self._root, self._rows = package, root, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, page):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204 - two shapes
        if isinstance(page, slice):
            return [self[each] for each in range(*page.indices(len(self)))]
        box = page_box(self._package, self._root, self._rows[page])
        if box is None or min(box) <= 0:
            raise PackageError("a page has no size")
        return PageSize(width=box[0], height=box[1])
