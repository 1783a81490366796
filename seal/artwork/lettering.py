"""Lettering: characters of a font as outlines, each in the box that it is set by."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import uharfbuzz as hb

from seal.artwork.model import Mark, Outline, Point, Step, apply, bounds, transform, turned
from seal.errors import ArtworkRefused
from seal.fonts import Font, named

_FACE = 0.92
"""Chinese glyphs leave 8 % of their em square free."""
_MIDDLE = 0.38
"""Height of the em square's middle over the baseline."""
_SIDE = 0.05
"""Free space beside letters that are not Chinese."""
_BLANK = 0.35
"""Width of the space between Latin words, in Chinese characters."""
CAPITAL = 0.92 / 0.733
"""Height of a box to the height of the capital letters and figures in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One character. Its outline, in ems and y down, lies whole within -0.5 to 0.5 across and down its box."""

    character: str
    outline: Outline
    width: float
    """Natural width, in Chinese characters."""

    def place(self, part: str, at: Point, size: tuple[float, float], turn: float = 0.0) -> Mark:
        """Set the letter's box of ``size`` with its middle ``at`` a point, turned clockwise."""
        matrix = turned(*at, turn)
        a, b, c, d, e, f = matrix
        width, height = size
        corners = (
            (-width / 2, -height / 2),
            (width / 2, -height / 2),
            (width / 2, height / 2),
            (-width / 2, height / 2),
        )
        return Mark(
            part=part,
            outline=transform((a * width, b * width, c * height, d * height, e, f), self.outline),
            character=self.character,
            box=tuple(apply(matrix, corner) for corner in corners),
        )


class Lettering:
    """Takes characters from one font; refuses, by name, those that it cannot show."""

    def __init__(self, font: Font) -> None:
        self._font = font

    def letters(self, text: str) -> tuple[Letter, ...]:
        """Give the letters of ``text``; a space between words has a width and no outline."""
        absent = self._font.missing(text)
        if absent:
            raise ArtworkRefused(f"The font {self._font.family} has no glyph for {named(absent)}.")
        return tuple(_letter(self._font, character) for character in text)


@lru_cache(maxsize=4096)
def _letter(font: Font, character: str) -> Letter:
    if character == " ":
        return Letter(character=character, outline=(), width=_BLANK)
    steps: list[Step] = []
    opened = font.opened()
    glyph = opened.get_nominal_glyph(ord(character)) or 0
    opened.draw_glyph(glyph, _PEN, steps)
    if not steps:
        raise ArtworkRefused(f"The font {font.family} shows nothing for U+{ord(character):04X}.")
    em = 1 / opened.face.upem
    outline = transform((em, 0, 0, -em, 0, 0), tuple(steps))
    left, top, right, bottom = bounds(outline)
    # 1. The em square's inner face for Chinese characters, so that 一 and 口 keep their proportions.
    # 2. The advance for Latin letters and digits, so that figures stand in columns.
    # 3. What is drawn and a little beside it for all others: brackets of full width are not to leave holes.
    # 4. Never less than what is drawn: no stroke leaves its box.
    advance = opened.get_glyph_h_advance(glyph) * em
    if is_chinese(character):
        left, right = min(left, (advance - _FACE) / 2), max(right, (advance + _FACE) / 2)
    elif character.isascii():
        left, right = min(left, 0.0), max(right, advance)
    else:
        left, right = left - _SIDE, right + _SIDE
    top, bottom = min(top, -_MIDDLE - _FACE / 2), max(bottom, -_MIDDLE + _FACE / 2)
    across, down = 1 / (right - left), 1 / (bottom - top)
    fit = (across, 0, 0, down, -(left + right) / 2 * across, -(top + bottom) / 2 * down)
    width = 1.0 if is_chinese(character) else (right - left) / _FACE
    return Letter(character=character, outline=transform(fit, outline), width=width)


def is_chinese(character: str) -> bool:
    """Tell whether a character is an ideograph, set in a square of its own."""
    return unicodedata.category(character) == "Lo" and unicodedata.east_asian_width(character) == "W"


def _pen() -> hb.DrawFuncs:
    pen = hb.DrawFuncs()
    pen.set_move_to_func(lambda x, y, steps: steps.append(("M", (x, y))))
    pen.set_line_to_func(lambda x, y, steps: steps.append(("L", (x, y))))
    pen.set_quadratic_to_func(lambda a, b, x, y, steps: steps.append(("Q", (a, b, x, y))))
    pen.set_cubic_to_func(lambda a, b, c, d, x, y, steps: steps.append(("C", (a, b, c, d, x, y))))
    pen.set_close_path_func(lambda steps: steps.append(("Z", ())))
    return pen


_PEN = _pen()
