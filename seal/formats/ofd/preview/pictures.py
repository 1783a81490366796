"""Pictures in documents and seals, decoded within bounds and passed on as PNG or JPEG."""

import io
import struct
import warnings
import zlib
from base64 import b64encode
from dataclasses import dataclass, field

from PIL import Image, UnidentifiedImageError

from seal.formats.ofd.package import PackageError
from seal.formats.ofd.preview.canvas import Canvas, DrawingFull
from seal.formats.ofd.preview.resources import Resource, Resources

_FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF")
_AS_THEY_ARE = {("PNG", "1"), ("PNG", "L"), ("PNG", "P"), ("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "LA")}
_JPEG = {("JPEG", "L"), ("JPEG", "RGB")}
_UNDECODABLE = (
    *(OSError, ValueError, SyntaxError, EOFError, UnidentifiedImageError, Image.DecompressionBombError),
    # Fields of a type or size that a decoder did not expect.
    *(TypeError, LookupError, ArithmeticError, struct.error, zlib.error),
)
_JBIG2 = b"\x97JB2\r\n\x1a\n"
_ENDINGS = (".jb2", ".jbig2", ".gbig2")


def data_uri(octets: bytes, canvas: Canvas, mask: bytes | None = None) -> str | None:
    """Give a picture as a data URI; None, and a note, if it cannot be decoded or is too large."""
    if octets.startswith(_JBIG2):
        canvas.note("JBIG2 pictures are not shown")
        return None
    try:
        with _opened(octets, canvas) as opened:
            kind = (opened.format or "", opened.mode)
            if mask is None and kind in _AS_THEY_ARE | _JPEG:
                opened.load()  # what does not decode here does not come further
                return f"data:image/{kind[0].lower()};base64,{b64encode(octets).decode()}"
            picture = opened.convert("RGBA")
        if mask is not None:
            _apply(mask, picture, canvas)
    except DrawingFull:
        canvas.note("a picture has too many pixels and is not shown")
        return None
    except _UNDECODABLE:
        canvas.note("a picture cannot be decoded")
        return None
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return f"data:image/png;base64,{b64encode(out.getvalue()).decode()}"


def _opened(octets: bytes, canvas: Canvas) -> Image.Image:
    """Open a picture without decoding it, and count its pixels. Raises what Pillow raises, and DrawingFull."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the count is what decides
        opened = Image.open(io.BytesIO(octets), formats=_FORMATS)
    canvas.spend("pixels", opened.width * opened.height)
    return opened


def _apply(mask: bytes, picture: Image.Image, canvas: Canvas) -> None:
    """Make a picture transparent where its mask is black (GB/T 33190 10)."""
    with _opened(mask, canvas) as opened:
        picture.putalpha(opened.convert("L").resize(picture.size))


@dataclass(slots=True)
class Pictures:
    """The pictures of one document, each decoded once."""

    resources: Resources
    canvas: Canvas
    _ready: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def defined(self, number: str, mask: str) -> str | None:
        """Give the id of a picture's definition, one unit wide and high; None if it cannot be shown."""
        key = (number, mask)
        if key not in self._ready:
            self._ready[key] = self._define(number, mask)
        return self._ready[key]

    def _define(self, number: str, mask: str) -> str | None:
        octets = self._file(number)
        if octets is None:
            return None
        return define(data_uri(octets, self.canvas, self._file(mask) if mask else None), self.canvas)

    def _file(self, number: str) -> bytes | None:
        resource = self.resources.find("MultiMedia", number)
        try:
            octets = self._read(resource) if resource is not None else None
        except PackageError as error:
            self.canvas.note(str(error))
            return None
        if octets is None:
            self.canvas.note(f"the picture {number} is missing, or of a kind that is not shown")
        return octets

    def _read(self, resource: Resource) -> bytes | None:
        octets = self.resources.file(resource, "MediaFile")
        name = "".join(str(part) for part in resource.element.itertext()).strip().lower()
        if octets is not None and (name.endswith(_ENDINGS) or resource.element.get("Format", "").upper() == "GBIG2"):
            self.canvas.note("JBIG2 pictures are not shown")
            return None
        return octets


def define(uri: str | None, canvas: Canvas) -> str | None:
    """Define a picture, one unit wide and high."""
    if uri is None:
        return None
    size = 'width="1" height="1" preserveAspectRatio="none"'
    return canvas.new(lambda name: f'<image id="{name}" {size} xlink:href="{uri}"/>')
