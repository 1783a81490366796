"""The round seal: ring, name over the top, star or emblem in the middle, a line below, a code along the bottom.

Measures are parts of the seal's radius, so that a 38 mm seal is a smaller 42 mm seal; only the ring has its own.
"""

from seal.artwork import arc
from seal.artwork.figures import dashes, ring, star
from seal.artwork.line import Line, write
from seal.artwork.model import Centre, Mark
from seal.artwork.setting import Setting

_NAME_GAP, _NAME_HEIGHT = 0.045, 0.27
_SPAN, _SPAN_OVER_CODE, _SPAN_OVER_LINE = 266.0, 240.0, 232.0
# 14 mm across in a seal of 40 mm. A star's weight sits above its circle's centre: moved down it looks centred.
_STAR, _STAR_MIDDLE = 0.35, 0.015
_STAR_OVER_LINE, _STAR_LIFTED = 0.31, -0.06
_EMBLEM, _EMBLEM_OVER_LINE, _EMBLEM_LINE, _EMBLEM_WORD = 0.40, 0.32, 0.02, 0.95
_DASHES = 36
_LINE = Line(top=0.28, height=0.22, room=0.94, widest=0.82)
_LINE_ALONE = Line(top=0.05, height=0.27, room=1.04, widest=0.82)
_NUMBER_GAP, _NUMBER_HEIGHT, _NUMBER_ROOM = 0.05, 0.15, 0.5
_CODE_GAP, _CODE_HEIGHT = 0.03, 0.10


def lay_out(seal: Setting) -> tuple[Mark, ...]:
    """Arrange a round seal."""
    radius = seal.width / 2
    inner = radius - seal.border
    span = _SPAN_OVER_LINE if seal.line else _SPAN_OVER_CODE if seal.code else _SPAN
    along = arc.Arc(across=inner, down=inner, gap=radius * _NAME_GAP, height=radius * _NAME_HEIGHT, span=span)
    marks = [Mark(part="ring", outline=ring(radius, radius, seal.border)), *arc.write(seal.name, along, "name")]
    marks += _centre(seal, radius)
    marks += _lines(seal, radius)
    if seal.code:
        marks += arc.write_below(seal.code, inner - radius * _CODE_GAP, radius * _CODE_HEIGHT, "code")
    return tuple(marks)


def _centre(seal: Setting, radius: float) -> tuple[Mark, ...]:
    lifted = radius * _STAR_LIFTED
    match seal.centre:
        case Centre.STAR if seal.line:
            return (Mark(part="star", outline=star(radius * _STAR_OVER_LINE, lifted)),)
        case Centre.STAR:
            return (Mark(part="star", outline=star(radius * _STAR, radius * _STAR_MIDDLE)),)
        case Centre.EMBLEM:
            size, middle = (_EMBLEM_OVER_LINE, lifted) if seal.line else (_EMBLEM, 0.0)
            (word,) = seal.placeholder
            edge = (radius * size * _EMBLEM_WORD,) * 2
            outline = dashes((0, middle), radius * size, radius * _EMBLEM_LINE, _DASHES)
            return Mark(part="emblem", outline=outline), word.place("emblem", (0, middle), edge)
        case Centre.NONE:
            return ()


def _lines(seal: Setting, radius: float) -> tuple[Mark, ...]:
    line = _LINE_ALONE if seal.centre is Centre.NONE else _LINE
    number = Line(top=line.top + line.height + _NUMBER_GAP, height=_NUMBER_HEIGHT, room=_NUMBER_ROOM)
    return write(seal.line, line.times(radius), "line") + write(seal.number, number.times(radius), "number")
