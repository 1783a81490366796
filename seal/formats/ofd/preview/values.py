"""Values in a stranger's attributes: what cannot be read counts as not written (GB/T 33190 7.3)."""

import math
import re
from collections.abc import Mapping, Sequence
from itertools import islice

Attributes = Mapping[str, str]
Box = tuple[float, float, float, float]
"""Left, top, width, height."""
Matrix = tuple[float, float, float, float, float, float]
"""a b c d e f: x' = ax + cy + e, y' = bx + dy + f."""
FARTHEST = 1e6
"""No drawing has a use for larger numbers."""
_MOST_NUMBERS = 100_000
_GAP = re.compile(r"[\s,]+")


def number(text: str | None, default: float = 0.0) -> float:
    """Read one number; ``default`` if it is none, or beyond all measure."""
    try:
        value = float(text or "")
    except ValueError:
        return default
    return value if math.isfinite(value) and abs(value) <= FARTHEST else default


def numbers(text: str | None) -> tuple[float, ...]:
    """Read a list of numbers; an empty one if anything in it is none."""
    parts = [part for part in _GAP.split((text or "").strip(), maxsplit=_MOST_NUMBERS) if part]
    values = [number(part, math.nan) for part in parts[:_MOST_NUMBERS]]
    return () if any(math.isnan(value) for value in values) else tuple(values)


def whole(text: str | None, default: int = 0) -> int:
    """Read a whole number."""
    return int(number(text, default))


def flag(text: str | None, *, default: bool) -> bool:
    """Read a truth value."""
    return default if text is None else text.strip().lower() in ("true", "1")


def box(text: str | None) -> Box | None:
    """Read a box; None if it is none."""
    values = numbers(text)
    return (values[0], values[1], max(values[2], 0), max(values[3], 0)) if len(values) == 4 else None  # noqa: PLR2004


def matrix(text: str | None) -> Matrix | None:
    """Read a transformation; None if it is none."""
    values = numbers(text)
    return (*values,) if len(values) == 6 else None  # noqa: PLR2004


def steps(text: str | None, most: int) -> list[float]:
    """Read DeltaX or DeltaY, at most ``most`` of them; ``g n v`` stands for n times v (GB/T 33190 11.3)."""
    found: list[float] = []
    parts = islice(iter((text or "").split()), _MOST_NUMBERS)
    for part in parts:
        if part == "g":
            times = whole(next(parts, None))
            found.extend([number(next(parts, None))] * max(0, min(times, most - len(found))))
        else:
            found.append(number(part))
        if len(found) >= most:
            break
    return found


def num(value: float) -> str:
    """Write a number as SVG takes it, short."""
    return f"{value:.7g}"


def nums(values: Sequence[float]) -> str:
    """Write several."""
    return " ".join(f"{value:.7g}" for value in values)


def svg_matrix(values: Sequence[float]) -> str:
    """Write a transformation as SVG takes it."""
    return f"matrix({nums(values)})"
