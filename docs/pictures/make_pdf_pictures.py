# ruff: noqa: INP001 - a program beside the pictures, in no package
"""Draw sealed PDF documents anew: a straddle seal's pages, and fanned out; a keyword's seal; several seals.

    python docs/pictures/make_pdf_pictures.py

Names are invented, keys live as long as the program. PDFium draws, as it does in browsers.
"""

import io
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import typst
from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from crypto.suites import SM2_SM3  # noqa: E402 - the checkout, not an installed copy
from crypto.x509 import ROOT, SIGNER  # noqa: E402
from seal.artwork import Design, draw  # noqa: E402
from seal.formats.ofd.document import document_font  # noqa: E402
from seal.formats.pdf import PDF_PADES  # noqa: E402
from seal.formats.pdf.pdfium_drawing import draw_in_process  # noqa: E402
from seal.model import Credential, Mark, Picture  # noqa: E402
from seal.placing import parse_placement  # noqa: E402
from tests.judges.ofd_picture import Holder, certified  # noqa: E402

LARGEST = 150_000
"""Octets a picture may have."""
AT = datetime(2026, 11, 22, 2, tzinfo=UTC)
_GAP, _LINE = 12, 26
_GROUND, _INK = (226, 229, 234), (60, 66, 80)
_SLICE_MM = 40
_MM_PER_INCH = 25.4


@dataclass(frozen=True)
class Office:
    """Whoever seals: a key, and a seal's picture."""

    name: str
    signer: Holder
    picture: Picture

    @classmethod
    def found(cls, root: Holder, design: Design) -> "Office":
        """Give it a key and a seal."""
        return cls(design.name, certified(design.name, SIGNER, AT, root), draw(design, dpi=300))

    def seal(self, document: bytes, placement: str, *, hour: int = 0) -> bytes:
        """Seal a document."""
        credential = Credential(certificate=self.signer.certificate, chain=(), suite=SM2_SM3)
        mark = Mark(seal_name=self.name, picture=self.picture, placement=parse_placement(placement))
        return PDF_PADES.prepare(document, mark, credential, AT + timedelta(hours=hour)).apply(self.signer.key.sign)


LINE = "甲乙双方本着平等自愿、诚实信用的原则，订立本协议。"


def contract(pages: int, last: str = "", *, width: int = 210, height: int = 297) -> bytes:
    """Write a document of several pages."""
    made = [
        f"#align(center, text(size: 8mm)[协议书  第{number}页])\n#v(10mm)\n" + f"{LINE}\n\n" * 12 + last
        for number in range(1, pages + 1)
    ]
    font = document_font()
    head = (
        f'#set page(width: {width}mm, height: {height}mm, margin: 28mm)\n#set text(font: "{font.family}", size: 5mm)\n'
    )
    fonts = typst.Fonts(include_system_fonts=True, font_paths=[str(font.path.parent)])
    source = head + "#pagebreak()\n".join(made)
    compiled = typst.Compiler({"main.typ": source.encode()}, font_paths=fonts).compile(format="pdf")
    if not isinstance(compiled, bytes):
        raise SystemExit("the document came out in several files")
    return compiled


def drawn(document: bytes, page: int, dpi: int) -> Image.Image:
    """Draw a page."""
    _, picture = draw_in_process(document, page, dpi)
    return Image.open(io.BytesIO(picture)).convert("RGB")


def fanned(document: bytes, pages: int, dpi: int) -> Image.Image:
    """Lay the pages so that of each but the last the edge alone peeps out, as when a stack is fanned."""
    sheets = [drawn(document, number, dpi) for number in range(1, pages + 1)]
    step = round(_SLICE_MM / pages * dpi / _MM_PER_INCH)
    out = Image.new("RGB", (sheets[0].width + step * (pages - 1), sheets[0].height), _GROUND)
    for at, sheet in reversed(list(enumerate(sheets))):
        out.paste(sheet, (step * at, 0))
    return out


def sheet(parts: list[tuple[str, Image.Image]], name: str) -> None:
    """Lay pictures out in a row, each with its word above it, and save them."""
    width = sum(picture.width + _GAP for _, picture in parts) + _GAP
    out = Image.new("RGB", (width, max(picture.height for _, picture in parts) + _LINE + _GAP), _GROUND)
    face = document_font()
    font = ImageFont.truetype(str(face.path), 14, index=face.index)
    pen, left = ImageDraw.Draw(out), _GAP
    for word, picture in parts:
        pen.text((left, 3), word, fill=_INK, font=font)
        out.paste(picture, (left, _LINE))
        left += picture.width + _GAP
    file = HERE / name
    out.quantize(64, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    octets = file.stat().st_size
    if octets > LARGEST:
        raise SystemExit(f"{name} has {octets:,} octets; {LARGEST:,} are allowed")
    sys.stdout.write(f"{name:<24} {out.width} x {out.height}  {octets:,} octets\n")


def main() -> None:
    """Make the three pictures."""
    root = certified("Sample Root", ROOT, AT)
    first = Office.found(root, Design(kind="company", name="云江某某供应链管理有限公司", code="9901000000013"))
    second = Office.found(root, Design(kind="institution", name="云江市图书馆", code="9901000000012"))
    third = Office.found(root, Design(kind="representative", name="王小明"))

    straddled = first.seal(contract(4), "straddle:right")
    sheets = [(f"page {number}", drawn(straddled, number, 42)) for number in range(1, 5)]
    sheet([*sheets, ("the stack, fanned out", fanned(straddled, 4, 42))], "pdf-straddle.png")

    last = "#v(8mm)#align(right)[乙方（盖章）：2026年11月22日]"
    turned = second.seal(contract(1, last, width=297, height=210), "keyword:盖章")
    sheet(
        [
            ("keyword:盖章", drawn(second.seal(contract(1, last), "keyword:盖章"), 1, 60)),
            ("keyword:平等;pick=3", drawn(second.seal(turned, "keyword:平等;pick=3", hour=1), 1, 60)),
        ],
        "pdf-keyword.png",
    )

    several = first.seal(contract(1), "point;x=30;y=215;pages=1")
    several = second.seal(several, "point;x=85;y=225;pages=1", hour=1)
    several = third.seal(several, "point;x=150;y=235;pages=1", hour=2)
    sheet([("three seals, three signatures", drawn(several, 1, 60))], "pdf-three-seals.png")


if __name__ == "__main__":
    main()
