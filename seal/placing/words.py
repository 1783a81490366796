"""Words on a page: finding a keyword among characters, whoever wrote them and in whatever order.

Writers cut text into objects as they please, down to one a character: what a reader sees in one line is one line here.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple
from unicodedata import normalize

from seal.errors import PlacementRefused
from seal.placing.model import Box

MOST_CHARACTERS, MOST_ON_PAGE = 1_000_000, 200_000
"""Characters of one document, and of one page, that are searched."""
_SAME_LINE = 0.5
"""Baselines closer than this share of the character's height are one line."""
_GAP = 2.5
"""Characters farther apart than this many heights belong to different columns."""


class Character(NamedTuple):
    """One character: its box, y downwards, and its base line."""

    text: str
    left: float
    base: float
    width: float
    height: float


def check_document(count: int) -> None:
    """Refuse a document of more characters than are searched."""
    if count > MOST_CHARACTERS:
        raise PlacementRefused(f"The document has more than {MOST_CHARACTERS:,} characters to search.")


def check_page(count: int) -> None:
    """Refuse a page of more characters than are searched."""
    if count > MOST_ON_PAGE:
        raise PlacementRefused(f"A page has more than {MOST_ON_PAGE:,} characters to search.")


def folded(text: str) -> str:
    """Leave out blanks, and make full-width and half-width forms alike; one character stays one."""
    return "".join(_one(letter) for letter in text if not letter.isspace())


@lru_cache(maxsize=8192)
def _one(letter: str) -> str:
    plain = normalize("NFKC", letter)
    return plain if len(plain) == 1 else letter


def places(characters: Sequence[Character], wanted: str) -> list[Box]:
    """Give where ``wanted``, folded, stands among a page's characters, in reading order; of a broken line the start."""
    seen = [character for character in characters if not character.text.isspace()]
    runs = chain(_lines(seen), (seen,))
    found: dict[Character, Box] = {}
    for run in runs:
        spelled = "".join(_one(character.text) for character in run)
        at = spelled.find(wanted)
        while at >= 0:
            hit = run[at : at + len(wanted)]
            found.setdefault(hit[0], _around(hit))
            at = spelled.find(wanted, at + len(wanted))
    return sorted(found.values(), key=lambda box: (round(box.y, 1), box.x))


def _lines(characters: Sequence[Character]) -> Iterator[list[Character]]:
    """Sort the characters into lines as the eye does: by base line, then from left to right, parted at wide gaps."""
    line: list[Character] = []
    for character in sorted(characters, key=lambda each: each.base):
        if line and character.base - line[0].base > _SAME_LINE * min(character.height, line[0].height):
            yield from _columns(line)
            line = []
        line.append(character)
    yield from _columns(line)


def _columns(line: list[Character]) -> Iterator[list[Character]]:
    line.sort(key=lambda each: each.left)
    column: list[Character] = []
    for character in line:
        if column and character.left - column[-1].left - column[-1].width > _GAP * character.height:
            yield column
            column = []
        column.append(character)
    if column:
        yield column


def _around(hit: Sequence[Character]) -> Box:
    """Give the box of the first line of what was found."""
    first = hit[0]
    line = [each for each in hit if abs(each.base - first.base) <= _SAME_LINE * first.height]
    left, right = min(each.left for each in line), max(each.left + each.width for each in line)
    top = min(each.base - each.height for each in line)
    return Box(x=left, y=top, width=right - left, height=max(each.base for each in line) - top)
