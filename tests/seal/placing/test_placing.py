"""Where a seal's picture stands: page lists, points, corners, keywords, and slices over the pages' edges."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as some

from seal.errors import PlacementRefused
from seal.placing import (
    AtKeyword,
    AtPoint,
    Box,
    Corner,
    Edge,
    Facing,
    InCorner,
    PageList,
    PageSize,
    Placement,
    Stamp,
    Straddle,
    TextPlace,
    parse_placement,
    placement_text,
    stamps,
)

A4 = PageSize(width=210, height=297)
A3_ACROSS = PageSize(width=420, height=297)
SLIP = PageSize(width=148, height=105)


@dataclass(frozen=True)
class Paper:
    """A document of given pages with words at given places."""

    pages: Sequence[PageSize]
    words: Sequence[tuple[str, TextPlace]] = ()

    def find(self, text: str, pages: Sequence[int]) -> Sequence[TextPlace]:
        return [place for word, place in self.words if word == text and place.page in pages]


def placed(placement: Placement, *pages: PageSize, size: tuple[float, float] = (42, 42)) -> tuple[Stamp, ...]:
    return stamps(placement, width=size[0], height=size[1], surface=Paper(pages))


# --- page lists --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        ("1", [0]),
        ("-1", [4]),
        ("1-3", [0, 1, 2]),
        ("2..-2", [1, 2, 3]),
        ("-3--1", [2, 3, 4]),
        ("5,1, 1-2", [0, 1, 4]),
        ("all", [0, 1, 2, 3, 4]),
        ("odd", [0, 2, 4]),
        ("even", [1, 3]),
    ],
)
def test_a_page_list_names_pages_once_and_in_order(text: str, pages: list[int]) -> None:
    assert list(PageList.parse(text).of(5)) == pages


@pytest.mark.parametrize("text", ["", "0", "1-0", "x", "1..", "1-2-3", "1,,2", "１", "1" * 9, "1," * 300 + "1", "--1"])
def test_what_is_no_page_list_is_refused(text: str) -> None:
    with pytest.raises(PlacementRefused):
        PageList.parse(text)


@pytest.mark.parametrize(("text", "count"), [("6", 5), ("-6", 5), ("4-2", 5), ("even", 1), ("all", 0)])
def test_pages_that_are_not_there_are_refused(text: str, count: int) -> None:
    with pytest.raises(PlacementRefused):
        PageList.parse(text).of(count)


# --- points and corners --------------------------------------------------------------------------------------------


def test_a_corner_follows_each_pages_own_size() -> None:
    wanted = InCorner(pages=PageList.parse("all"), corner=Corner.BOTTOM_RIGHT, dx_mm=20, dy_mm=25)
    found = placed(wanted, A4, A3_ACROSS)
    assert [(each.box.x, each.box.y) for each in found] == [(148, 230), (358, 230)]


def test_a_picture_over_the_edge_is_refused_and_the_size_is_told() -> None:
    with pytest.raises(PlacementRefused, match="148 by 105 mm"):
        placed(AtPoint(x_mm=120, y_mm=10), SLIP)


# --- keywords ------------------------------------------------------------------------------------------------------


def _word(page: int, x: float, y: float) -> tuple[str, TextPlace]:
    return "盖章", TextPlace(page=page, box=Box(x=x, y=y, width=10, height=5))


PAPER = Paper([A4, A4], [_word(0, 100, 100), _word(0, 0, 0), _word(1, 50, 50)])


def test_a_keyword_seal_stands_over_the_words_middle() -> None:
    (found,) = stamps(AtKeyword(text="盖章", pick=1, dx_mm=3, dy_mm=-2), width=40, height=40, surface=PAPER)
    assert found == Stamp(page=0, box=Box(x=100 + 5 + 3 - 20, y=100 + 2.5 - 2 - 20, width=40, height=40))


def test_a_keyword_at_the_edge_keeps_the_seal_on_the_page() -> None:
    (found,) = stamps(AtKeyword(text="盖章", pick=2), width=40, height=40, surface=PAPER)
    assert (found.box.x, found.box.y) == (0, 0)


def test_every_occurrence_or_one_counted_from_either_end_is_picked() -> None:
    def pages(pick: object) -> list[int]:
        return [each.page for each in stamps(AtKeyword(text="盖章", pick=pick), width=9, height=9, surface=PAPER)]  # type: ignore[arg-type]

    assert pages("all") == [0, 0, 1]
    assert pages(-1) == [1]


@pytest.mark.parametrize("wanted", [AtKeyword(text="没有"), AtKeyword(text="盖章", pick=4), AtKeyword(text=" ")])
def test_a_keyword_that_is_not_there_is_refused(wanted: AtKeyword) -> None:
    with pytest.raises(PlacementRefused):
        stamps(wanted, width=9, height=9, surface=PAPER)


# --- straddle seals ------------------------------------------------------------------------------------------------


def _visible(stamp: Stamp) -> Box:
    clip = stamp.clip or Box(x=0, y=0, width=stamp.box.width, height=stamp.box.height)
    return Box(x=stamp.box.x + clip.x, y=stamp.box.y + clip.y, width=clip.width, height=clip.height)


@given(
    edge=some.sampled_from(Edge),
    count=some.integers(2, 80),
    margin=some.floats(0, 20),
    sizes=some.lists(some.sampled_from([A4, A3_ACROSS]), min_size=80, max_size=80),
)
def test_the_slices_of_a_group_make_the_whole_picture_and_lie_at_the_edge(
    edge: Edge, count: int, margin: float, sizes: list[PageSize]
) -> None:
    found = placed(Straddle(edge=edge, margin_mm=margin), *sizes[:count], size=(42, 36))
    assert [each.page for each in found] == list(range(count))
    shown = 0.0
    for each in found:
        page, seen = sizes[each.page], _visible(each)
        assert each.clip is not None
        gap = {
            Edge.RIGHT: page.width - seen.x - seen.width,
            Edge.LEFT: seen.x,
            Edge.BOTTOM: page.height - seen.y - seen.height,
            Edge.TOP: seen.y,
        }[edge]
        assert gap == pytest.approx(margin, abs=1e-6)
        shown += each.clip.width * each.clip.height
    assert shown % (42 * 36) == pytest.approx(0, abs=1e-3) or shown % (42 * 36) == pytest.approx(42 * 36, abs=1e-3)


def test_pages_that_would_make_invisible_slices_are_parted_into_groups_of_like_size() -> None:
    found = placed(Straddle(), *[A4] * 57)
    widths = [each.clip.width for each in found if each.clip]
    assert min(widths) >= 1.5
    assert sum(widths) == pytest.approx(42 * 3)


def test_no_group_is_a_single_page() -> None:
    found = placed(Straddle(most=2), *[A4] * 5)
    assert [round(each.clip.width, 3) for each in found if each.clip] == [14, 14, 14, 21, 21]


def test_unequal_sheets_have_their_slices_at_one_height_from_the_top() -> None:
    found = placed(Straddle(), A4, SLIP)
    assert {each.box.y for each in found} == {(105 - 42) / 2}


@pytest.mark.parametrize(
    "wanted",
    [
        Straddle(pages=PageList.parse("1")),
        Straddle(most=1),
        Straddle(margin_mm=-1),
        Straddle(margin_mm=200),
        Straddle(along_mm=280),
        Facing(pages=PageList.parse("1")),
        Facing(share=0),
        Facing(share=1),
    ],
)
def test_a_straddle_seal_that_cannot_be_had_is_refused(wanted: Placement) -> None:
    with pytest.raises(PlacementRefused):
        placed(wanted, A4, A4)


def test_facing_seals_join_over_every_joint() -> None:
    found = placed(Facing(share=0.25), A4, A4, A4)
    assert [each.page for each in found] == [0, 1, 1, 2]
    left, right = found[:2]
    assert _visible(left).x + _visible(left).width == pytest.approx(210)
    assert _visible(right).x == 0
    assert _visible(left).width + _visible(right).width == pytest.approx(42)


def test_more_appearances_than_any_reader_opens_are_refused() -> None:
    with pytest.raises(PlacementRefused, match="4000 places"):
        placed(AtPoint(pages=PageList.parse("all"), x_mm=1, y_mm=1), *[A4] * 5000)


# --- as text -------------------------------------------------------------------------------------------------------

LENGTHS = some.floats(-500, 500).map(lambda number: round(number, 3))
PAGES = some.sampled_from(["all", "-1", "1-3,7", "odd", "2..-2"]).map(PageList.parse)
PLACEMENTS = some.one_of(
    some.builds(AtPoint, pages=PAGES, x_mm=LENGTHS, y_mm=LENGTHS),
    some.builds(InCorner, pages=PAGES, corner=some.sampled_from(Corner), dx_mm=LENGTHS, dy_mm=LENGTHS),
    some.builds(
        AtKeyword,
        text=some.text(min_size=1, max_size=30).filter(lambda text: text == text.strip()),
        pages=PAGES,
        pick=some.one_of(some.just("all"), some.integers(-99, 99)),
        dx_mm=LENGTHS,
        dy_mm=LENGTHS,
    ),
    some.builds(
        Straddle,
        edge=some.sampled_from(Edge),
        pages=PAGES,
        margin_mm=LENGTHS,
        along_mm=some.none() | LENGTHS,
        most=some.none() | some.integers(2, 500),
    ),
    some.builds(Facing, pages=PAGES, share=LENGTHS, along_mm=some.none() | LENGTHS),
)


@given(PLACEMENTS)
def test_a_placement_survives_being_written_and_read(placement: Placement) -> None:
    assert parse_placement(placement_text(placement)) == placement


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nowhere",
        "point",
        "point;x=1",
        "point:3;x=1;y=2",
        "point;x=1;y=nan",
        "point;x=1;y=1e9",
        "point;x=1;x=2;y=3",
        "point;x=1;y=2;z=3",
        "corner:middle",
        "keyword:",
        "keyword:a;pick=first",
        "keyword:%ff",
        "keyword:%ED%A0%80",
        "keyword:\udce7",
        "straddle:diagonal",
        "straddle;most=²",
        "facing:x",
        "straddle;pages=0",
        "keyword:" + "字" * 2000,
    ],
)
def test_what_is_no_placement_is_refused(text: str) -> None:
    with pytest.raises(PlacementRefused):
        parse_placement(text)


@given(some.text(max_size=60))
def test_any_text_is_a_placement_or_refused(text: str) -> None:
    try:
        parse_placement(text)
    except PlacementRefused:
        return


@pytest.mark.parametrize(
    "number", ["1_0", "１２", "٣", "nan", "inf", "-infinity", "1e99", "0x10", "", ".", "1e", "1 2"]
)
def test_what_only_looks_like_a_length_is_refused(number: str) -> None:
    with pytest.raises(PlacementRefused):
        parse_placement(f"point;x={number};y=1")
