"""Finding words with PDFium; runs in the sandbox's own processes."""

import ctypes
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator

import pypdfium2
from pypdfium2 import raw

from seal.errors import PlacementRefused
from seal.placing.words import Character, check_document, check_page, folded, places

_HIGH, _LOW, _END = 0xD800, 0xDC00, 0xE000
"""Where halves of surrogate pairs begin and end."""
_BEYOND = 0x10000


def make_finder(_setup: bytes) -> Callable[[bytes], bytes]:
    """Make the work of the sandbox's children: find a text on the pages that a job names."""
    return _find


def _find(job: bytes) -> bytes:
    head, _, document = job.partition(b"\n")
    asked = json.loads(head)
    return json.dumps(find_in_process(document, asked["text"], asked["pages"], asked["count"])).encode()


def find_in_process(document: bytes, wanted: str, pages: list[int], count: int) -> dict[str, object]:
    """Find ``wanted``, folded, right here, without limits on time and memory."""
    try:
        with pypdfium2.PdfDocument(document) as pdf:
            if len(pdf) != count:
                return {"unreadable": "Readers would not agree on the document's pages; no keyword can be searched."}
            return _search(pdf, wanted, pages)
    except pypdfium2.PdfiumError:
        return {"unreadable": "The document's text cannot be read; place the seal by page and millimetres."}
    except PlacementRefused as refused:
        return {"refused": str(refused.detail)}


def _search(pdf: pypdfium2.PdfDocument, wanted: str, pages: list[int]) -> dict[str, object]:
    total, found = 0, []
    for number in pages:
        page = pdf[number]
        text = page.get_textpage()
        count = text.count_chars()
        check_page(count)
        total += count
        check_document(total)
        # Most pages do not have every letter of it: where they stand need not be asked there.
        if set(wanted) <= set(folded(text.get_text_range())):
            found += [(number, *box) for box in _on_page(text, count, wanted)]
        text.close()
        page.close()
    return {"characters": total, "places": found}


def _on_page(text: pypdfium2.PdfTextPage, count: int, wanted: str) -> Iterator[tuple[float, float, float, float]]:
    """Find it among the characters of each direction of writing, each as if it ran to the right."""
    written: dict[int, list[Character]] = defaultdict(list)
    for degrees, character in _characters(text, count):
        written[degrees].append(character)
    for degrees, characters in written.items():
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        for box in places(characters, wanted):
            across, down = (box.x, box.x + box.width), (box.y, box.y + box.height)
            xs = [u * cos + v * sin for u in across for v in down]
            ys = [u * sin - v * cos for u in across for v in down]
            yield min(xs), min(ys), max(xs), max(ys)


def _characters(text: pypdfium2.PdfTextPage, count: int) -> Iterator[tuple[int, Character]]:
    """Give each character with the degrees by which its line rises: its place is along that line, and down from it."""
    box, matrix, x, y = raw.FS_RECTF(), raw.FS_MATRIX(), ctypes.c_double(), ctypes.c_double()
    high = 0
    for index in range(count):
        code = raw.FPDFText_GetUnicode(text, index)
        if _HIGH <= code < _LOW:
            high = code
            continue
        if _LOW <= code < _END and high:
            code = _BEYOND + ((high - _HIGH) << 10) + code - _LOW
        high = 0
        if raw.FPDFText_IsGenerated(text, index) or not (
            raw.FPDFText_GetLooseCharBox(text, index, box)
            and raw.FPDFText_GetMatrix(text, index, matrix)
            and raw.FPDFText_GetCharOrigin(text, index, x, y)
        ):
            continue
        height = raw.FPDFText_GetFontSize(text, index) * math.hypot(matrix.c, matrix.d)
        degrees = round(math.degrees(math.atan2(matrix.b, matrix.a))) % 360
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        across, up = box.right - box.left, box.top - box.bottom
        character = Character(
            text=chr(code),
            left=x.value * cos + y.value * sin,
            base=x.value * sin - y.value * cos,
            width=_width(across, up, height, abs(cos), abs(sin)),
            height=height,
        )
        if all(map(math.isfinite, character[1:])) and height > 0:
            yield degrees, character


def _width(across: float, up: float, height: float, cos: float, sin: float) -> float:
    """Give the width of what, turned, takes up ``across`` by ``up``."""
    width = (across - height * sin) / cos if cos > sin else (up - height * cos) / sin
    return min(max(width, 0.0), 2 * height)
