"""A seal's picture as PDF objects, deflated once and kept: colours in one image, transparency in its mask."""

import io
import zlib
from dataclasses import dataclass, field
from functools import lru_cache

from PIL import Image, UnidentifiedImageError

from seal.errors import DocumentRefused
from seal.formats.pdf.objects import Name, PdfDict, Ref, Stream, write
from seal.model import Picture

_MAX_PIXELS = 16_000_000
_LEVEL = 9
# For each quarter turn of the page: the turn back, so that the picture is seen upright (12.5.5, algorithm 8.1).
_MATRICES = (b"1 0 0 1 0 0", b"0 1 -1 0 0 0", b"-1 0 0 -1 0 0", b"0 -1 1 0 0 0")


@dataclass(frozen=True, slots=True)
class Artwork:
    """A picture split into its colours and its transparency, each written out up to the reference between them."""

    image_head: bytes = field(repr=False)
    image_tail: bytes = field(repr=False)
    mask: bytes = field(repr=False)

    def image(self, mask: Ref) -> bytes:
        """Write the image object's value, with ``mask`` as its soft mask."""
        return b"%b/SMask %d %d R%b" % (self.image_head, mask.number, mask.generation, self.image_tail)


@lru_cache(maxsize=64)
def artwork(picture: Picture) -> Artwork:
    """Decode ``picture`` and deflate its planes; the last pictures used are kept."""
    try:
        with Image.open(io.BytesIO(picture.png), formats=["PNG"]) as opened:
            if opened.width * opened.height > _MAX_PIXELS:
                raise DocumentRefused("the seal's picture has too many pixels")
            pixels = opened.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise DocumentRefused("the seal's picture is not a PNG that can be read") from error
    mask = _image(pixels.size, pixels.getchannel("A").tobytes(), "DeviceGray")
    colours = _ink(pixels) or pixels.convert("RGB")
    image = write(_image(colours.size, colours.tobytes(), "DeviceRGB"))
    at = image.index(b">>")
    return Artwork(image[:at], image[at:], write(mask))


def _ink(pixels: Image.Image) -> Image.Image | None:
    """Give the one colour of a picture in a single pixel: spread over the mask it looks the same; None for several."""
    shown = pixels.getchannel("A").point(lambda alpha: 255 if alpha else 0)
    planes = [pixels.getchannel(name).histogram(shown) for name in "RGB"]
    if any(sum(map(bool, plane)) != 1 for plane in planes):
        return None
    red, green, blue = (next(level for level, count in enumerate(plane) if count) for plane in planes)
    return Image.new("RGB", (1, 1), (red, green, blue))


def _image(size: tuple[int, int], plane: bytes, colours: str) -> Stream:
    entries: PdfDict = {
        "Type": Name("XObject"),
        "Subtype": Name("Image"),
        "Width": size[0],
        "Height": size[1],
        "ColorSpace": Name(colours),
        "BitsPerComponent": 8,
        "Filter": Name("FlateDecode"),
    }
    return Stream(entries, zlib.compress(plane, _LEVEL))


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a picture is shown on a page, in the page's units: its size, the part that shows, the page's turn."""

    width: float
    height: float
    left: float
    """Of the part, from the picture's left."""
    bottom: float
    """Of the part, from the picture's bottom."""
    across: float
    up: float
    turn: int


def appearance(image: Ref, look: Look) -> bytes:
    """Write the form XObject that shows ``image``, clipped by its box, upright to the reader of a turned page."""
    # Multiply, as wet ink on paper: what is printed under the seal stays readable.
    drawing = b"q /Ink gs %.4f 0 0 %.4f %.4f %.4f cm /Seal Do Q" % (
        look.width,
        look.height,
        0 - look.left,
        0 - look.bottom,
    )
    return (
        b"<</Type/XObject/Subtype/Form/BBox[0 0 %.4f %.4f]/Matrix[%b]"
        b"/Resources<</ExtGState<</Ink<</Type/ExtGState/BM/Multiply>>>>/XObject<</Seal %d %d R>>>>/Length %d>>"
        b"\nstream\n%b\nendstream"
    ) % (look.across, look.up, _MATRICES[look.turn], image.number, image.generation, len(drawing), drawing)
