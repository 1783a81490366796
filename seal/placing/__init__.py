"""Placing: where a seal's picture stands in a document, by point, corner, keyword or over the pages' edges."""

from seal.placing.model import (
    AtKeyword,
    AtPoint,
    Box,
    Corner,
    Edge,
    Facing,
    InCorner,
    PageSize,
    Placement,
    Stamp,
    Straddle,
    TextPlace,
)
from seal.placing.pages import PageList
from seal.placing.resolve import Surface, stamps
from seal.placing.text import parse_placement, placement_text

__all__ = [
    "AtKeyword",
    "AtPoint",
    "Box",
    "Corner",
    "Edge",
    "Facing",
    "InCorner",
    "PageList",
    "PageSize",
    "Placement",
    "Stamp",
    "Straddle",
    "Surface",
    "TextPlace",
    "parse_placement",
    "placement_text",
    "stamps",
]
