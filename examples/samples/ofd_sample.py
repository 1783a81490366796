"""A sample approval result in OFD: one A4 page laid out as GB/T 9704 asks; every name and number in it is invented.

Run it with a path to write the unsealed document there.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from seal.formats.ofd.document import Image, Item, Page, Rule, Text, text_width
from seal.formats.ofd.document.breaking import break_lines
from seal.formats.ofd.document.model import A4_MM, PT_MM
from seal.formats.ofd.writer import write_simple_ofd
from seal.placing import AtPoint

DOC_ID = "5b0d7c1e9a3f4e2d8c6b1a0f3e5d7c90"
CREATED = date(2026, 11, 22)
AGENCY = "云江市政务服务局"
NUMBER = "云政服许准〔2026〕118号"
TITLE = ("关于准予云江市青禾食品有限公司", "食品生产许可的行政许可决定")
ADDRESSEE = "云江市青禾食品有限公司："
BODY = (
    (
        "你单位于2026年11月16日提出的食品生产许可申请（受理号：2026-0411-00532），本机关已依法受理。"
        "经审查，你单位提交的申请材料齐全，生产场所经现场核查合格。根据《中华人民共和国行政许可法》"
        "第三十八条第一款、《中华人民共和国食品安全法》第三十五条的规定，决定准予许可，许可内容如下："
    ),
)
TABLE = (
    ("许可事项", "食品生产许可（新办）"),
    ("食品类别", "糕点；饮料"),
    ("生产地址", "云江市临江区禾丰路16号3幢"),
    ("有效期限", "2026年11月22日至2031年11月21日"),
)
AFTER = (
    (
        "请自收到本决定之日起，按照许可的范围从事生产活动，并接受监督检查。如对本决定不服，可以自收到之日起六十日内"
        "依法申请行政复议，或者六个月内依法提起行政诉讼。"
    ),
)
NOTICE = "样例文书：机关、单位、编号均为虚构，不具有法律效力"

LEFT_MM, TEXT_MM = 28.0, 156.0
RIGHT_MM = LEFT_MM + TEXT_MM
CENTRE_MM = A4_MM[0] / 2
BODY_MM = TEXT_MM / 28
"""GB/T 9704 5.2.3: 28 characters a line; near enough to size three (16 pt)."""
PITCH_MM = 9.1
RED = (213, 43, 30)
GREY = (120, 120, 120)
INDENT = "　　"


@dataclass(slots=True)
class _Pen:
    """Sets lines one under another; ``y_mm`` is the next base line."""

    y_mm: float

    def paragraph(self, text: str) -> Iterator[Text]:
        lines = list(break_lines(INDENT + text, TEXT_MM / BODY_MM))
        for line in lines:
            spare = TEXT_MM - text_width(line, BODY_MM)
            # Every line but the last is set out to the right margin.
            spacing = spare / (len(line) - 1) if line is not lines[-1] or spare < 0 else 0.0
            yield self.line(line, spacing_mm=spacing)

    def line(self, text: str, *, font: str = "仿宋", spacing_mm: float = 0.0) -> Text:
        made = Text(x_mm=LEFT_MM, y_mm=self.y_mm, text=text, size_mm=BODY_MM, font=font, spacing_mm=spacing_mm)
        self.y_mm += PITCH_MM
        return made

    def table(self) -> Iterator[Item]:
        label_mm, row_mm, thin = 38.0, 9.6, 0.25
        top = self.y_mm - PITCH_MM + 3.2
        size = 14 * PT_MM
        for index, (label, text) in enumerate(TABLE):
            base = top + index * row_mm + row_mm / 2 + size * 0.36
            yield Text(
                x_mm=LEFT_MM + (label_mm - text_width(label, size)) / 2,
                y_mm=base,
                text=label,
                size_mm=size,
                font="黑体",
            )
            yield Text(x_mm=LEFT_MM + label_mm + 4, y_mm=base, text=text, size_mm=size, font="仿宋")
        bottom = top + len(TABLE) * row_mm
        for index in range(len(TABLE) + 1):
            y = top + index * row_mm
            yield Rule(x1_mm=LEFT_MM, y1_mm=y, x2_mm=RIGHT_MM, y2_mm=y, width_mm=thin)
        for x in (LEFT_MM, LEFT_MM + label_mm, RIGHT_MM):
            yield Rule(x1_mm=x, y1_mm=top, x2_mm=x, y2_mm=bottom, width_mm=thin)
        self.y_mm = bottom + PITCH_MM


def centred(text: str, y_mm: float, size_mm: float, **how: object) -> Text:
    """Set one line in the middle of the page."""
    line = Text(x_mm=0, y_mm=y_mm, text=text, size_mm=size_mm, **how)  # type: ignore[arg-type]
    return Text(x_mm=CENTRE_MM - line.width_mm / 2, y_mm=y_mm, text=text, size_mm=size_mm, **how)  # type: ignore[arg-type]


def decision_page(qr_png: bytes | None = None) -> Page:
    """Lay out the decision; ``qr_png`` goes beside the signature for those who verify it from paper."""
    items: list[Item] = [
        centred(AGENCY, 48, 30 * PT_MM, bold=True, colour=RED, spacing_mm=2.5),
        centred(NUMBER, 62, BODY_MM, font="仿宋"),
        Rule(x1_mm=LEFT_MM, y1_mm=66, x2_mm=RIGHT_MM, y2_mm=66, width_mm=0.7, colour=RED),
    ]
    items += [centred(line, 82 + index * 10.5, 20 * PT_MM, bold=True) for index, line in enumerate(TITLE)]
    pen = _Pen(y_mm=107)
    items.append(pen.line(ADDRESSEE))
    for paragraph in BODY:
        items += pen.paragraph(paragraph)
    items += pen.table()
    for paragraph in AFTER:
        items += pen.paragraph(paragraph)
    day = f"{CREATED.year}年{CREATED.month}月{CREATED.day}日"
    items += [
        Text(
            x_mm=SIGNED_AT_MM[0] - text_width(text, BODY_MM) / 2,
            y_mm=SIGNED_AT_MM[1] + index * PITCH_MM,
            text=text,
            size_mm=BODY_MM,
            font="仿宋",
        )
        for index, text in enumerate((AGENCY, day))
    ]
    if qr_png is not None:
        items.append(Image(x_mm=LEFT_MM, y_mm=244, width_mm=24, height_mm=24, octets=qr_png))
        items.append(Text(x_mm=LEFT_MM + 27, y_mm=258, text="扫码核验", size_mm=10 * PT_MM, font="黑体"))
    items.append(Rule(x1_mm=LEFT_MM, y1_mm=274, x2_mm=RIGHT_MM, y2_mm=274, width_mm=0.35, colour=RED))
    items.append(centred(NOTICE, 281, 9 * PT_MM, font="黑体", colour=GREY))
    return Page(items=tuple(items))


SIGNED_AT_MM = (148.0, 246.0)
"""The middle of the agency's name and its base line."""


def seal_place(diameter_mm: float) -> AtPoint:
    """Give the seal's place: over the agency's name and the date (GB/T 9704 7.3.5.1)."""
    x, y = SIGNED_AT_MM
    return AtPoint.on(-1, x_mm=x - diameter_mm / 2, y_mm=y + 3 - diameter_mm / 2)


def decision(qr_png: bytes | None = None) -> bytes:
    """Write the sample decision, unsealed."""
    return write_simple_ofd(
        [decision_page(qr_png)], doc_id=DOC_ID, title="".join(TITLE), created=CREATED, author=AGENCY
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(decision())
