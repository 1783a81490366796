"""Text that flows over A4 pages, laid out as public bodies lay out theirs (GB/T 9704-2012 5.2)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from seal.fonts import Font
from seal.formats.ofd.document.breaking import break_lines
from seal.formats.ofd.document.model import PT_MM, Item, Page, Rule, Template, Text, text_width

TOP_MM, LEFT_MM, TEXT_WIDTH_MM, TEXT_HEIGHT_MM = 37.0, 28.0, 156.0, 225.0
"""GB/T 9704 5.2.1: margins of 37 and 28 mm around a text of 156 by 225 mm."""
_BODY_MM = TEXT_WIDTH_MM / 28
_PITCH_MM = TEXT_HEIGHT_MM / 22
"""GB/T 9704 5.2.3: 22 lines of 28 characters."""
_NUMBER_MM = 14 * PT_MM
_NUMBER_BELOW_MM = 7.0
_BASE = 0.68
"""Where in a line's height its base line is."""
_PADDING_MM = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A line, or some, in the middle."""

    text: str
    size_mm: float = 22 * PT_MM
    bold_font: Font | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph, its first line indented by ``indent`` characters; ``right`` sets it at the right margin."""

    text: str
    indent: int = 2
    right: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of cells between lines. ``shares`` are the columns' parts of the width."""

    rows: tuple[tuple[str, ...], ...]
    shares: tuple[float, ...]


Block = Heading | Paragraph | Table


def flow(
    blocks: Iterable[Block], *, font: Font | str, templates: tuple[Template, ...] = (), numbered: bool = True
) -> tuple[Page, ...]:
    """Lay ``blocks`` out over as many A4 pages as they need; at least one.

    Refuses (GlyphMissing) what ``font`` cannot write. Raises ValueError for a table whose rows do not have a cell a
    column, or with a row that is higher than a page.
    """
    sheets = _Sheets(font)
    for block in blocks:
        match block:
            case Heading():
                sheets.heading(block)
            case Paragraph():
                sheets.paragraph(block)
            case Table():
                sheets.table(block)
    return tuple(
        Page(items=(*items, *(_number(page, font) if numbered else ())), templates=templates)
        for page, items in enumerate(sheets.pages, start=1)
    )


def _number(page: int, font: Font | str) -> Iterator[Item]:
    """Write a page's number below the text, at the outer edge (GB/T 9704 7.5)."""
    text = f"— {page} —"
    width = text_width(text, _NUMBER_MM, font)
    inset = _NUMBER_MM
    x = LEFT_MM + (TEXT_WIDTH_MM - inset - width if page % 2 else inset)
    y = TOP_MM + TEXT_HEIGHT_MM + _NUMBER_BELOW_MM + _NUMBER_MM
    yield Text(x_mm=x, y_mm=y, text=text, size_mm=_NUMBER_MM, font=font)


@dataclass(slots=True)
class _Sheets:
    """Fills one page after another from the top."""

    font: Font | str
    pages: list[list[Item]] = field(default_factory=lambda: [[]])
    used_mm: float = 0.0

    def _room(self, height_mm: float) -> float:
        """Give the top of ``height_mm`` of free room, on this page or the next."""
        if self.used_mm + height_mm > TEXT_HEIGHT_MM + 1e-6 and self.pages[-1]:
            self.pages.append([])
            self.used_mm = 0.0
        top = TOP_MM + self.used_mm
        self.used_mm += height_mm
        return top

    def _put(self, text: str, x_mm: float, top_mm: float, pitch_mm: float, **how: "float | Font | str") -> None:
        size, font, spacing = how.get("size", _BODY_MM), how.get("font", self.font), how.get("spacing", 0.0)
        self.pages[-1].append(
            Text(
                x_mm=x_mm,
                y_mm=top_mm + pitch_mm * _BASE,
                text=text,
                size_mm=size,  # type: ignore[arg-type]
                font=font,  # type: ignore[arg-type]
                spacing_mm=spacing,  # type: ignore[arg-type]
            )
        )

    def heading(self, block: Heading) -> None:
        font = block.bold_font or self.font
        pitch = block.size_mm * 1.4
        for line in break_lines(block.text, TEXT_WIDTH_MM / block.size_mm, font):
            x = LEFT_MM + (TEXT_WIDTH_MM - text_width(line, block.size_mm, font)) / 2
            self._put(line, x, self._room(pitch), pitch, size=block.size_mm, font=font)
        self.used_mm += _PITCH_MM / 2

    def paragraph(self, block: Paragraph) -> None:
        lines = list(break_lines("\u3000" * block.indent + block.text, TEXT_WIDTH_MM / _BODY_MM, self.font))
        for index, line in enumerate(lines or [""], start=1):
            top = self._room(_PITCH_MM)
            spare = TEXT_WIDTH_MM - text_width(line, _BODY_MM, self.font)
            # Every line but the last is set out to the right margin.
            spacing = spare / (len(line) - 1) if index < len(lines) and len(line) > 1 else 0.0
            if line:
                self._put(line, LEFT_MM + (spare if block.right else 0), top, _PITCH_MM, spacing=spacing)

    def table(self, block: Table) -> None:
        if any(len(row) != len(block.shares) for row in block.rows):
            raise ValueError("a table's rows have a cell a column")
        widths = [TEXT_WIDTH_MM * share / sum(block.shares) for share in block.shares]
        self.used_mm += _PADDING_MM if self.pages[-1] else 0.0
        for row in block.rows:
            self._row(row, widths)
        self.used_mm += _PADDING_MM

    def _row(self, row: tuple[str, ...], widths: list[float]) -> None:
        pitch = _PITCH_MM * 0.86
        cells = [
            list(break_lines(cell, (width - 2 * _PADDING_MM) / _BODY_MM, self.font))
            for cell, width in zip(row, widths, strict=True)
        ]
        height = pitch * max(1, *(len(lines) for lines in cells)) + _PADDING_MM
        if height > TEXT_HEIGHT_MM:
            raise ValueError("a table's row is higher than a page")
        top = self._room(height)
        x = LEFT_MM
        for lines, width in zip(cells, widths, strict=True):
            begin = top + (height - pitch * len(lines)) / 2
            for index, line in enumerate(lines):
                self._put(line, x + _PADDING_MM, begin + index * pitch, pitch)
            self.pages[-1].append(Rule(x1_mm=x, y1_mm=top, x2_mm=x, y2_mm=top + height))
            x += width
        self.pages[-1].append(Rule(x1_mm=x, y1_mm=top, x2_mm=x, y2_mm=top + height))
        for y in (top, top + height):
            self.pages[-1].append(Rule(x1_mm=LEFT_MM, y1_mm=y, x2_mm=x, y2_mm=y))
