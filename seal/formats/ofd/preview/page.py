"""A page put together: templates, layers, annotations, and the seals stamped on it (GB/T 33190 7.7, 15, 18)."""

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from seal.formats.ofd.package import OfdPackage, PackageError, child, child_text, children
from seal.formats.ofd.preview import seals
from seal.formats.ofd.preview.canvas import Bounds, Canvas, DrawingFull
from seal.formats.ofd.preview.scene import Scene
from seal.formats.ofd.preview.values import box, flag, num
from seal.formats.ofd.structure import Body, Page, page_area, page_box, read_bodies, read_pages

_LAYERS = {"Background": 0, "Body": 1, "Foreground": 2}
_A4_MM = (210.0, 297.0)
_LARGEST_MM = 5_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A page as SVG, and what is to be known about it."""

    svg: str
    width_mm: float
    height_mm: float
    pages: int
    """How many the file has."""
    substituted: tuple[tuple[str, str], ...]
    """The fonts that are not embedded, and what stands in for each."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One page of one document of the package."""

    body: Body
    root: str
    page: Page


def draw_page(data: bytes, number: int, bounds: Bounds | None = None) -> Drawing:
    """Draw a page (from 1; -1 is the last) of an OFD file. PackageError if there is no such page to be read."""
    package = OfdPackage(data)
    sheets = _sheets(package)
    index = number - 1 if number > 0 else len(sheets) + number
    if index not in range(len(sheets)):
        raise PageMissing(f"the file has {len(sheets)} pages, not a page {number}")
    canvas = Canvas(bounds or Bounds())
    drawer = _Drawer(package, canvas, 0)
    width, height, body = drawer.sheet(sheets[index])
    return Drawing(
        svg=canvas.page(width, height, body),
        width_mm=width,
        height_mm=height,
        pages=len(sheets),
        substituted=tuple(sorted(drawer.substituted.items())),
        notes=tuple(canvas.notes),
    )


class PageMissing(PackageError):
    """The file has no such page."""


def _sheets(package: OfdPackage) -> list[_Sheet]:
    found = [
        _Sheet(body, body.root, page)
        for body in read_bodies(package)
        if body.root is not None
        for page in read_pages(package, body.root)
    ]
    if not found:
        raise PackageError("the file has no page")
    return found


class _Drawer:
    """Draws the pages of one package; ``nesting`` tells how many packages it lies in."""

    def __init__(self, package: OfdPackage, canvas: Canvas, nesting: int) -> None:
        self._package, self._canvas, self._nesting = package, canvas, nesting
        self.substituted: dict[str, str] = {}

    def sheet(self, sheet: _Sheet) -> tuple[float, float, str]:
        """Give a page's width and height in mm, and what is drawn on it."""
        width, height = self._size(sheet)
        drawn: list[str] = []
        try:
            for part in self._parts(sheet):
                drawn.append(part)  # noqa: PERF402 - what was drawn before a bound is reached stands
        except DrawingFull as full:
            self._canvas.note(f"the page has more {full} than are drawn: it is not shown whole")
        return width, height, "".join(drawn)

    def _size(self, sheet: _Sheet) -> tuple[float, float]:
        try:
            default = page_area(self._package, sheet.root)
            size = page_box(self._package, sheet.page.content, default) or _A4_MM
        except PackageError:
            size = _A4_MM
        if not all(0 < length <= _LARGEST_MM for length in size):
            self._canvas.note("the page's size cannot be drawn; it is shown as A4")
            return _A4_MM
        return size

    def _parts(self, sheet: _Sheet) -> Iterator[str]:
        scene = Scene(self._package, self._canvas)
        self.substituted = scene.faces.substituted
        root = self._package.xml(sheet.root)
        common = child(root, "CommonData")
        if common is not None:
            scene.load(common, sheet.root)
        if sheet.page.content is None:
            self._canvas.note("the page's content is missing")
        else:
            yield from self._content(scene, sheet, common)
        yield from self._annotations(scene, sheet, root)
        yield from self._seals(scene, sheet)

    def _content(self, scene: Scene, sheet: _Sheet, common: etree._Element | None) -> Iterator[str]:
        path = sheet.page.content or ""
        page = self._read(path)
        if page is None:
            return
        over: list[tuple[str, etree._Element]] = []
        for located, order, template in self._templates(page, common, sheet.root):
            if order == "Foreground":
                over.append((located, template))
            else:
                yield from self._layers(scene, located, template)
        yield from self._layers(scene, path, page)
        for located, template in over:
            yield from self._layers(scene, located, template)

    def _templates(
        self, page: etree._Element, common: etree._Element | None, root: str
    ) -> Iterator[tuple[str, str, etree._Element]]:
        known = {row.get("ID"): row for row in children(common, "TemplatePage")} if common is not None else {}
        for use in children(page, "Template"):
            row = known.get(use.get("TemplateID"))
            path = self._package.locate(row.get("BaseLoc", ""), root) if row is not None else None
            template = self._read(path) if path is not None else None
            if row is None or path is None or template is None:
                self._canvas.note(f"the template {use.get('TemplateID')} is missing")
            else:
                yield path, use.get("ZOrder") or row.get("ZOrder") or "Background", template

    def _layers(self, scene: Scene, path: str, page: etree._Element) -> Iterator[str]:
        scene.load(page, path)
        content = child(page, "Content")
        layers = list(children(content, "Layer")) if content is not None else []
        for layer in sorted(layers, key=lambda layer: _LAYERS.get(layer.get("Type", "Body"), 1)):
            yield from scene.drawn(layer)

    def _annotations(self, scene: Scene, sheet: _Sheet, root: etree._Element) -> Iterator[str]:
        path = self._package.locate(child_text(root, "Annotations") or "", sheet.root)
        listed = self._read(path) if path is not None else None
        for row in children(listed, "Page") if listed is not None else ():
            if row.get("PageID") != sheet.page.id:
                continue
            located = self._package.locate(child_text(row, "FileLoc") or "", path or "")
            annotations = self._read(located) if located is not None else None
            for annotation in children(annotations, "Annot") if annotations is not None else ():
                look = child(annotation, "Appearance")
                if look is not None and flag(annotation.get("Visible"), default=True):
                    where = box(look.get("Boundary")) or (0.0, 0.0, 0.0, 0.0)
                    yield f'<g transform="translate({num(where[0])} {num(where[1])})">{scene.block(look)}</g>'

    def _seals(self, scene: Scene, sheet: _Sheet) -> Iterator[str]:
        for stamp in seals.stamps(self._package, sheet.body, sheet.page, self._canvas):
            picture = stamp.picture
            if picture.kind.lower() == "ofd":
                drawn = self._nested(picture.octets)
            else:
                drawn = seals.drawn(picture, self._canvas)
            if drawn:
                yield seals.placed(drawn, stamp, scene)

    def _nested(self, octets: bytes) -> str:
        """Draw a seal whose picture is itself a document, one unit wide and high."""
        if self._nesting >= self._canvas.bounds.packages:
            self._canvas.note("documents nest too deep in a seal's picture")
            return ""
        try:
            package = OfdPackage(octets)
            sheet = _sheets(package)[0]
            drawer = _Drawer(package, self._canvas, self._nesting + 1)
            width, height, body = drawer.sheet(sheet)
        except PackageError:
            self._canvas.note("a seal's picture is a document that cannot be read")
            return ""
        self.substituted |= drawer.substituted
        return f'<g transform="scale({num(1 / width)} {num(1 / height)})">{body}</g>'

    def _read(self, path: str) -> etree._Element | None:
        try:
            return self._package.xml(path)
        except PackageError as error:
            self._canvas.note(str(error))
            return None
