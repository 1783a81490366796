"""Seal artwork: seals drawn from their words, by the State Council's sizes and what enterprises practise."""

from seal.artwork.drawing import draw
from seal.artwork.kinds import KINDS
from seal.artwork.layout import lay_out
from seal.artwork.lettering import Lettering
from seal.artwork.model import RED, Artwork, Centre, Design, Kind, Mark, Shape
from seal.artwork.png import DPI, RESOLUTIONS, png
from seal.artwork.svg import svg

__all__ = [
    "DPI",
    "KINDS",
    "RED",
    "RESOLUTIONS",
    "Artwork",
    "Centre",
    "Design",
    "Kind",
    "Lettering",
    "Mark",
    "Shape",
    "draw",
    "lay_out",
    "png",
    "svg",
]
