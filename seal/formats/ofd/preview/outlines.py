"""Paths as OFD writes them, turned into paths as SVG writes them (GB/T 33190 9.3)."""

import re
from dataclasses import dataclass

from seal.formats.ofd.preview.canvas import Canvas
from seal.formats.ofd.preview.values import number, nums

_PART = re.compile(r"[A-Za-z]|[-+.0-9][-+.0-9eE]*")
_STEPS = {"S": (2, "M"), "M": (2, "M"), "L": (2, "L"), "Q": (4, "Q"), "B": (6, "C"), "A": (7, "A"), "C": (0, "Z")}
"""Each letter's numbers and what SVG calls it. S and M both begin; SVG knows no difference."""
_ARC_END = 5


@dataclass(frozen=True, slots=True)
class Outline:
    """A path as SVG data, and the box of its points: left, top, right, bottom."""

    data: str
    box: tuple[float, float, float, float]


def outline(text: str, canvas: Canvas) -> Outline | None:
    """Read AbbreviatedData up to its end or to the first thing that is no step; None if nothing was drawn."""
    parts = _PART.findall(text)
    canvas.spend("path_points", len(parts))
    written: list[str] = []
    across: list[float] = []
    down: list[float] = []
    at, begun = 0, False
    while at < len(parts) and parts[at] in _STEPS:
        count, letter = _STEPS[parts[at]]
        values = [number(part) for part in parts[at + 1 : at + 1 + count]]
        if len(values) < count or any(part.isalpha() for part in parts[at + 1 : at + 1 + count]):
            break
        if not begun and letter != "M":
            written.append("M0 0")
        begun = True
        points = values[_ARC_END:] if letter == "A" else values
        across += points[::2]
        down += points[1::2]
        written.append(letter + (_arc(values) if letter == "A" else nums(values)))
        at += 1 + count
    if at < len(parts):
        canvas.note("a path could not be read to its end")
    if not across:
        return None
    return Outline("".join(written), (min(across), min(down), max(across), max(down)))


def _arc(values: list[float]) -> str:
    width, height, turn, large, sweep, x, y = values
    return f"{nums((abs(width), abs(height), turn))} {int(bool(large))} {int(bool(sweep))} {nums((x, y))}"
