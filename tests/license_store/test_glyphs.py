"""Glyph coverage: what a font can show, from either of the tables that fonts say it in."""

import struct
from pathlib import Path

import pytest

from license_store import glyphs
from license_store.model import GlyphMissing
from license_store.render import Font, packaged_font


def font_of(folder: Path, subtable: bytes) -> Path:
    """Write a font file that has a cmap table and nothing else."""
    cmap = struct.pack(">HHHHI", 0, 1, 3, 1, 12) + subtable
    head = struct.pack(">IHHHH", 0x00010000, 1, 16, 0, 0) + struct.pack(">4sIII", b"cmap", 0, 28, len(cmap))
    path = folder / "font.ttf"
    path.write_bytes(head + cmap)
    return path


def format_4(segments: list[tuple[int, int, int]]) -> bytes:
    """Pack (first, last, delta) segments, ending with the one that stands for no character."""
    rows = [*segments, (0xFFFF, 0xFFFF, 1)]
    packed = struct.pack(f">{len(rows)}H", *(row[1] for row in rows)) + b"\0\0"
    packed += struct.pack(f">{len(rows)}H", *(row[0] for row in rows))
    packed += struct.pack(f">{len(rows)}H", *(row[2] & 0xFFFF for row in rows)) + bytes(2 * len(rows))
    return struct.pack(">HHHHHHH", 4, 14 + len(packed), 0, 2 * len(rows), 0, 0, 0) + packed


def test_the_packaged_font_shows_chinese_and_rare_characters_and_no_emoji() -> None:
    font = packaged_font()
    assert glyphs.missing("证照 abc\n䶮𬱖😀กa😀", font.path, font.index) == "😀ก"


def test_a_table_for_the_basic_plane_is_read(tmp_path: Path) -> None:
    font = font_of(tmp_path, format_4([(0x41, 0x5A, -60), (0x8BC1, 0x8BC1, 0)]))
    assert glyphs.coverage(font) == {*range(0x41, 0x5B), 0x8BC1}


def test_a_character_mapped_to_the_missing_glyph_is_missing(tmp_path: Path) -> None:
    assert glyphs.coverage(font_of(tmp_path, format_4([(0x41, 0x43, -0x41)]))) == {0x42, 0x43}


def test_a_table_for_all_planes_is_read(tmp_path: Path) -> None:
    groups = [(0x41, 0x42, 0), (0x20000, 0x20002, 7)]
    packed = b"".join(struct.pack(">III", *group) for group in groups)
    subtable = struct.pack(">HHIII", 12, 0, 16 + len(packed), 0, len(groups)) + packed
    assert glyphs.coverage(font_of(tmp_path, subtable)) == {0x42, 0x20000, 0x20001, 0x20002}


def test_a_refusal_names_each_missing_character_once(tmp_path: Path) -> None:
    font = Font(path=font_of(tmp_path, format_4([(0x41, 0x5A, 0)])), index=0, family="Capitals")
    with pytest.raises(GlyphMissing, match=r"no glyph for 证 \(U\+8BC1\), 照 \(U\+7167\)\."):
        font.require("A 证照证B")
