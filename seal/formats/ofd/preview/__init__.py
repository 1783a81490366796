"""Previews of OFD documents: what a page and the seals on it look like."""

from seal.formats.ofd.preview.canvas import Bounds
from seal.formats.ofd.preview.page import Drawing, draw_page
from seal.formats.ofd.preview.raster import to_png
from seal.formats.ofd.preview.service import DPI, Form, Preview, Previewer

__all__ = ["DPI", "Bounds", "Drawing", "Form", "Preview", "Previewer", "draw_page", "to_png"]
