"""Previews of PDF pages from anywhere, seals and all: PDFium draws each in a limited process of its own."""

import json

from seal.errors import DocumentTooLarge, DocumentUnreadable, PageUnknown, PreviewBusy, UnsupportedDocument
from seal.formats.ofd.preview import DPI, Form, Preview
from seal.formats.ofd.preview.service import MAX_DOCUMENT
from seal.formats.pdf.reader import looks_like_pdf
from seal.sandbox import Limits, Sandbox, SandboxBusy, SandboxFailed

_LIMITS = Limits(children=2)


class PdfPreviewer:
    """Draws pages of PDF files from anywhere; safe to share between threads."""

    def __init__(self, *, limits: Limits | None = None, max_document: int = MAX_DOCUMENT) -> None:
        self._max_document = max_document
        self._sandbox = Sandbox("seal.formats.pdf.pdfium_drawing:make_drawer", b"", limits or _LIMITS)

    def preview(self, document: bytes, *, page: int = 1, form: Form = "png", dpi: int = DPI) -> Preview:
        """Draw a page (from 1; -1 is the last) as its readers show it, forms that run programs left as they are.

        Refuses (UnsupportedDocument, DocumentTooLarge, PageUnknown) what is no page of a PDF file, and a drawing in
        place of a picture; (DocumentUnreadable) a file that breaks or exhausts its reader or has a password; and
        (PreviewBusy) one too many at once.
        """
        if len(document) > self._max_document:
            raise DocumentTooLarge(f"The file has {len(document)} octets; {self._max_document} are taken.")
        if not looks_like_pdf(document):
            raise UnsupportedDocument("The file is no PDF document.")
        if form != "png":
            raise UnsupportedDocument("A page of a PDF is drawn as PNG only.")
        job = json.dumps({"page": page, "dpi": dpi}).encode() + b"\n" + document
        try:
            head, _, picture = self._sandbox.run(job).partition(b"\n")
            return _preview(json.loads(head), picture)
        except SandboxBusy as error:
            raise PreviewBusy("Too many pages are being drawn; try again shortly.") from error
        except (SandboxFailed, TypeError, ValueError) as error:
            raise DocumentUnreadable("The page could not be drawn: its reader broke or reached a limit.") from error

    def close(self) -> None:
        """End the fork server; the next call starts another."""
        self._sandbox.close()


def _preview(told: object, picture: bytes) -> Preview:
    """Read a child's answer; it is taken as octets, and everything in it for what it should be."""
    match told:
        case {"page_missing": int(pages)}:
            raise PageUnknown(f"The document has {pages} {'page' if pages == 1 else 'pages'}; this is none of them.")
        case {"unreadable": str(why)}:
            raise DocumentUnreadable(why)
        case {
            "dpi": int(dpi),
            "page": int(page),
            "pages": int(pages),
            "size": [int() | float() as width, int() | float() as height],
        }:
            return Preview(
                picture=picture,
                form="png",
                dpi=dpi,
                page=page,
                pages=pages,
                width_mm=float(width),
                height_mm=float(height),
                substituted=(),
                notes=(),
            )
    raise ValueError("not an answer")
