"""The words of an OFD page and where each stands, for finding keywords (GB/T 33190 chapter 11).

Writers cut text into objects as they please, down to one a character: what a reader sees in one line is one line here.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple
from unicodedata import normalize

from lxml import etree

from seal.errors import PlacementRefused
from seal.formats.ofd.numbers import deltas, number, numbers
from seal.formats.ofd.package import OfdPackage, PackageError, child, children, local_name
from seal.formats.ofd.structure import Page
from seal.placing import Box, TextPlace

MOST_CHARACTERS, MOST_ON_PAGE = 1_000_000, 200_000
"""Characters of one document, and of one page, that are searched."""
_SAME_LINE = 0.5
"""Baselines closer than this share of the character's height are one line."""
_GAP = 2.5
"""Characters farther apart than this many heights belong to different columns."""
_IDENTITY = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_DEEPEST = 16


class Character(NamedTuple):
    """One character: its box, in mm from the page's top left, and its base line."""

    text: str
    left: float
    base: float
    width: float
    height: float


class PageTexts:
    """The words of a document's pages, each page read when first asked for."""

    def __init__(self, package: OfdPackage, root: str, pages: Sequence[Page]) -> None:
        self._package = package
        self._pages = pages
        self._templates = _templates(package, root)
        # By file, not by page: pages may share one, and a template may be on every page any number of times.
        self._shared = {path for path, uses in Counter(page.content for page in pages).items() if uses > 1}
        self._known: dict[str, tuple[Character, ...]] = {}
        self._left = MOST_CHARACTERS

    def find(self, text: str, pages: Sequence[int]) -> list[TextPlace]:
        """Give where ``text`` stands on ``pages``, top to bottom; blanks and width variants do not count."""
        wanted = _folded(text)
        return [TextPlace(page=page, box=box) for page in pages for box in _places(self.characters(page), wanted)]

    def characters(self, page: int) -> Sequence[Character]:
        """Give the characters of a page in the order they are drawn, those of its templates first."""
        path = self._pages[page].content
        if path is None:
            return ()
        found = self._known[path] if path in self._known else tuple(self._drawn(path))
        if path in self._shared:
            self._known[path] = found
        self._left -= len(found)
        if self._left < 0:
            raise PlacementRefused(f"The document has more than {MOST_CHARACTERS:,} characters to search.")
        return found

    def _drawn(self, path: str) -> list[Character]:
        content = self._package.xml(path)
        found: list[Character] = []
        for used in children(content, "Template"):
            template = self._templates.get(used.get("TemplateID", ""))
            if template is not None:
                found += self._template(template)
                _check_number(found)
        found += _layers(content)
        return found

    def _template(self, path: str) -> tuple[Character, ...]:
        name = f"template {path}"
        if name not in self._known:
            self._known[name] = tuple(_layers(self._package.xml(path)))
        return self._known[name]


def _check_number(found: Sequence[Character]) -> None:
    if len(found) > MOST_ON_PAGE:
        raise PlacementRefused(f"A page has more than {MOST_ON_PAGE:,} characters to search.")


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
            _check_number(found)
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


# --- finding -------------------------------------------------------------------------------------------------------


def _folded(text: str) -> str:
    """Leave out blanks, and make full-width and half-width forms alike; one character stays one."""
    return "".join(_one(letter) for letter in text if not letter.isspace())


@lru_cache(maxsize=8192)
def _one(letter: str) -> str:
    plain = normalize("NFKC", letter)
    return plain if len(plain) == 1 else letter


def _places(characters: Sequence[Character], wanted: str) -> list[Box]:
    seen = [character for character in characters if not character.text.isspace()]
    runs = chain(_lines(seen), (seen,))
    found: dict[Character, Box] = {}
    for run in runs:
        spelled = "".join(_one(character.text) for character in run)
        at = spelled.find(wanted)
        while at >= 0:
            hit = run[at : at + len(wanted)]
            found.setdefault(hit[0], _around(hit))
            at = spelled.find(wanted, at + len(wanted))
    return sorted(found.values(), key=lambda box: (round(box.y, 1), box.x))


def _lines(characters: Sequence[Character]) -> Iterator[list[Character]]:
    """Sort the characters into lines as the eye does: by base line, then from left to right, parted at wide gaps."""
    line: list[Character] = []
    for character in sorted(characters, key=lambda each: each.base):
        if line and character.base - line[0].base > _SAME_LINE * min(character.height, line[0].height):
            yield from _columns(line)
            line = []
        line.append(character)
    yield from _columns(line)


def _columns(line: list[Character]) -> Iterator[list[Character]]:
    line.sort(key=lambda each: each.left)
    column: list[Character] = []
    for character in line:
        if column and character.left - column[-1].left - column[-1].width > _GAP * character.height:
            yield column
            column = []
        column.append(character)
    if column:
        yield column


def _around(hit: Sequence[Character]) -> Box:
    """Give the box of the first line of what was found."""
    first = hit[0]
    line = [each for each in hit if abs(each.base - first.base) <= _SAME_LINE * first.height]
    left, right = min(each.left for each in line), max(each.left + each.width for each in line)
    top = min(each.base - each.height for each in line)
    return Box(x=left, y=top, width=right - left, height=max(each.base for each in line) - top)
