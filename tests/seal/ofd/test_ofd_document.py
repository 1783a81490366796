"""Documents we make: found again by readers that share nothing with the writer, and refused where they would lie."""

import io
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from fontTools.ttLib import TTFont
from lxml import etree
from PIL import Image as Pillow
from PIL import ImageFont

from seal.errors import GlyphMissing
from seal.fonts import Font
from seal.formats.ofd import verify_ofd, write_simple_ofd
from seal.formats.ofd.document import (
    About,
    Attachment,
    Document,
    Heading,
    Image,
    Outline,
    Page,
    Paragraph,
    Rule,
    Shape,
    Table,
    Template,
    Text,
    document_font,
    flow,
    rectangle,
    text_width,
    write_ofd,
)
from seal.formats.ofd.package import OfdPackage
from seal.formats.ofd.structure import read_bodies, read_pages
from seal.formats.ofd.text import PageTexts
from seal.model import Verdict

Unpack = Callable[[bytes], dict[str, bytes]]
ABOUT = About(
    doc_id="0" * 32, title="准予行政许可决定书", created=date(2026, 11, 22), custom={"caseNumber": "2026-118"}
)
WORDS = "准予行政许可，Office AVAfi 2026。"


@pytest.fixture(scope="module")
def font() -> Font:
    return document_font()


def picture(form: str) -> bytes:
    out = io.BytesIO()
    Pillow.new("RGB", (4, 4), (200, 0, 0)).save(out, form)
    return out.getvalue()


@pytest.fixture(scope="module")
def document(font: Font) -> Document:
    """One of everything."""
    frame = Template(items=(rectangle(20, 20, 170, 257, fill=(255, 250, 240)),), name="frame")
    over = Template(items=(Text(x_mm=1, y_mm=9, text="样例", size_mm=3, font=font),), foreground=True)
    items = (
        Text(x_mm=30, y_mm=40, text=WORDS, size_mm=5, font=font),
        Text(x_mm=30, y_mm=60, text="黑体", size_mm=5, font=document_font(700)),
        Text(x_mm=30, y_mm=70, text="外部", size_mm=5, font="仿宋", bold=True),
        Rule(x1_mm=30, y1_mm=80, x2_mm=90, y2_mm=80, dash_mm=(2, 1)),
        Shape(
            steps=(("M", (30, 90)), ("B", (40, 90, 50, 95, 50, 100)), ("Q", (40, 100, 30, 90)), ("C", ())), line_mm=0
        ),
        Image(x_mm=100, y_mm=100, width_mm=20, height_mm=20, octets=picture("PNG")),
        Image(x_mm=130, y_mm=100, width_mm=20, height_mm=20, octets=picture("JPEG")),
    )
    pages = (
        Page(items=items, templates=(frame, over)),
        Page(items=(), width_mm=297, height_mm=210, templates=(frame,)),
    )
    outlines = (Outline(title="正文", page=0, below=(Outline(title="附页", page=1, top_mm=20),)),)
    attached = (Attachment(name="原始数据.xml", octets=b"<a/>"), Attachment(name="说明", octets=b"-", visible=False))
    return Document(about=ABOUT, pages=pages, attachments=attached, outlines=outlines)


@pytest.fixture(scope="module")
def files(document: Document, unpack: Unpack) -> dict[str, bytes]:
    return unpack(write_ofd(document))


def roots(files: dict[str, bytes]) -> dict[str, etree._Element]:
    return {path: etree.fromstring(content) for path, content in files.items() if path.endswith("l")}


def test_the_same_document_gives_the_same_octets(document: Document) -> None:
    assert write_ofd(document) == write_ofd(document)


def test_what_is_written_is_what_readers_find(files: dict[str, bytes]) -> None:
    page = etree.fromstring(files["Doc_0/Pages/Page_0/Content.xml"])
    assert [code.text for code in page.iter("{*}TextCode")] == [WORDS, "黑体", "外部"]


def test_keywords_are_found_where_they_stand(document: Document) -> None:
    package = OfdPackage(write_ofd(document))
    (body,) = read_bodies(package)
    assert body.root is not None
    texts = PageTexts(package, body.root, read_pages(package, body.root))
    (place,) = texts.find("行政许可", (0, 1))
    assert place.page == 0
    assert (place.box.x, place.box.width) == pytest.approx((40, 20))
    assert place.box.y + place.box.height == pytest.approx(40)
    assert texts.find("OfficeAVAfi", (0,))


def test_a_written_document_can_be_sealed_and_holds(document: Document, bureau: Any, complaints: Any) -> None:
    report = verify_ofd(bureau.sealed(write_ofd(document)), bureau.trust)
    assert (report.verdict, complaints(report)) == (Verdict.VALID, [])


def test_every_part_has_a_number_of_its_own(files: dict[str, bytes]) -> None:
    numbers = [
        int(each.get("ID", "0")) for root in roots(files).values() for each in root.iter("{*}*") if each.get("ID")
    ]
    assert len(numbers) == len(set(numbers))
    highest = etree.fromstring(files["Doc_0/Document.xml"]).findtext(".//{*}MaxUnitID")
    assert highest == str(max(numbers))


def test_every_file_that_is_named_is_there_and_none_else(files: dict[str, bytes]) -> None:
    root = roots(files)
    named = {"OFD.xml", "Doc_0/Document.xml"}
    for each in root["Doc_0/Document.xml"].iter("{*}Page", "{*}TemplatePage"):
        named.add(f"Doc_0/{each.get('BaseLoc')}")
    for name in ("PublicRes", "DocumentRes", "Attachments"):
        named.add(f"Doc_0/{root['Doc_0/Document.xml'].findtext('.//{*}' + name)}")
    for path, folder in (("PublicRes", "Res"), ("DocumentRes", "Res"), ("Attachs/Attachments", "Attachs")):
        for each in root[f"Doc_0/{path}.xml"].iter("{*}FontFile", "{*}MediaFile", "{*}FileLoc"):
            named.add(f"Doc_0/{folder}/{each.text}")
    assert named == set(files)


def test_the_order_of_the_parts_is_the_schemas(files: dict[str, bytes]) -> None:
    def members(path: str, name: str) -> list[str]:
        found = roots(files)[path].find(name) if name else roots(files)[path]
        assert found is not None
        return list(dict.fromkeys(etree.QName(each).localname for each in found))

    about = ["DocID", "Title", "CreationDate", "Creator", "CustomDatas"]
    assert members("OFD.xml", "{*}DocBody/{*}DocInfo") == about
    common = ["MaxUnitID", "PageArea", "PublicRes", "DocumentRes", "TemplatePage"]
    assert members("Doc_0/Document.xml", "{*}CommonData") == common
    assert members("Doc_0/Document.xml", "") == ["CommonData", "Pages", "Outlines", "Attachments"]
    assert members("Doc_0/Pages/Page_0/Content.xml", "") == ["Template", "Area", "Content"]


@pytest.mark.parametrize(("name", "used"), [("NotoSansCJKSC-400", WORDS + "样例"), ("NotoSansCJKSC-700", "黑体")])
def test_an_embedded_font_holds_the_glyphs_used_and_no_others(files: dict[str, bytes], name: str, used: str) -> None:
    row = etree.fromstring(files["Doc_0/PublicRes.xml"]).find(f".//{{*}}Font[@FontName='{name}']")
    assert row is not None
    octets = files[f"Doc_0/Res/{row.findtext('{*}FontFile')}"]
    read = TTFont(io.BytesIO(octets))
    assert set(map(ord, used)) <= set(read.getBestCmap())
    assert len(read.getGlyphOrder()) == len(set(used)) + 1  # and the one for what is missing
    assert "CFF " in read  # version 2 is for few readers
    whole = document_font()
    theirs = ImageFont.truetype(whole.path, 60, index=whole.index)
    theirs.set_variation_by_axes([int(name[-3:])])
    # Another rasteriser sees the same glyph, but for the hints that were left out.
    assert ink(ImageFont.truetype(io.BytesIO(octets), 60), used[0]) == pytest.approx(ink(theirs, used[0]), rel=0.03)


def ink(font: ImageFont.FreeTypeFont, character: str) -> float:
    return sum(bytes(font.getmask(character))) / 255


def test_fonts_that_are_only_named_are_not_embedded(files: dict[str, bytes]) -> None:
    row = etree.fromstring(files["Doc_0/PublicRes.xml"]).find(".//{*}Font[@FontName='仿宋']")
    assert row is not None
    assert row.find("{*}FontFile") is None


def test_steps_are_the_advances_that_the_font_has(files: dict[str, bytes], font: Font) -> None:
    code = next(etree.fromstring(files["Doc_0/Pages/Page_0/Content.xml"]).iter("{*}TextCode"))
    steps = [float(step) for step in code.get("DeltaX", "").split()]
    assert len(steps) == len(WORDS) - 1
    read = TTFont(font.path, fontNumber=font.index)
    metrics, names = read["hmtx"], read.getBestCmap()
    # A Chinese character is as wide as the type is high; a pair like AV is set closer than its letters are wide.
    assert steps[0] == 5.0
    place = WORDS.index("AV")
    assert steps[place] < metrics[names[ord("A")]][0] * 5 / 1000 + 0.2
    assert sum(steps) == pytest.approx(text_width(WORDS, 5, font) - 5, abs=0.02)


def test_characters_that_share_a_glyph_stand_in_an_object_of_their_own(font: Font, unpack: Unpack) -> None:
    # 葛 with a variation selector is one glyph for two characters (UTS #37).
    words = "张葛\U000e0100城"
    made = write_ofd(
        Document(about=ABOUT, pages=(Page(items=(Text(x_mm=9, y_mm=9, text=words, size_mm=5, font=font),)),))
    )
    files = unpack(made)
    page = etree.fromstring(files["Doc_0/Pages/Page_0/Content.xml"])
    assert "".join(code.text or "" for code in page.iter("{*}TextCode")) == words
    (transform,) = page.iter("{*}CGTransform")
    assert transform.get("CodeCount") == "2"
    first = int((transform.findtext("{*}Glyphs") or "").split()[0])
    glyphs = TTFont(io.BytesIO(files["Doc_0/Res/Font_1.otf"])).getGlyphOrder()
    assert first in range(1, len(glyphs))


def test_a_rare_character_stands_alone_so_that_no_reader_miscounts_its_neighbours(font: Font, unpack: Unpack) -> None:
    # Beyond U+FFFF, readers that think in 16 bits see two characters.
    items = (Text(x_mm=10, y_mm=9, text="王𠮷明", size_mm=5, font=font),)
    made = write_ofd(Document(about=ABOUT, pages=(Page(items=items),)))
    page = etree.fromstring(unpack(made)["Doc_0/Pages/Page_0/Content.xml"])
    found = [(each.findtext("{*}TextCode"), each.get("Boundary", "").split()[0]) for each in page.iter("{*}TextObject")]
    assert found == [("王", "10"), ("𠮷", "15"), ("明", "20")]


@pytest.mark.parametrize(
    ("text", "named"), [("张\U0001f600三", "U\\+1F600"), ("\ue000", "U\\+E000"), ("a\u0007", "U\\+0007")]
)
def test_a_character_without_glyph_is_refused_by_name(font: Font, text: str, named: str) -> None:
    page = Page(items=(Text(x_mm=9, y_mm=9, text=text, size_mm=5, font=font),))
    with pytest.raises(GlyphMissing, match=named):
        write_ofd(Document(about=ABOUT, pages=(page,)))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"items": (Image(x_mm=0, y_mm=0, width_mm=1, height_mm=1, octets=b"GIF89a"),)}, "PNG or a JPEG"),
        ({"items": (Shape(steps=(("L", (1, 1)),)),)}, "first step"),
        ({"items": (Shape(steps=(("M", (1,)),)),)}, "no step"),
        ({"items": (Rule(x1_mm=0, y1_mm=0, x2_mm=1, y2_mm=1, colour=(256, 0, 0)),)}, "colour"),
        ({"items": (Text(x_mm=float("nan"), y_mm=0, text="a", size_mm=5),)}, "no length"),
        ({"items": (), "width_mm": float("inf")}, "no length"),
    ],
)
def test_what_no_page_can_have_is_no_page(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        write_ofd(Document(about=ABOUT, pages=(Page(**changed),)))


@pytest.mark.parametrize("name", ["../a.xml", "/etc/passwd", "C:\\a.xml", "a\n.xml", "..", ""])
def test_an_attachment_whose_name_is_a_path_is_none(name: str) -> None:
    """Readers save attachments under their names."""
    with pytest.raises(ValueError, match="attachment"):
        write_ofd(Document(about=ABOUT, pages=(Page(items=()),), attachments=(Attachment(name=name, octets=b""),)))


def test_an_outline_to_no_page_is_none() -> None:
    with pytest.raises(ValueError, match="page 3"):
        write_ofd(Document(about=ABOUT, pages=(Page(items=()),), outlines=(Outline(title="无", page=3),)))


def test_attachments_are_listed_with_their_names(files: dict[str, bytes]) -> None:
    rows = list(etree.fromstring(files["Doc_0/Attachs/Attachments.xml"]).iter("{*}Attachment"))
    assert [(row.get("Name"), row.get("Format"), row.get("Visible")) for row in rows] == [
        ("原始数据.xml", "xml", "true"),
        ("说明", "bin", "false"),
    ]
    assert [files[f"Doc_0/Attachs/{row.findtext('{*}FileLoc')}"] for row in rows] == [b"<a/>", b"-"]


# --- text that flows -------------------------------------------------------------------------------------------

LONG = (
    "你单位于2026年11月16日提出的食品生产许可申请（受理号：2026-0411-00532），本机关已依法受理，经审查，决定准予许可。"
)


def lines(pages: tuple[Page, ...]) -> list[Text]:
    return [item for page in pages for item in page.items if isinstance(item, Text)]


def test_text_flows_over_as_many_pages_as_it_needs(font: Font) -> None:
    pages = flow([Heading(text="决定书"), *[Paragraph(text=LONG)] * 40], font=font)
    assert len(pages) > 2
    written = re.sub(r"— \d+ —", "", "".join(line.text for line in lines(pages)))
    assert written.count("\u3000\u3000" + LONG) == 40
    for line in lines(pages):
        assert line.x_mm >= 27.99
        assert line.x_mm + line.width_mm <= 184.01
        assert 37 < line.y_mm < 280
        assert line.text[0] not in "，。；：、）"
        assert line.text[-1] != "（"
    numbers = [re.sub(r"\D", "", page.items[-1].text) for page in pages if isinstance(page.items[-1], Text)]
    assert numbers == [str(number) for number in range(1, len(pages) + 1)]


def test_lines_but_the_last_of_a_paragraph_reach_the_margin(font: Font) -> None:
    first, *_, last = lines(flow([Paragraph(text=LONG * 2)], font=font, numbered=False))
    assert first.x_mm + first.width_mm == pytest.approx(184, abs=0.01)
    assert last.spacing_mm == 0


def test_a_table_keeps_its_rows_whole_and_its_cells_apart(font: Font) -> None:
    rows = tuple((f"第{row}项", LONG) for row in range(30))
    pages = flow([Table(rows=rows, shares=(1, 3))], font=font, numbered=False)
    assert len(pages) > 1
    assert "".join(line.text for line in lines(pages) if line.x_mm > 60) == LONG * 30
    for page in pages:
        rules = [item.y2_mm for item in page.items if isinstance(item, Rule)]
        assert max(rules) <= 262.01


def test_a_table_with_a_cell_too_few_is_none(font: Font) -> None:
    with pytest.raises(ValueError, match="cell"):
        flow([Table(rows=(("一",),), shares=(1, 1))], font=font)


def test_no_blocks_are_one_empty_page(font: Font) -> None:
    assert len(flow([], font=font, numbered=False)) == 1
    assert write_simple_ofd(flow([], font="宋体"), doc_id="0" * 32, title="空", created=date(2026, 11, 22))
