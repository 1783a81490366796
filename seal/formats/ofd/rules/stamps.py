"""Where the seal's picture stands: on a page of the document, and to be seen (GB/T 33190 18.2.3)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import isfinite

from seal.formats.ofd.package import PackageError
from seal.formats.ofd.rules.case import Case, first
from seal.formats.ofd.structure import Stamp, page_area, page_box
from seal.model import Finding
from seal.ses.rules import note, undecided

_LEAST_MM = 0.01
"""Less than this is not seen."""
_Box = tuple[float, float, float, float]


def check(case: Case) -> Iterator[Finding]:
    """Ask that each stamp name one page, and that some of its picture lie on it.

    A page that two readers find differently makes two documents of one. A box that shows nothing is said only: a
    seal need not be seen to be valid.
    """
    if not case.pages_fault:
        yield from first(_faults(case))


def _faults(case: Case) -> Iterator[Finding]:
    pages = defaultdict(list)
    for page in case.pages:
        pages[_id(page.id)].append(page)
    default = _default(case) if case.file.stamps else None
    # By content: ten thousand pages may share one.
    sizes: dict[str | None, tuple[float, float] | None] = {}
    for stamp in case.file.stamps:
        found = pages.get(_id(stamp.page), [])
        if not found:
            yield undecided("STAMP_PAGE_UNKNOWN", f"stamp {stamp.id} stands on page {stamp.page or '(none)'}")
        elif len(found) > 1:
            yield undecided("STAMP_PAGE_AMBIGUOUS", f"{len(found)} pages are called {stamp.page}")
        else:
            content = found[0].content
            if content not in sizes:
                sizes[content] = _size(case, content, default)
            if not _shows(stamp, sizes[content]):
                yield note("STAMP_SHOWS_NOTHING", f"stamp {stamp.id} on page {stamp.page}: {stamp.boundary}")


def _id(text: str) -> str:
    # ST_RefID is a number, and some write it with zeros in front.
    text = text.strip()
    return text.lstrip("0") or "0" if text.isascii() and text.isdigit() else text


def _default(case: Case) -> str | None:
    try:
        return page_area(case.package, case.body.root or "")
    except PackageError:
        return None  # said where the pages are read


def _size(case: Case, content: str | None, default: str | None) -> tuple[float, float] | None:
    try:
        return page_box(case.package, content, default)
    except PackageError:
        return None  # said where its digest is compared, or where it is left open


def _shows(stamp: Stamp, size: tuple[float, float] | None) -> bool:
    box = _box(stamp.boundary)
    if box is None:
        return False
    shown: Sequence[_Box] = [box]
    if stamp.clip is not None:
        clip = _box(stamp.clip)
        if clip is None:
            return False
        # Clip is written from the box's own corner.
        shown = [box, (box[0] + clip[0], box[1] + clip[1], clip[2], clip[3])]
    if size is not None:
        shown = [*shown, (0, 0, *size)]
    wide = min(x + width for x, _, width, _ in shown) - max(x for x, _, _, _ in shown)
    high = min(y + height for _, y, _, height in shown) - max(y for _, y, _, _ in shown)
    return wide >= _LEAST_MM and high >= _LEAST_MM


def _box(text: str) -> _Box | None:
    try:
        x, y, width, height = (float(number) for number in text.split())
    except ValueError:
        return None
    return (x, y, width, height) if all(map(isfinite, (x, y, width, height))) else None
