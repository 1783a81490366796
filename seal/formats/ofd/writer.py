"""Writing simple OFD documents: lines of text, rules and pictures at given places (GB/T 33190).

Fonts are named, never embedded: readers bring 宋体, 黑体, 仿宋 and 楷体. In those a wide character advances by its size
and a narrow one by half of it, so what stands where is known without the font.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from lxml import etree

from seal.formats.ofd.archive import write_archive

NAMESPACE = "http://www.ofdspec.org/2016"
A4_MM = (210.0, 297.0)
PT_MM = 25.4 / 72
"""One typographic point in mm."""
_ASCENT = 0.86
_LINE = 1.2
_BOLD = 700
_WIDE = frozenset("WFA")
_NS = f"{{{NAMESPACE}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One line of text; ``y_mm`` is its base line. ``spacing_mm`` comes after every character."""

    x_mm: float
    y_mm: float
    text: str
    size_mm: float
    font: str = "宋体"
    bold: bool = False
    colour: tuple[int, int, int] = (0, 0, 0)
    spacing_mm: float = 0.0

    @property
    def width_mm(self) -> float:
        """How far the line reaches."""
        return text_width(self.text, self.size_mm) + self.spacing_mm * max(len(self.text) - 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A straight line."""

    x1_mm: float
    y1_mm: float
    x2_mm: float
    y2_mm: float
    width_mm: float = 0.2
    colour: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A PNG drawn into a box."""

    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float
    png: bytes = field(repr=False)


Item = Text | Rule | Image


@dataclass(frozen=True, slots=True, kw_only=True)
class SimplePage:
    """A page and what stands on it, later items over earlier ones."""

    items: tuple[Item, ...]
    width_mm: float = A4_MM[0]
    height_mm: float = A4_MM[1]


def text_width(text: str, size_mm: float) -> float:
    """Give the width of a line set in one of the named fonts."""
    return sum(_advance(character) for character in text) * size_mm


def write_simple_ofd(pages: Iterable[SimplePage], *, doc_id: str, title: str, created: date, author: str = "") -> bytes:
    """Write an unsigned OFD document; the same arguments give the same octets.

    ``doc_id`` is 32 hexadecimal digits (GB/T 33190 7.4). Raises ValueError for another, for no page at all and for
    text that XML cannot carry.
    """
    if not re.fullmatch(r"[0-9a-f]{32}", doc_id):
        raise ValueError("a DocID is 32 lower-case hexadecimal digits")
    document = _Document()
    contents = [document.page(page) for page in pages]
    if not contents:
        raise ValueError("a document has at least one page")
    files: dict[str, bytes] = {"OFD.xml": _entry(doc_id, title, created, author)}
    files["Doc_0/Document.xml"] = document.root()
    files["Doc_0/PublicRes.xml"] = document.fonts_file()
    if document.images:
        files["Doc_0/DocumentRes.xml"] = document.images_file()
    for index, content in enumerate(contents):
        files[f"Doc_0/Pages/Page_{index}/Content.xml"] = content
    files.update({f"Doc_0/Res/{_image_name(number)}": png for png, number in document.images.items()})
    return write_archive(files)


def length(number: float) -> str:
    """Write a length in mm to the micrometre."""
    return f"{number:.3f}".rstrip("0").rstrip(".") or "0"


# --- the document's files --------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Document:
    """Hands out ids and remembers the resources that pages use."""

    fonts: dict[str, int] = field(default_factory=dict)
    images: dict[bytes, int] = field(default_factory=dict)
    boxes: list[tuple[int, SimplePage]] = field(default_factory=list)
    last_id: int = 0

    def new_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def font(self, name: str) -> int:
        if name not in self.fonts:
            self.fonts[name] = self.new_id()
        return self.fonts[name]

    def image(self, png: bytes) -> int:
        if png not in self.images:
            self.images[png] = self.new_id()
        return self.images[png]

    def page(self, page: SimplePage) -> bytes:
        self.boxes.append((self.new_id(), page))
        root = _element("Page")
        box = f"0 0 {length(page.width_mm)} {length(page.height_mm)}"
        _add(_add(root, "Area"), "PhysicalBox", text=box)
        layer = _add(_add(root, "Content"), "Layer", {"ID": str(self.new_id()), "Type": "Body"})
        for item in page.items:
            match item:
                case Text():
                    self._text(layer, item)
                case Rule():
                    self._rule(layer, item)
                case Image():
                    self._image(layer, item)
        return _serialised(root)

    def _text(self, layer: etree._Element, item: Text) -> None:
        if not item.text:
            return
        attributes = {
            "ID": str(self.new_id()),
            "Boundary": _box(item.x_mm, item.y_mm - item.size_mm * _ASCENT, item.width_mm, item.size_mm * _LINE),
            "Font": str(self.font(item.font)),
            "Size": length(item.size_mm),
        }
        if item.bold:
            attributes["Weight"] = str(_BOLD)
        line = _add(layer, "TextObject", attributes)
        _add(line, "FillColor", {"Value": _colour(item.colour)})
        code = {"X": "0", "Y": length(item.size_mm * _ASCENT)}
        steps = [_advance(character) * item.size_mm + item.spacing_mm for character in item.text[:-1]]
        if steps:
            code["DeltaX"] = " ".join(length(step) for step in steps)
        _add(line, "TextCode", code, text=item.text)

    def _rule(self, layer: etree._Element, item: Rule) -> None:
        left, top = min(item.x1_mm, item.x2_mm), min(item.y1_mm, item.y2_mm)
        half = item.width_mm / 2
        right, bottom = max(item.x1_mm, item.x2_mm), max(item.y1_mm, item.y2_mm)
        path = _add(
            layer,
            "PathObject",
            {
                "ID": str(self.new_id()),
                "Boundary": _box(left - half, top - half, right - left + item.width_mm, bottom - top + item.width_mm),
                "LineWidth": length(item.width_mm),
                "Stroke": "true",
                "Fill": "false",
            },
        )
        _add(path, "StrokeColor", {"Value": _colour(item.colour)})
        ends = ((item.x1_mm, item.y1_mm), (item.x2_mm, item.y2_mm))
        points = [f"{length(x - left + half)} {length(y - top + half)}" for x, y in ends]
        _add(path, "AbbreviatedData", text=f"M {points[0]} L {points[1]}")

    def _image(self, layer: etree._Element, item: Image) -> None:
        _add(
            layer,
            "ImageObject",
            {
                "ID": str(self.new_id()),
                "Boundary": _box(item.x_mm, item.y_mm, item.width_mm, item.height_mm),
                "CTM": f"{length(item.width_mm)} 0 0 {length(item.height_mm)} 0 0",
                "ResourceID": str(self.image(item.png)),
            },
        )

    def root(self) -> bytes:
        root = _element("Document")
        common = _add(root, "CommonData")
        _add(common, "MaxUnitID", text=str(self.last_id))
        first = self.boxes[0][1]
        box = f"0 0 {length(first.width_mm)} {length(first.height_mm)}"
        _add(_add(common, "PageArea"), "PhysicalBox", text=box)
        _add(common, "PublicRes", text="PublicRes.xml")
        if self.images:
            _add(common, "DocumentRes", text="DocumentRes.xml")
        pages = _add(root, "Pages")
        for index, (number, _) in enumerate(self.boxes):
            _add(pages, "Page", {"ID": str(number), "BaseLoc": f"Pages/Page_{index}/Content.xml"})
        return _serialised(root)

    def fonts_file(self) -> bytes:
        root = _element("Res", {"BaseLoc": "Res"})
        fonts = _add(root, "Fonts") if self.fonts else root
        for name, number in self.fonts.items():
            _add(fonts, "Font", {"ID": str(number), "FontName": name, "FamilyName": name})
        return _serialised(root)

    def images_file(self) -> bytes:
        root = _element("Res", {"BaseLoc": "Res"})
        media = _add(root, "MultiMedias")
        for number in self.images.values():
            row = _add(media, "MultiMedia", {"ID": str(number), "Type": "Image", "Format": "PNG"})
            _add(row, "MediaFile", text=_image_name(number))
        return _serialised(root)


def _entry(doc_id: str, title: str, created: date, author: str) -> bytes:
    root = _element("OFD", {"DocType": "OFD", "Version": "1.1"})
    body = _add(root, "DocBody")
    about = _add(body, "DocInfo")
    _add(about, "DocID", text=doc_id)
    _add(about, "Title", text=title)
    if author:
        _add(about, "Author", text=author)
    _add(about, "CreationDate", text=f"{created:%Y-%m-%d}")
    _add(about, "Creator", text="Xinyin")
    _add(body, "DocRoot", text="Doc_0/Document.xml")
    return _serialised(root)


# --- small parts -----------------------------------------------------------------------------------------------


def _advance(character: str) -> float:
    return 1.0 if unicodedata.east_asian_width(character) in _WIDE else 0.5


def _image_name(number: int) -> str:
    return f"Image_{number}.png"


def _box(x: float, y: float, width: float, height: float) -> str:
    return " ".join(length(number) for number in (x, y, width, height))


def _colour(colour: tuple[int, int, int]) -> str:
    return " ".join(str(part) for part in colour)


def _element(name: str, attributes: Mapping[str, str] | None = None) -> etree._Element:
    return etree.Element(_NS + name, dict(attributes or {}), nsmap={"ofd": NAMESPACE})


def _add(
    parent: etree._Element, name: str, attributes: Mapping[str, str] | None = None, text: str | None = None
) -> etree._Element:
    element = etree.SubElement(parent, _NS + name, dict(attributes or {}))
    element.text = text
    return element


def _serialised(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
