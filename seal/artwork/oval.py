"""The oval seal: ring, name over the top, a level line in the middle. Measures are parts of its half height."""

from seal.artwork import arc
from seal.artwork.figures import ring, star
from seal.artwork.line import Line, write
from seal.artwork.model import Centre, Mark
from seal.artwork.setting import Setting

_NAME_GAP, _NAME_HEIGHT, _SPAN = 0.05, 0.30, 236.0
_STAR, _STAR_MIDDLE = 0.30, -0.05
_LINE = Line(top=0.30, height=0.28, room=1.2, widest=0.9)
_LINE_ALONE = Line(top=0.0, height=0.28, room=1.2, widest=0.9)
_NUMBER = Line(top=0.62, height=0.17, room=0.6)


def lay_out(seal: Setting) -> tuple[Mark, ...]:
    """Arrange an oval seal."""
    across, down = seal.width / 2, seal.height / 2
    along = arc.Arc(
        across=across - seal.border,
        down=down - seal.border,
        gap=down * _NAME_GAP,
        height=down * _NAME_HEIGHT,
        span=_SPAN,
    )
    marks = [Mark(part="ring", outline=ring(across, down, seal.border)), *arc.write(seal.name, along, "name")]
    if seal.centre is Centre.STAR:
        marks.append(Mark(part="star", outline=star(down * _STAR, down * _STAR_MIDDLE)))
    line = _LINE_ALONE if seal.centre is Centre.NONE else _LINE
    marks += write(seal.line, line.times(down), "line")
    marks += write(seal.number, _NUMBER.times(down), "number")
    return tuple(marks)
