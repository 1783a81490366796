# ruff: noqa: INP001 - a program beside the pictures, in no package
"""Make seals.png anew: one seal of most kinds, all at one scale, with invented names.

python docs/pictures/make_seals.py
"""

import io
import sys
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from seal.artwork import Design, Lettering, lay_out, png  # noqa: E402 - the checkout, not an installed copy
from seal.fonts import seal_font  # noqa: E402

_COMPANY = "云江某某供应链管理有限公司"
DESIGNS = (
    Design(kind="county", name="某某省云江市人民政府"),
    Design(kind="department", name="云江市政务服务数据管理局", line="审批专用章", code="99010000000001"),
    Design(kind="township", name="云江县某某镇人民政府"),
    Design(kind="institution", name="云江市图书馆", code="9901000000012"),
    Design(kind="company", name=_COMPANY, code="9901000000013"),
    Design(kind="joint-stock", name="某某自治区云江市某某自治县某某镇农牧业综合开发股份有限公司"),
    Design(kind="company", name="云江某某（ABC）科技有限公司"),
    Design(kind="contract", name=_COMPANY, number="(1)"),
    Design(kind="finance", name=_COMPANY),
    Design(kind="invoice", name=_COMPANY, code="91990100MA0000000X", number="(1)"),
    Design(kind="foreign-invested", name="某某（中国）投资有限公司"),
    Design(kind="tax-supervision", name="全国统一发票监制章", line="云江市"),
    Design(kind="finance-square", name="云江某某公司"),
    Design(kind="representative", name="王小明"),
    Design(kind="personal", name="欧阳修"),
    Design(kind="personal", name="李四", line="之印"),
)
_COLUMNS, _CELL_MM, _LOW_CELL_MM = 4, 50, 34
_DPI, _SHOWN = 600, 0.25
"""Drawn at 600 dots an inch, shown at 150."""


def main() -> None:
    """Lay the seals out in rows; the last row is of small seals."""
    lettering = Lettering(seal_font())
    rows = [DESIGNS[start : start + _COLUMNS] for start in range(0, len(DESIGNS), _COLUMNS)]
    dot = _DPI * _SHOWN / 25.4
    heights = [round(dot * (_CELL_MM if number < len(rows) - 1 else _LOW_CELL_MM)) for number in range(len(rows))]
    sheet = Image.new("RGB", (round(dot * _CELL_MM) * _COLUMNS, sum(heights)), "white")
    for number, row in enumerate(rows):
        for column, design in enumerate(row):
            with Image.open(io.BytesIO(png(lay_out(design, lettering), dpi=_DPI))) as seal:
                size = (round(seal.width * _SHOWN), round(seal.height * _SHOWN))
                small = seal.resize(size, Image.Resampling.LANCZOS)
            x = round((column + 0.5) * dot * _CELL_MM - small.width / 2)
            y = sum(heights[:number]) + (heights[number] - small.height) // 2
            sheet.paste(small, (x, y), small)
    out = HERE / "seals.png"
    sheet.quantize(32, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    sys.stdout.write(f"{out.name:<24} {sheet.width} x {sheet.height}  {out.stat().st_size:,} octets\n")


if __name__ == "__main__":
    main()
