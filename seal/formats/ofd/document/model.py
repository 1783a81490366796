"""What a document we make consists of. Lengths are mm, the origin is the page's top left corner, y goes down."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from seal.fonts import Font
from seal.formats.ofd.document.glyphs import width

A4_MM = (210.0, 297.0)
PT_MM = 25.4 / 72
"""One typographic point in mm."""
Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""
BLACK: Colour = (0, 0, 0)
_WIDE = frozenset("WFA")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One line of text; ``y_mm`` is its base line. ``spacing_mm`` comes after every character.

    A ``Font`` is embedded, with the glyphs used and no others. A font's mere name is for readers to find: the
    usual Chinese ones have it, and in those a wide character advances by its size and a narrow one by half of it.
    """

    x_mm: float
    y_mm: float
    text: str
    size_mm: float
    font: str | Font = "宋体"
    bold: bool = False
    """Asks readers for a bolder face of a named font; an embedded one has the weight it was opened with."""
    colour: Colour = BLACK
    spacing_mm: float = 0.0

    @property
    def width_mm(self) -> float:
        """How far the line reaches."""
        return text_width(self.text, self.size_mm, self.font) + self.spacing_mm * max(len(self.text) - 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A straight line; ``dash_mm`` gives the lengths of dashes and gaps in turn."""

    x1_mm: float
    y1_mm: float
    x2_mm: float
    y2_mm: float
    width_mm: float = 0.2
    colour: Colour = BLACK
    dash_mm: tuple[float, ...] = ()


Step = tuple[str, tuple[float, ...]]
"""A letter of GB/T 33190 9.1 and its points in page mm: M x y, L x y, Q x1 y1 x y, B x1 y1 x2 y2 x y, or C."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An outline, stroked with a line of ``line_mm`` where that is not zero, and filled where ``fill`` is given."""

    steps: tuple[Step, ...]
    line_mm: float = 0.2
    line_colour: Colour = BLACK
    fill: Colour | None = None
    dash_mm: tuple[float, ...] = ()
    even_odd: bool = False


def rectangle(  # noqa: PLR0913 - a box and how it looks
    x_mm: float,
    y_mm: float,
    width_mm: float,
    height_mm: float,
    *,
    line_mm: float = 0.2,
    line_colour: Colour = BLACK,
    fill: Colour | None = None,
) -> Shape:
    """Give the outline of a box."""
    right, bottom = x_mm + width_mm, y_mm + height_mm
    steps: tuple[Step, ...] = (
        ("M", (x_mm, y_mm)),
        ("L", (right, y_mm)),
        ("L", (right, bottom)),
        ("L", (x_mm, bottom)),
        ("C", ()),
    )
    return Shape(steps=steps, line_mm=line_mm, line_colour=line_colour, fill=fill)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A PNG or JPEG drawn into a box."""

    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float
    octets: bytes = field(repr=False)


Item = Text | Rule | Shape | Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What stands on several pages, written once: under their own content, or over it."""

    items: tuple[Item, ...]
    name: str = ""
    foreground: bool = False
    width_mm: float = A4_MM[0]
    height_mm: float = A4_MM[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page and what stands on it, later items over earlier ones."""

    items: tuple[Item, ...]
    width_mm: float = A4_MM[0]
    height_mm: float = A4_MM[1]
    templates: tuple[Template, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that travels in the document. ``name`` is shown to people and has the file's extension."""

    name: str
    octets: bytes = field(repr=False)
    visible: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """An entry of the table of contents: it leads to ``top_mm`` of the page at ``page`` (from 0)."""

    title: str
    page: int
    top_mm: float = 0.0
    below: tuple["Outline", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the document says of itself. ``doc_id`` is 32 lower-case hexadecimal digits (GB/T 33190 7.4)."""

    doc_id: str
    title: str
    created: date
    author: str = ""
    subject: str = ""
    creator: str = "Xinyin"
    custom: Mapping[str, str] = field(default_factory=dict)
    """Facts for machines, such as a case number: CustomDatas, in the order given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole document, not yet sealed."""

    about: About
    pages: tuple[Page, ...]
    attachments: tuple[Attachment, ...] = ()
    outlines: tuple[Outline, ...] = ()


def text_width(text: str, size_mm: float, font: str | Font = "") -> float:
    """Give the width in mm of a line set in an embedded font, or in one of the fonts that readers bring."""
    if isinstance(font, Font):
        return width(font, text) * size_mm
    return sum(named_advance(character) for character in text) * size_mm


def named_advance(character: str) -> float:
    """Give a character's advance, in ems, in the fonts that readers bring."""
    return 1.0 if unicodedata.east_asian_width(character) in _WIDE else 0.5
