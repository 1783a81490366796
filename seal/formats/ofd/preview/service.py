"""Previews of strangers' files: each page is drawn in a limited process of its own."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from PIL import Image

from seal.errors import DocumentTooLarge, DocumentUnreadable, PageUnknown, PreviewBusy, UnsupportedDocument
from seal.formats.ofd.package import PackageError, looks_like_ofd
from seal.formats.ofd.preview.faces import substitute
from seal.formats.ofd.preview.page import PageMissing, draw_page
from seal.formats.ofd.preview.raster import fitting_dpi, to_png
from seal.sandbox import Limits, Sandbox, SandboxBusy, SandboxFailed

Form = Literal["png", "svg"]
MAX_DOCUMENT = 64 * 1024 * 1024
DPI = 150
_LIMITS = Limits(children=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A page as a picture, and what is to be known about it. It shows seals; whether they are valid it cannot tell."""

    picture: bytes = field(repr=False)
    form: Form
    dpi: int
    """Dots an inch; fewer than asked for where the page is very large."""
    page: int
    pages: int
    width_mm: float
    height_mm: float
    substituted: tuple[tuple[str, str], ...]
    """Fonts that are not embedded, and what stands in for each."""
    notes: tuple[str, ...]
    """What is not shown, or not shown as it should be."""


class Previewer:
    """Draws pages of OFD files from anywhere; safe to share between threads."""

    def __init__(self, *, limits: Limits | None = None, max_document: int = MAX_DOCUMENT) -> None:
        self._max_document = max_document
        self._sandbox = Sandbox("seal.formats.ofd.preview.service:make_drawer", b"", limits or _LIMITS)

    def preview(self, document: bytes, *, page: int = 1, form: Form = "png", dpi: int = DPI) -> Preview:
        """Draw a page (from 1; -1 is the last).

        Refuses (UnsupportedDocument, DocumentTooLarge, PageUnknown) what is no page of an OFD file,
        (DocumentUnreadable) a file that breaks or exhausts its reader, and (PreviewBusy) one too many at once.
        """
        if len(document) > self._max_document:
            raise DocumentTooLarge(f"The file has {len(document)} octets; {self._max_document} are taken.")
        if not looks_like_ofd(document):
            raise UnsupportedDocument("The file is neither a PDF nor an OFD document: only these have previews.")
        job = json.dumps({"page": page, "form": form, "dpi": dpi}).encode() + b"\n" + document
        try:
            head, _, picture = self._sandbox.run(job).partition(b"\n")
            return _preview(json.loads(head), picture, form)
        except SandboxBusy as error:
            raise PreviewBusy("Too many pages are being drawn; try again shortly.") from error
        except (SandboxFailed, KeyError, TypeError, ValueError) as error:
            raise DocumentUnreadable("The page could not be drawn: its reader broke or reached a limit.") from error

    def close(self) -> None:
        """End the fork server; the next call starts another."""
        self._sandbox.close()


def _preview(told: dict[str, object], picture: bytes, form: Form) -> Preview:
    """Read a child's answer; it is taken as octets, and everything in it for what it should be."""
    match told:
        case {"page_missing": str(why)}:
            raise PageUnknown(why)
        case {"unreadable": str(why)}:
            raise DocumentUnreadable(why)
        case {
            "dpi": int(dpi),
            "page": int(page),
            "pages": int(pages),
            "size": [int() | float() as width, int() | float() as height],
            "substituted": list(substituted),
            "notes": list(notes),
        }:
            return Preview(
                picture=picture,
                form=form,
                dpi=dpi,
                page=page,
                pages=pages,
                width_mm=float(width),
                height_mm=float(height),
                substituted=tuple((str(name), str(shown)) for name, shown in substituted),
                notes=tuple(str(note) for note in notes),
            )
    raise ValueError("not an answer")


# --- in the child ----------------------------------------------------------------------------------------------


def make_drawer(_setup: bytes) -> Callable[[bytes], bytes]:
    """Make the work of the sandbox's children: draw the page that a job asks for."""
    Image.init()
    for name in ("宋体", "黑体"):
        substitute(name, bold=False)

    def draw(job: bytes) -> bytes:
        head, _, document = job.partition(b"\n")
        asked = json.loads(head)
        try:
            told, picture = draw_in_process(document, asked["page"], asked["form"], asked["dpi"])
        except PageMissing as missing:
            told, picture = {"page_missing": f"{str(missing)[:1].upper()}{str(missing)[1:]}."}, b""
        except PackageError as error:
            told, picture = {"unreadable": f"The file cannot be read: {error}."}, b""
        return json.dumps(told).encode() + b"\n" + picture

    return draw


def draw_in_process(document: bytes, page: int, form: Form, dpi: int) -> tuple[dict[str, object], bytes]:
    """Draw a page right here, without limits on time and memory."""
    drawing = draw_page(document, page)
    dpi = fitting_dpi(dpi, drawing.width_mm, drawing.height_mm)
    picture = drawing.svg.encode()
    if form == "png":
        picture = to_png(drawing.svg, drawing.width_mm, drawing.height_mm, dpi)
    told: dict[str, object] = {
        "dpi": dpi,
        "page": page if page > 0 else drawing.pages + 1 + page,
        "pages": drawing.pages,
        "size": [drawing.width_mm, drawing.height_mm],
        "substituted": [list(pair) for pair in drawing.substituted],
        "notes": list(drawing.notes),
    }
    return told, picture
