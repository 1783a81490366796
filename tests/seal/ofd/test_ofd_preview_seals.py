"""Seals on previews: the ink is where StampAnnot says, in mm, and nowhere else."""

import io
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from PIL import Image

from seal.formats.ofd import OFD_SES, Page, Text, write_simple_ofd
from seal.formats.ofd.archive import write_archive
from seal.formats.ofd.document import rectangle
from seal.formats.ofd.preview import draw_page, to_png
from seal.model import Mark, Picture
from seal.placing import AtPoint, Placement, Straddle

Unpack = Callable[[bytes], dict[str, bytes]]
Sealed = Callable[..., dict[str, bytes]]
SIGNATURE = "Doc_0/Signs/Sign_0/Signature.xml"
AT_30_40 = AtPoint(x_mm=30, y_mm=40)
DPI = 127
"""Five pixels a mm."""


def blot(left: tuple[int, ...] = (255, 0, 0, 255), right: tuple[int, ...] = (0, 0, 255, 255)) -> bytes:
    """Give a picture whose left half is red and whose right half is blue."""
    picture = Image.new("RGBA", (40, 40), left)
    picture.paste(right, (20, 0, 40, 40))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def sealed(bureau: Any, unpack: Unpack) -> Sealed:
    """Seal a document of pages of 100 by 100 mm with a picture of 40 by 40 mm; give its files."""

    def made(
        picture: bytes, items: tuple[Any, ...] = (), placement: Placement = AT_30_40, pages: int = 1
    ) -> dict[str, bytes]:
        page = Page(items=items, width_mm=100, height_mm=100)
        document = write_simple_ofd([page] * pages, doc_id="0" * 32, title="样例", created=date(2026, 11, 22))
        artwork = Picture(png=picture, width_mm=40, height_mm=40)
        mark = Mark(seal_name="印", picture=artwork, placement=placement)
        credential = bureau.credential(seseal=bureau.seal(picture=artwork))
        at = bureau.authority.root.certificate.not_before.replace(year=2026, month=11, day=22)
        return unpack(OFD_SES.prepare(document, mark, credential, at).apply(bureau.signer.signer.sign))

    return made


def look(files: dict[str, bytes], page: int = 1) -> tuple[Image.Image, tuple[str, ...]]:
    drawing = draw_page(write_archive(files), page)
    return Image.open(io.BytesIO(to_png(drawing.svg, drawing.width_mm, drawing.height_mm, DPI))), drawing.notes


def ink(picture: Image.Image, channel: int) -> tuple[float, ...] | None:
    """Give the box in mm of what lacks ``channel``: 2 is red ink, 0 blue ink."""
    box = picture.convert("RGB").getchannel(channel).point(lambda level: 255 if level < 128 else 0).getbbox()
    return tuple(side / 5 for side in box) if box else None


def stamped(files: dict[str, bytes], change: Callable[[str], str]) -> dict[str, bytes]:
    return files | {SIGNATURE: change(files[SIGNATURE].decode()).encode()}


def test_a_seal_fills_the_box_of_its_stamp(sealed: Sealed) -> None:
    picture, notes = look(sealed(blot()))
    assert notes == ()
    assert ink(picture, 2) == (30, 40, 50, 80)
    assert ink(picture, 0) == (50, 40, 70, 80)


def test_of_a_straddle_seal_each_page_shows_its_slice(sealed: Sealed) -> None:
    files = sealed(blot(), placement=Straddle(along_mm=30), pages=4)
    slices = [look(files, page)[0] for page in (1, 2, 3, 4)]
    # Ten mm a page at its right edge: the red half on the first two, the blue on the others.
    assert [ink(each, 2) for each in slices] == [(90, 30, 100, 70)] * 2 + [None] * 2
    assert [ink(each, 0) for each in slices] == [None] * 2 + [(90, 30, 100, 70)] * 2


def test_a_clip_is_counted_from_the_corner_of_the_stamp(sealed: Sealed) -> None:
    def clipped(xml: str) -> str:
        return re.sub(r'Boundary="[^"]*"', 'Boundary="60 40 40 40" Clip="10 0 15 40"', xml)

    picture, _ = look(stamped(sealed(blot()), clipped))
    assert ink(picture, 2) == (70, 40, 80, 80)
    assert ink(picture, 0) == (80, 40, 85, 80)


def test_a_seal_that_runs_off_the_page_is_cut_there(sealed: Sealed) -> None:
    picture, _ = look(stamped(sealed(blot()), lambda xml: re.sub(r'Boundary="[^"]*"', 'Boundary="90 -5 40 40"', xml)))
    assert ink(picture, 2) == (90, 0, 100, 35)


def test_a_seal_of_another_page_is_not_shown(sealed: Sealed) -> None:
    picture, _ = look(stamped(sealed(blot()), lambda xml: re.sub(r'PageRef="[^"]*"', 'PageRef="77"', xml)))
    assert ink(picture, 2) is None


def test_what_is_written_under_a_seal_stays_to_be_read(sealed: Sealed) -> None:
    under = rectangle(40, 50, 5, 5, fill=(0, 0, 0), line_mm=0)
    picture, _ = look(sealed(blot(), (under,)))
    assert picture.convert("RGB").getpixel((212, 262)) == (0, 0, 0)


def drawn_as(files: dict[str, bytes]) -> dict[str, bytes]:
    """Have the seals say that their pictures are documents: a preview shows what is there, signed or not."""
    return {path: octets.replace(b"\x16\x03PNG", b"\x16\x03OFD") for path, octets in files.items()}


def test_a_seal_whose_picture_is_a_document_is_drawn_as_that(sealed: Sealed) -> None:
    square = rectangle(0, 0, 10, 20, fill=(255, 0, 0), line_mm=0)
    inner = Page(items=(square,), width_mm=20, height_mm=20)
    nested = write_simple_ofd([inner], doc_id="0" * 32, title="印", created=date(2026, 11, 22))
    picture, notes = look(drawn_as(sealed(nested)))
    assert notes == ()
    assert ink(picture, 2) == (30, 40, 50, 80)
    assert ink(picture, 0) is None


def test_documents_in_seals_on_documents_end_somewhere(sealed: Sealed) -> None:
    files = sealed(blot())
    for _ in range(3):
        files = drawn_as(sealed(write_archive(files)))
    _, notes = look(files)
    assert notes == ("documents nest too deep in a seal's picture",)


def test_a_seal_whose_picture_is_no_document_is_told(sealed: Sealed) -> None:
    picture, notes = look(drawn_as(sealed(blot())))
    assert ink(picture, 2) is None
    assert notes == ("a seal's picture is a document that cannot be read",)


@pytest.mark.parametrize("octets", [b"no picture", b""])
def test_a_seal_that_cannot_be_shown_is_told(sealed: Sealed, octets: bytes) -> None:
    picture, notes = look(sealed(octets or b"\x89PNG\r\n\x1a\n"))
    assert ink(picture, 2) is None
    assert notes == ("a picture cannot be decoded",)


def test_a_signature_that_cannot_be_read_costs_only_its_seal(sealed: Sealed) -> None:
    text = Text(x_mm=10, y_mm=20, text="字", size_mm=5)
    files = sealed(blot(), (text,))
    files |= {path: b"damaged" for path in files if path.endswith(("SignedValue.dat", "Seal.esl"))}
    picture, notes = look(files)
    assert any("cannot be read" in note for note in notes)
    assert ink(picture, 2) is not None
