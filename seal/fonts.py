"""Fonts: the files that seals and licences are lettered from, and which characters they can show."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import uharfbuzz as hb


class FontUnavailable(RuntimeError):
    """No font to letter with; the text names the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Font:
    """A font file: the face in a collection, its family name, and the weight to set if the font is variable."""

    path: Path
    index: int = 0
    family: str
    weight: int | None = None

    def opened(self) -> hb.Font:
        """Open the font for outlines in its own units, y up; kept for the process."""
        return _opened(self)

    def missing(self, text: str) -> str:
        """Give the characters of ``text`` that the font has no glyph for, each once, in order; blanks need none."""
        find = self.opened().get_nominal_glyph
        return "".join(dict.fromkeys(c for c in text if not c.isspace() and not find(ord(c))))


def named(characters: str) -> str:
    """Name characters for a refusal, such as: 𬱖 (U+2CC56), ก (U+0E01)."""
    return ", ".join(f"{character} (U+{ord(character):04X})" for character in characters)


# Face 2 of the Noto collections is Simplified Chinese.
_SONG = tuple(
    Font(path=Path("/usr/share/fonts", folder, "NotoSerifCJK-Bold.ttc"), index=2, family="Noto Serif CJK SC")
    for folder in ("opentype/noto", "google-noto-serif-cjk-fonts", "noto-cjk")
)


def packaged_font() -> Font:
    """Give Noto Sans CJK SC from the package that brings it, so that no font need be installed."""
    package = find_spec("manimgx_fonts_cjk")
    if package is None or package.origin is None:
        raise FontUnavailable("no CJK font: install the Python package manimgx-fonts-cjk")
    path = Path(package.origin).with_name("NotoSansCJK-VF.otf.ttc")
    return Font(path=path, index=2, family="Noto Sans CJK SC")


def seal_font() -> Font:
    """Give the best font for seals at hand: the system's bold Song face, as the rules ask, else the packaged one."""
    found = next((font for font in _SONG if font.path.is_file()), None)
    return found or packaged_seal_font()


def packaged_seal_font() -> Font:
    """Give the packaged font in the weight of a seal: the same on every machine."""
    font = packaged_font()
    return Font(path=font.path, index=font.index, family=font.family, weight=700)


@lru_cache(maxsize=8)
def _opened(font: Font) -> hb.Font:
    opened = hb.Font(hb.Face(hb.Blob.from_file_path(str(font.path)), font.index))
    if font.weight is not None:
        opened.set_variations({"wght": font.weight})
    return opened
