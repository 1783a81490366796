"""Rendering: whole or refused, the same everywhere, and its QR code readable on paper and on screens."""

import io
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from license_store import qr
from license_store.catalogue import BUSINESS_LICENSE, validate
from license_store.model import FaceData, License, PublicId, RenderingFailed, Validity
from license_store.render import Renderer
from seal.artwork import Design, draw
from seal.errors import GlyphMissing
from seal.fonts import packaged_font
from tests.license_store.town import FACE, HOLDER, OWNER, OWNER_NAME, SEAL

ADDRESS = qr.scan_address("https://zz.example.gov.cn", "k3v7q2m5x6ynbz4tpa3cwe2rdu")
CODE = qr.svg(qr.matrix(ADDRESS))


def licence(**face: str) -> License:
    return License(
        public_id=PublicId("k3v7q2m5x6ynbz4tpa3cwe2rdu"),
        identifier=f"1.2.156.3005.2.{BUSINESS_LICENSE.code}.{OWNER}.2026LDP522YYWDWFCMH3.001.A",
        number="2026LDP522YYWDWFCMH3",
        type_code=BUSINESS_LICENSE.code,
        type_version=1,
        issuer_code=OWNER,
        issuer_name=OWNER_NAME,
        seal=SEAL,
        holder=HOLDER,
        face=validate(BUSINESS_LICENSE, HOLDER, {**FACE, **face}),
        validity=Validity(first=date(2019, 3, 1), last=date(2039, 2, 28)),
        issued_at=datetime(2026, 11, 22, 8, tzinfo=UTC),
        changes=(),
        files=(),
    )


def pdf(renderer: Renderer, drawn: License) -> bytes:
    return renderer.pdf(BUSINESS_LICENSE, drawn, qr_svg=CODE, host="zz.example.gov.cn")


def tool(name: str, *arguments: str) -> str:
    if shutil.which(name) is None:
        pytest.skip(f"{name} (poppler-utils) is not installed")
    return subprocess.run([name, *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def rendered(renderer: Renderer, tmp_path: Path) -> Path:
    path = tmp_path / "licence.pdf"
    path.write_bytes(pdf(renderer, licence()))
    return path


def test_the_same_facts_give_the_same_octets_from_another_renderer(renderer: Renderer) -> None:
    again = Renderer(packaged_font())
    assert pdf(renderer, licence()) == pdf(again, licence())


def test_the_document_claims_pdf_a_2b_and_ends_with_a_line_of_its_own(renderer: Renderer) -> None:
    document = pdf(renderer, licence())
    assert document.endswith(b"%%EOF\n")
    assert re.search(rb"pdfaid:part>2<.*pdfaid:conformance>B<", document, re.DOTALL)


def test_the_text_can_be_read_by_machines(rendered: Path) -> None:
    text = re.sub(r"\s", "", tool("pdftotext", "-layout", str(rendered), "-"))
    for expected in (HOLDER.name, HOLDER.code, FACE["capital"], "2019年3月1日至2039年2月28日", OWNER_NAME):
        assert re.sub(r"\s", "", expected) in text


def test_every_font_is_embedded(rendered: Path) -> None:
    rows = tool("pdffonts", str(rendered)).splitlines()[2:]
    assert rows
    assert all(re.search(r"yes\s+yes\s+yes", row) for row in rows)


def test_the_qr_code_is_read_from_the_printed_page(rendered: Path) -> None:
    tool("pdftoppm", "-r", "150", "-png", str(rendered), str(rendered.with_suffix("")))
    found = zxingcpp.read_barcodes(Image.open(rendered.with_name("licence-1.png")))
    assert [one.text for one in found] == [ADDRESS]


def test_the_picture_shows_the_seal_and_a_readable_code(renderer: Renderer) -> None:
    seal = draw(Design(kind="department", name=OWNER_NAME))
    png = renderer.picture(BUSINESS_LICENSE, licence(), qr_svg=CODE, host="zz.example.gov.cn", seal=seal)
    shown = Image.open(io.BytesIO(png)).convert("RGB")
    assert len(png) < 150_000
    assert [one.text for one in zxingcpp.read_barcodes(shown)] == [ADDRESS]
    corner = shown.crop((round(shown.width * 0.7), round(shown.height * 0.65), shown.width, shown.height))
    bands = [band.tobytes() for band in corner.split()]
    assert sum(1 for red, green, blue in zip(*bands, strict=True) if red > 170 and green < 60 and blue < 70) > 1000


def test_a_missing_glyph_is_refused_and_named(renderer: Renderer) -> None:
    with pytest.raises(GlyphMissing, match=r"😀 \(U\+1F600\)"):
        pdf(renderer, licence(legal_representative="欧阳😀"))


@pytest.mark.parametrize("name", ["䶮㛃", "𬱖𫟹㐱", "鱻龘靐齉"])
def test_rare_names_are_shown(renderer: Renderer, name: str) -> None:
    assert pdf(renderer, licence(legal_representative=name)).startswith(b"%PDF")


def test_data_are_never_markup(renderer: Renderer, tmp_path: Path) -> None:
    path = tmp_path / "licence.pdf"
    path.write_bytes(pdf(renderer, licence(address='#panic("x") *粗* $x$ \\ "引号"')))
    assert '#panic("x")*粗*$x$\\"引号"' in re.sub(r"\s", "", tool("pdftotext", "-layout", str(path), "-"))


def test_the_longest_data_the_schema_takes_still_fit(renderer: Renderer, tmp_path: Path) -> None:
    longest = {row.name: "国" * row.max_length for row in BUSINESS_LICENSE.fields if row.name != "established"}
    path = tmp_path / "licence.pdf"
    drawn = replace(licence(**longest), holder=replace(HOLDER, name="国" * 60))
    path.write_bytes(pdf(renderer, drawn))
    assert "Pages:           1" in tool("pdfinfo", str(path))


def test_what_does_not_fit_in_the_smallest_type_is_refused_not_cut(renderer: Renderer) -> None:
    drawn = licence()
    too_long = replace(drawn, face=FaceData({**drawn.face, "scope": "国" * 5000}))
    with pytest.raises(RenderingFailed):
        pdf(renderer, too_long)
