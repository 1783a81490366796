"""Laying out: a design is checked against its kind, lettered, and arranged by its shape."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from seal.artwork import invoice, oval, personal, square
from seal.artwork import round as circular
from seal.artwork.kinds import KINDS
from seal.artwork.lettering import Lettering
from seal.artwork.model import Artwork, Centre, Design, Kind, Mark, Shape
from seal.artwork.setting import Setting
from seal.errors import ArtworkRefused

_PLACEHOLDER = "徽"
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE | re.ASCII)
_CODE = re.compile(r"[0-9A-Z]*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """One shape: who arranges it, and how much of what it holds."""

    lay_out: Callable[[Setting], tuple[Mark, ...]]
    name: range
    line: range
    number: int = 0
    code: range = range(1)
    centres: frozenset[Centre] = frozenset({Centre.NONE})
    spaces: bool = False


_FORMS = {
    Shape.ROUND: _Form(
        lay_out=circular.lay_out,
        name=range(4, 31),
        line=range(11),
        number=4,
        code=range(19),
        centres=frozenset(Centre),
        spaces=True,
    ),
    Shape.OVAL: _Form(
        lay_out=oval.lay_out,
        name=range(4, 31),
        line=range(11),
        number=4,
        centres=frozenset({Centre.NONE, Centre.STAR}),
        spaces=True,
    ),
    Shape.INVOICE: _Form(
        lay_out=invoice.lay_out, name=range(4, 31), line=range(1, 7), number=4, code=range(15, 21), spaces=True
    ),
    Shape.SQUARE: _Form(lay_out=square.lay_out, name=range(2, 21), line=range(9)),
    Shape.PERSONAL: _Form(lay_out=personal.lay_out, name=range(2, 5), line=range(3)),
}


def lay_out(design: Design, lettering: Lettering) -> Artwork:
    """Decide where every outline of a seal goes.

    Refuses (ArtworkRefused) an unknown kind, words too long or too short, what this kind of seal does not hold, and
    characters without a glyph, by name.
    """
    kind = KINDS.get(design.kind)
    if kind is None:
        raise ArtworkRefused(f"There is no kind of seal {design.kind!r}; there are {', '.join(KINDS)}.")
    form = _FORMS[kind.shape]
    width, height = _size(kind, design.width_mm)
    name = unicodedata.normalize("NFC", design.name)
    line = unicodedata.normalize("NFC", kind.line if design.line is None else design.line)
    centre = kind.centre if design.centre is None else design.centre
    _check_words(form, name, line)
    _check_numbers(form, design)
    if centre not in form.centres:
        raise ArtworkRefused(f"A seal of the kind {design.kind} has no {centre} in the middle.")
    if not _COLOUR.fullmatch(design.colour):
        raise ArtworkRefused("A colour is written #rrggbb, such as #e60012.")
    setting = Setting(
        width=width,
        height=height,
        border=kind.border_mm,
        centre=centre,
        name=lettering.letters(name),
        line=lettering.letters(line),
        number=lettering.letters(design.number),
        code=lettering.letters(design.code.upper()),
        placeholder=lettering.letters(_PLACEHOLDER),
    )
    return Artwork(
        title=name + line,
        width_mm=width,
        height_mm=height,
        colour=design.colour.lower(),
        marks=form.lay_out(setting),
    )


def _size(kind: Kind, wish: int | None) -> tuple[int, int]:
    width, height = kind.size_mm
    if wish is None or wish == width:
        return width, height
    if kind.widths_mm is None:
        raise ArtworkRefused(f"This kind of seal is {width} mm wide, neither more nor less.")
    if wish not in kind.widths_mm:
        raise ArtworkRefused(f"This kind of seal is {kind.widths_mm[0]} to {kind.widths_mm[-1]} mm wide.")
    return wish, wish * height // width


def _check_words(form: _Form, name: str, line: str) -> None:
    if len(name) not in form.name:
        raise ArtworkRefused(
            f"This kind of seal takes a name of {form.name[0]} to {form.name[-1]} characters, not {len(name)}."
        )
    if len(line) not in form.line:
        raise ArtworkRefused(
            f"This kind of seal takes a line of {form.line[0]} to {form.line[-1]} characters, not {len(line)}."
        )
    for text in (name, line):
        _check_plain(form, text)


def _check_plain(form: _Form, text: str) -> None:
    """Let through what stands by itself: no mark that belongs to the letter before it, no control, no odd space."""
    for character in text:
        if character != " " and unicodedata.category(character)[0] in "MCZ":
            raise ArtworkRefused(f"A seal cannot show U+{ord(character):04X} as a character of its own.")
    if " " in text and not (form.spaces and text == " ".join(text.split())):
        raise ArtworkRefused("Spaces stand singly between the words of a name, and only where it runs along an arc.")


def _check_numbers(form: _Form, design: Design) -> None:
    if len(design.number) > form.number or not design.number.isascii() or not design.number.isprintable():
        raise ArtworkRefused(f"This kind of seal takes a number of at most {form.number} characters, such as (2).")
    if len(design.code) not in form.code or not _CODE.fullmatch(design.code):
        limits = (
            "no code" if form.code == range(1) else f"a code of {form.code[0]} to {form.code[-1]} letters and digits"
        )
        raise ArtworkRefused(f"This kind of seal takes {limits}.")
