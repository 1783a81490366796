# ruff: noqa: INP001 - a program beside the pictures, in no package
"""Draw sealed OFD documents anew, our preview above or beside what ofdrw draws of the same file.

    python docs/pictures/make_ofd_pictures.py

Needs ofdrw (make judges) and a CJK font. Names are invented, keys live as long as the program.
"""

import io
import sys
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont
from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from crypto.suites import SM2_SM3  # noqa: E402 - the checkout, not an installed copy
from crypto.x509 import ROOT, SEAL_MAKER, SIGNER  # noqa: E402
from seal.artwork import Design, draw  # noqa: E402
from seal.fonts import Font  # noqa: E402
from seal.formats.ofd import OFD_SES, Page, Text, write_simple_ofd  # noqa: E402
from seal.formats.ofd.document import document_font  # noqa: E402
from seal.formats.ofd.preview import draw_page, to_png  # noqa: E402
from seal.model import Credential, Mark  # noqa: E402
from seal.placing import parse_placement  # noqa: E402
from seal.ses import make_seseal  # noqa: E402
from tests.judges.ofd_picture import Holder, certified  # noqa: E402
from tests.judges.ofdrw import Ofdrw, absence, start  # noqa: E402

LARGEST = 150_000
"""Octets a picture may have."""
AT = datetime(2026, 11, 22, 2, tzinfo=UTC)
OURS, THEIRS = "Xinyin", "ofdrw 2.3.3"
_GAP, _LINE = 12, 26
_GROUND, _INK = (226, 229, 234), (60, 66, 80)


@dataclass(frozen=True)
class Office:
    """Whoever seals: a key, and a seal with its picture."""

    signer: Holder
    mark: Mark
    seseal: bytes

    @classmethod
    def found(cls, root: Holder, design: Design, number: str) -> "Office":
        """Give it a key and a seal."""
        maker, signer = certified("Sample Seal Maker", SEAL_MAKER, AT, root), certified(number, SIGNER, AT, root)
        picture = draw(design, dpi=300)
        seseal = make_seseal(
            header_vid="XINYIN",
            esid=number,
            kind=1,
            name=design.name,
            certificates=[signer.certificate],
            created=AT,
            valid_from=AT,
            valid_to=AT + timedelta(days=300),
            picture=picture,
            maker=maker.key,
            maker_certificate=maker.certificate,
        )
        return cls(signer, Mark(seal_name=design.name, picture=picture, placement=parse_placement("corner")), seseal)

    def seal(self, document: bytes, placement: str, *, hour: int = 0) -> bytes:
        """Seal a document."""
        credential = Credential(certificate=self.signer.certificate, chain=(), suite=SM2_SM3, seseal=self.seseal)
        mark = replace(self.mark, placement=parse_placement(placement))
        return OFD_SES.prepare(document, mark, credential, AT + timedelta(hours=hour)).apply(self.signer.key.sign)


LINE = "甲乙双方本着平等自愿、诚实信用的原则，订立本协议。"
HEAD, LAST = "协议书  第{}页", "乙方（盖章）：2026年11月22日"


def outlined(folder: Path) -> Font:
    """Write the product's font with quadratic outlines, the only ones that ofdrw reads, as far as it is needed here."""
    source = document_font()
    cut = Subsetter()
    cut.populate(text=LINE + HEAD + LAST + "0123456789")
    font = TTFont(source.path, fontNumber=source.index)
    cut.subset(font)
    font = instantiateVariableFont(font, {"wght": 400})
    shapes, order = font.getGlyphSet(), font.getGlyphOrder()
    made = FontBuilder(font["head"].unitsPerEm, isTTF=True)
    made.setupGlyphOrder(order)
    made.setupCharacterMap(font.getBestCmap())
    glyphs = {}
    for name in order:
        pen = TTGlyphPen(None)
        shapes[name].draw(Cu2QuPen(pen, 1, reverse_direction=True))
        glyphs[name] = pen.glyph()
    made.setupGlyf(glyphs)
    made.setupHorizontalMetrics({name: (font["hmtx"][name][0], glyphs[name].xMin or 0) for name in order})
    made.setupHorizontalHeader(ascent=font["hhea"].ascent, descent=font["hhea"].descent)
    made.setupNameTable({"familyName": "Sample Sans", "styleName": "Regular"})
    made.setupOS2(sTypoAscender=880, sTypoDescender=-120, usWinAscent=1160, usWinDescent=288)
    made.setupPost()
    file = folder / "sample.ttf"
    made.save(file)
    return Font(path=file, family="Sample Sans")


def contract(font: Font, pages: int, last: str = "") -> bytes:
    """Write a document of several pages in a font that it brings along."""
    made = []
    for number in range(1, pages + 1):
        rows = [Text(x_mm=28, y_mm=62 + 11 * row, text=LINE, size_mm=5.6, font=font) for row in range(14)]
        rows.append(Text(x_mm=70, y_mm=42, text=HEAD.format(number), size_mm=8, font=font))
        if last:
            rows.append(Text(x_mm=120, y_mm=236, text=last, size_mm=5.6, font=font))
        made.append(Page(items=tuple(rows)))
    return write_simple_ofd(made, doc_id="0" * 32, title="协议书", created=date(2026, 11, 22))


# --- pictures ------------------------------------------------------------------------------------------------------


def drawn(document: bytes, page: int, dpi: int, peer: Ofdrw) -> tuple[Image.Image, Image.Image]:
    """Draw a page with our preview and with ofdrw."""
    ours = draw_page(document, page)
    theirs = peer.page(document, page, dots_per_mm=dpi / 25.4)
    both = [Image.open(io.BytesIO(png)) for png in (to_png(ours.svg, ours.width_mm, ours.height_mm, dpi), theirs)]
    size = both[0].size
    first, second = ((picture.convert("RGB")).resize(size, Image.Resampling.LANCZOS) for picture in both)
    return first, second


def sheet(rows: list[list[tuple[str, Image.Image]]], name: str) -> None:
    """Lay pictures out in rows, each with its word above it, and save them."""
    width, height = rows[0][0][1].size
    columns = max(map(len, rows))
    size = (columns * (width + _GAP) + _GAP, len(rows) * (height + _LINE + _GAP))
    out = Image.new("RGB", size, _GROUND)
    pen = ImageDraw.Draw(out)
    for y, row in enumerate(rows):
        for x, (word, picture) in enumerate(row):
            left, top = _GAP + x * (width + _GAP), y * (height + _LINE + _GAP) + _LINE
            pen.text((left, top - 20), word, fill=_INK, font=ImageFont.load_default(15))
            out.paste(picture, (left, top))
    file = HERE / name
    out.quantize(64, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    octets = file.stat().st_size
    if octets > LARGEST:
        raise SystemExit(f"{name} has {octets:,} octets; {LARGEST:,} are allowed")
    sys.stdout.write(f"{name:<24} {out.width} x {out.height}  {octets:,} octets\n")


def main() -> None:
    """Make the pictures if the judge is there."""
    why_not = absence()
    if why_not:
        raise SystemExit(why_not)
    peer = start()
    with tempfile.TemporaryDirectory() as folder:
        make(peer, outlined(Path(folder)))


def make(peer: Ofdrw, font: Font) -> None:
    """Make the three pictures."""
    root = certified("Sample Root", ROOT, AT)
    first = Office.found(
        root, Design(kind="company", name="云江某某供应链管理有限公司", code="9901000000013"), "99010000000013"
    )
    second = Office.found(root, Design(kind="institution", name="云江市图书馆", code="9901000000012"), "99010000000012")
    third = Office.found(root, Design(kind="representative", name="王小明"), "99010000000014")

    straddled = first.seal(contract(font, 4), "straddle:right")
    pairs = [drawn(straddled, number, 42, peer) for number in range(1, 5)]
    rows = [
        [(f"{who}, page {n}", pair[at]) for n, pair in enumerate(pairs, 1)] for at, who in enumerate((OURS, THEIRS))
    ]
    sheet(rows, "ofd-straddle.png")

    keyword = second.seal(contract(font, 1, LAST), "keyword:盖章")
    _beside(keyword, peer, "ofd-keyword.png")

    several = first.seal(contract(font, 1), "point;x=30;y=215;pages=1")
    several = second.seal(several, "point;x=85;y=225;pages=1", hour=1)
    several = third.seal(several, "point;x=150;y=235;pages=1", hour=2)
    _beside(several, peer, "ofd-three-seals.png")


def _beside(document: bytes, peer: Ofdrw, name: str) -> None:
    ours, theirs = drawn(document, 1, 60, peer)
    sheet([[(OURS, ours), (THEIRS, theirs)]], name)


if __name__ == "__main__":
    main()
