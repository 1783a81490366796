"""Seal artwork: the round seal drawn from its words, as a transparent PNG of a known printed size.

Measures follow what public bodies use (reference: the State Council's rules on seals): 42 mm across for most
bodies, the name from left to right along the arc, star in the middle, Song type.
"""

import io
import math
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from seal.errors import ArtworkRefused
from seal.model import Picture

RED = (0xD0, 0x02, 0x1B)
DPI = 400
_SUPERSAMPLING = 3
_MM_PER_INCH = 25.4
_ALPHA_STEPS = 17  # 16 shades of an edge are more than a printer shows, and deflate to half

NAME_LENGTHS = range(4, 26)
_BELOW_MAX = 8
_LONG_NAME = 18
_CODE_MAX = 18
_DIAMETERS = range(30, 61)
_NEVER_A_CHARACTER = "\U0010ffff"

# Parts of a seal's radius, so that a 38 mm seal is a smaller 42 mm seal.
_RING = 0.057
_STAR = 0.33
_STAR_LIFTED = 0.10
_NAME_GAP = 0.055
_NAME_HEIGHT = 0.285
_CODE_HEIGHT = 0.080
_CODE_GAP = 0.045
_BELOW_TOP = 0.30
_BELOW_HEIGHT = 0.20
_BELOW_WIDTH = 0.90
_MIDDLE_HEIGHT = 0.26
_MIDDLE_WIDTH = 1.15
_POINTED = math.sin(math.radians(18)) / math.sin(math.radians(126))
"""Inner to outer radius of the five-pointed star whose edges are straight lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealFont:
    """A font file with Chinese glyphs: the face in a collection, and the weight if the font is variable."""

    path: Path
    face: int = 0
    weight: int | None = None

    def at(self, size: int) -> ImageFont.FreeTypeFont:
        """Open the font at ``size`` pixels an em."""
        font = ImageFont.truetype(self.path, size, index=self.face, layout_engine=ImageFont.Layout.BASIC)
        if self.weight is not None:
            font.set_variation_by_axes([self.weight])
        return font


_SONG = (
    # Face 2 of the Noto collections is Simplified Chinese.
    SealFont(path=Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Bold.ttc"), face=2),
    SealFont(path=Path("/usr/share/fonts/google-noto-serif-cjk-fonts/NotoSerifCJK-Bold.ttc"), face=2),
    SealFont(path=Path("/usr/share/fonts/noto-cjk/NotoSerifCJK-Bold.ttc"), face=2),
)


def packaged_font() -> SealFont:
    """Give the font that is installed with this product's dependencies: present on every machine."""
    spec = find_spec("manimgx_fonts_cjk")
    if spec is None or spec.origin is None:
        raise ArtworkRefused("No Chinese font: install the package manimgx-fonts-cjk.")
    return SealFont(path=Path(spec.origin).with_name("NotoSansCJK-VF.otf.ttc"), face=2, weight=700)


def seal_font() -> SealFont:
    """Give the best font at hand: the system's bold Song face, else the packaged one."""
    return next((font for font in _SONG if font.path.is_file()), None) or packaged_font()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundSeal:
    """The words of a round seal. ``below`` stands under the star (审批专用章), ``code`` on the lower arc."""

    name: str
    below: str = ""
    code: str = ""
    star: bool = True
    diameter_mm: int = 42


def draw_round_seal(words: RoundSeal, *, font: SealFont | None = None, dpi: int = DPI) -> Picture:
    """Draw the seal; refuse (ArtworkRefused) words that do not fit or that the font cannot write."""
    font = font or seal_font()
    _check(words)
    _check_glyphs(font, words.name + words.below + words.code)
    size = round(words.diameter_mm / _MM_PER_INCH * dpi)
    ink = _Ink(size * _SUPERSAMPLING, font)
    ink.ring()
    if words.star:
        ink.star(lifted=bool(words.below))
    ink.name(words.name, full_circle=not words.code)
    ink.below(words.below, central=not words.star)
    ink.code(words.code)
    alpha = ink.mask.resize((size, size), Image.Resampling.LANCZOS).point(_in_steps)
    picture = Image.new("RGBA", (size, size), RED)
    picture.putalpha(alpha)
    # Where nothing is seen nothing is stored: viewers that ignore alpha then show white, not red.
    blank = Image.new("RGBA", (size, size), (255, 255, 255, 0))
    picture = Image.composite(picture, blank, alpha.point(lambda a: 255 if a else 0))
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True, dpi=(dpi, dpi))
    return Picture(png=out.getvalue(), width_mm=words.diameter_mm, height_mm=words.diameter_mm)


def _in_steps(alpha: float) -> float:
    step = 255 / (_ALPHA_STEPS - 1)
    return round(round(alpha / step) * step)


def _check(words: RoundSeal) -> None:
    if len(words.name) not in NAME_LENGTHS:
        raise ArtworkRefused(
            f"A round seal takes a name of {NAME_LENGTHS[0]} to {NAME_LENGTHS[-1]} characters, not {len(words.name)}."
        )
    if len(words.below) > _BELOW_MAX:
        raise ArtworkRefused(f"At most {_BELOW_MAX} characters fit below the star.")
    if words.code and not (len(words.code) <= _CODE_MAX and words.code.isascii() and words.code.isalnum()):
        raise ArtworkRefused(f"The code on the lower arc is at most {_CODE_MAX} Latin letters and digits.")
    if words.diameter_mm not in _DIAMETERS:
        raise ArtworkRefused(f"A round seal is {_DIAMETERS[0]} to {_DIAMETERS[-1]} mm across.")


def _check_glyphs(font: SealFont, text: str) -> None:
    for character in text:
        if not has_glyph(font, character):
            named = unicodedata.name(character, f"U+{ord(character):04X}")
            raise ArtworkRefused(f"The font {font.path.name} has no glyph for {character} ({named}).")


@lru_cache(maxsize=4096)
def has_glyph(font: SealFont, character: str) -> bool:
    """Tell whether ``font`` can write ``character`` (a blank counts as not)."""
    face = font.at(48)
    drawn = face.getmask(character)
    unknown = face.getmask(_NEVER_A_CHARACTER)
    return drawn.getbbox() is not None and (drawn.size, bytes(drawn)) != (unknown.size, bytes(unknown))


class _Ink:
    """The mask of what the stamp leaves: white is ink. Coordinates are pixels from the centre, y down."""

    def __init__(self, size: int, font: SealFont) -> None:
        self.mask = Image.new("L", (size, size), 0)
        self._pen = ImageDraw.Draw(self.mask)
        self._radius = size / 2
        self._font = font

    def ring(self) -> None:
        edge = self._radius
        self._disc(edge * 0.998, ink=255)
        self._disc(edge * (0.998 - _RING), ink=0)

    def _disc(self, radius: float, *, ink: int) -> None:
        low, high = self._radius - radius, self._radius + radius
        self._pen.ellipse((low, low, high, high), fill=ink)

    def star(self, *, lifted: bool) -> None:
        outer = self._radius * _STAR
        # A star's weight sits above its circle's centre; moved down a little it looks centred.
        middle = self._radius * (1 - _STAR_LIFTED if lifted else 1 + 0.02)
        corners = []
        for corner in range(10):
            reach = outer * (_POINTED if corner % 2 else 1)
            angle = math.radians(36 * corner - 90)
            corners.append((self._radius + reach * math.cos(angle), middle + reach * math.sin(angle)))
        self._pen.polygon(corners, fill=255)

    def name(self, text: str, *, full_circle: bool) -> None:
        """Write along the upper arc, feet to the centre; glyphs narrow before they shrink."""
        top = self._radius * (1 - _RING - _NAME_GAP)
        height = self._radius * _NAME_HEIGHT * (1 - 0.022 * max(0, len(text) - _LONG_NAME))
        middle = top - height / 2
        widest = math.radians(268 if full_circle else 236)
        # 4 characters span 118 degrees, each more adds 19 until the arc is full.
        span = min(widest, math.radians(118 + 19 * (len(text) - NAME_LENGTHS[0])))
        pitch = span / (len(text) - 1)
        # Feet are on the shorter inner arc: that is where neighbours would touch.
        room = pitch * (top - height)
        width = min(height * 0.90, max(room * 0.96, height * 0.40))
        for place, character in enumerate(text):
            self._write(self._glyph(character, width, height), place * pitch - span / 2, middle)

    def code(self, text: str) -> None:
        """Write small along the lower arc, heads to the centre, so that it reads from left to right."""
        height = self._radius * _CODE_HEIGHT
        middle = self._radius * (1 - _RING - _CODE_GAP) - height / 2
        pitch = height * 1.05 / middle
        start = math.pi + pitch * (len(text) - 1) / 2
        for place, character in enumerate(text):
            self._write(self._glyph(character, height * 0.66, height), start - place * pitch, middle, upside=True)

    def below(self, text: str, *, central: bool) -> None:
        """Write one level line under the star, or in the middle where there is none."""
        if not text:
            return
        height = self._radius * (_MIDDLE_HEIGHT if central else _BELOW_HEIGHT)
        middle = height / 2 if central else self._radius * _BELOW_TOP + height / 2
        pitch = min(self._radius * (_MIDDLE_WIDTH if central else _BELOW_WIDTH) / len(text), height * 0.98)
        for place, character in enumerate(text):
            x = (place - (len(text) - 1) / 2) * pitch
            self._stamp(self._glyph(character, pitch * 0.9, height), x, middle)

    def _write(self, glyph: Image.Image, angle: float, radius: float, *, upside: bool = False) -> None:
        """Put one glyph at ``angle`` (clockwise from the top) on the circle of ``radius``."""
        turn = angle + math.pi if upside else angle
        turned = glyph.rotate(-math.degrees(turn), Image.Resampling.BICUBIC, expand=True)
        self._stamp(turned, radius * math.sin(angle), -radius * math.cos(angle))

    def _glyph(self, character: str, width: float, height: float) -> Image.Image:
        """Draw one character into a box of ``width`` by ``height``, filled as its em square fills it."""
        em = round(height / 0.92)  # Chinese glyphs leave 8 % of the em square free
        drawn = Image.new("L", (em, em), 0)
        pen = ImageDraw.Draw(drawn)
        left, top, right, bottom = pen.textbbox((0, 0), character, font=self._face(em))
        latin = character.isascii()
        # Latin letters are narrow: they fill their own box. Chinese ones keep their place in the em square.
        pen.text(((em - right - left) / 2, (em - bottom - top) / 2), character, font=self._face(em), fill=255)
        if latin:
            drawn = drawn.crop(drawn.getbbox())
            width = min(width, height * drawn.width / drawn.height)
        return drawn.resize((max(1, round(width)), max(1, round(height))), Image.Resampling.LANCZOS)

    def _face(self, em: int) -> ImageFont.FreeTypeFont:
        return _opened(self._font, em)

    def _stamp(self, glyph: Image.Image, x: float, y: float) -> None:
        corner = (round(self._radius + x - glyph.width / 2), round(self._radius + y - glyph.height / 2))
        self.mask.paste(255, corner, glyph)


@lru_cache(maxsize=16)
def _opened(font: SealFont, em: int) -> ImageFont.FreeTypeFont:
    return font.at(em)
