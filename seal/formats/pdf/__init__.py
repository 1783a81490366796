"""PDF: sealing as PAdES or with Chinese contents, and judging whatever signatures a PDF bears."""

from seal.formats.pdf.augmenting import raise_all, raise_newest, with_document_stamp
from seal.formats.pdf.late import unstamped_pdf
from seal.formats.pdf.reader import looks_like_pdf
from seal.formats.pdf.sealing import PDF_GM_CMS, PDF_PADES, PDF_SES, read_through
from seal.formats.pdf.verifying import verify_pdf

__all__ = [
    "PDF_GM_CMS",
    "PDF_PADES",
    "PDF_SES",
    "looks_like_pdf",
    "raise_all",
    "raise_newest",
    "read_through",
    "unstamped_pdf",
    "verify_pdf",
    "with_document_stamp",
]
