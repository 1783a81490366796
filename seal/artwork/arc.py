"""Writing along an arc: characters stand upright on the radius, from left to right over the top, and narrow to fit."""

import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property

from seal.artwork.lettering import Letter
from seal.artwork.model import Mark, Point
from seal.errors import ArtworkRefused

_STEPS = 360
_TOUCHING = 0.94
"""Share of its room at the feet that a character may take: there neighbours are nearest."""
_NARROWEST = 0.34
_LEAST_HEIGHT = 1.5
_SMALL_PITCH, _SMALL_FILLED = 0.92, 0.88
"""On the lower arc: room to height of a Chinese character, and how much of it is filled."""
_SHRINK = 0.97
_FEW, _APART = 14, 1.15


@dataclass(frozen=True)
class Track:
    """The line a distance ``inside`` an ellipse of two radii, measured from its top clockwise."""

    across: float
    down: float
    inside: float

    def at(self, turn: float, inside: float) -> Point:
        """Give the point that lies ``inside`` the ellipse's point at the parameter ``turn``."""
        x, y = self.normal(turn)
        return self.across * math.sin(turn) - inside * x, -self.down * math.cos(turn) - inside * y

    def normal(self, turn: float) -> Point:
        """Give the direction away from the ellipse at the parameter ``turn``."""
        x, y = self.down * math.sin(turn), -self.across * math.cos(turn)
        length = math.hypot(x, y)
        return x / length, y / length

    @cached_property
    def _lengths(self) -> list[float]:
        """Lengths along the line from the top to each of the steps of a half turn."""
        lengths, before = [0.0], self.at(0, self.inside)
        for step in range(1, _STEPS + 1):
            after = self.at(math.pi * step / _STEPS, self.inside)
            lengths.append(lengths[-1] + math.dist(before, after))
            before = after
        return lengths

    @property
    def length(self) -> float:
        """Give the whole line's length."""
        return 2 * self._lengths[-1]

    def turn(self, distance: float) -> float:
        """Give the parameter of the point at a distance along the line from the top, less than half of it."""
        reach = abs(distance)
        step = max(1, bisect_left(self._lengths, reach))
        low, high = self._lengths[step - 1], self._lengths[step]
        return math.copysign(math.pi * (step - 1 + (reach - low) / (high - low)) / _STEPS, distance)


@dataclass(frozen=True, kw_only=True)
class Arc:
    """Where an arc of writing runs, inside an ellipse of two radii."""

    across: float
    down: float
    gap: float
    """From the ellipse to the characters' heads."""
    height: float
    """Of the characters, while they need not shrink."""
    widest: float = 0.85
    """Width to height of a character that has all the room it wants."""
    span: float = 268.0
    """The most that the writing may take of the whole turn, in degrees; the rest stays free at the bottom."""


def write(letters: tuple[Letter, ...], arc: Arc, part: str) -> tuple[Mark, ...]:
    """Set letters along an arc: they spread, then narrow, then shrink; ArtworkRefused where even that is too little."""
    height = arc.height
    while True:
        feet = Track(arc.across, arc.down, arc.gap + height)
        pitch = _pitch(letters, feet, arc, height)
        width = min(pitch * _TOUCHING, height * arc.widest)
        if width >= height * _NARROWEST:
            return _set(letters, feet, (pitch, width, height), part)
        height *= _SHRINK
        if height < _LEAST_HEIGHT:
            raise ArtworkRefused(f"{len(letters)} characters do not fit along the arc of so small a seal.")


def _pitch(letters: tuple[Letter, ...], feet: Track, arc: Arc, height: float) -> float:
    """Give the room of one Chinese character along its feet: as much as reads as one word, at most the arc."""
    full = sum(letter.width for letter in letters)
    most = feet.length * arc.span / 360 / full
    # Few characters stand apart, the fewer the farther, and never fill the arc.
    loose = height * (arc.widest + _APART * max(0.0, min(1.0, (_FEW - full) / _FEW)))
    return min(most, loose)


def _set(letters: tuple[Letter, ...], feet: Track, sizes: tuple[float, float, float], part: str) -> tuple[Mark, ...]:
    pitch, width, height = sizes
    place = -sum(letter.width for letter in letters) * pitch / 2
    marks = []
    for letter in letters:
        turn = feet.turn(place + letter.width * pitch / 2)
        place += letter.width * pitch
        x, y = feet.normal(turn)
        if letter.outline:
            middle = feet.at(turn, feet.inside - height / 2)
            marks.append(letter.place(part, middle, (letter.width * width, height), math.atan2(x, -y)))
    return tuple(marks)


def write_below(letters: tuple[Letter, ...], radius: float, height: float, part: str) -> tuple[Mark, ...]:
    """Set letters along the bottom of a circle, heads to its centre, so that they read from left to right."""
    pitch = height * _SMALL_PITCH
    place = -sum(letter.width for letter in letters) * pitch / 2
    middle = radius - height / 2
    marks = []
    for letter in letters:
        angle = math.pi - (place + letter.width * pitch / 2) / middle
        place += letter.width * pitch
        at = (middle * math.sin(angle), -middle * math.cos(angle))
        marks.append(letter.place(part, at, (letter.width * pitch * _SMALL_FILLED, height), angle + math.pi))
    return tuple(marks)
