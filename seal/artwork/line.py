"""Writing on a level line, centred on the seal's axis."""

from dataclasses import dataclass

from seal.artwork.lettering import Letter
from seal.artwork.model import Mark

_FILLED = 0.93
"""Share of its room that a character fills."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Where a line of writing stands: the height of its heads, its own height, and the room across it."""

    top: float
    height: float
    room: float
    widest: float = 1.0
    """Width to height of a Chinese character that has all the room it wants."""

    def times(self, unit: float) -> "Line":
        """Give the line in millimetres, from parts of a ``unit``."""
        return Line(top=self.top * unit, height=self.height * unit, room=self.room * unit, widest=self.widest)


def write(letters: tuple[Letter, ...], line: Line, part: str) -> tuple[Mark, ...]:
    """Set letters on a line, as wide as they like to be, narrower where there is less room."""
    full = sum(letter.width for letter in letters)
    pitch = min(line.room / full, line.height * line.widest / _FILLED) if letters else 0.0
    place = -full * pitch / 2
    marks = []
    for letter in letters:
        middle = (place + letter.width * pitch / 2, line.top + line.height / 2)
        place += letter.width * pitch
        if letter.outline:
            marks.append(letter.place(part, middle, (letter.width * pitch * _FILLED, line.height)))
    return tuple(marks)
