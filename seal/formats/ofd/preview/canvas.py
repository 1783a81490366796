"""The drawing under way: SVG text within bounds, and what is to be told about it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape

_MOST_NOTES = 50
_LONGEST_NOTE = 200


class DrawingFull(Exception):
    """The page holds more than is drawn; what has been drawn so far stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much of a stranger's page is drawn."""

    objects: int = 100_000
    glyphs: int = 200_000
    path_points: int = 1_000_000
    pixels: int = 60_000_000
    """Of all pictures of the page together."""
    octets: int = 40 * 1024 * 1024
    """Of the SVG."""
    depth: int = 12
    """How deep objects may nest."""
    packages: int = 2
    """How deep documents may nest: a seal's picture may be a document with a seal."""


@dataclass(slots=True)
class Canvas:
    """Collects SVG. Whatever goes in is made by us: numbers, our own words, and pictures as base64."""

    bounds: Bounds
    notes: dict[str, None] = field(default_factory=dict)
    _defined: dict[object, str] = field(default_factory=dict)
    _definitions: list[str] = field(default_factory=list)
    _spent: dict[str, int] = field(default_factory=dict)

    def note(self, sentence: str) -> None:
        """Tell something about the drawing, once."""
        if len(self.notes) < _MOST_NOTES:
            shown = "".join(character if character.isprintable() else "?" for character in sentence)
            self.notes[shown[:_LONGEST_NOTE]] = None

    def spend(self, what: str, amount: int = 1) -> None:
        """Count something against its bound. Raises DrawingFull, and counts nothing, where that would be passed."""
        spent = self._spent.get(what, 0) + amount
        if spent > getattr(self.bounds, what):
            raise DrawingFull(what.replace("_", " "))
        self._spent[what] = spent

    def define(self, key: object, make: Callable[[str], str]) -> str:
        """Give the id of a definition, which ``make`` writes when it is first asked for."""
        if key not in self._defined:
            name = f"d{len(self._defined)}"
            self._defined[key] = name
            definition = make(name)
            self.spend("octets", len(definition))
            self._definitions.append(definition)
        return self._defined[key]

    def new(self, make: Callable[[str], str]) -> str:
        """Give the id of a definition that is used once."""
        return self.define(object(), make)

    def page(self, width_mm: float, height_mm: float, body: str) -> str:
        """Give the whole SVG: a white page with ``body`` on it."""
        size = f'width="{width_mm:.7g}mm" height="{height_mm:.7g}mm" viewBox="0 0 {width_mm:.7g} {height_mm:.7g}"'
        names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        paper = f'<rect width="{width_mm:.7g}" height="{height_mm:.7g}" fill="#fff"/>'
        return f"<svg {names} {size}><defs>{''.join(self._definitions)}</defs>{paper}{body}</svg>"


def attribute(name: str, value: str) -> str:
    """Write an attribute with its leading blank."""
    return f' {name}="{escape(value)}"'
