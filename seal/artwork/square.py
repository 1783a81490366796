"""The square seal: a frame, and characters in columns that are read downwards, the right one first."""

import math
from collections.abc import Sequence

from seal.artwork.figures import frame
from seal.artwork.lettering import Letter
from seal.artwork.model import Mark
from seal.artwork.setting import Letters, Setting

_MARGIN = 0.035
"""Free space inside the frame, in parts of the seal's width."""
_FILLED = 0.92


def lay_out(seal: Setting) -> tuple[Mark, ...]:
    """Arrange a square seal: the name, then what follows it, in as square a pattern as their number allows."""
    return framed(seal, columns(seal.name + seal.line))


def columns(letters: Letters) -> list[Letters]:
    """Divide letters into columns as even as can be, the longer ones first."""
    count = math.isqrt(len(letters) - 1) + 1 if len(letters) != 6 else 2  # noqa: PLR2004 - 2 by 3 before 3 by 2
    least, longer = divmod(len(letters), count)
    divided, start = [], 0
    for column in range(count):
        end = start + least + (column < longer)
        divided.append(letters[start:end])
        start = end
    return divided


def framed(seal: Setting, divided: Sequence[Sequence[Letter]]) -> tuple[Mark, ...]:
    """Set columns into a frame, every character filling its share."""
    margin = seal.border + seal.width * _MARGIN
    width, height = seal.width - 2 * margin, seal.height - 2 * margin
    marks = [Mark(part="ring", outline=frame(seal.width, seal.height, seal.border))]
    across = width / len(divided)
    for column, letters in enumerate(divided):
        down = height / len(letters)
        x = width / 2 - (column + 0.5) * across
        for row, letter in enumerate(letters):
            at = (x, -height / 2 + (row + 0.5) * down)
            marks.append(letter.place("name", at, (across * _FILLED, down * _FILLED)))
    return tuple(marks)
