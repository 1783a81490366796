"""The fonts a page is shown in: those embedded, and the ones that stand in for those that are not."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import uharfbuzz as hb

from seal.fonts import Font
from seal.formats.ofd.document.glyphs import document_font
from seal.formats.ofd.package import PackageError
from seal.formats.ofd.preview.canvas import Canvas
from seal.formats.ofd.preview.resources import Resource, Resources
from seal.formats.ofd.preview.values import flag

_FOLDERS = (
    "/usr/share/fonts/opentype/noto",
    "/usr/share/fonts/google-noto-serif-cjk-fonts",
    "/usr/share/fonts/noto-cjk",
)
_SIMPLIFIED = 2
"""The face of the Noto collections that is Simplified Chinese."""
_SERIFS = ("宋", "明", "楷", "仿", "song", "sun", "ming", "kai", "fang", "serif", "times", "roman")
_SANS = ("sans",)
_SERIF = "Noto Serif CJK SC"
_BOLD_FROM = 600
_REGULAR, _BOLD = 400, 700


@dataclass(slots=True)
class Face:
    """An opened font. ``key`` tells it from every other in a drawing."""

    key: object
    font: hb.Font
    substitute: bool

    @property
    def upem(self) -> int:
        """Units an em."""
        return int(self.font.face.upem) or 1000

    def glyph(self, character: str) -> int:
        """Give the glyph of a character; 0 if the font has none."""
        return int(self.font.get_nominal_glyph(ord(character)) or 0)

    def advance(self, glyph: int) -> float:
        """Give a glyph's advance in ems."""
        return float(self.font.get_glyph_h_advance(glyph)) / self.upem

    def outline(self, glyph: int) -> str:
        """Give a glyph's outline as SVG data, in units of the font, y upwards."""
        written: list[str] = []
        if glyph < self.font.face.glyph_count:
            self.font.draw_glyph(glyph, _DRAWING, written)
        return "".join(written)


def _drawing() -> hb.DrawFuncs:
    made = hb.DrawFuncs()
    made.set_move_to_func(lambda x, y, to: to.append(f"M{x:.6g} {y:.6g}"))
    made.set_line_to_func(lambda x, y, to: to.append(f"L{x:.6g} {y:.6g}"))
    made.set_quadratic_to_func(lambda a, b, x, y, to: to.append(f"Q{a:.6g} {b:.6g} {x:.6g} {y:.6g}"))
    made.set_cubic_to_func(lambda a, b, c, d, x, y, to: to.append(f"C{a:.6g} {b:.6g} {c:.6g} {d:.6g} {x:.6g} {y:.6g}"))
    made.set_close_path_func(lambda to: to.append("Z"))
    return made


_DRAWING = _drawing()


@dataclass(slots=True)
class Faces:
    """The fonts of one document, opened when first used."""

    resources: Resources
    canvas: Canvas
    substituted: dict[str, str] = field(default_factory=dict)
    """Names of the fonts that are not embedded, and what stands in for each."""
    _opened: dict[tuple[str, bool], Face] = field(default_factory=dict)

    def face(self, number: str | None, *, bold: bool) -> Face:
        """Give the font with this id, or what stands in for it."""
        key = (number or "", bold)
        if key not in self._opened:
            resource = self.resources.find("Font", number)
            embedded = self._embedded(resource) if resource is not None else None
            self._opened[key] = embedded or self._substitute(resource, bold=bold)
        return self._opened[key]

    def _embedded(self, resource: Resource) -> Face | None:
        name = resource.element.get("FontName", "")
        try:
            octets = self.resources.file(resource, "FontFile")
        except PackageError as error:
            self.canvas.note(str(error))
            return None
        if octets is None:
            return None
        face = hb.Face(hb.Blob(octets))
        if not face.glyph_count or not {"glyf", "CFF ", "CFF2"} & set(face.table_tags):
            self.canvas.note(f"the embedded font {name} cannot be read")
            return None
        return Face(object(), hb.Font(face), substitute=False)

    def _substitute(self, resource: Resource | None, *, bold: bool) -> Face:
        name = resource.element.get("FontName", "") if resource is not None else ""
        bold = bold or (resource is not None and flag(resource.element.get("Bold"), default=False))
        face, family = substitute(name, bold=bold)
        self.substituted[name or "?"] = family
        return face


def substitute(name: str, *, bold: bool) -> tuple[Face, str]:
    """Give the font that stands in for the one called ``name``, and its family."""
    weight = _BOLD if bold else _REGULAR
    folded = name.casefold()
    if any(word in folded for word in _SERIFS) and not any(word in folded for word in _SANS):
        found = next(_system(bold=bold), None)
        if found is not None:
            font = Font(path=found, index=_SIMPLIFIED, family=_SERIF).opened()
            return Face(f"s{found.name}", font, substitute=True), _SERIF
    packaged = document_font(weight)
    font = packaged.opened()
    return Face(f"p{packaged.weight}", font, substitute=True), packaged.family


def _system(*, bold: bool) -> Iterator[Path]:
    name = f"NotoSerifCJK-{'Bold' if bold else 'Regular'}.ttc"
    return (path for folder in _FOLDERS if (path := Path(folder) / name).is_file())


def is_bold(weight: float) -> bool:
    """Tell whether a text's Weight asks for a bold face."""
    return weight >= _BOLD_FROM
