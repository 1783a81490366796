"""Letters: the same everywhere, whole or refused, and data never more than data."""

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pypdfium2
import pytest

from license_store.letters.model import (
    LetterBody,
    LetterField,
    LetterRowsInvalid,
    LetterTemplate,
    LetterTemplateInvalid,
    check_body,
    check_rows,
)
from license_store.letters.printing import LetterPrinter
from license_store.model import RenderingFailed
from seal.errors import GlyphMissing, PlacementRefused
from seal.placing import AtKeyword, AtPoint

from .conftest import BODY, row


def template(**changes: Any) -> LetterTemplate:
    return LetterTemplate(
        organisation="11440300999999999D",
        code="permit",
        version=1,
        body=replace(BODY, **changes),
        sm3="",
        created_at=datetime(2026, 11, 22, 8, tzinfo=UTC),
        created_by="registry",
    )


def pages(document: bytes) -> list[str]:
    with pypdfium2.PdfDocument(document) as pdf:
        return [re.sub(r"[\s\u200b]", "", page.get_textpage().get_text_range()) for page in pdf]


_ELSEWHERE = """
import sys
from license_store.letters.model import LetterBody
from license_store.letters.printing import LetterPrinter
from license_store.typesetting import Typesetter
from seal.fonts import packaged_font
said = LetterBody.read(sys.argv[1])
sys.stdout.buffer.write(LetterPrinter(Typesetter(packaged_font())).pdf(said, at=int(sys.argv[2])))
"""


def test_the_same_row_gives_the_same_octets_in_another_process(printer: LetterPrinter) -> None:
    made = template()
    given = (made.body.filled(row()).canonical(), f"{made.created_at.timestamp():.0f}")
    other = subprocess.run([sys.executable, "-c", _ELSEWHERE, *given], check=True, capture_output=True).stdout
    assert other == printer.letter(made, row())


def test_a_letter_says_what_its_row_says_and_claims_pdf_a_2b(printer: LetterPrinter) -> None:
    document = printer.letter(template(), row(7))
    assert document.endswith(b"%%EOF\n")
    assert re.search(rb"pdfaid:part>2<.*pdfaid:conformance>B<", document, re.DOTALL)
    (text,) = pages(document)
    for words in ("示市监许〔2026〕7号", "示例公司7：", "提出的仓储申请", "示例市市场监督管理局2026年11月22日"):
        assert words in text
    assert "预览" not in text


def test_a_preview_says_on_every_page_that_it_is_one(printer: LetterPrinter) -> None:
    shown = pages(printer.letter(template(paragraphs=("正文" * 900, "决定。")), row(), preview=True))
    assert len(shown) > 1
    assert all("预览未盖章" in page for page in shown)


def test_data_are_never_markup_and_braces_stand_for_themselves(printer: LetterPrinter) -> None:
    nasty = row(事项='#panic("x")*粗*$x$\\{申请人}', 附注="甲" * 200)
    (text,) = pages(printer.letter(template(paragraphs=("{{原样}}{事项}{附注}",)), nasty))
    assert '{原样}#panic("x")*粗*$x$\\{申请人}甲' in text


def test_a_long_number_breaks_and_stays_on_the_page(printer: LetterPrinter) -> None:
    with pypdfium2.PdfDocument(printer.letter(template(), row(附注="W" * 200))) as pdf:
        page = pdf[0].get_textpage()
        assert page.get_text_range().count("W") == 200
        right = max(page.get_charbox(at)[2] for at in range(page.count_chars()))
    assert right < (210 - 25) / 25.4 * 72


@pytest.mark.parametrize("characters", range(500, 900, 100))
def test_no_page_has_a_seal_and_no_text(printer: LetterPrinter, characters: int) -> None:
    last = pages(printer.letter(template(paragraphs=("正" * characters, "末段。")), row()))[-1]
    assert "末段。示例市市场监督管理局" in last


@pytest.mark.parametrize("paragraph", ["短。", "正" * 600])
def test_the_issuer_stands_on_the_right_above_the_date(printer: LetterPrinter, paragraph: str) -> None:
    with pypdfium2.PdfDocument(printer.letter(template(paragraphs=(paragraph,)), row())) as pdf:
        page = pdf[len(pdf) - 1].get_textpage()
        words = page.get_text_range()
        issuer, date = words.rindex(BODY.issuer), words.rindex("2026年11月22日")
        (left, low, *_), (_, _, _, high) = page.get_charbox(issuer), page.get_charbox(date)
    assert left > 210 / 2 / 25.4 * 72
    assert low > high


def test_the_seal_goes_over_the_issuer_or_where_the_template_says() -> None:
    named = replace(BODY, issuer="示例市{申请人}")
    assert named.placement(row(2)) == AtKeyword(text="示例市示例公司2", pick=-1, dy_mm=3.0)
    assert replace(BODY, seal="point;x=120;y=230").placement(row()) == AtPoint(x_mm=120, y_mm=230)


def test_what_was_written_down_is_read_again_the_same() -> None:
    assert LetterBody.read(BODY.canonical()) == BODY
    assert LetterBody.read(BODY.canonical()).canonical() == BODY.canonical()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"title": " "}, ["title: missing"]),
        ({"title": "题" * 201}, ["title: longer than 200 characters"]),
        ({"paragraphs": ()}, ["paragraphs: 1 to 60", "stands nowhere"]),
        ({"date": "{年}"}, ["date: there is no field 年", "fields: 日期 stands nowhere"]),
        ({"date": "{日期"}, ["date: a brace alone"]),
        ({"date": "{日期}{<b>}"}, ["date: there is no field ?"]),
        ({"number": "{号}\u202e"}, ["number: has an unprintable character (U+202E)"]),
        ({"number": "{号}😀"}, ["number: has characters that the font cannot show: U+1F600"]),
        ({"issuer": "{附注}"}, ["issuer: may be empty"]),
        ({"fields": (*BODY.fields, LetterField(name="号"))}, ["fields.6: this name is there twice"]),
        ({"fields": (*BODY.fields, LetterField(name="a b"))}, ["fields.6: a name is", "? stands nowhere"]),
        ({"fields": (*BODY.fields[:4], LetterField(name="附注", max_length=501))}, ["fields.5: max_length"]),
    ],
)
def test_what_makes_no_template_is_named(printer: LetterPrinter, changes: dict[str, Any], told: Sequence[str]) -> None:
    with pytest.raises(LetterTemplateInvalid) as refused:
        check_body(replace(BODY, **changes), printer.missing)
    assert all(words in refused.value.detail for words in told), refused.value.detail


@pytest.mark.parametrize("seal", ["nowhere", "keyword:", f"keyword:{'章' * 200}"])
def test_a_seal_that_could_not_be_placed_is_refused(printer: LetterPrinter, seal: str) -> None:
    with pytest.raises(PlacementRefused):
        check_body(replace(BODY, seal=seal), printer.missing)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"号": ""}, "row 2, 号: missing"),
        ({"号": "1" * 11}, "row 2, 号: longer than 10 characters"),
        ({"申请人": "甲\n乙"}, "row 2, 申请人: has an unprintable character (U+000A)"),
        ({"申请人": "欧阳😀"}, "row 2, 申请人: has characters that the font cannot show: U+1F600"),
        ({"别的": "甲"}, "row 2, 别的: no field of this template"),
        ({"<b>": "甲"}, "row 2, ?: no field of this template"),
    ],
)
def test_a_row_that_does_not_fit_is_named_and_not_repeated(
    printer: LetterPrinter, changes: dict[str, str], told: str
) -> None:
    with pytest.raises(LetterRowsInvalid) as refused:
        check_rows(BODY, [row(1), row(2, **changes), row(3)], printer.missing)
    assert refused.value.detail == told


def test_all_problems_of_the_first_twenty_bad_rows_are_told_at_once(printer: LetterPrinter) -> None:
    rows = [row(number) if number % 2 else row(number, 号="", 事项="") for number in range(1, 101)]
    with pytest.raises(LetterRowsInvalid) as refused:
        check_rows(BODY, rows, printer.missing)
    assert [(each.row, each.field) for each in refused.value.problems] == [
        (number, field) for number in range(2, 41, 2) for field in ("号", "事项")
    ]


def test_what_may_be_left_out_may_be_left_out(printer: LetterPrinter) -> None:
    check_rows(BODY, [row(), row(附注="")], printer.missing)


def test_what_does_not_fit_is_refused_not_cut(printer: LetterPrinter) -> None:
    with pytest.raises(RenderingFailed):
        printer.letter(template(issuer="局" * 60), row())
    with pytest.raises(RenderingFailed):
        printer.letter(template(paragraphs=("正" * 2000,) * 6), row())
    with pytest.raises(GlyphMissing):
        printer.letter(template(), row(事项="😀"))
