"""Breaking Chinese text into lines: no comma first, no bracket open last, no Latin word in two (CLREQ 3.1)."""

from collections.abc import Iterator
from dataclasses import dataclass

from seal.fonts import Font
from seal.formats.ofd.document.glyphs import shape
from seal.formats.ofd.document.model import named_advance

NOT_FIRST = frozenset("，。、；：！？）》〉」』”’〕】〗…—·～％‰℃,.;:!?)]}%°") | frozenset("ー々〻％．，")
NOT_LAST = frozenset("（《〈「『“‘〔【〖([{￥＄¥$§№")
_TOGETHER = frozenset("…—")
"""A dash and an ellipsis are two of these: they are never parted."""
_SLACK = 1e-6


@dataclass(slots=True)
class _Piece:
    """What no line ends in: a Chinese character, a Latin word, or a blank."""

    text: str
    width: float

    @property
    def blank(self) -> bool:
        return self.text.isspace() and self.text != "\u3000"


def break_lines(text: str, width: float, font: str | Font = "") -> Iterator[str]:
    """Break a paragraph into lines of at most ``width`` ems; a blank where a line ends is left out.

    A word that is longer than a line is broken as it comes. A line has at least one character, however narrow.
    """
    line: list[_Piece] = []
    for piece in _fitting(_pieces(text, font), width):
        while line and not piece.blank and sum(each.width for each in line) + piece.width > width + _SLACK:
            kept = _last_break(line, piece)
            yield _written(line[:kept])
            line = _without_blanks(line[kept:])
        line.append(piece)
    if line:
        yield _written(line)


def _last_break(line: list[_Piece], following: _Piece) -> int:
    """Give how much of ``line`` stays: up to the last place where it may end, all of it if there is none."""
    pieces = [*line, following]
    for place in range(len(line), 0, -1):
        if _may_part(pieces[place - 1], pieces[place]):
            return place
    return len(line)


def _may_part(before: _Piece, after: _Piece) -> bool:
    last, first = before.text[-1], after.text[0]
    return first not in NOT_FIRST and last not in NOT_LAST and not (last == first and first in _TOGETHER)


def _pieces(text: str, font: str | Font) -> Iterator[_Piece]:
    word: _Piece | None = None
    for written, advance in _advances(text, font):
        if word is not None and _in_word(written):
            word.text += written
            word.width += advance
            continue
        if word is not None:
            yield word
        word = _Piece(written, advance) if _in_word(written) else None
        if word is None:
            yield _Piece(written, advance)
    if word is not None:
        yield word


def _in_word(written: str) -> bool:
    """Tell whether this goes on a Latin word or a number; what may not begin a line clings to what is before it."""
    return (written.isascii() and (written.isalnum() or written in "-/_@&+=#'")) or "\u00c0" <= written[0] <= "\u024f"


def _advances(text: str, font: str | Font) -> Iterator[tuple[str, float]]:
    if isinstance(font, Font):
        yield from ((cluster.text, cluster.advance) for cluster in shape(font, text))
    else:
        yield from ((character, named_advance(character)) for character in text)


def _fitting(pieces: Iterator[_Piece], width: float) -> Iterator[_Piece]:
    """Take words apart that fit no line."""
    for piece in pieces:
        if piece.width <= width or len(piece.text) == 1:
            yield piece
        else:
            each = piece.width / len(piece.text)
            count = max(1, int(width / each))
            for at in range(0, len(piece.text), count):
                part = piece.text[at : at + count]
                yield _Piece(part, each * len(part))


def _written(line: list[_Piece]) -> str:
    while line and line[-1].blank:
        line = line[:-1]
    return "".join(piece.text for piece in line)


def _without_blanks(line: list[_Piece]) -> list[_Piece]:
    while line and line[0].blank:
        line = line[1:]
    return line
