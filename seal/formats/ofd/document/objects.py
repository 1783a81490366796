"""What stands on a page, as GB/T 33190 writes it: text (11), paths (9) and pictures (10), in boxes of their own."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, pairwise

from lxml import etree

from seal.fonts import Font
from seal.formats.ofd.document.glyphs import Cluster, shape
from seal.formats.ofd.document.model import Colour, Image, Item, Rule, Shape, Step, Text, named_advance
from seal.formats.ofd.document.resources import Resources
from seal.formats.ofd.document.xml import add, length, lengths

ASCENT = 0.86
"""Where in a text's box its base line is, in parts of its size."""
_LINE = 1.2
_BOLD = 700
_POINTS = {"M": 2, "L": 2, "Q": 4, "B": 6, "C": 0}


class Pen:
    """Writes items into a layer, numbering each."""

    def __init__(self, layer: etree._Element, resources: Resources) -> None:
        self._layer = layer
        self._resources = resources

    def write(self, items: Iterable[Item]) -> None:
        """Write ``items`` in their order. Raises ValueError for what cannot be written."""
        for item in items:
            match item:
                case Text(font=Font() as font):
                    self._embedded(item, font)
                case Text():
                    self._named(item)
                case Rule():
                    self._shape(_line(item))
                case Shape():
                    self._shape(item)
                case Image():
                    self._image(item)

    def _object(self, name: str, box: tuple[float, float, float, float], **attributes: str) -> etree._Element:
        number = str(self._resources.numbers.new())
        return add(self._layer, name, {"ID": number, "Boundary": lengths(*box)} | attributes)

    # --- text --------------------------------------------------------------------------------------------------

    def _line_of_text(self, item: Text, x_mm: float, width_mm: float) -> etree._Element:
        weight = {"Weight": str(_BOLD)} if item.bold and not isinstance(item.font, Font) else {}
        box = (x_mm, item.y_mm - item.size_mm * ASCENT, width_mm, item.size_mm * _LINE)
        font = str(self._resources.font(item.font))
        line = self._object("TextObject", box, Font=font, Size=length(item.size_mm), **weight)
        _colour(line, "FillColor", item.colour)
        return line

    def _named(self, item: Text) -> None:
        if not item.text:
            return
        line = self._line_of_text(item, item.x_mm, item.width_mm)
        steps = [named_advance(character) * item.size_mm + item.spacing_mm for character in item.text[:-1]]
        _code(line, item, item.text, steps, ())

    def _embedded(self, item: Text, font: Font) -> None:
        """Write one object for every stretch in which each character has its glyph, one for every other cluster.

        Which of a line's lengths belongs to which glyph is then beyond doubt: readers differ about the rest.
        """
        x, numbers = item.x_mm, self._resources.subsets[font].numbers if item.text else {}
        for clusters in _stretches(shape(font, item.text)):
            written = "".join(cluster.text for cluster in clusters)
            width = sum(cluster.advance * item.size_mm + item.spacing_mm * len(cluster.text) for cluster in clusters)
            line = self._line_of_text(item, x, width)
            _glyphs(line, clusters, numbers)
            places = list(_places(clusters, item))
            across = [after[0] - before[0] for before, after in pairwise(places)]
            down = [after[1] - before[1] for before, after in pairwise(places)]
            _code(line, item, written, across, down if any(abs(step) > _NOTHING for step in down) else (), places[0])
            x += width

    # --- paths and pictures ------------------------------------------------------------------------------------

    def _shape(self, item: Shape) -> None:
        box = _box(item)
        stroked = item.line_mm > 0
        attributes = {"LineWidth": length(item.line_mm)} if stroked else {}
        attributes |= {"Stroke": str(stroked).lower(), "Fill": str(item.fill is not None).lower()}
        if item.even_odd:
            attributes["Rule"] = "Even-Odd"
        if item.dash_mm:
            attributes["DashPattern"] = lengths(*item.dash_mm)
        path = self._object("PathObject", box, **attributes)
        if stroked:
            _colour(path, "StrokeColor", item.line_colour)
        if item.fill is not None:
            _colour(path, "FillColor", item.fill)
        add(path, "AbbreviatedData", text=" ".join(_step(step, box[0], box[1]) for step in item.steps))

    def _image(self, item: Image) -> None:
        self._object(
            "ImageObject",
            (item.x_mm, item.y_mm, item.width_mm, item.height_mm),
            CTM=f"{length(item.width_mm)} 0 0 {length(item.height_mm)} 0 0",
            ResourceID=str(self._resources.image(item.octets)),
        )


_NOTHING = 1e-6
_LAST_OF_16_BITS = "\uffff"


def _single(cluster: Cluster) -> bool:
    """Tell whether this is one character and one glyph for every reader: some count rare characters as two."""
    return len(cluster.text) == len(cluster.glyphs) == 1 and cluster.text <= _LAST_OF_16_BITS


def _stretches(clusters: tuple[Cluster, ...]) -> Iterator[list[Cluster]]:
    for single, group in groupby(clusters, key=_single):
        if single:
            yield list(group)
        else:
            yield from ([cluster] for cluster in group)


def _glyphs(line: etree._Element, clusters: list[Cluster], numbers: Mapping[int, int]) -> None:
    """Name the glyphs that the font's own table does not give for the characters (GB/T 33190 11.4)."""
    at = 0
    for plain, group in groupby(clusters, key=lambda cluster: cluster.plain):
        stretch = list(group)
        characters = sum(len(cluster.text) for cluster in stretch)
        glyphs = [numbers[glyph] for cluster in stretch for glyph in cluster.glyphs]
        if not plain:
            counts = {"CodePosition": str(at), "CodeCount": str(characters), "GlyphCount": str(len(glyphs))}
            add(add(line, "CGTransform", counts), "Glyphs", text=" ".join(str(glyph) for glyph in glyphs))
        at += characters


def _places(clusters: list[Cluster], item: Text) -> Iterator[tuple[float, float]]:
    """Give where each glyph stands, in mm from the stretch's begin and the base line."""
    x = 0.0
    for cluster in clusters:
        for across, down in cluster.offsets:
            yield x + across * item.size_mm, down * item.size_mm
        x += cluster.advance * item.size_mm + item.spacing_mm * len(cluster.text)


def _code(  # noqa: PLR0913, PLR0917 - the parts of one element
    line: etree._Element,
    item: Text,
    written: str,
    across: Iterable[float],
    down: Iterable[float],
    begin: tuple[float, float] = (0.0, 0.0),
) -> None:
    code = {"X": length(begin[0]), "Y": length(item.size_mm * ASCENT + begin[1])}
    for name, steps in (("DeltaX", across), ("DeltaY", down)):
        if told := lengths(*steps):
            code[name] = told
    add(line, "TextCode", code, text=written)


def _line(item: Rule) -> Shape:
    steps: tuple[Step, ...] = (("M", (item.x1_mm, item.y1_mm)), ("L", (item.x2_mm, item.y2_mm)))
    return Shape(steps=steps, line_mm=item.width_mm, line_colour=item.colour, dash_mm=item.dash_mm)


def _box(item: Shape) -> tuple[float, float, float, float]:
    """Give the box that holds every point, and half the line beyond."""
    for letter, points in item.steps:
        if _POINTS.get(letter) != len(points):
            raise ValueError(f"{letter!r} with {len(points)} numbers is no step of a path")
    across = [number for _, points in item.steps for number in points[::2]]
    down = [number for _, points in item.steps for number in points[1::2]]
    if not across or item.steps[0][0] != "M":
        raise ValueError("a path begins somewhere: its first step is M")
    half = max(item.line_mm, 0) / 2
    left, top = min(across) - half, min(down) - half
    return left, top, max(across) + half - left, max(down) + half - top


def _step(step: Step, left: float, top: float) -> str:
    letter, points = step
    numbers = (number - (top if index % 2 else left) for index, number in enumerate(points))
    return " ".join((letter, *(length(number) for number in numbers)))


def _colour(parent: etree._Element, name: str, colour: Colour) -> None:
    if any(part not in range(256) for part in colour):
        raise ValueError("a colour is three numbers of 0 to 255")
    add(parent, name, {"Value": " ".join(str(part) for part in colour)})
