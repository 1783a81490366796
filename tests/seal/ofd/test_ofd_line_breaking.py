"""Lines break where Chinese lines may, whatever the text."""

from hypothesis import given
from hypothesis import strategies as st

from seal.formats.ofd.document.breaking import NOT_FIRST, NOT_LAST, break_lines
from seal.formats.ofd.document.model import text_width

TEXTS = st.text(alphabet="一二三四，。（）《》、：“”…—2026abcXYZ-/ ，", max_size=80)


@given(text=TEXTS, ems=st.integers(min_value=2, max_value=20))
def test_nothing_but_blanks_is_lost_and_no_line_is_too_long(text: str, ems: int) -> None:
    lines = list(break_lines(text, ems))
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(text_width(line, 1) <= ems + 1e-6 for line in lines)


@given(text=st.text(alphabet="一二三四五六七八，（）。", max_size=60))
def test_no_line_begins_or_ends_with_what_may_not_if_there_is_another_way(text: str) -> None:
    # Where five such signs follow one another, one has to begin a line of four.
    for before, after in zip(*[list(break_lines(text, 8))[at:] for at in (0, 1)], strict=False):
        forced = all(a in NOT_LAST or b in NOT_FIRST for a, b in zip(before, before[1:] + after[0], strict=True))
        assert forced or (after[0] not in NOT_FIRST and before[-1] not in NOT_LAST)


def test_latin_words_and_numbers_stay_whole() -> None:
    assert list(break_lines("受理号2026-0411号", 5)) == ["受理号", "2026-0411", "号"]
    assert list(break_lines("abcdefghij", 2)) == ["abcd", "efgh", "ij"]


def test_dashes_and_ellipses_are_not_parted() -> None:
    assert list(break_lines("一二三——四", 4)) == ["一二", "三——四"]
