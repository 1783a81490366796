"""The words of an OFD page and where each stands, for finding keywords (GB/T 33190 chapter 11)."""

from collections import Counter
from collections.abc import Iterator, Sequence

from lxml import etree

from seal.formats.ofd.numbers import deltas, number, numbers
from seal.formats.ofd.package import OfdPackage, PackageError, child, children, local_name
from seal.formats.ofd.structure import Page
from seal.placing import TextPlace
from seal.placing.words import Character, check_document, check_page, folded, places

_IDENTITY = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_DEEPEST = 16


class PageTexts:
    """The words of a document's pages, each page read when first asked for."""

    def __init__(self, package: OfdPackage, root: str, pages: Sequence[Page]) -> None:
        self._package = package
        self._pages = pages
        self._templates = _templates(package, root)
        # By file, not by page: pages may share one, and a template may be on every page any number of times.
        self._shared = {path for path, uses in Counter(page.content for page in pages).items() if uses > 1}
        self._known: dict[str, tuple[Character, ...]] = {}
        self._count = 0

    def find(self, text: str, pages: Sequence[int]) -> list[TextPlace]:
        """Give where ``text`` stands on ``pages``, top to bottom; blanks and width variants do not count."""
        wanted = folded(text)
        return [TextPlace(page=page, box=box) for page in pages for box in places(self.characters(page), wanted)]

    def characters(self, page: int) -> Sequence[Character]:
        """Give the characters of a page in the order they are drawn, those of its templates first."""
        path = self._pages[page].content
        if path is None:
            return ()
        found = self._known[path] if path in self._known else tuple(self._drawn(path))
        if path in self._shared:
            self._known[path] = found
        self._count += len(found)
        check_document(self._count)
        return found

    def _drawn(self, path: str) -> list[Character]:
        content = self._package.xml(path)
        found: list[Character] = []
        for used in children(content, "Template"):
            template = self._templates.get(used.get("TemplateID", ""))
            if template is not None:
                found += self._template(template)
                check_page(len(found))
        found += _layers(content)
        return found

    def _template(self, path: str) -> tuple[Character, ...]:
        name = f"template {path}"
        if name not in self._known:
            self._known[name] = tuple(_layers(self._package.xml(path)))
        return self._known[name]


def _templates(package: OfdPackage, root: str) -> dict[str, str]:
    common = child(package.xml(root), "CommonData")
    rows = children(common, "TemplatePage") if common is not None else ()
    located = {row.get("ID", ""): package.locate(row.get("BaseLoc", ""), root) for row in rows}
    return {name: path for name, path in located.items() if path is not None}


def _layers(content: etree._Element) -> list[Character]:
    drawn = child(content, "Content")
    found: list[Character] = []
    for layer in children(drawn, "Layer") if drawn is not None else ():
        for character in _objects(layer, 0):
            found.append(character)
            check_page(len(found))
    return found


def _objects(block: etree._Element, depth: int) -> Iterator[Character]:
    if depth > _DEEPEST:
        raise PackageError("blocks of page objects are nested too deep")
    for drawn in block:
        kind = local_name(drawn)
        if kind == "TextObject":
            yield from _text_object(drawn)
        elif kind == "PageBlock":
            yield from _objects(drawn, depth + 1)


def _text_object(drawn: etree._Element) -> Iterator[Character]:
    box = numbers(drawn.get("Boundary"), 4)
    size = number(drawn.get("Size"), 0)
    if box is None or size <= 0 or drawn.get("Visible", "").strip().lower() == "false":
        return
    a, b, c, d, e, f = numbers(drawn.get("CTM"), 6) or _IDENTITY
    scale_x, scale_y = (a * a + b * b) ** 0.5, (c * c + d * d) ** 0.5
    x = y = 0.0
    for code in children(drawn, "TextCode"):
        x, y = number(code.get("X"), x), number(code.get("Y"), y)
        steps_right, steps_down = deltas(code.get("DeltaX")), deltas(code.get("DeltaY"))
        for text in code.text or "":
            step = next(steps_right, 0.0)
            # The character's own width is in its font; the step to the next one tells it nearly always.
            width = min(abs(step), size) if step else size
            yield Character(
                text=text,
                left=box[0] + a * x + c * y + e,
                base=box[1] + b * x + d * y + f,
                width=width * scale_x,
                height=size * scale_y,
            )
            x, y = x + step, y + next(steps_down, 0.0)
