"""Mutations of octets that know no format: what line noise, a bad disk or an idle attacker does to a file."""

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeAlias

Mutate: TypeAlias = Callable[[Random, bytes, Sequence[bytes]], bytes]
"""Gives a changed copy of the second argument; the third holds every seed, to take parts from."""

MAX_INPUT = 1 << 20
"""Octets an input is cut to: what is larger is a matter of the readers' size limits, which have tests of their own."""
_INTERESTING = (0x00, 0x01, 0x1F, 0x20, 0x30, 0x7F, 0x80, 0x81, 0x84, 0x88, 0xA0, 0xBF, 0xFE, 0xFF)
_WIDTHS = (1, 2, 4, 8)
_MOST_CHANGES = 4


def flip_bits(rng: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """Flip one to eight bits."""
    changed = bytearray(data or rng.choice(seeds))
    for _ in range(rng.randint(1, 8) if changed else 0):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def overwrite(rng: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Put a telling octet, or a number at one of its ends, over what stands there."""
    width = rng.choice(_WIDTHS)
    value = bytes((rng.choice(_INTERESTING),)) * width if rng.random() < 0.5 else rng.randbytes(width)
    at = rng.randrange(len(data) + 1)
    return data[:at] + value + data[at + width :]


def truncate(rng: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Cut the end or the beginning off."""
    at = rng.randrange(len(data) + 1)
    return data[:at] if rng.random() < 0.8 else data[at:]


def duplicate(rng: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Repeat a slice, rarely very often."""
    start, end = _slice(rng, data)
    times = rng.choice((1, 1, 2, 3, 40)) if rng.random() < 0.95 else 2000
    return (data[:end] + repeated(data[start:end], times) + data[end:])[:MAX_INPUT]


def repeated(part: bytes, times: int) -> bytes:
    """Repeat ``part`` as often as asked, or as fits."""
    return part * min(times, MAX_INPUT // (len(part) or 1) + 1)


def delete(rng: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Take a slice out."""
    start, end = _slice(rng, data)
    return data[:start] + data[end:]


def insert(rng: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Put random octets in."""
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(rng.choice((1, 2, 8, 64))) + data[at:]


def splice(rng: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """Put a slice of another seed in the place of one of ours."""
    other = rng.choice(seeds)
    start, end = _slice(rng, data)
    begin, stop = _slice(rng, other)
    return (data[:start] + other[begin:stop] + data[end:])[:MAX_INPUT]


def swap(rng: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Exchange two neighbouring slices."""
    one, two, three = sorted(rng.randrange(len(data) + 1) for _ in range(3))
    return data[:one] + data[two:three] + data[one:two] + data[three:]


def tokens(*words: bytes) -> Mutate:
    """Make the mutation that puts one of ``words``, which mean something in the format, in or over something."""

    def put(rng: Random, data: bytes, _: Sequence[bytes]) -> bytes:
        word = rng.choice(words)
        at = rng.randrange(len(data) + 1)
        return data[:at] + word + data[at + (len(word) if rng.random() < 0.5 else 0) :]

    return put


PLAIN: tuple[Mutate, ...] = (flip_bits, overwrite, truncate, duplicate, delete, insert, splice, swap)


def mutated(rng: Random, seeds: Sequence[bytes], ways: Sequence[Mutate]) -> bytes:
    """Give one input: a seed, changed in one to four ways."""
    data = rng.choice(seeds)
    for _ in range(1 if rng.random() < 0.5 else rng.randint(2, _MOST_CHANGES)):
        data = rng.choice(ways)(rng, data, seeds)
    return data[:MAX_INPUT]


def _slice(rng: Random, data: bytes) -> tuple[int, int]:
    """Choose a slice; short ones as often as long ones."""
    start = rng.randrange(len(data) + 1)
    length = rng.choice((1, 4, 16, 64)) if rng.random() < 0.6 else rng.randrange(len(data) + 1)
    return start, min(len(data), start + length)
