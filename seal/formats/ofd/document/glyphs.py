"""Glyphs of embedded fonts: which ones a text needs, how far they advance, and the subset that holds them.

Shaping and subsetting are HarfBuzz's (OpenType 1.9). A variable font is fixed at one weight, and its outlines are
written as CFF version 1: few readers of OFD know version 2.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import uharfbuzz as hb

from seal.errors import GlyphMissing
from seal.fonts import Font, packaged_font

_FEATURES = {"liga": False, "clig": False, "calt": False}
"""One glyph a character wherever the script allows: what is selected is then what is seen."""
_DROPPED = ("GSUB", "GPOS", "GDEF", "BASE", "STAT", "VORG", "HVAR", "VVAR", "MVAR", "avar", "DSIG", "vhea", "vmtx")
"""Tables that a reader of placed glyphs does not need."""
_REGULAR = 400
_UNMARKED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Cluster:
    """What cannot be taken apart: some characters and their glyphs. Lengths are ems."""

    text: str
    glyphs: tuple[int, ...]
    offsets: tuple[tuple[float, float], ...]
    """Where each glyph stands, from the cluster's begin, y downwards."""
    advance: float
    plain: bool
    """One character, and the glyph that the font's own table gives for it."""


@dataclass(frozen=True, slots=True)
class Subset:
    """A font file with some of the glyphs of another, and their new numbers by the old ones."""

    octets: bytes
    numbers: Mapping[int, int]


@lru_cache(maxsize=4096)
def shape(font: Font, text: str) -> tuple[Cluster, ...]:
    """Choose and place the glyphs of a line; refuse (GlyphMissing) what the font cannot write."""
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    buffer.direction = "ltr"
    hb.shape(font.opened(), buffer, _FEATURES)
    return tuple(_clusters(font.opened(), text, buffer))


def width(font: Font, text: str) -> float:
    """Give the width of a line in ems; refuse (GlyphMissing) what the font cannot write."""
    return sum(cluster.advance for cluster in shape(font, text))


def subset(font: Font, texts: Iterable[str], glyphs: Iterable[int]) -> Subset:
    """Give a font file that holds these glyphs, and finds those of these characters; the same for the same."""
    face = font.opened().face
    wanted = hb.SubsetInput()
    for point in sorted({ord(character) for text in texts for character in text}):
        wanted.unicode_set.add(point)
    for glyph in sorted(set(glyphs)):
        wanted.glyph_set.add(glyph)
    if font.weight is not None:
        wanted.pin_axis_location(face, "wght", font.weight)
    wanted.flags = (
        hb.SubsetFlags.NO_HINTING
        | hb.SubsetFlags.NO_LAYOUT_CLOSURE
        | hb.SubsetFlags.NO_BIDI_CLOSURE
        | hb.SubsetFlags.DOWNGRADE_CFF2
    )
    for table in _DROPPED:
        wanted.sets(hb.SubsetInputSets.DROP_TABLE_TAG).add(int.from_bytes(table.encode(), "big"))
    plan = hb.SubsetPlan(face, wanted)
    numbers = dict(plan.old_to_new_glyph_mapping.items())
    return Subset(octets=bytes(plan.execute().blob.data), numbers=numbers)


def face_name(font: Font) -> str:
    """Name a face in a document unlike any other: one word, with the weight chosen among several."""
    weight = f"-{font.weight}" if font.weight is not None else ""
    return "".join(font.family.split()) + weight


def document_font(weight: int = _REGULAR) -> Font:
    """Give the Chinese font that is installed with this product, in one of its weights (100 to 900)."""
    return replace(packaged_font(), weight=weight)


def _clusters(font: hb.Font, text: str, buffer: hb.Buffer) -> Iterator[Cluster]:
    infos, positions = buffer.glyph_infos, buffer.glyph_positions
    begins = sorted({info.cluster for info in infos})
    ends = dict(zip(begins, [*begins[1:], len(text)], strict=True))
    upem = font.face.upem
    at = 0
    while at < len(infos):
        begin = infos[at].cluster
        written = text[begin : ends[begin]]
        glyphs, offsets, pen = [], [], 0
        while at < len(infos) and infos[at].cluster == begin:
            place = positions[at]
            glyphs.append(infos[at].codepoint)
            offsets.append(((pen + place.x_offset) / upem, -place.y_offset / upem))
            pen += place.x_advance
            at += 1
        _require(written, glyphs)
        plain = len(written) == 1 == len(glyphs) and font.get_nominal_glyph(ord(written)) == glyphs[0]
        yield Cluster(written, tuple(glyphs), tuple(offsets), pen / upem, plain)


def _require(written: str, glyphs: list[int]) -> None:
    odd = next((character for character in written if unicodedata.category(character) in _UNMARKED), None)
    bad = odd if odd is not None and len(written) == 1 else written[0] if 0 in glyphs else None
    if bad is not None:
        named = unicodedata.name(bad, "no name")
        shown = bad if bad.isprintable() else "a character"
        raise GlyphMissing(f"The font has no glyph for {shown} (U+{ord(bad):04X} {named}).")
