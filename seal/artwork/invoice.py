"""The invoice seal, an oval of 40 by 30 mm whose every measure is prescribed (国家税务总局公告2011年第7号).

In millimetres: border 1; name 4.2 high, 0.5 inside the border, over 210 to 260 degrees; the taxpayer's number in the
middle, 3.7 high, 26 long; the words 4.6 high and 3 wide, heads 4.2 below the middle; the number 2.2 high, 10 below it.
"""

from seal.artwork import arc
from seal.artwork.figures import ring
from seal.artwork.lettering import CAPITAL
from seal.artwork.line import Line, write
from seal.artwork.model import Mark
from seal.artwork.setting import Setting

_NAME_GAP, _NAME_HEIGHT, _SPAN = 0.5, 4.2, 235.0
_CODE_HEIGHT, _NUMBER_HEIGHT = 3.7, 2.2
"""Of the figures, not of the boxes that they stand in."""
_CODE = Line(top=-_CODE_HEIGHT / 2 * CAPITAL, height=_CODE_HEIGHT * CAPITAL, room=26.0, widest=0.75)
_LINE = Line(top=4.2, height=4.6, room=17.5, widest=3.0 / 4.6)
_NUMBER = Line(top=10.0 - _NUMBER_HEIGHT / 2 * (CAPITAL - 1), height=_NUMBER_HEIGHT * CAPITAL, room=8.0, widest=0.9)


def lay_out(seal: Setting) -> tuple[Mark, ...]:
    """Arrange an invoice seal."""
    across, down = seal.width / 2, seal.height / 2
    along = arc.Arc(
        across=across - seal.border, down=down - seal.border, gap=_NAME_GAP, height=_NAME_HEIGHT, span=_SPAN
    )
    marks = [Mark(part="ring", outline=ring(across, down, seal.border)), *arc.write(seal.name, along, "name")]
    marks += write(seal.code, _CODE, "code")
    marks += write(seal.line, _LINE, "line")
    marks += write(seal.number, _NUMBER, "number")
    return tuple(marks)
