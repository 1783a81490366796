"""Values in a stranger's attributes: what cannot be read counts as not written (GB/T 33190 7.3)."""

from collections.abc import Sequence
from itertools import islice

from seal.formats.ofd.numbers import LONGEST_ARRAY, deltas
from seal.formats.ofd.numbers import number as _number
from seal.formats.ofd.numbers import numbers as _numbers

Box = tuple[float, float, float, float]
"""Left, top, width, height."""
Matrix = tuple[float, float, float, float, float, float]
"""a b c d e f: x' = ax + cy + e, y' = bx + dy + f."""


def number(text: str | None, default: float = 0.0) -> float:
    """Read one number; ``default`` if it is none, or beyond all measure."""
    return _number(text, default)


def numbers(text: str | None) -> tuple[float, ...]:
    """Read a list of numbers of any length; an empty one if anything in it is none."""
    return _numbers(text, min(len((text or "").split()), LONGEST_ARRAY)) or ()


def whole(text: str | None, default: int = 0) -> int:
    """Read a whole number."""
    return int(number(text, default))


def flag(text: str | None, *, default: bool) -> bool:
    """Read a truth value."""
    return default if text is None else text.strip().lower() in ("true", "1")


def box(text: str | None) -> Box | None:
    """Read a box; None if it is none."""
    values = _numbers(text, 4)
    return (values[0], values[1], max(values[2], 0), max(values[3], 0)) if values is not None else None


def matrix(text: str | None) -> Matrix | None:
    """Read a transformation; None if it is none."""
    return _numbers(text, 6)  # type: ignore[return-value]  # six are asked for


def steps(text: str | None, most: int) -> list[float]:
    """Read DeltaX or DeltaY, at most ``most`` of them."""
    return list(islice(deltas(text), most))


def num(value: float) -> str:
    """Write a number as SVG takes it, short."""
    return f"{value:.7g}"


def nums(values: Sequence[float]) -> str:
    """Write several."""
    return " ".join(f"{value:.7g}" for value in values)


def svg_matrix(values: Sequence[float]) -> str:
    """Write a transformation as SVG takes it."""
    return f"matrix({nums(values)})"
