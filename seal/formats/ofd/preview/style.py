"""How things are drawn: pens, colours and shadings, inherited along DrawParams (GB/T 33190 8.2, 8.3)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml import etree

from seal.formats.ofd.package import child, child_text, children
from seal.formats.ofd.preview.canvas import Canvas, attribute
from seal.formats.ofd.preview.resources import Resources
from seal.formats.ofd.preview.values import flag, num, number, numbers, nums, whole

_DEEPEST = 16
_THINNEST_MM = 0.05
_DEFAULT_WIDTH_MM = "0.353"
_JOINS = {"Miter": "miter", "Round": "round", "Bevel": "bevel"}
_CAPS = {"Butt": "butt", "Round": "round", "Square": "square"}
_SPREADS = {"Repeat": "repeat", "Reflect": "reflect"}
_MOST_STOPS = 256
_EXTEND_START, _EXTEND_END = 1, 2


@dataclass(frozen=True, slots=True)
class Paint:
    """A colour or shading as SVG names it."""

    value: str
    plain: str
    """The colour that stands for it where a shading cannot be."""
    opacity: float = 1.0

    def written(self, name: str) -> str:
        """Give the attributes for ``name`` (fill or stroke)."""
        faint = attribute(f"{name}-opacity", num(self.opacity)) if self.opacity < 1 else ""
        return attribute(name, self.value) + faint


BLACK, NOTHING = Paint("#000", "#000"), Paint("none", "none")


class Style:
    """The settings of one object: its own, else its DrawParam's, else that one's relative's, else the layer's."""

    def __init__(self, element: etree._Element, layer: str | None, resources: Resources, canvas: Canvas) -> None:
        self._canvas, self._resources = canvas, resources
        self._chain = [element, *_inherited(element.get("DrawParam"), resources)]
        if layer is not None:
            self._chain += _inherited(layer, resources)
        self.element = element

    def _get(self, name: str, default: str) -> str:
        return next((each.get(name, "") for each in self._chain if each.get(name) is not None), default)

    def _colour(self, name: str) -> etree._Element | None:
        found = (child(each, name) for each in self._chain)
        return next((colour for colour in found if colour is not None), None)

    def paint(self, name: str, default: Paint) -> Paint:
        """Give the paint of FillColor or StrokeColor."""
        colour = self._colour(name)
        return default if colour is None else read_paint(colour, self._resources, self._canvas)

    def pen(self, scale: float = 1.0) -> str:
        """Give the attributes of a line, for a space whose unit is ``scale`` of the object's."""
        width = max(number(self._get("LineWidth", _DEFAULT_WIDTH_MM), 0.353), 0)
        written = attribute("stroke-width", num((width or _THINNEST_MM) / scale))
        join, cap = _JOINS.get(self._get("Join", "Miter"), "miter"), _CAPS.get(self._get("Cap", "Butt"), "butt")
        written += attribute("stroke-linejoin", join) if join != "miter" else ""
        written += attribute("stroke-linecap", cap) if cap != "butt" else ""
        dashes = numbers(self._get("DashPattern", ""))
        if dashes and min(dashes) >= 0 and sum(dashes) > 0:
            written += attribute("stroke-dasharray", nums([dash / scale for dash in dashes]))
            written += attribute("stroke-dashoffset", num(number(self._get("DashOffset", "0")) / scale))
        limit = number(self._get("MiterLimit", "3.528"), 3.528)
        return written + (attribute("stroke-miterlimit", num(max(limit, 1))) if join == "miter" else "")


def _inherited(number_: str | None, resources: Resources) -> Iterator[etree._Element]:
    for _ in range(_DEEPEST):
        found = resources.find("DrawParam", number_)
        if found is None:
            return
        yield found.element
        number_ = found.element.get("Relative")


# --- colours ---------------------------------------------------------------------------------------------------


def read_paint(colour: etree._Element, resources: Resources, canvas: Canvas) -> Paint:
    """Read a colour: its value, a palette's entry, or a shading."""
    opacity = min(max(number(colour.get("Alpha"), 255), 0), 255) / 255
    for name, make in (("AxialShd", _axial), ("RadialShd", _radial)):
        shading = child(colour, name)
        if shading is not None:
            first = next((colour for _, colour, _ in _stops(shading, resources)), "#000")
            return Paint(f"url(#{make(shading, resources, canvas)})", first, opacity)
    for name in ("Pattern", "GouraudShd", "LaGouraudShd"):
        if child(colour, name) is not None:
            canvas.note(f"colours of kind {name} are shown as one colour")
            inner = next(colour.iter("{*}Color"), None)
            plain = _value(inner, resources) if inner is not None else "#bbb"
            return Paint(plain, plain, opacity)
    value = _value(colour, resources)
    return Paint(value, value, opacity)


def _value(colour: etree._Element, resources: Resources) -> str:
    space = resources.find("ColorSpace", colour.get("ColorSpace"))
    text = colour.get("Value")
    if text is None and space is not None and colour.get("Index") is not None:
        palette = child(space.element, "Palette")
        rows = list(children(palette, "CV")) if palette is not None else []
        index = whole(colour.get("Index"))
        text = rows[index].text if index in range(len(rows)) else None
    bits = whole(space.element.get("BitsPerComponent"), 8) if space is not None else 8
    parts = _parts(text, (1 << min(max(bits, 1), 16)) - 1)
    kind = (space.element.get("Type") or "RGB").upper() if space is not None else ""
    return _hex(parts, kind)


def _parts(text: str | None, most: int) -> list[float]:
    """Read a colour's channels, each decimal or as #hex, as parts of the whole."""
    read = []
    for word in (text or "").split()[:8]:
        try:
            value = float(int(word[1:], 16)) if word.startswith("#") else number(word)
        except (ValueError, OverflowError):
            value = 0.0
        read.append(min(max(value / most, 0.0), 1.0))
    return read


def _hex(parts: Sequence[float], kind: str) -> str:
    match len(parts):
        case 1:
            channels = [parts[0]] * 3
        case 4 if kind in ("", "CMYK"):
            channels = [(1 - part) * (1 - parts[3]) for part in parts[:3]]
        case 0 | 2:
            channels = [0.0] * 3
        case _:
            channels = list(parts[:3])
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)


# --- shadings --------------------------------------------------------------------------------------------------


def _axial(shading: etree._Element, resources: Resources, canvas: Canvas) -> str:
    (x1, y1), (x2, y2) = _point(shading, "StartPoint"), _point(shading, "EndPoint")
    unit = number(shading.get("MapUnit"))
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    if shading.get("MapType") in _SPREADS and unit > 0 and length > 0:
        x2, y2 = x1 + (x2 - x1) * unit / length, y1 + (y2 - y1) * unit / length
    where = "".join(attribute(name, num(value)) for name, value in (("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2)))
    return _gradient("linearGradient", where, shading, resources, canvas)


def _radial(shading: etree._Element, resources: Resources, canvas: Canvas) -> str:
    (fx, fy), (cx, cy) = _point(shading, "StartPoint"), _point(shading, "EndPoint")
    inner, outer = max(number(shading.get("StartRadius")), 0), max(number(shading.get("EndRadius")), 0)
    turned = inner > outer
    if turned:
        fx, fy, inner, cx, cy, outer = cx, cy, outer, fx, fy, inner
    values = {"fx": fx, "fy": fy, "fr": inner, "cx": cx, "cy": cy, "r": outer}
    where = "".join(attribute(name, num(value)) for name, value in values.items())
    return _gradient("radialGradient", where, shading, resources, canvas, turned=turned)


def _gradient(  # noqa: PLR0913 - the parts of one definition
    name: str,
    where: str,
    shading: etree._Element,
    resources: Resources,
    canvas: Canvas,
    *,
    turned: bool = False,
) -> str:
    stops = list(_stops(shading, resources))
    extend = whole(shading.get("Extend"))
    spread = _SPREADS.get(shading.get("MapType", ""))
    if spread is None and stops:
        # Where a shading is not to go on beyond its ends, nothing is painted there.
        stops = [(0.0, stops[0][1], 0.0)] * (not extend & _EXTEND_START) + stops
        stops += [(1.0, stops[-1][1], 0.0)] * (not extend & _EXTEND_END)
    if turned:
        stops = [(1 - at, colour, opacity) for at, colour, opacity in reversed(stops)]
    told = "".join(
        f'<stop offset="{num(at)}" stop-color="{colour}" stop-opacity="{num(opacity)}"/>'
        for at, colour, opacity in stops
    )
    kind = f' gradientUnits="userSpaceOnUse" spreadMethod="{spread or "pad"}"'
    return canvas.new(lambda key: f'<{name} id="{key}"{kind}{where}>{told}</{name}>')


def _stops(shading: etree._Element, resources: Resources) -> Iterator[tuple[float, str, float]]:
    segments = list(children(shading, "Segment"))[:_MOST_STOPS]
    for index, segment in enumerate(segments):
        colour = child(segment, "Color")
        if colour is not None:
            even = index / max(len(segments) - 1, 1)
            at = min(max(number(segment.get("Position"), even), 0), 1)
            yield at, _value(colour, resources), min(max(number(colour.get("Alpha"), 255), 0), 255) / 255


def _point(shading: etree._Element, name: str) -> tuple[float, float]:
    values = numbers(shading.get(name) or child_text(shading, name))
    return (values[0], values[1]) if len(values) == 2 else (0.0, 0.0)  # noqa: PLR2004


def wants(element: etree._Element, name: str, *, default: bool) -> bool:
    """Tell whether an object is to be stroked or filled."""
    return flag(element.get(name), default=default)
