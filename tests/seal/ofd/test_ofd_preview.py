"""Previews: each kind of object leaves its ink where GB/T 33190 says, measured in mm on the picture."""

import io
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import pytest
from PIL import Image

from seal.formats.ofd import write_simple_ofd
from seal.formats.ofd.archive import write_archive
from seal.formats.ofd.document import Page, Text, document_font
from seal.formats.ofd.package import PackageError
from seal.formats.ofd.preview import Bounds, Drawing, draw_page, to_png

DPI = 254
"""Ten pixels a mm."""
NS = 'xmlns:ofd="http://www.ofdspec.org/2016"'
RED, BLUE, BLACK, WHITE = (255, 0, 0), (0, 0, 255), (0, 0, 0), (255, 255, 255)
SQUARE = "<ofd:AbbreviatedData>M 0 0 L 20 0 L 20 20 L 0 20 C</ofd:AbbreviatedData>"


def png(colour: tuple[int, ...] = RED, size: int = 4, form: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGBA" if len(colour) == 4 else "RGB", (size, size), colour).save(out, form)
    return out.getvalue()


def package(
    content: str,
    *,
    resources: str = "",
    common: str = "",
    document: str = "",
    page: str = "",
    files: dict[str, bytes] | None = None,
) -> bytes:
    """Make a document of one page, 60 by 40 mm, out of the XML of its parts."""
    layers = content if "<ofd:Layer" in content else f'<ofd:Layer ID="9">{content}</ofd:Layer>'
    texts = {
        "OFD.xml": f"<ofd:OFD {NS}><ofd:DocBody><ofd:DocRoot>D/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>",
        "D/Document.xml": f"<ofd:Document {NS}><ofd:CommonData><ofd:PageArea>"
        f"<ofd:PhysicalBox>0 0 60 40</ofd:PhysicalBox></ofd:PageArea>"
        f"<ofd:PublicRes>Res.xml</ofd:PublicRes>{common}</ofd:CommonData>"
        f'<ofd:Pages><ofd:Page ID="1" BaseLoc="Page.xml"/></ofd:Pages>{document}</ofd:Document>',
        "D/Res.xml": f'<ofd:Res {NS} BaseLoc="Res">{resources}</ofd:Res>',
        "D/Page.xml": f"<ofd:Page {NS}>{page}<ofd:Content>{layers}</ofd:Content></ofd:Page>",
    }
    return write_archive({name: text.encode() for name, text in texts.items()} | (files or {}))


@dataclass
class Picture:
    """A drawn page, asked in mm."""

    drawing: Drawing
    pixels: Image.Image

    def at(self, x_mm: float, y_mm: float) -> tuple[int, ...]:
        found = self.pixels.getpixel((round(x_mm * 10), round(y_mm * 10)))
        assert isinstance(found, tuple)
        return found

    def ink(self) -> tuple[float, ...] | None:
        """Give the box in mm of all that is not white."""
        box = self.pixels.convert("L").point(lambda level: 255 if level < 200 else 0).getbbox()
        return tuple(side / 10 for side in box) if box else None


def drawn(octets: bytes, page: int = 1, bounds: Bounds | None = None) -> Picture:
    drawing = draw_page(octets, page, bounds)
    picture = to_png(drawing.svg, drawing.width_mm, drawing.height_mm, DPI)
    return Picture(drawing, Image.open(io.BytesIO(picture)).convert("RGB"))


def shown(content: str, **parts: str) -> Picture:
    made = drawn(package(content, **parts))  # type: ignore[arg-type]
    assert made.drawing.notes == ()
    return made


def path(attributes: str = 'Boundary="10 10 20 20"', inside: str = "", data: str = SQUARE) -> str:
    return f'<ofd:PathObject ID="5" {attributes}>{inside}{data}</ofd:PathObject>'


FILLED = 'Boundary="10 10 20 20" Fill="true" Stroke="false"'


# --- paths and colours -----------------------------------------------------------------------------------------


def test_a_path_stands_in_its_box() -> None:
    made = shown(path(FILLED, '<ofd:FillColor Value="255 0 0"/>'))
    assert (made.drawing.width_mm, made.drawing.height_mm) == (60, 40)
    assert made.ink() == (10, 10, 30, 30)
    assert made.at(20, 20) == RED


def test_a_matrix_comes_before_the_box() -> None:
    made = shown(path(FILLED + ' CTM="0.5 0 0 0.25 2 4"', '<ofd:FillColor Value="255 0 0"/>'))
    assert made.ink() == (12, 14, 22, 19)


def test_a_path_is_stroked_and_not_filled_unless_it_says_otherwise() -> None:
    made = shown(path('Boundary="10 10 20 20" LineWidth="1"'))
    assert made.at(20, 20) == WHITE
    assert made.at(20, 10.2) == BLACK
    assert made.ink() == (9.5, 9.5, 30.5, 30.5)


def test_a_path_is_cut_where_it_leaves_its_box_by_far() -> None:
    data = "<ofd:AbbreviatedData>M 0 0 L 40 0 L 40 20 L 0 20 C</ofd:AbbreviatedData>"
    assert shown(path(FILLED, '<ofd:FillColor Value="255 0 0"/>', data)).ink() == (10, 10, 30, 30)


@pytest.mark.parametrize(
    ("steps", "ink"),
    [
        ("S 0 0 L 10 0 L 10 10 C", (10, 10, 20, 20)),
        ("M 0 0 Q 10 0 10 10 L 0 10 C", (10, 10, 20, 20)),
        ("M 0 0 B 5 0 10 5 10 10 L 0 10 C", (10, 10, 20, 20)),
        ("M 0 10 A 10 10 0 0 1 20 10 C", (10, 10, 30, 20)),
        ("M 0 10 A 10 10 0 0 0 20 10 C", (10, 20, 30, 30)),
    ],
)
def test_every_kind_of_step_is_drawn(steps: str, ink: tuple[float, ...]) -> None:
    data = f"<ofd:AbbreviatedData>{steps}</ofd:AbbreviatedData>"
    found = shown(path(FILLED, '<ofd:FillColor Value="255 0 0"/>', data)).ink()
    assert found == pytest.approx(ink, abs=0.25)


def test_holes_are_holes_only_by_the_even_odd_rule() -> None:
    inner = "<ofd:AbbreviatedData>M 0 0 L 20 0 L 20 20 L 0 20 C M 5 5 L 15 5 L 15 15 L 5 15 C</ofd:AbbreviatedData>"
    colour = '<ofd:FillColor Value="255 0 0"/>'
    assert shown(path(FILLED, colour, inner)).at(20, 20) == RED
    assert shown(path(FILLED + ' Rule="Even-Odd"', colour, inner)).at(20, 20) == WHITE


def test_dashes_leave_gaps() -> None:
    data = "<ofd:AbbreviatedData>M 0 5 L 40 5</ofd:AbbreviatedData>"
    made = shown(path('Boundary="10 10 40 10" LineWidth="1" DashPattern="4 2"', "", data))
    assert [made.at(x, 15) for x in (11, 15, 17, 21)] == [BLACK, WHITE, BLACK, WHITE]


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ('Value="#FF 0 #00"', RED),
        ('Value="128" ColorSpace="2"', (128, 128, 128)),
        ('Value="0 255 255 0" ColorSpace="3"', RED),
        ('Index="1" ColorSpace="4"', BLUE),
        ('Value="255 0 0" Alpha="127"', (255, 128, 128)),
        ("", BLACK),
    ],
)
def test_colours_are_those_of_their_space(colour: str, expected: tuple[int, ...]) -> None:
    spaces = (
        '<ofd:ColorSpaces><ofd:ColorSpace ID="2" Type="GRAY"/><ofd:ColorSpace ID="3" Type="CMYK"/>'
        '<ofd:ColorSpace ID="4" Type="RGB"><ofd:Palette><ofd:CV>255 0 0</ofd:CV><ofd:CV>0 0 255</ofd:CV></ofd:Palette>'
        "</ofd:ColorSpace></ofd:ColorSpaces>"
    )
    assert shown(path(FILLED, f"<ofd:FillColor {colour}/>"), resources=spaces).at(20, 20) == expected


SEGMENTS = (
    '<ofd:Segment Position="0"><ofd:Color Value="255 0 0"/></ofd:Segment>'
    '<ofd:Segment Position="1"><ofd:Color Value="0 0 255"/></ofd:Segment>'
)


def test_an_axial_shading_runs_from_start_to_end_and_no_farther() -> None:
    shading = f'<ofd:FillColor><ofd:AxialShd StartPoint="5 0" EndPoint="15 0">{SEGMENTS}</ofd:AxialShd></ofd:FillColor>'
    made = shown(path(FILLED, shading))
    assert made.at(12, 20) == made.at(28, 20) == WHITE
    red, _, blue = made.at(16, 20)
    assert red > blue
    red, _, blue = made.at(24, 20)
    assert red < blue
    far = shown(path(FILLED, shading.replace("AxialShd S", 'AxialShd Extend="3" S')))
    assert (far.at(12, 20), far.at(28, 20)) == (RED, BLUE)


def test_a_radial_shading_runs_outwards() -> None:
    where = 'StartPoint="10 10" StartRadius="0" EndPoint="10 10" EndRadius="8"'
    shading = f"<ofd:FillColor><ofd:RadialShd {where}>{SEGMENTS}</ofd:RadialShd></ofd:FillColor>"
    made = shown(path(FILLED, shading))
    assert made.at(20, 20)[0] > 240
    assert made.at(27.5, 20)[2] > 230
    assert made.at(29.5, 20) == WHITE


def test_settings_come_from_the_object_then_its_parameters_then_their_relative_then_the_layer() -> None:
    parameters = (
        '<ofd:DrawParams><ofd:DrawParam ID="2" Relative="3" LineWidth="2"/>'
        '<ofd:DrawParam ID="3" LineWidth="9"><ofd:StrokeColor Value="255 0 0"/></ofd:DrawParam>'
        '<ofd:DrawParam ID="4" Relative="4"><ofd:FillColor Value="0 0 255"/></ofd:DrawParam></ofd:DrawParams>'
    )
    inside = path('Boundary="10 10 20 20" DrawParam="2" Fill="true"')
    made = shown(f'<ofd:Layer ID="7" DrawParam="4">{inside}</ofd:Layer>', resources=parameters)
    assert made.at(20, 10) == RED
    assert made.at(20, 20) == BLUE
    assert made.ink() == (9, 9, 31, 31)


# --- clips, layers, blocks -------------------------------------------------------------------------------------


def test_of_a_clipped_object_is_seen_what_lies_in_every_clip() -> None:
    def clip(x: int) -> str:
        data = "<ofd:AbbreviatedData>M 0 0 L 10 0 L 10 20 L 0 20 C</ofd:AbbreviatedData>"
        return f'<ofd:Clip><ofd:Area><ofd:Path Boundary="{x} 0 10 20">{data}</ofd:Path></ofd:Area></ofd:Clip>'

    one = shown(path(FILLED, f'<ofd:Clips>{clip(5)}</ofd:Clips><ofd:FillColor Value="255 0 0"/>'))
    assert one.ink() == (15, 10, 25, 30)
    two = shown(path(FILLED, f'<ofd:Clips>{clip(5)}{clip(0)}</ofd:Clips><ofd:FillColor Value="255 0 0"/>'))
    assert two.ink() == (15, 10, 20, 30)


def test_layers_lie_in_their_order_and_a_template_under_them_or_over() -> None:
    def layer(kind: str, colour: str, box: str) -> str:
        inside = path(f'Boundary="{box}" Fill="true" Stroke="false"', f'<ofd:FillColor Value="{colour}"/>')
        return f'<ofd:Layer ID="8" Type="{kind}">{inside}</ofd:Layer>'

    layers = layer("Foreground", "255 0 0", "10 10 20 20") + layer("Background", "0 0 255", "10 10 20 20")
    template = (
        f"<ofd:Page {NS}><ofd:Content>{layer('Body', '0 128 0', '20 10 20 20')}</ofd:Content></ofd:Page>".encode()
    )
    common = '<ofd:TemplatePage ID="3" BaseLoc="Template.xml"/>'
    for order, expected in (("Background", RED), ("Foreground", (0, 128, 0))):
        use = f'<ofd:Template TemplateID="3" ZOrder="{order}"/>'
        made = drawn(package(layers, common=common, page=use, files={"D/Template.xml": template}))
        assert made.at(15, 20) == RED
        assert made.at(25, 20) == expected
        assert made.at(35, 20) == (0, 128, 0)


def test_a_composite_object_shows_its_unit_in_its_box() -> None:
    unit = path('Boundary="0 0 20 20" Fill="true" Stroke="false"', '<ofd:FillColor Value="255 0 0"/>')
    resources = (
        '<ofd:CompositeGraphicUnits><ofd:CompositeGraphicUnit ID="6" Width="20" Height="20"><ofd:Content>'
        f"{unit}</ofd:Content></ofd:CompositeGraphicUnit></ofd:CompositeGraphicUnits>"
    )
    use = '<ofd:CompositeObject ID="5" Boundary="10 10 10 10" CTM="0.5 0 0 0.5 0 0" ResourceID="6"/>'
    assert shown(use, resources=resources).ink() == (10, 10, 20, 20)


def test_what_is_invisible_is_not_shown() -> None:
    assert shown(path('Boundary="10 10 20 20" Visible="false"')).ink() is None


def test_a_page_block_holds_objects_and_transparency_fades_them() -> None:
    inside = path(FILLED + ' Alpha="128"', '<ofd:FillColor Value="255 0 0"/>')
    assert shown(f'<ofd:PageBlock ID="4">{inside}</ofd:PageBlock>').at(20, 20) == pytest.approx((255, 127, 127), abs=1)


def test_annotations_lie_over_the_page_unless_hidden() -> None:
    def annotation(attributes: str, colour: str) -> str:
        inside = path('Boundary="0 0 20 20" Fill="true" Stroke="false"', f'<ofd:FillColor Value="{colour}"/>')
        look = f'<ofd:Appearance Boundary="10 10 20 20">{inside}</ofd:Appearance>'
        return f'<ofd:Annot ID="3" Type="Stamp" {attributes}>{look}</ofd:Annot>'

    rows = annotation("", "255 0 0") + annotation('Visible="false"', "0 0 255")
    listed = '<ofd:Page PageID="1"><ofd:FileLoc>One.xml</ofd:FileLoc></ofd:Page><ofd:Page PageID="2"/>'
    files = {
        "D/Annots/Annotations.xml": f"<ofd:Annotations {NS}>{listed}</ofd:Annotations>".encode(),
        "D/Annots/One.xml": f"<ofd:PageAnnot {NS}>{rows}</ofd:PageAnnot>".encode(),
    }
    content = path('Boundary="0 0 60 40" Stroke="false"')
    made = drawn(package(content, document="<ofd:Annotations>Annots/Annotations.xml</ofd:Annotations>", files=files))
    assert made.ink() == (10, 10, 30, 30)
    assert made.at(20, 20) == RED


# --- text ------------------------------------------------------------------------------------------------------

FONT = '<ofd:Fonts><ofd:Font ID="2" FontName="黑体"/></ofd:Fonts>'


def line(code: str, attributes: str = "", inside: str = "") -> str:
    return (
        f'<ofd:TextObject ID="5" Boundary="10 10 40 20" Font="2" Size="5" {attributes}>{inside}{code}</ofd:TextObject>'
    )


def columns(made: Picture, y_mm: float = 0, height_mm: float = 40) -> list[float]:
    """Give where in mm each stretch of ink begins, from left to right."""
    part = made.pixels.crop((0, round(y_mm * 10), made.pixels.width, round((y_mm + height_mm) * 10)))
    strip = part.convert("L").reduce((1, part.height)).point(lambda level: 255 if level < 252 else 0)
    row = [strip.getpixel((x, 0)) for x in range(strip.width)]
    return [x / 10 for x in range(1, len(row)) if row[x] and not row[x - 1]]


def test_glyphs_stand_where_the_steps_say() -> None:
    made = shown(line('<ofd:TextCode X="0" Y="5" DeltaX="g 2 8 12">口口口口</ofd:TextCode>'), resources=FONT)
    begins = columns(made)
    assert [after - before for before, after in pairwise(begins)] == pytest.approx([8, 8, 12], abs=0.15)
    assert made.drawing.substituted == (("黑体", "Noto Sans CJK SC"),)


def test_glyphs_without_steps_follow_one_another() -> None:
    made = shown(line('<ofd:TextCode X="0" Y="5">口口</ofd:TextCode>'), resources=FONT)
    first, second = columns(made)
    assert second - first == pytest.approx(5, abs=0.15)


def test_text_goes_down_where_its_steps_do() -> None:
    ink = shown(line('<ofd:TextCode X="0" Y="5" DeltaX="0" DeltaY="10">口口</ofd:TextCode>'), resources=FONT).ink()
    assert ink is not None
    assert ink[3] - ink[1] > 13
    assert ink[2] - ink[0] < 5


def test_a_turned_character_lies_on_its_side() -> None:
    upright = shown(line('<ofd:TextCode X="5" Y="8">一</ofd:TextCode>'), resources=FONT).ink()
    turned = shown(line('<ofd:TextCode X="5" Y="8">一</ofd:TextCode>', 'CharDirection="90"'), resources=FONT).ink()
    assert upright is not None
    assert turned is not None
    assert upright[2] - upright[0] == pytest.approx(turned[3] - turned[1], abs=0.2)
    # Clockwise about its origin at (15, 18): what was above the base line is then to the right of it.
    assert turned[0] > 15
    assert turned[1] > 18


def test_text_is_stretched_and_coloured_as_it_says() -> None:
    plain = shown(line('<ofd:TextCode X="0" Y="5">口</ofd:TextCode>'), resources=FONT).ink()
    wide = shown(
        line('<ofd:TextCode X="0" Y="5">口</ofd:TextCode>', 'HScale="2"', '<ofd:FillColor Value="255 0 0"/>'),
        resources=FONT,
    )
    ink = wide.ink()
    assert plain is not None
    assert ink is not None
    assert ink[2] - ink[0] == pytest.approx(2 * (plain[2] - plain[0]), abs=0.3)
    assert RED in {colour for _, colour in wide.pixels.getcolors(100_000) or ()}


def test_latin_letters_of_a_chinese_font_keep_to_half_a_square() -> None:
    made = shown(line('<ofd:TextCode X="0" Y="5" DeltaX="2.5 2.5">WWW</ofd:TextCode>'), resources=FONT)
    ink = made.ink()
    assert ink is not None
    assert ink[2] <= 10 + 7.6


def embedded(text: str) -> dict[str, bytes]:
    """Give a document's embedded font, as the file Res/Font.otf."""
    page = Page(items=(Text(x_mm=9, y_mm=9, text=text, size_mm=5, font=document_font()),))
    made = write_simple_ofd([page], doc_id="0" * 32, title=text, created=date(2026, 1, 1))
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        return {"D/Res/Font.otf": archive.read("Doc_0/Res/Font_1.otf")}


EMBEDDED = '<ofd:Fonts><ofd:Font ID="2" FontName="own"><ofd:FontFile>Font.otf</ofd:FontFile></ofd:Font></ofd:Fonts>'


def test_an_embedded_font_is_used_and_glyphs_can_be_named_by_number() -> None:
    files = embedded("一口")
    by_character = drawn(package(line('<ofd:TextCode X="0" Y="5">口</ofd:TextCode>'), resources=EMBEDDED, files=files))
    assert by_character.drawing.substituted == ()
    assert by_character.drawing.notes == ()
    glyphs = (
        '<ofd:CGTransform CodePosition="0" CodeCount="1" GlyphCount="1"><ofd:Glyphs>2</ofd:Glyphs></ofd:CGTransform>'
    )
    by_number = drawn(
        package(line('<ofd:TextCode X="0" Y="5">x</ofd:TextCode>', inside=glyphs), resources=EMBEDDED, files=files)
    )
    assert by_number.ink() == by_character.ink()
    assert by_number.drawing.notes == ()


def test_a_glyph_that_an_embedded_font_lacks_is_borrowed_and_told() -> None:
    made = drawn(package(line('<ofd:TextCode X="0" Y="5">口</ofd:TextCode>'), resources=EMBEDDED, files=embedded("一")))
    assert made.ink() is not None
    assert any("U+53E3" in note for note in made.drawing.notes)


def test_a_font_file_that_is_none_is_replaced_and_told() -> None:
    files = {"D/Res/Font.otf": b"OTTO and nothing more"}
    made = drawn(package(line('<ofd:TextCode X="0" Y="5">口</ofd:TextCode>'), resources=EMBEDDED, files=files))
    assert made.ink() is not None
    assert made.drawing.substituted == (("own", "Noto Sans CJK SC"),)
    assert any("cannot be read" in note for note in made.drawing.notes)


# --- pictures --------------------------------------------------------------------------------------------------

MEDIUM = '<ofd:MultiMedia ID="6" Type="Image"><ofd:MediaFile>a</ofd:MediaFile></ofd:MultiMedia>'
MEDIA = f"<ofd:MultiMedias>{MEDIUM}</ofd:MultiMedias>"
PLACED = '<ofd:ImageObject ID="5" Boundary="10 10 20 10" CTM="20 0 0 10 0 0" ResourceID="6"/>'


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "TIFF", "GIF"])
def test_pictures_fill_their_boxes(form: str) -> None:
    made = drawn(package(PLACED, resources=MEDIA, files={"D/Res/a": png(form=form)}))
    assert made.drawing.notes == ()
    assert made.ink() == (10, 10, 30, 20)
    assert made.at(20, 15) == pytest.approx(RED, abs=3)


def test_a_mask_hides_what_is_black_in_it() -> None:
    mask = Image.new("L", (4, 4), 255)
    mask.paste(0, (0, 0, 2, 4))
    out = io.BytesIO()
    mask.save(out, "PNG")
    both = MEDIA.replace(
        "</ofd:MultiMedias>",
        '<ofd:MultiMedia ID="7"><ofd:MediaFile>m</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias>',
    )
    files = {"D/Res/a": png(size=4), "D/Res/m": out.getvalue()}
    made = drawn(package(PLACED.replace("/>", ' ImageMask="7"/>'), resources=both, files=files))
    assert (made.at(12, 15), made.at(28, 15)) == (WHITE, RED)


def offsets_that_are_fractions() -> bytes:
    """Make a TIFF whose StripOffsets are floating point numbers."""
    made = bytearray(png(form="TIFF"))
    entry = made.index(struct.pack("<H", 273), struct.unpack_from("<L", made, 4)[0])
    struct.pack_into("<H", made, entry + 2, 11)
    return bytes(made)


@pytest.mark.parametrize(
    ("octets", "note"),
    [
        (b"\x97JB2\r\n\x1a\n....", "JBIG2"),
        (b"nothing of the kind", "cannot be decoded"),
        (png(size=64)[:60], "cannot be decoded"),
        (offsets_that_are_fractions(), "cannot be decoded"),
        (None, "missing"),
    ],
)
def test_a_picture_that_cannot_be_shown_is_left_out_and_told(octets: bytes | None, note: str) -> None:
    files = {} if octets is None else {"D/Res/a": octets}
    made = drawn(package(PLACED + path(), resources=MEDIA, files=files))
    assert any(note in each for each in made.drawing.notes)
    assert made.at(10, 25) == BLACK


def claimed(width: int, height: int) -> bytes:
    """Give a PNG of a few octets that says it is large."""
    made = bytearray(png())
    made[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    made[29:33] = zlib.crc32(made[12:29]).to_bytes(4, "big")
    return bytes(made)


@pytest.mark.parametrize(("side", "why"), [(8_000, "too many"), (11_000, "too many"), (60_000, "cannot be decoded")])
def test_a_picture_of_too_many_pixels_is_left_out_and_the_next_is_shown(side: int, why: str) -> None:
    other = '<ofd:MultiMedia ID="7"><ofd:MediaFile>b</ofd:MediaFile></ofd:MultiMedia>'
    files = {"D/Res/a": claimed(side, side), "D/Res/b": png()}
    content = PLACED + PLACED.replace('"6"', '"7"')
    made = drawn(package(content, resources=f"<ofd:MultiMedias>{MEDIUM}{other}</ofd:MultiMedias>", files=files))
    assert any(why in note for note in made.drawing.notes)
    assert made.at(20, 15) == RED


# --- what strangers may send -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bounds", [Bounds(objects=10), Bounds(path_points=40), Bounds(octets=600)], ids=["objects", "points", "octets"]
)
def test_a_page_that_holds_too_much_is_shown_as_far_as_it_goes(bounds: Bounds) -> None:
    made = drawn(package(path() * 50), bounds=bounds)
    assert made.ink() is not None
    assert any("not shown whole" in note for note in made.drawing.notes)


def test_more_glyphs_than_are_drawn_are_left_out() -> None:
    code = '<ofd:TextCode X="0" Y="5">口口口口</ofd:TextCode>'
    made = drawn(package(line(code) * 9, resources=FONT), bounds=Bounds(glyphs=20))
    assert any("more glyphs" in note for note in made.drawing.notes)


def test_a_unit_that_holds_itself_ends_somewhere() -> None:
    use = '<ofd:CompositeObject ID="5" Boundary="0 0 9 9" ResourceID="6"/>'
    content = f"<ofd:Content>{use}</ofd:Content>"
    resources = f'<ofd:CompositeGraphicUnit ID="6" Width="9" Height="9">{content}</ofd:CompositeGraphicUnit>'
    made = draw_page(package(use, resources=resources), 1)
    assert any("too deep" in note for note in made.notes)


@pytest.mark.parametrize(
    "content",
    [
        path('Boundary="a b c d"'),
        path('Boundary="nan 0 1 1"'),
        path('Boundary="0 0 1e400 1"'),
        path('Boundary="10 10 20 20" CTM="1 2 3"'),
        path('Boundary="10 10 20 20" LineWidth="-1" DashPattern="0 0" MiterLimit="x" Join="?" Alpha="x"'),
        path(data="<ofd:AbbreviatedData>L</ofd:AbbreviatedData>"),
        path(data="<ofd:AbbreviatedData>M 1 2 Z 9 B 1</ofd:AbbreviatedData>"),
        path(data=""),
        path(FILLED, '<ofd:FillColor Value="#zz 1" ColorSpace="nope" Index="-1"/>'),
        path(FILLED, f'<ofd:FillColor Value="#{"F" * 400} 1 1"/>'),
        path(FILLED, "<ofd:FillColor><ofd:AxialShd/></ofd:FillColor>"),
        path(FILLED, '<ofd:FillColor><ofd:Pattern Width="1" Height="1"/></ofd:FillColor>'),
        line('<ofd:TextCode X="x" DeltaX="g" DeltaY="g -5 1 g 99999999 0.1">口\U0001f600</ofd:TextCode>'),
        line(
            '<ofd:CGTransform CodePosition="0" CodeCount="-1"><ofd:Glyphs>1e9 -4</ofd:Glyphs></ofd:CGTransform>'
            "<ofd:TextCode>口</ofd:TextCode>"
        ),
        '<ofd:TextObject Size="-1"/><ofd:TextObject/>',
        "<ofd:ImageObject/><ofd:CompositeObject/><ofd:VideoObject/>",
        "<!-- nothing -->",
    ],
)  # fmt: skip
def test_nonsense_never_breaks_the_drawing(content: str) -> None:
    made = drawn(package(content + path(FILLED, '<ofd:FillColor Value="255 0 0"/>'), resources=FONT))
    assert made.at(25, 25) == RED
    assert "nan" not in made.drawing.svg
    assert not re.search(r"\binf\b", made.drawing.svg)


def test_no_text_of_the_document_gets_into_the_drawing() -> None:
    evil = "&quot;/&gt;&lt;script&gt;x"
    content = path(f'Boundary="10 10 20 20" Join="{evil}" Cap="{evil}" Rule="Even{evil}" Fill="true" CTM="{evil}"')
    made = draw_page(
        package(content + line(f"<ofd:TextCode>{evil}</ofd:TextCode>", f'Weight="{evil}"'), resources=FONT), 1
    )
    assert "script" not in made.svg


@pytest.mark.parametrize(("number", "found"), [(1, True), (-1, True), (0, False), (2, False), (-2, False)])
def test_pages_are_counted_from_one_or_from_the_end(number: int, *, found: bool) -> None:
    if found:
        assert draw_page(package(path()), number).pages == 1
    else:
        with pytest.raises(PackageError, match="1 pages"):
            draw_page(package(path()), number)


def test_blocks_that_nest_too_deep_end_somewhere() -> None:
    deep = "<ofd:PageBlock>" * 200 + path() + "</ofd:PageBlock>" * 200
    assert any("too deep" in note for note in draw_page(package(deep), 1).notes)
