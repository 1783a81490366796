"""The objects of a page, each drawn in its box (GB/T 33190 chapters 8 to 13)."""

from collections.abc import Callable, Iterator, Mapping

from lxml import etree

from seal.formats.ofd.package import OfdPackage, child, child_text, children, local_name
from seal.formats.ofd.preview import text
from seal.formats.ofd.preview.canvas import Canvas, attribute
from seal.formats.ofd.preview.faces import Faces
from seal.formats.ofd.preview.outlines import outline
from seal.formats.ofd.preview.pictures import Pictures
from seal.formats.ofd.preview.resources import Resources, unit_content
from seal.formats.ofd.preview.style import BLACK, NOTHING, Paint, Style, wants
from seal.formats.ofd.preview.values import Box, box, flag, matrix, num, number, svg_matrix

_SILENT = {"", "Actions", "Clips", "Extension"}
_OUTSIDE_MM = 0.5


class Scene:
    """Draws the objects of one document on a canvas."""

    def __init__(self, package: OfdPackage, canvas: Canvas) -> None:
        self.package = package
        self.canvas = canvas
        self.resources = Resources(package)
        self.faces = Faces(self.resources, canvas)
        self._pictures = Pictures(self.resources, canvas)
        self._kinds: Mapping[str, Callable[[etree._Element, str | None, int], str]] = {
            "TextObject": self._text,
            "PathObject": self._path,
            "ImageObject": self._image,
            "CompositeObject": self._composite,
            "PageBlock": self.block,
            "Layer": self.block,
        }

    def load(self, holder: etree._Element, within: str) -> None:
        """Read the resource files that ``holder`` names."""
        for sentence in self.resources.load(holder, within):
            self.canvas.note(sentence)

    def block(self, block: etree._Element, layer: str | None = None, depth: int = 0) -> str:
        """Draw the objects of a layer or block, in their order."""
        return "".join(self.drawn(block, layer, depth))

    def drawn(self, block: etree._Element, layer: str | None = None, depth: int = 0) -> Iterator[str]:
        """Draw one object after another, so that those before a bound is reached stand."""
        if depth > self.canvas.bounds.depth:
            self.canvas.note("objects nest too deep; the innermost are not shown")
            return
        layer = block.get("DrawParam") or layer
        for element in block:
            name = local_name(element)
            draw = self._kinds.get(name)
            if draw is not None:
                self.canvas.spend("objects")
                part = draw(element, layer, depth + 1)
                self.canvas.spend("octets", len(part))
                yield part
            elif name not in _SILENT:
                self.canvas.note(f"{name} is not shown")

    # --- kinds of objects --------------------------------------------------------------------------------------

    def _text(self, element: etree._Element, layer: str | None, _depth: int) -> str:
        style = Style(element, layer, self.resources, self.canvas)
        fill = style.paint("FillColor", BLACK) if wants(element, "Fill", default=True) else NOTHING
        if fill.plain != fill.value:
            # A glyph is drawn in the font's units, where a shading of the page would not fit.
            self.canvas.note("shaded text is shown in one colour")
        paint = Paint(fill.plain, fill.plain, fill.opacity).written("fill")
        shapes = text.glyphs(element, self.faces, self.canvas)
        if wants(element, "Stroke", default=False):
            stroke = style.paint("StrokeColor", BLACK)
            paint += Paint(stroke.plain, stroke.plain, stroke.opacity).written("stroke")
            paint += style.pen(text.scale(element, self.faces))
        return self._placed(element, f"<g{paint}>{shapes}</g>" if shapes else "", None)

    def _path(self, element: etree._Element, layer: str | None, _depth: int) -> str:
        found = outline(child_text(element, "AbbreviatedData") or "", self.canvas)
        if found is None:
            return ""
        style = Style(element, layer, self.resources, self.canvas)
        written = attribute("d", found.data)
        filled = wants(element, "Fill", default=False)
        written += (style.paint("FillColor", NOTHING) if filled else NOTHING).written("fill")
        if filled and element.get("Rule", "").startswith("Even"):
            written += attribute("fill-rule", "evenodd")
        if wants(element, "Stroke", default=True):
            written += style.paint("StrokeColor", BLACK).written("stroke") + style.pen()
        where = box(element.get("Boundary"))
        return self._placed(element, f"<path{written}/>", where if _goes_beyond(element, found.box, where) else None)

    def _image(self, element: etree._Element, _layer: str | None, _depth: int) -> str:
        name = self._pictures.defined(element.get("ResourceID", ""), element.get("ImageMask", ""))
        where = box(element.get("Boundary"))
        if name is None or where is None:
            return ""
        # Without a matrix a picture fills its box.
        fitted = f"matrix({num(where[2])} 0 0 {num(where[3])} 0 0)" if matrix(element.get("CTM")) is None else ""
        sized = attribute("transform", fitted) if fitted else ""
        return self._placed(element, f'<use xlink:href="#{name}"{sized}/>', where)

    def _composite(self, element: etree._Element, layer: str | None, depth: int) -> str:
        unit = self.resources.find("CompositeGraphicUnit", element.get("ResourceID")) or self.resources.find(
            "CompositeGraphicUnit", element.get("ResourceId")
        )
        content = unit_content(unit) if unit is not None else None
        if content is None:
            self.canvas.note("a composite object's unit is missing")
            return ""
        return self._placed(element, self.block(content, layer, depth), box(element.get("Boundary")))

    # --- boxes and clips ---------------------------------------------------------------------------------------

    def _placed(self, element: etree._Element, drawn: str, clipped: Box | None) -> str:
        """Put what is drawn in an object's own space where the object says: clips, matrix, box, transparency."""
        if not drawn or not flag(element.get("Visible"), default=True):
            return ""
        transform = matrix(element.get("CTM"))
        clips = child(element, "Clips")
        follow = clips is not None and flag(clips.get("TransFlag"), default=True)
        if clips is not None and follow:
            drawn = self._clipped(clips, drawn)
        if transform is not None:
            drawn = f"<g{attribute('transform', svg_matrix(transform))}>{drawn}</g>"
        if clips is not None and not follow:
            drawn = self._clipped(clips, drawn)
        where = box(element.get("Boundary")) or (0.0, 0.0, 0.0, 0.0)
        written = attribute("transform", f"translate({num(where[0])} {num(where[1])})") if any(where[:2]) else ""
        if clipped is not None and clipped[2] and clipped[3]:
            written += attribute("clip-path", f"url(#{self.rectangle(0, 0, clipped[2], clipped[3])})")
        alpha = min(max(number(element.get("Alpha"), 255), 0), 255) / 255
        written += attribute("opacity", num(alpha)) if alpha < 1 else ""
        return f"<g{written}>{drawn}</g>" if written else drawn

    def rectangle(self, left: float, top: float, width: float, height: float) -> str:
        """Give the id of a clip that is a rectangle."""
        shape = f'<rect x="{num(left)}" y="{num(top)}" width="{num(width)}" height="{num(height)}"/>'
        return self.canvas.define(shape, lambda name: f'<clipPath id="{name}">{shape}</clipPath>')

    def _clipped(self, clips: etree._Element, drawn: str) -> str:
        """Leave of ``drawn`` what lies in every clip; a clip's areas together are one (GB/T 33190 8.4)."""
        for clip in children(clips, "Clip"):
            self.canvas.spend("objects")
            shapes = "".join(self._area(area) for area in children(clip, "Area"))
            name = self.canvas.new(lambda key, shapes=shapes: f'<clipPath id="{key}">{shapes}</clipPath>')  # type: ignore[misc]
            drawn = f'<g clip-path="url(#{name})">{drawn}</g>'
        return drawn

    def _area(self, area: etree._Element) -> str:
        outer = matrix(area.get("CTM"))
        written = svg_matrix(outer) if outer is not None else ""
        path, line = child(area, "Path"), child(area, "Text")
        inner = path if path is not None else line
        if inner is None:
            return ""
        where, own = box(inner.get("Boundary")), matrix(inner.get("CTM"))
        written += f" translate({num(where[0])} {num(where[1])})" if where is not None else ""
        written += f" {svg_matrix(own)}" if own is not None else ""
        if path is None:
            self.canvas.note("clips made of text are not applied")
            return '<rect x="-1e5" y="-1e5" width="2e5" height="2e5"/>'
        found = outline(child_text(path, "AbbreviatedData") or "", self.canvas)
        rule = attribute("clip-rule", "evenodd") if path.get("Rule", "").startswith("Even") else ""
        place = attribute("transform", written.strip()) if written.strip() else ""
        return f'<path d="{found.data}"{place}{rule}/>' if found is not None else ""


def _goes_beyond(element: etree._Element, points: tuple[float, float, float, float], where: Box | None) -> bool:
    """Tell whether a path leaves its box by more than the carelessness of writers: then the box cuts it.

    A box without width or height, which many a writer gives a level line, cuts nothing.
    """
    if where is None or not where[2] or not where[3]:
        return False
    a, b, c, d, e, f = matrix(element.get("CTM")) or (1, 0, 0, 1, 0, 0)
    left, top, right, bottom = points
    corners = [(x, y) for x in (left, right) for y in (top, bottom)]
    across = [a * x + c * y + e for x, y in corners]
    down = [b * x + d * y + f for x, y in corners]
    slack = _OUTSIDE_MM + number(element.get("LineWidth"), 0.353)
    return min(across) < -slack or min(down) < -slack or max(across) > where[2] + slack or max(down) > where[3] + slack
