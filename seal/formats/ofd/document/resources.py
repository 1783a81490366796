"""What the pages of a document share: numbers, fonts and pictures (GB/T 33190 7.9)."""

from dataclasses import dataclass, field

from seal.fonts import Font
from seal.formats.ofd.document.glyphs import Subset, face_name, shape, subset
from seal.formats.ofd.document.model import Document, Image, Page, Template, Text
from seal.formats.ofd.document.xml import add, element, serialised

_KINDS = {b"\x89PNG\r\n\x1a\n": ("PNG", "png"), b"\xff\xd8\xff": ("JPEG", "jpg")}
"""Pictures are known by how they begin: format and extension."""


@dataclass(slots=True)
class Numbers:
    """Hands out the numbers by which a document's parts name one another, each once."""

    last: int = 0

    def new(self) -> int:
        """Give a number that nothing has yet."""
        self.last += 1
        return self.last


@dataclass(slots=True)
class Resources:
    """Fonts and pictures, each once however often it is used."""

    numbers: Numbers
    fonts: dict[str | Font, int] = field(default_factory=dict)
    images: dict[bytes, int] = field(default_factory=dict)
    subsets: dict[Font, Subset] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Document, numbers: Numbers) -> "Resources":
        """Find what the document uses; refuse (GlyphMissing) texts that their fonts cannot write."""
        made = cls(numbers)
        templates = dict.fromkeys(template for page in document.pages for template in page.templates)
        texts: dict[Font, list[str]] = {}
        sheets: tuple[Page | Template, ...] = (*templates, *document.pages)
        for item in (item for sheet in sheets for item in sheet.items):
            if isinstance(item, Text) and item.text:
                made.font(item.font)
                if isinstance(item.font, Font):
                    texts.setdefault(item.font, []).append(item.text)
            elif isinstance(item, Image):
                made.image(item.octets)
        for font, lines in texts.items():
            glyphs = {glyph for line in lines for cluster in shape(font, line) for glyph in cluster.glyphs}
            made.subsets[font] = subset(font, lines, glyphs)
        return made

    def font(self, font: str | Font) -> int:
        """Give a font's number."""
        if font not in self.fonts:
            self.fonts[font] = self.numbers.new()
        return self.fonts[font]

    def image(self, octets: bytes) -> int:
        """Give a picture's number. Raises ValueError if it is neither PNG nor JPEG."""
        if octets not in self.images:
            _kind(octets)
            self.images[octets] = self.numbers.new()
        return self.images[octets]

    def files(self) -> dict[str, bytes]:
        """Give what is shared, by file name in the document's folder."""
        files = {"PublicRes.xml": self._fonts_file()}
        if self.images:
            files["DocumentRes.xml"] = self._images_file()
        files |= {f"Res/{_font_name(self.fonts[font])}": made.octets for font, made in self.subsets.items()}
        return files | {f"Res/{_image_name(number, octets)}": octets for octets, number in self.images.items()}

    def _fonts_file(self) -> bytes:
        root = element("Res", {"BaseLoc": "Res"})
        fonts = add(root, "Fonts") if self.fonts else root
        for font, number in self.fonts.items():
            name, family = (face_name(font), font.family) if isinstance(font, Font) else (font, font)
            row = add(fonts, "Font", {"ID": str(number), "FontName": name, "FamilyName": family})
            if font in self.subsets:
                add(row, "FontFile", text=_font_name(number))
        return serialised(root)

    def _images_file(self) -> bytes:
        root = element("Res", {"BaseLoc": "Res"})
        media = add(root, "MultiMedias")
        for octets, number in self.images.items():
            row = add(media, "MultiMedia", {"ID": str(number), "Type": "Image", "Format": _kind(octets)[0]})
            add(row, "MediaFile", text=_image_name(number, octets))
        return serialised(root)


def _kind(octets: bytes) -> tuple[str, str]:
    for magic, kind in _KINDS.items():
        if octets.startswith(magic):
            return kind
    raise ValueError("a picture in a document is a PNG or a JPEG")


def _font_name(number: int) -> str:
    return f"Font_{number}.otf"


def _image_name(number: int, octets: bytes) -> str:
    return f"Image_{number}.{_kind(octets)[1]}"
