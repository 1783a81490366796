"""Rendering: a licence's facts through its type's template into PDF/A-2b, and into a picture for screens."""

import io
from datetime import date

from PIL import Image

from license_store import ornament
from license_store.model import CHINA, FaceData, FieldKind, License, LicenseType
from license_store.typesetting import Typesetter
from seal.fonts import Font
from seal.model import Picture
from seal.placing import AtPoint

_PICTURE_PIXELS_PER_INCH = 92
_PICTURE_COLOURS = 96
_MM_PER_INCH = 25.4
_FOR_GOOD = "长期"


class Renderer:
    """Renders licences. Safe to share between threads, not across a fork."""

    def __init__(self, font: Font) -> None:
        self._typesetter = Typesetter(font)

    def pdf(self, kind: LicenseType, licence: License, *, qr_svg: str, host: str) -> bytes:
        """Render the document as PDF/A-2b, ready to be sealed; refuse what cannot be shown whole."""
        inputs = self._inputs(kind, licence, qr_svg=qr_svg, host=host)
        issued = int(licence.issued_at.timestamp())
        with self._typesetter.compiler(kind.template) as compiler:
            document = compiler.compile(sys_inputs=inputs, format="pdf", pdf_standards="a-2b", timestamp=issued)
        # ISO 19005-2 6.1.3, 6.1.9: a revision appended by the sealing must begin on a line of its own.
        return _one_page(document) + b"\n"

    def picture(self, kind: LicenseType, licence: License, *, qr_svg: str, host: str, seal: Picture) -> bytes:
        """Render what the sealed document looks like as a small PNG, the seal's picture in its place."""
        inputs = self._inputs(kind, licence, qr_svg=qr_svg, host=host)
        with self._typesetter.compiler(kind.template) as compiler:
            page = compiler.compile(sys_inputs=inputs, format="png", ppi=_PICTURE_PIXELS_PER_INCH)
        return _with_seal(_one_page(page), seal, kind.placement(seal))

    def _inputs(self, kind: LicenseType, licence: License, *, qr_svg: str, host: str) -> dict[str, str]:
        """Put everything that varies into one JSON text: data are never markup."""
        issued = licence.issued_at.astimezone(CHINA).date()
        first, last = licence.validity.first, licence.validity.last
        data = {
            "title": f"{kind.name_zh} {licence.number}",
            "identifier": licence.identifier,
            "number": licence.number,
            "holder_name": licence.holder.name,
            "holder_code": licence.holder.code,
            "face": _face(kind, licence.face),
            "validity": f"{day(first)}至{_FOR_GOOD if last is None else day(last)}",
            "issuer": licence.issuer_name,
            "issued": day(issued),
            "host": host,
        }
        return {"data": self._typesetter.facts(data), "qr": qr_svg, "frame": ornament.frame()}


def _one_page(compiled: bytes | list[bytes] | None) -> bytes:
    if not isinstance(compiled, bytes):
        raise TypeError("a licence is one page: its template made several, or none")
    return compiled


def day(value: date) -> str:
    """Write a day as licences do: 2026年11月22日."""
    return f"{value.year}年{value.month}月{value.day}日"


def _face(kind: LicenseType, face: FaceData) -> dict[str, dict[str, str]]:
    values = {
        field.name: day(date.fromisoformat(face[field.name])) if field.kind is FieldKind.DATE else face[field.name]
        for field in kind.fields
        if field.name in face
    }
    return {field.name: {"label": field.zh, "value": values.get(field.name, "")} for field in kind.fields}


def _with_seal(page_png: bytes, seal: Picture, at: AtPoint) -> bytes:
    """Lay the seal on the page as the sealed PDF shows it, ink on ink, and save with few colours."""
    scale = _PICTURE_PIXELS_PER_INCH / _MM_PER_INCH
    with Image.open(io.BytesIO(page_png)) as opened, Image.open(io.BytesIO(seal.png)) as artwork:
        page = opened.convert("RGBA")
        size = (round(seal.width_mm * scale), round(seal.height_mm * scale))
        stamp = artwork.convert("RGBA").resize(size, Image.Resampling.LANCZOS)
        page.alpha_composite(stamp, (round(at.x_mm * scale), round(at.y_mm * scale)))
    out = io.BytesIO()
    few = page.convert("RGB").quantize(_PICTURE_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(out, "PNG", compress_level=6)
    return out.getvalue()
