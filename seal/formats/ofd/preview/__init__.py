"""Previews of OFD documents: what a page and the seals on it look like."""

from seal.formats.ofd.preview.canvas import Bounds
from seal.formats.ofd.preview.page import Drawing, PageMissing, draw_page
from seal.formats.ofd.preview.raster import to_png

__all__ = ["Bounds", "Drawing", "PageMissing", "draw_page", "to_png"]
