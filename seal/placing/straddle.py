"""骑缝章: one picture parted over the edges of many pages.

With n pages, a picture W x H and a margin m, page i (from 0) shows slice i at the right edge: the whole picture lies
at x = page width - (W/n)(i+1) - m and is clipped to (iW/n, 0, W/n, H). At the left edge the slices run the other way;
top and bottom are the same with y. Along the edge every page of a group has the same offset, counted from the top
or the left where sheets of unequal size are knocked up.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from seal.errors import PlacementRefused
from seal.placing.model import Box, Edge, Facing, PageSize, Stamp, Straddle

LEAST_SLICE_MM = 1.5
"""Narrower slices cannot be told from a smudge in print."""
_LEAST_GROUP = 2


def straddle(placement: Straddle, width: float, height: float, pages: Sequence[PageSize]) -> Iterator[Stamp]:
    """Give the slices of a picture of ``width`` by ``height`` mm; PlacementRefused if they cannot be had."""
    chosen = placement.pages.of(len(pages))
    if len(chosen) < _LEAST_GROUP:
        raise PlacementRefused("A straddle seal needs two pages at least.")
    if placement.most is not None and placement.most < _LEAST_GROUP:
        raise PlacementRefused("A straddle seal is shared by two pages at least.")
    across = width if placement.edge.upright else height
    most = min(int(across / LEAST_SLICE_MM), placement.most or len(chosen))
    for group in _groups(chosen, max(most, _LEAST_GROUP)):
        along = _along(placement, width, height, [pages[page] for page in group])
        for place, page in enumerate(group):
            yield _slice(placement, page, pages[page], _Part(place, len(group), along, width, height))


def _groups(pages: Sequence[int], most: int) -> Iterator[Sequence[int]]:
    """Part the pages into as few groups as hold ``most`` at most, none of a single page."""
    count = min(math.ceil(len(pages) / most), len(pages) // _LEAST_GROUP)
    size, longer = divmod(len(pages), count)
    start = 0
    for group in range(count):
        end = start + size + (group < longer)
        yield pages[start:end]
        start = end


def _along(placement: Straddle | Facing, width: float, height: float, pages: Sequence[PageSize]) -> float:
    upright = isinstance(placement, Facing) or placement.edge.upright
    length = height if upright else width
    room = min(page.height if upright else page.width for page in pages) - length
    along = room / 2 if placement.along_mm is None else placement.along_mm
    if not 0 <= along <= room:
        raise PlacementRefused(
            f"The picture, {length:g} mm long, does not lie on every page's edge from {along:g} mm on: "
            f"there is room up to {room:g} mm."
        )
    return along


@dataclass(frozen=True, slots=True)
class _Part:
    """Slice ``place`` of ``count`` of one picture, ``along`` mm down or right of the page's corner."""

    place: int
    count: int
    along: float
    width: float
    height: float


def _slice(placement: Straddle, page: int, size: PageSize, part: _Part) -> Stamp:
    edge, margin = placement.edge, placement.margin_mm
    across, room = (part.width, size.width) if edge.upright else (part.height, size.height)
    step = across / part.count
    if not 0 <= margin <= room - step:
        raise PlacementRefused(f"The margin of {margin:g} mm leaves the seal no place on a page of {room:g} mm.")
    # Fanned out, the sheets' far edges lie in page order from the outside in, their near edges the other way.
    far = edge in (Edge.RIGHT, Edge.BOTTOM)
    shown = (part.place if far else part.count - 1 - part.place) * step
    start = (room - step - margin if far else margin) - shown
    if edge.upright:
        box = Box(x=start, y=part.along, width=part.width, height=part.height)
        clip = Box(x=shown, y=0, width=step, height=part.height)
    else:
        box = Box(x=part.along, y=start, width=part.width, height=part.height)
        clip = Box(x=0, y=shown, width=part.width, height=step)
    return Stamp(page=page, box=box, clip=clip)


def facing(placement: Facing, width: float, height: float, pages: Sequence[PageSize]) -> Iterator[Stamp]:
    """Give both parts of the picture at every joint of neighbouring pages; PlacementRefused if there is none."""
    chosen = placement.pages.of(len(pages))
    if len(chosen) < _LEAST_GROUP:
        raise PlacementRefused("A seal over a joint needs two pages at least.")
    if not 0 < placement.share < 1:
        raise PlacementRefused("The share of the first page lies between 0 and 1.")
    first = width * placement.share
    for left, right in pairwise(chosen):
        sizes = (pages[left], pages[right])
        if first > sizes[0].width or width - first > sizes[1].width:
            raise PlacementRefused("The picture is wider than a page.")
        y = _along(placement, width, height, sizes)
        outer = Box(x=sizes[0].width - first, y=y, width=width, height=height)
        inner = Box(x=-first, y=y, width=width, height=height)
        yield Stamp(page=left, box=outer, clip=Box(x=0, y=0, width=first, height=height))
        yield Stamp(page=right, box=inner, clip=Box(x=first, y=0, width=width - first, height=height))
