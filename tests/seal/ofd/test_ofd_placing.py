"""Seals at keywords, over edges and on many pages of an OFD document, under one signature."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from seal.errors import DocumentRefused, FurtherSealingForbidden, PlacementRefused
from seal.formats.ofd import verify_ofd
from seal.formats.ofd.archive import write_archive
from seal.formats.ofd.numbers import deltas, number, numbers
from seal.formats.ofd.package import OfdPackage
from seal.formats.ofd.structure import read_bodies, read_signature, read_signature_list
from seal.formats.ofd.surface import OfdSurface
from seal.model import Verdict
from seal.placing import AtKeyword, AtPoint, Edge, Facing, PageList, Placement, Straddle
from seal.placing import stamps as place_stamps
from seal.placing.words import MOST_ON_PAGE

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
OFD = "http://www.ofdspec.org/2016"
Unpack = Callable[[bytes], dict[str, bytes]]


def page(*objects: str, area: str = "", template: str = "") -> str:
    used = f'<ofd:Template TemplateID="{template}"/>' if template else ""
    box = f"<ofd:Area><ofd:PhysicalBox>{area}</ofd:PhysicalBox></ofd:Area>" if area else ""
    layer = f'<ofd:Content><ofd:Layer ID="9">{"".join(objects)}</ofd:Layer></ofd:Content>'
    return f'<ofd:Page xmlns:ofd="{OFD}">{used}{box}{layer}</ofd:Page>'


def words(text: str, x: float, y: float, *, size: float = 5, step: str = "", extra: str = "") -> str:
    delta = f'DeltaX="{step}"' if step else ""
    code = f'<ofd:TextCode X="0" Y="{size}" {delta}>{text}</ofd:TextCode>'
    return f'<ofd:TextObject ID="10" Font="1" Size="{size}" Boundary="{x} {y} 150 20" {extra}>{code}</ofd:TextObject>'


def package(*pages: str, template: str = "") -> bytes:
    rows = "".join(f'<ofd:Page ID="{at + 1}" BaseLoc="Pages/{at}.xml"/>' for at in range(len(pages)))
    used = '<ofd:TemplatePage ID="77" BaseLoc="T.xml"/>' if template else ""
    area = "<ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:PageArea>"
    common = f"<ofd:CommonData><ofd:MaxUnitID>99</ofd:MaxUnitID>{area}{used}</ofd:CommonData>"
    files = {
        "OFD.xml": f'<ofd:OFD xmlns:ofd="{OFD}"><ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot>'
        "</ofd:DocBody></ofd:OFD>",
        "Doc_0/Document.xml": f'<ofd:Document xmlns:ofd="{OFD}">{common}<ofd:Pages>{rows}</ofd:Pages></ofd:Document>',
        **{f"Doc_0/Pages/{at}.xml": content for at, content in enumerate(pages)},
        **({"Doc_0/T.xml": template} if template else {}),
    }
    return write_archive({path: text.encode() for path, text in files.items()})


def found(document: bytes, text: str) -> list[tuple[int, float, float]]:
    read = OfdPackage(document)
    (body,) = read_bodies(read)
    surface = OfdSurface(read, body)
    places = surface.find(text, range(len(surface.pages)))
    return [(each.page, round(each.box.x, 2), round(each.box.y, 2)) for each in places]


def placed(bureau: Any, document: bytes, placement: Placement) -> bytes:
    sealed: bytes = bureau.sealed(document, mark=replace(bureau.mark(), placement=placement))
    return sealed


def stamps(document: bytes) -> list[tuple[str, str, str | None]]:
    read = OfdPackage(document)
    (body,) = read_bodies(read)
    assert body.signatures is not None
    row = read_signature_list(read, body.signatures)[-1]
    file = read_signature(read, read.locate(row.location, body.signatures) or "")
    return [(each.page, each.boundary, each.clip) for each in file.stamps]


# --- where words stand ---------------------------------------------------------------------------------------------


def test_words_are_found_across_objects_and_in_the_order_the_eye_reads() -> None:
    document = package(
        page(words("（盖", 40, 50, step="5"), words("申请人", 20, 20), words("章）", 50, 50.4, step="5"))
    )
    assert found(document, "盖章") == [(0, 45, 50)]
    assert found(document, "人") == [(0, 20, 20)]


def test_each_character_an_object_of_its_own_in_any_order_makes_words() -> None:
    letters = [words(letter, 30 + 6 * at, 80) for at, letter in enumerate("审批专用章")]
    assert found(package(page(*reversed(letters))), "审批专用章") == [(0, 30, 80)]


def test_words_in_templates_blocks_and_with_blanks_or_wide_forms_are_found() -> None:
    block = f'<ofd:PageBlock ID="5">{words("编号 ： ＡＢ１２", 10, 10, step="g 10 5")}</ofd:PageBlock>'
    document = package(page(block, template="77"), template=page(words("盖章处", 60, 60, step="5 5")))
    assert found(document, "编号：AB12") == [(0, 10, 10)]
    assert found(document, "盖章处") == [(0, 60, 60)]


def test_a_keyword_broken_over_two_lines_is_found_where_it_begins() -> None:
    document = package(page(words("请在此处签字盖", 20, 20, step="g 6 5"), words("章后交回", 20, 28, step="g 3 5")))
    assert found(document, "签字盖章") == [(0, 40, 20)]


def test_columns_are_not_read_across() -> None:
    document = package(page(words("甲方盖", 20, 20, step="5 5"), words("章程", 120, 20, step="5")))
    assert [x for _, x, _ in found(document, "盖章")] in ([], [30])
    assert found(document, "章程") == [(0, 120, 20)]


def test_scaled_and_moved_text_is_found_where_it_is_shown() -> None:
    document = package(page(words("盖章", 10, 10, step="5", extra='CTM="2 0 0 2 30 40"')))
    assert found(document, "盖章") == [(0, 40, 50)]


@pytest.mark.parametrize(
    ("text", "values"),
    [("1 2.5", [1, 2.5]), ("g 3 5 1", [5, 5, 5, 1]), ("g 3", []), ("1 x 2", [1]), ("g -1 2", []), (None, [])],
)
def test_distances_are_read_up_to_the_first_that_is_none(text: str | None, values: list[float]) -> None:
    assert list(deltas(text)) == values


def test_endless_runs_and_numbers_beyond_any_page_end_soon() -> None:
    assert sum(1 for _ in deltas("g 999999 1 " * 50)) == 100_000
    assert numbers("1 2 3 1e300", 4) is None
    assert number("nan", 7) == 7


# --- sealing there -------------------------------------------------------------------------------------------------


def test_every_keyword_gets_the_seal_under_one_signature(bureau: Any) -> None:
    document = package(page(words("盖章处", 100, 100, step="5 5")), page(words("盖章处", 50, 200, step="5 5")))
    sealed = placed(bureau, document, AtKeyword(text="盖章处", dy_mm=3))
    assert stamps(sealed) == [("1", "87.5 85.5 40 40", None), ("2", "37.5 185.5 40 40", None)]
    report = verify_ofd(sealed, bureau.trust)
    assert report.verdict is Verdict.VALID
    assert len(report.signatures) == 1


def test_a_straddle_seal_shows_a_slice_on_every_page(bureau: Any) -> None:
    document = package(page(), page(area="0 0 297 210"), page(), page())
    sealed = placed(bureau, document, Straddle(margin_mm=1))
    assert stamps(sealed) == [
        ("1", "199 85 40 40", "0 0 10 40"),
        ("2", "276 85 40 40", "10 0 10 40"),
        ("3", "179 85 40 40", "20 0 10 40"),
        ("4", "169 85 40 40", "30 0 10 40"),
    ]
    assert verify_ofd(sealed, bureau.trust).verdict is Verdict.VALID


def test_the_straddle_seal_stands_where_another_maker_puts_it(corpus: Path, bureau: Any) -> None:
    theirs = (corpus / "ofd/ofd/V4RideRight.ofd").read_bytes()
    read = OfdPackage(theirs)
    count = len(OfdSurface(read, read_bodies(read)[0]).pages)
    shown = stamps(theirs)
    width = float(shown[0][1].split()[2])
    ours = stamps(placed(bureau, package(*[page() for _ in range(count)]), Straddle(edge=Edge.RIGHT)))
    scale = 40 / width
    for (_, their_box, their_clip), (_, our_box, our_clip) in zip(shown, ours, strict=True):
        gap_theirs = 210 - float(their_box.split()[0])
        gap_ours = 210 - float(our_box.split()[0])
        assert gap_ours == pytest.approx(gap_theirs * scale, abs=0.01)
        assert [float(each) for each in (our_clip or "").split()[:1]] == [
            pytest.approx(float((their_clip or "").split()[0]) * scale, abs=0.01)
        ]


def test_stamps_take_numbers_of_their_own_and_a_second_seal_goes_on_from_there(bureau: Any, unpack: Unpack) -> None:
    document = package(page(), page(), page())
    once = placed(bureau, document, AtPoint(pages=PageList.parse("all"), x_mm=10, y_mm=10))
    twice = placed(bureau, once, AtPoint(pages=PageList.parse("1"), x_mm=60, y_mm=60))
    listed = etree.fromstring(unpack(twice)["Doc_0/Signs/Signatures.xml"])
    assert [row.get("ID") for row in listed.findall(f"{{{OFD}}}Signature")] == ["s001", "s005"]
    assert listed.findtext(f"{{{OFD}}}MaxSignId") == "6"
    assert verify_ofd(twice, bureau.trust).verdict is Verdict.VALID


def test_a_closing_seal_lets_no_later_one_in(bureau: Any) -> None:
    document = package(page())
    closed = bureau.sealed(document, mark=replace(bureau.mark(), closes=True))
    assert verify_ofd(closed, bureau.trust).verdict is Verdict.VALID
    with pytest.raises(FurtherSealingForbidden):
        bureau.sealed(closed, at=AT + timedelta(hours=1))


def test_after_a_closing_seal_a_row_added_by_force_breaks_it(bureau: Any, unpack: Unpack) -> None:
    files = unpack(bureau.sealed(package(page()), mark=replace(bureau.mark(), closes=True)))
    listed = files["Doc_0/Signs/Signatures.xml"]
    forced = listed.replace(b"</ofd:Signatures>", b'<ofd:Signature ID="s9" BaseLoc="x.xml"/></ofd:Signatures>')
    assert forced != listed
    report = verify_ofd(write_archive({**files, "Doc_0/Signs/Signatures.xml": forced}), bureau.trust)
    assert report.verdict is Verdict.INVALID


@pytest.mark.parametrize("placement", [AtKeyword(text="没有的字"), Straddle(), AtPoint.on(2, x_mm=1, y_mm=1)])
def test_a_place_the_document_does_not_have_is_refused(bureau: Any, placement: Placement) -> None:
    with pytest.raises(PlacementRefused):
        placed(bureau, package(page()), placement)


# --- documents made to cost or to deceive --------------------------------------------------------------------------


class Counting(OfdPackage):
    """A package that counts how often each file is parsed."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.parsed = Counter[str]()

    def xml(self, path: str) -> Any:
        self.parsed[path] += 1
        return super().xml(path)


def surface_of(document: bytes) -> tuple[OfdSurface, Counter[str]]:
    read = Counting(document)
    return OfdSurface(read, read_bodies(read)[0]), read.parsed


def test_each_file_is_read_a_few_times_however_many_pages_and_stamps_there_are() -> None:
    body = page(words("盖" * 50, 20, 20, step="g 50 3")).replace(
        "<ofd:Content>", '<ofd:Template TemplateID="77"/>' * 20 + "<ofd:Content>"
    )
    surface, parsed = surface_of(package(*[body] * 30, template=page(words("章", 50, 50))))
    made = place_stamps(AtKeyword(text="盖"), width=10, height=10, surface=surface)
    assert len(made) == 1500
    assert len(place_stamps(Straddle(), width=40, height=40, surface=surface)) == 30
    assert max(parsed.values()) <= 4, parsed.most_common(3)


def test_pages_of_one_file_are_searched_once_and_found_each() -> None:
    document = package(*[page(words("盖章", 20, 20))] * 3)
    files = {entry: OfdPackage(document).read(entry) for entry in OfdPackage(document).paths}
    root = files["Doc_0/Document.xml"].replace(b"Pages/1.xml", b"Pages/0.xml").replace(b"Pages/2.xml", b"Pages/0.xml")
    surface, parsed = surface_of(write_archive(files | {"Doc_0/Document.xml": root}))
    assert [each.page for each in surface.find("盖章", range(3))] == [0, 1, 2]
    assert parsed["Doc_0/Pages/0.xml"] == 1


@pytest.mark.parametrize("many", [MOST_ON_PAGE + 1, 0])
def test_more_characters_than_a_page_has_are_refused(many: int) -> None:
    text = "字" * (many or MOST_ON_PAGE // 2)
    used = "" if many else '<ofd:Template TemplateID="77"/>' * 3
    body = page(words(text if many else "章", 1, 1)).replace("<ofd:Content>", used + "<ofd:Content>")
    with pytest.raises(PlacementRefused, match="200,000 characters"):
        found(package(body, template=page(words(text, 1, 1))), "盖章")


def with_root(document: bytes, before: bytes, after: bytes, path: str = "Doc_0/Document.xml") -> bytes:
    read = OfdPackage(document)
    files = {entry: read.read(entry) for entry in read.paths}
    assert before in files[path]
    return write_archive(files | {path: files[path].replace(before, after)})


@pytest.mark.parametrize("after", [b'ID="1"', b'ID=""'])
def test_a_page_that_no_stamp_can_name_alone_is_not_sealed(bureau: Any, after: bytes) -> None:
    document = with_root(package(page(), page(), page()), b'Page ID="2"', b"Page " + after)
    with pytest.raises(PlacementRefused, match="no id of its own"):
        placed(bureau, document, AtPoint.on(2, x_mm=10, y_mm=10))
    assert stamps(placed(bureau, document, AtPoint.on(3, x_mm=10, y_mm=10)))


@pytest.mark.parametrize("area", ["0 0 nan 297", "0 0 inf 297", "0 0 1e9 1e9", "0 0 ২১০ x"])
def test_a_page_of_no_size_has_the_documents(bureau: Any, area: str) -> None:
    sealed = placed(bureau, package(page(area=area), page(area=area)), Facing())
    assert [boundary for _, boundary, _ in stamps(sealed)] == ["190 128.5 40 40", "-20 128.5 40 40"]


@pytest.mark.parametrize("name", ["DocRoot", "Signatures"])
def test_a_body_that_names_two_of_one_thing_is_neither_read_nor_sealed(bureau: Any, name: str) -> None:
    sealed = placed(bureau, package(page()), AtPoint.on(1, x_mm=10, y_mm=10))
    tag = f"<ofd:{name}>".encode()
    twice = with_root(sealed, tag, f"<ofd:{name}></ofd:{name}>".encode() + tag, "OFD.xml")
    report = verify_ofd(twice, bureau.trust)
    assert [(each.code, each.verdict) for each in report.findings] == [("PACKAGE_MALFORMED", Verdict.INVALID)]
    with pytest.raises(DocumentRefused):
        placed(bureau, twice, AtPoint.on(1, x_mm=10, y_mm=10))
