"""Numbers as OFD writes them in attributes: lists of ST_Array, boxes, runs of equal distances (GB/T 33190 7.3)."""

import math
from collections.abc import Iterator
from itertools import islice, repeat

_FURTHEST = 1e6
"""Millimetres; what lies further out is no drawing but an attack."""
LONGEST_ARRAY = 100_000


def number(text: str | None, default: float) -> float:
    """Read one number; ``default`` for anything else."""
    try:
        value = float(text or "")
    except ValueError:
        return default
    return value if math.isfinite(value) and abs(value) <= _FURTHEST else default


def numbers(text: str | None, count: int) -> tuple[float, ...] | None:
    """Read exactly ``count`` numbers; None for anything else."""
    parts = (text or "").split(maxsplit=count)
    values = [number(part, math.nan) for part in parts]
    return tuple(values) if len(values) == count and not any(map(math.isnan, values)) else None


def deltas(text: str | None) -> Iterator[float]:
    """Read distances from one character to the next: numbers, and ``g n v`` for n times v (GB/T 33190 11.3).

    Reading ends at what is no number, and after ``LONGEST_ARRAY`` values.
    """
    return islice(_deltas((text or "").split()), LONGEST_ARRAY)


def _deltas(parts: list[str]) -> Iterator[float]:
    at = 0
    while at < len(parts):
        if parts[at] == "g":
            if at + 2 >= len(parts):
                return
            count, value = number(parts[at + 1], -1), number(parts[at + 2], math.nan)
            if count < 0 or math.isnan(value):
                return
            yield from repeat(value, int(count))
            at += 3
        else:
            value = number(parts[at], math.nan)
            if math.isnan(value):
                return
            yield value
            at += 1
