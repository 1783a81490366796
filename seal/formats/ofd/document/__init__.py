"""Documents we make: pages, text, pictures and lines in mm, written as OFD (GB/T 33190)."""

from seal.formats.ofd.document.flow import Heading, Paragraph, Table, flow
from seal.formats.ofd.document.glyphs import document_font
from seal.formats.ofd.document.model import (
    About,
    Attachment,
    Colour,
    Document,
    Image,
    Item,
    Outline,
    Page,
    Rule,
    Shape,
    Template,
    Text,
    rectangle,
    text_width,
)
from seal.formats.ofd.document.writing import write_ofd

__all__ = [
    "About",
    "Attachment",
    "Colour",
    "Document",
    "Heading",
    "Image",
    "Item",
    "Outline",
    "Page",
    "Paragraph",
    "Rule",
    "Shape",
    "Table",
    "Template",
    "Text",
    "document_font",
    "flow",
    "rectangle",
    "text_width",
    "write_ofd",
]
