"""Drawing a seal: from its design to the picture that a seal is registered with."""

from seal.artwork.layout import lay_out
from seal.artwork.lettering import Lettering
from seal.artwork.model import Design
from seal.artwork.png import DPI, png
from seal.fonts import Font, seal_font
from seal.model import Picture


def draw(design: Design, *, font: Font | None = None, dpi: int = DPI) -> Picture:
    """Draw the seal in the best font at hand; refuse (ArtworkRefused) words that do not fit or cannot be written."""
    artwork = lay_out(design, Lettering(font or seal_font()))
    return Picture(png=png(artwork, dpi=dpi), width_mm=artwork.width_mm, height_mm=artwork.height_mm)
