"""Laying out seals: everything inside the ring, nothing over another, names centred, and what is refused."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seal.artwork import KINDS, Artwork, Centre, Design, Lettering, Mark, Shape, lay_out
from seal.errors import ArtworkRefused
from seal.fonts import packaged_seal_font
from tests.seal.artwork.geometry import collisions, inside, middle, points, turn

LETTERING = Lettering(packaged_seal_font())
NAME = "某某市政务服务数据管理局"
ARCS = [kind for kind, row in KINDS.items() if row.shape in {Shape.ROUND, Shape.OVAL, Shape.INVOICE}]
IDEOGRAPHS = "".join(chr(point) for point in range(0x4E00, 0x9FD0, 7))
NAMES = st.text(alphabet=IDEOGRAPHS, min_size=4, max_size=30)
MIXED = st.text(alphabet=IDEOGRAPHS[:300] + "ABCMWQijg0123456789()（）·&-", min_size=4, max_size=30)


def design(kind: str, name: str = NAME, **more: object) -> Design:
    """Give a design that its kind accepts."""
    given = Design(kind=kind, name=name, code="91440300MA5D0000XA" if KINDS[kind].shape is Shape.INVOICE else "")
    return replace(given, **more)  # type: ignore[arg-type]


def laid(kind: str, name: str = NAME, **more: object) -> Artwork:
    return lay_out(design(kind, name, **more), LETTERING)


def part(artwork: Artwork, name: str) -> list[Mark]:
    return [mark for mark in artwork.marks if mark.part == name]


def is_sound(artwork: Artwork, kind: str) -> bool:
    row = KINDS[kind]
    oval = row.shape not in {Shape.SQUARE, Shape.PERSONAL}
    assert collisions(artwork) == []
    return inside(artwork, row.border_mm, oval=oval)


@pytest.mark.parametrize("kind", ARCS)
@pytest.mark.parametrize("length", [4, 5, 7, 10, 14, 20, 30])
def test_names_of_every_length_fit_every_seal_with_an_arc(kind: str, length: int) -> None:
    artwork = laid(kind, (NAME * 3)[:length])
    assert len(part(artwork, "name")) == length
    assert is_sound(artwork, kind)


@settings(max_examples=40, deadline=None)
@given(name=NAMES, kind=st.sampled_from(ARCS))
def test_any_chinese_name_fits_and_is_its_own_mirror_image(name: str, kind: str) -> None:
    artwork = laid(kind, name)
    assert is_sound(artwork, kind)
    marks = part(artwork, "name")
    assert "".join(mark.character for mark in marks) == name
    for left, right in zip(marks, reversed(marks), strict=True):
        assert middle(left)[0] == pytest.approx(-middle(right)[0], abs=0.002)
        assert middle(left)[1] == pytest.approx(middle(right)[1], abs=0.002)
        assert turn(left) == pytest.approx(-turn(right), abs=0.001)


@settings(max_examples=40, deadline=None)
@given(name=MIXED, kind=st.sampled_from(ARCS))
def test_any_mixed_name_fits(name: str, kind: str) -> None:
    assert is_sound(laid(kind, name), kind)


@pytest.mark.parametrize("length", [4, 12, 30])
def test_characters_stand_upright_on_the_radius_and_read_from_left_to_right(length: int) -> None:
    marks = part(laid("company", (NAME * 3)[:length]), "name")
    angles = [math.atan2(middle(mark)[0], -middle(mark)[1]) for mark in marks]
    assert angles == pytest.approx([turn(mark) for mark in marks], abs=0.001)
    steps = [after - before for before, after in pairwise(angles)]
    assert min(steps) > 0
    assert steps == pytest.approx([steps[0]] * len(steps), abs=0.002)


def test_a_gap_stays_at_the_bottom() -> None:
    marks = part(laid("company", (NAME * 3)[:30]), "name")
    reached = max(abs(math.atan2(x, -y)) for mark in marks for x, y in mark.box)
    assert math.degrees(reached) < 140


def test_long_names_are_narrowed_before_they_are_shrunk() -> None:
    def size(length: int) -> tuple[float, float]:
        corners = part(laid("company", (NAME * 3)[:length]), "name")[0].box
        return math.dist(corners[0], corners[1]), math.dist(corners[1], corners[2])

    (few, tall), (many, still_tall), (most, less_tall) = size(8), size(18), size(30)
    assert few > many > most
    assert tall == pytest.approx(still_tall)
    assert less_tall > 0.7 * tall


@pytest.mark.parametrize("centre", list(Centre))
def test_a_seal_with_everything_on_it_stays_in_order(centre: Centre) -> None:
    words = {"line": "行政审批业务专用章甲", "number": "(12)", "code": "440300000000000001", "centre": centre}
    artwork = laid("department", (NAME * 3)[:30], **words)
    assert is_sound(artwork, "department")
    assert {mark.part for mark in artwork.marks} == {"ring", "name", "line", "number", "code"} | {
        part for part in ("star", "emblem") if part == centre
    }


@pytest.mark.parametrize("length", [15, 18, 20])
def test_an_invoice_seal_has_its_prescribed_measures(length: int) -> None:
    artwork = laid("invoice", "深圳市某某供应链管理有限公司", code="9" * length, number="(1)")
    code, line = part(artwork, "code"), part(artwork, "line")
    assert (artwork.width_mm, artwork.height_mm) == (40, 30)
    tops = [y for mark in code for _, y in points(mark)]
    # Round figures reach a little beyond straight ones.
    assert max(tops) - min(tops) == pytest.approx(3.7, abs=0.2)
    assert max(abs(x) for mark in code for x, _ in mark.box) <= 13
    assert min(y for mark in line for _, y in mark.box) == pytest.approx(4.2)
    assert max(y for mark in line for _, y in mark.box) == pytest.approx(8.8)
    assert is_sound(artwork, "invoice")


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ("state-council", 60),
        ("ministry", 50),
        ("county", 45),
        ("prefecture", 45),
        ("township", 42),
        ("company", 40),
        ("finance", 38),
    ],
)
def test_sizes_follow_the_rules(kind: str, size: int) -> None:
    artwork = laid(kind)
    assert (artwork.width_mm, artwork.height_mm) == (size, size)
    reached = [abs(v) for mark in part(artwork, "ring") for point in points(mark) for v in point]
    assert max(reached) == pytest.approx(size / 2, abs=1e-6)


def test_a_star_of_14_mm_stands_in_a_company_seal_of_40() -> None:
    (star,) = part(laid("company"), "star")
    assert math.dist(points(star)[0], (0, 20 * 0.015)) == pytest.approx(7)


def test_the_state_emblem_is_never_drawn_but_its_place_is_kept() -> None:
    assert [mark.character for mark in part(laid("county"), "emblem")] == ["", "徽"]


def columns(kind: str, name: str, line: str | None = None) -> list[str]:
    """Read a square seal's columns from right to left, each from the top down."""
    artwork = laid(kind, name, line=line)
    assert is_sound(artwork, kind)
    marks = sorted(part(artwork, "name"), key=lambda mark: (-round(middle(mark)[0], 3), middle(mark)[1]))
    found: dict[float, str] = {}
    for mark in marks:
        x = round(middle(mark)[0], 3)
        found[x] = found.get(x, "") + mark.character
    return list(found.values())


@pytest.mark.parametrize(
    ("name", "line", "read"),
    [
        ("李四", "", ["李", "四"]),
        ("李四", "印", ["李四", "印"]),
        ("李四", "之印", ["李四", "之印"]),
        ("王小明", "", ["王", "小明"]),
        ("王小明", "印", ["王印", "小明"]),
        ("欧阳修", "", ["欧阳", "修"]),
        ("欧阳修", "印", ["欧阳", "修印"]),
        ("司马相如", "", ["司马", "相如"]),
        ("欧阳", "", ["欧", "阳"]),
        ("王小明", "之印", ["王小明", "之印"]),
        ("司马相如", "之印", ["司马", "相如", "之印"]),
        ("司马相如", "印", ["司马", "相如印"]),
    ],
)
def test_a_name_seal_keeps_surname_and_given_name_together(name: str, line: str, read: list[str]) -> None:
    assert columns("personal", name, line) == read


@pytest.mark.parametrize(("length", "shape"), [(2, [3, 2, 2]), (4, [3, 3, 3]), (11, [4, 4, 4, 4]), (20, [5] * 5)])
def test_a_square_seal_fills_its_columns(length: int, shape: list[int]) -> None:
    read = columns("finance-square", (NAME * 2)[:length])
    assert [len(column) for column in read] == shape
    assert "".join(read) == (NAME * 2)[:length] + "财务专用章"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("某某市\U0001f600政务局", "😀 (U+1F600)"), ("某某ก公司", "ก (U+0E01)"), ("某某\u200b公司", "U+200B")],
)
def test_a_character_that_cannot_be_shown_is_refused_by_name(name: str, shown: str) -> None:
    with pytest.raises(ArtworkRefused) as refused:
        laid("company", name)
    assert shown in refused.value.detail


def test_a_rare_character_that_the_font_has_is_set() -> None:
    assert [mark.character for mark in part(laid("personal", "王䶮𬱖"), "name")] == ["王", "䶮", "𬱖"]


def test_words_of_a_latin_name_keep_their_space() -> None:
    apart, joined = (part(laid("company", name), "name") for name in ("ABC Ltd", "ABCLtd"))
    assert [mark.character for mark in apart] == list("ABCLtd")
    assert turn(apart[3]) - turn(apart[2]) > 1.2 * (turn(joined[3]) - turn(joined[2]))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("company", {"name": "三字名"}),
        ("company", {"name": "国" * 31}),
        ("company", {"name": "某某  公司"}),
        ("company", {"name": " 某某公司"}),
        ("company", {"name": "某某e\u0300\u0301公司"}),
        ("company", {"name": "某某\n公司"}),
        ("special", {"line": "十一个汉字太长在这里放不下"}),
        ("company", {"code": "编码"}),
        ("company", {"code": "1" * 19}),
        ("company", {"number": "(123)"}),
        ("company", {"number": "一"}),
        ("company", {"width_mm": 37}),
        ("ministry", {"width_mm": 45}),
        ("company", {"colour": "red"}),
        ("company", {"colour": '#e60012"/><x'}),
        ("invoice", {"code": ""}),
        ("foreign-invested", {"centre": Centre.EMBLEM}),
        ("personal", {"name": "王"}),
        ("personal", {"name": "王 明"}),
        ("personal", {"name": "司马相如甲"}),
        ("personal", {"name": "王明", "number": "(1)"}),
        ("personal", {"name": "王明", "centre": Centre.STAR}),
        ("finance-square", {"name": "国" * 21}),
    ],
)
def test_what_a_seal_does_not_hold_is_refused(kind: str, words: dict[str, object]) -> None:
    with pytest.raises(ArtworkRefused):
        laid(kind, **{"name": NAME, **words})  # type: ignore[arg-type]


def test_an_unknown_kind_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ArtworkRefused, match="finance-square"):
        lay_out(Design(kind="triangle", name=NAME), LETTERING)
