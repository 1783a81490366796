"""Placements as one line of text, for command lines, forms and records: ``straddle:right;pages=1-20;margin=2``.

    point;x=120;y=230;pages=-1          corner:bottom-right;dx=20;dy=25;pages=-1
    keyword:盖章处;pick=1;dx=0;dy=-5      straddle:right;margin=0;along=100;most=20;pages=all
    facing;share=0.5;along=100;pages=all

Lengths in mm. In a keyword ``%``, ``;`` and ``=`` are written as in a URL (%25, %3B, %3D).
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Literal, TypeVar
from urllib.parse import quote, unquote

from seal.errors import PlacementRefused
from seal.placing.model import EVERY, LAST, AtKeyword, AtPoint, Corner, Edge, Facing, InCorner, Placement, Straddle
from seal.placing.pages import PageList

LONGEST_PLACEMENT = 1000
_FURTHEST_MM = 10_000.0
_PLAIN = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in "%;=")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,3})?", re.ASCII | re.IGNORECASE)
_Choice = TypeVar("_Choice", Edge, Corner)


def parse_placement(text: str) -> Placement:
    """Read a placement; PlacementRefused tells what is wrong with it."""
    if len(text) > LONGEST_PLACEMENT:
        raise PlacementRefused(f"A placement has {LONGEST_PLACEMENT} characters at most.")
    head, *rest = text.split(";")
    kind, _, subject = head.partition(":")
    reader = _READERS.get(kind.strip())
    if reader is None:
        raise PlacementRefused(f"{kind[:40]!r} is no placement: choose among {', '.join(_READERS)}.")
    options = _Options(rest)
    made = reader(subject.strip(), options)
    options.all_used()
    return made


def placement_text(placement: Placement) -> str:
    """Write ``placement`` so that ``parse_placement`` gives it back; the same placement always gives the same text."""
    match placement:
        case AtPoint():
            words = ["point", f"x={placement.x_mm!r}", f"y={placement.y_mm!r}"]
        case InCorner():
            words = [f"corner:{placement.corner.value}", f"dx={placement.dx_mm!r}", f"dy={placement.dy_mm!r}"]
        case AtKeyword():
            words = [f"keyword:{quote(placement.text, safe=_PLAIN, errors='surrogatepass')}", f"pick={placement.pick}"]
            words += [f"dx={placement.dx_mm!r}", f"dy={placement.dy_mm!r}"]
        case Straddle():
            words = [f"straddle:{placement.edge.value}", f"margin={placement.margin_mm!r}"]
            words += [f"along={placement.along_mm!r}"] if placement.along_mm is not None else []
            words += [f"most={placement.most}"] if placement.most is not None else []
        case Facing():
            words = ["facing", f"share={placement.share!r}"]
            words += [f"along={placement.along_mm!r}"] if placement.along_mm is not None else []
    return ";".join([*words, f"pages={placement.pages.text}"])


class _Options:
    """The ``name=value`` parts, each to be asked for once."""

    def __init__(self, parts: list[str]) -> None:
        self._values: dict[str, str] = {}
        for part in parts:
            name, equals, value = part.partition("=")
            name = name.strip()
            if not equals or name in self._values:
                raise PlacementRefused(f"{part[:40]!r}: write name=value, each name once.")
            self._values[name] = value.strip()

    def pages(self, default: PageList) -> PageList:
        text = self._values.pop("pages", None)
        return default if text is None else PageList.parse(text)

    def word(self, name: str) -> str | None:
        return self._values.pop(name, None)

    def number(self, name: str, default: float | None = None) -> float:
        text = self._values.pop(name, None)
        if text is None:
            if default is None:
                raise PlacementRefused(f"The placement lacks {name}, in mm.")
            return default
        return _number(name, text)

    def number_or_none(self, name: str) -> float | None:
        text = self._values.pop(name, None)
        return None if text is None else _number(name, text)

    def whole(self, name: str) -> int | None:
        text = self._values.pop(name, None)
        return None if text is None else _whole(name, text)

    def all_used(self) -> None:
        if self._values:
            raise PlacementRefused(f"The placement knows no {', '.join(sorted(self._values))[:60]!r}.")


def _number(name: str, text: str) -> float:
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not abs(value) <= _FURTHEST_MM:  # NaN too
        raise PlacementRefused(f"{name} is a number of at most {_FURTHEST_MM:g}, not {text[:40]!r}.")
    return value


def _whole(name: str, text: str) -> int:
    if not text.removeprefix("-").isascii() or not text.removeprefix("-").isdigit() or len(text) > 7:  # noqa: PLR2004
        raise PlacementRefused(f"{name} is a whole number, not {text[:40]!r}.")
    return int(text)


def _choice(kind: type[_Choice], text: str, default: _Choice) -> _Choice:
    try:
        return kind(text) if text else default
    except ValueError:
        raise PlacementRefused(f"{text[:40]!r}: choose among {', '.join(kind)}.") from None


def _bare(subject: str, kind: str) -> None:
    if subject:
        raise PlacementRefused(f"Nothing stands after {kind}:, but {subject[:40]!r} does.")


def _point(subject: str, options: _Options) -> Placement:
    _bare(subject, "point")
    return AtPoint(x_mm=options.number("x"), y_mm=options.number("y"), pages=options.pages(LAST))


def _corner(subject: str, options: _Options) -> Placement:
    defaults = InCorner()
    return InCorner(
        corner=_choice(Corner, subject, defaults.corner),
        dx_mm=options.number("dx", defaults.dx_mm),
        dy_mm=options.number("dy", defaults.dy_mm),
        pages=options.pages(defaults.pages),
    )


def _keyword(subject: str, options: _Options) -> Placement:
    try:
        # What is no text would be recorded as another one: half a surrogate pair comes from a command line's octets.
        text = unquote(subject, errors="strict")
        text.encode()
    except UnicodeError:
        raise PlacementRefused("The keyword is no text in UTF-8.") from None
    if not text:
        raise PlacementRefused("The keyword is missing: write keyword:盖章处.")
    pick = options.word("pick")
    picked: int | Literal["all"] = "all" if pick in (None, "all") else _whole("pick", pick or "")
    return AtKeyword(
        text=text,
        pick=picked,
        dx_mm=options.number("dx", 0),
        dy_mm=options.number("dy", 0),
        pages=options.pages(EVERY),
    )


def _straddle(subject: str, options: _Options) -> Placement:
    defaults = Straddle()
    return Straddle(
        edge=_choice(Edge, subject, defaults.edge),
        margin_mm=options.number("margin", defaults.margin_mm),
        along_mm=options.number_or_none("along"),
        most=options.whole("most"),
        pages=options.pages(defaults.pages),
    )


def _facing(subject: str, options: _Options) -> Placement:
    _bare(subject, "facing")
    defaults = Facing()
    return Facing(
        share=options.number("share", defaults.share),
        along_mm=options.number_or_none("along"),
        pages=options.pages(defaults.pages),
    )


_READERS: Mapping[str, Callable[[str, _Options], Placement]] = {
    "point": _point,
    "corner": _corner,
    "keyword": _keyword,
    "straddle": _straddle,
    "facing": _facing,
}
