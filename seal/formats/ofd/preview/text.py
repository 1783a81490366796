"""Text objects as glyph outlines: each glyph defined once, then placed (GB/T 33190 chapter 11)."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, radians, sin

from lxml import etree

from seal.formats.ofd.package import child_text, children, local_name
from seal.formats.ofd.preview.canvas import Canvas, attribute
from seal.formats.ofd.preview.faces import Face, Faces, is_bold, substitute
from seal.formats.ofd.preview.values import flag, num, number, numbers, steps, svg_matrix, whole

_SLANT = 0.2
_NARROWEST = 0.4
_MOST_CHARACTERS = 50_000


@dataclass(frozen=True, slots=True)
class Run:
    """A text object's settings that place its glyphs."""

    face: Face
    size: float
    stretch: float
    reading: int
    """Where the text goes: 0 right, 90 down, 180 left, 270 up."""
    turn: float
    """How far each glyph is turned, degrees clockwise."""
    slanted: bool
    bold: bool

    @classmethod
    def of(cls, element: etree._Element, faces: Faces) -> "Run":
        """Read a text object's settings."""
        bold = is_bold(number(element.get("Weight"), 400))
        face = faces.face(element.get("Font"), bold=bold)
        return cls(
            face=face,
            size=number(element.get("Size")),
            stretch=number(element.get("HScale"), 1) or 1,
            reading=whole(element.get("ReadDirection")) % 360,
            turn=number(element.get("CharDirection")) % 360,
            slanted=flag(element.get("Italic"), default=False),
            bold=bold,
        )


def glyphs(element: etree._Element, faces: Faces, canvas: Canvas) -> str:
    """Draw the glyphs of a text object in its own space, without colours."""
    run = Run.of(element, faces)
    if run.size <= 0:
        return ""
    return "".join(_use(run, placed, canvas) for placed in _placed(element, run, canvas))


def scale(element: etree._Element, faces: Faces) -> float:
    """Give how large a unit of the text's font is in the text's own space."""
    run = Run.of(element, faces)
    return max(run.size, 0.001) / run.face.upem


Placed = tuple[Face, int, float, float, float]
"""Font, glyph, where it stands, and how far it is narrowed."""


def _placed(element: etree._Element, run: Run, canvas: Canvas) -> Iterator[Placed]:
    transforms: list[etree._Element] = []
    x = y = 0.0
    codes = list(children(element, "TextCode"))
    if len(codes) == 1:
        # Some writers put the glyphs after the characters.
        transforms = list(children(element, "CGTransform"))
    for part in element:
        if local_name(part) == "CGTransform" and len(codes) > 1:
            transforms.append(part)
        elif local_name(part) == "TextCode":
            x, y = number(part.get("X"), x), number(part.get("Y"), y)
            yield from _code(part, transforms, run, canvas, (x, y))
            transforms = []


def _code(
    code: etree._Element, transforms: list[etree._Element], run: Run, canvas: Canvas, begin: tuple[float, float]
) -> Iterator[Placed]:
    text = (code.text or "").strip("\r\n")[:_MOST_CHARACTERS]
    canvas.spend("glyphs", len(text) + 1)
    chosen = _chosen(text, transforms, run, canvas)
    across, down = steps(code.get("DeltaX"), len(chosen)), steps(code.get("DeltaY"), len(chosen))
    x, y = begin
    room = 0.0
    for index, (face, glyph, narrow) in enumerate(chosen):
        dx, dy = _step(across, index), _step(down, index)
        # The last of a line has no step of its own: it has the room of the one before it.
        room = (across[index] if index < len(across) and across[index] > 0 else room) if narrow else 0.0
        yield face, glyph, x, y, _narrowed(run, face, glyph, room or run.size / 2) if narrow else 1.0
        if dx is None and dy is None:
            natural = face.advance(glyph) * run.size * run.stretch
            dx, dy = natural * cos(radians(run.reading)), natural * sin(radians(run.reading))
        x, y = x + (dx or 0.0), y + (dy or 0.0)


def _narrowed(run: Run, face: Face, glyph: int, room: float) -> float:
    """Give how far a Latin glyph is narrowed to fit: Chinese fonts have them half as wide as the one shown instead."""
    natural = face.advance(glyph) * run.size * run.stretch
    return min(1.0, max(room / natural, _NARROWEST)) if natural > 0 else 1.0


def _step(given: list[float], index: int) -> float | None:
    """Give the step after a glyph; where too few are given the last goes on. None if none is given at all."""
    return given[min(index, len(given) - 1)] if given else None


def _chosen(text: str, transforms: list[etree._Element], run: Run, canvas: Canvas) -> list[tuple[Face, int, bool]]:
    """Choose the glyphs: those named by number where they are, else those of the characters (GB/T 33190 11.4)."""
    named = {} if run.face.substitute else {whole(row.get("CodePosition")): row for row in transforms}
    found: list[tuple[Face, int, bool]] = []
    at = 0
    while at < len(text):
        row = named.get(at)
        numbered = numbers(child_text(row, "Glyphs")) if row is not None else ()
        if row is not None and numbered:
            canvas.spend("glyphs", len(numbered))
            found += [(run.face, int(glyph), False) for glyph in numbered if glyph >= 0]
            at += max(1, whole(row.get("CodeCount"), 1))
        else:
            face, glyph = _of_character(text[at], run, canvas)
            found.append((face, glyph, face.substitute and text[at].isascii()))
            at += 1
    return found


def _of_character(character: str, run: Run, canvas: Canvas) -> tuple[Face, int]:
    glyph = run.face.glyph(character)
    if glyph or character.isspace():
        return run.face, glyph
    other, _ = substitute("", bold=run.bold)
    glyph = other.glyph(character)
    if not glyph:
        canvas.note(f"no font at hand has a glyph for U+{ord(character):04X}")
    elif not run.face.substitute:
        canvas.note(f"an embedded font has no glyph for U+{ord(character):04X}; another's is shown")
    return other, glyph


def _use(run: Run, placed: Placed, canvas: Canvas) -> str:
    face, glyph, x, y, narrowed = placed
    if not glyph and face.substitute:
        return ""  # a blank, or a character that no font has: not the box that fonts draw for it
    data = ""

    def define(name: str) -> str:
        nonlocal data
        data = face.outline(glyph)
        canvas.spend("path_points", data.count(" "))
        return f'<path id="{name}" d="{data}"/>' if data else ""

    name = canvas.define((face.key, glyph), define)
    scale = run.size / face.upem
    if not run.turn and not run.slanted:
        place = f"matrix({num(scale * run.stretch * narrowed)} 0 0 {num(-scale)} {num(x)} {num(y)})"
    else:
        place = svg_matrix(_turned(run, scale, (x, y), narrowed))
    return f'<use xlink:href="#{name}"{attribute("transform", place)}/>'


def _turned(run: Run, scale: float, at: tuple[float, float], narrowed: float) -> tuple[float, ...]:
    c, s = cos(radians(run.turn)), sin(radians(run.turn))
    across, up = scale * run.stretch * narrowed, -scale
    slant = scale * _SLANT if run.slanted else 0.0
    return c * across, s * across, c * slant - s * up, s * slant + c * up, *at
