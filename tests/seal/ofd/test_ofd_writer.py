"""Simple OFD documents: what is laid out is what stands in the file."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from lxml import etree

from examples.samples.ofd_sample import LEFT_MM, NOTICE, RIGHT_MM, decision, decision_page, seal_place
from seal.formats.ofd import Image, Page, Rule, Text, verify_ofd, write_simple_ofd
from seal.formats.ofd.document.breaking import break_lines
from seal.model import Verdict

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
DAY = date(2026, 11, 22)
PNG = b"\x89PNG\r\n\x1a\n as far as a writer looks"
Unpack = Callable[[bytes], dict[str, bytes]]


def written(*items: Text | Rule | Image, unpack: Unpack) -> dict[str, etree._Element]:
    document = write_simple_ofd([Page(items=items)], doc_id="a" * 32, title="题", created=DAY)
    return {path: etree.fromstring(content) for path, content in unpack(document).items() if path.endswith(".xml")}


def test_a_line_of_text_advances_by_whole_and_half_characters(unpack: Unpack) -> None:
    files = written(Text(x_mm=20, y_mm=30, text="第1条A", size_mm=4, font="黑体", bold=True), unpack=unpack)
    line = files["Doc_0/Pages/Page_0/Content.xml"].find(".//{*}TextObject")
    assert line is not None
    code = line.find("{*}TextCode")
    assert code is not None
    assert (code.text, code.get("DeltaX")) == ("第1条A", "4 2 4")
    assert line.get("Boundary") == "20 26.56 12 4.8"
    assert line.get("Weight") == "700"
    font = files["Doc_0/PublicRes.xml"].find(".//{*}Font")
    assert font is not None
    assert (font.get("ID"), font.get("FontName")) == (line.get("Font"), "黑体")


def test_rules_are_paths_and_pictures_are_resources(unpack: Unpack) -> None:
    files = written(
        Rule(x1_mm=10, y1_mm=20, x2_mm=110, y2_mm=20, width_mm=0.5, colour=(255, 0, 0)),
        Image(x_mm=5, y_mm=6, width_mm=7, height_mm=8, octets=PNG),
        Image(x_mm=50, y_mm=6, width_mm=7, height_mm=8, octets=PNG),
        unpack=unpack,
    )
    page = files["Doc_0/Pages/Page_0/Content.xml"]
    assert page.findtext(".//{*}AbbreviatedData") == "M 0.25 0.25 L 100.25 0.25"
    shown = page.findall(".//{*}ImageObject")
    media = files["Doc_0/DocumentRes.xml"].findall(".//{*}MultiMedia")
    assert [row.get("ResourceID") for row in shown] == [media[0].get("ID")] * 2
    assert len(media) == 1


def test_ids_are_unique_and_below_the_highest_named(unpack: Unpack) -> None:
    files = unpack(decision(PNG))
    roots = [etree.fromstring(content) for path, content in files.items() if path.endswith(".xml")]
    ids = [int(element.get("ID", "0")) for root in roots for element in root.iter() if element.get("ID")]
    defined = [number for number in ids if ids.count(number) > 1]
    # A page has its id once where it is defined and once where it is listed; everything else once.
    assert len(set(defined)) == 0
    highest = etree.fromstring(files["Doc_0/Document.xml"]).findtext(".//{*}MaxUnitID")
    assert highest == str(max(ids))


def test_what_xml_cannot_carry_is_refused() -> None:
    page = Page(items=(Text(x_mm=1, y_mm=5, text="a\x00b", size_mm=4),))
    with pytest.raises(ValueError, match="XML"):
        write_simple_ofd([page], doc_id="a" * 32, title="题", created=DAY)


def test_the_sample_decision_keeps_its_margins_and_says_it_is_a_sample() -> None:
    texts = [item for item in decision_page().items if isinstance(item, Text)]
    assert NOTICE in {item.text for item in texts}
    assert all(item.x_mm >= LEFT_MM - 0.01 and item.x_mm + item.width_mm <= RIGHT_MM + 0.01 for item in texts)


def test_the_sample_decision_can_be_sealed_where_it_says(bureau: Any) -> None:
    place = seal_place(40)
    sealed = bureau.sealed(decision(), mark=replace(bureau.mark(), placement=place))
    assert verify_ofd(sealed, bureau.trust).verdict is Verdict.VALID


def test_lines_break_where_chinese_lines_may() -> None:
    assert list(break_lines("一二三四，五六七（八）九", 4)) == ["一二三", "四，五六", "七（八）", "九"]
