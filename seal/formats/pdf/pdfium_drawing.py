"""Drawing pages with PDFium; runs in the sandbox's own processes."""

import io
import json
from collections.abc import Callable

import pypdfium2

from seal.formats.ofd.preview.raster import fitting_dpi

_POINTS_PER_INCH, _MM_PER_INCH = 72, 25.4
_LEAST_MM, _MOST_MM = 0.1, 10_000


def make_drawer(_setup: bytes) -> Callable[[bytes], bytes]:
    """Make the work of the sandbox's children: draw the page that a job asks for."""
    return _draw


def _draw(job: bytes) -> bytes:
    head, _, document = job.partition(b"\n")
    asked = json.loads(head)
    told, picture = draw_in_process(document, asked["page"], asked["dpi"])
    return json.dumps(told).encode() + b"\n" + picture


def draw_in_process(document: bytes, page: int, dpi: int) -> tuple[dict[str, object], bytes]:
    """Draw a page right here, without limits on time and memory."""
    try:
        with pypdfium2.PdfDocument(document) as pdf:
            pdf.init_forms()  # signatures are fields of a form: without it no seal is drawn
            pages = len(pdf)
            number = page if page > 0 else pages + 1 + page
            if page == 0 or not 1 <= number <= pages:
                return {"page_missing": pages}, b""
            return _drawn(pdf[number - 1], dpi, number, pages)
    except pypdfium2.PdfiumError as error:
        locked = "assword" in str(error)
        why = "is encrypted; remove the password first" if locked else "cannot be read as a PDF"
        return {"unreadable": f"The file {why}."}, b""


def _drawn(page: pypdfium2.PdfPage, dpi: int, number: int, pages: int) -> tuple[dict[str, object], bytes]:
    width, height = (side * _MM_PER_INCH / _POINTS_PER_INCH for side in page.get_size())
    if not (_LEAST_MM <= width <= _MOST_MM and _LEAST_MM <= height <= _MOST_MM):
        return {"unreadable": "The page has no size that can be drawn."}, b""
    dpi = fitting_dpi(dpi, width, height)
    out = io.BytesIO()
    page.render(scale=dpi / _POINTS_PER_INCH).to_pil().save(out, "PNG")
    return {"dpi": dpi, "page": number, "pages": pages, "size": [round(width, 2), round(height, 2)]}, out.getvalue()
