"""QR masks: which of the eight suits a symbol best (ISO/IEC 18004:2015 7.8.3), found on whole-symbol integers.

A symbol is one integer, a bit a module, each row followed by a bit that is never set, so that no run crosses the
edge. Every count of the standard is then a few shifts over all modules at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_RUN, _RUN_BASE = 5, 3
_BLOCK, _FINDER, _BALANCE = 3, 40, 10
_SHARE = 5
"""Percent of deviation from an even share of dark modules that cost one more step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """A symbol as two integers: row by row, and column by column."""

    side: int
    rows: int
    columns: int

    @classmethod
    def of(cls, dark: bytes, side: int) -> "Symbol":
        """Pack ``side`` times ``side`` octets, 1 for a dark module."""
        rows = _packed(dark[start : start + side] for start in range(0, side * side, side))
        return cls(side=side, rows=rows, columns=_packed(dark[column::side] for column in range(side)))

    def xor(self, other: "Symbol") -> "Symbol":
        """Give the modules in which the two differ; a symbol and such a difference make the other symbol."""
        return Symbol(side=self.side, rows=self.rows ^ other.rows, columns=self.columns ^ other.columns)

    def dark(self) -> bytes:
        """Unpack into octets, 1 for a dark module."""
        stride = self.side + 1
        digits = f"{self.rows:0{stride * self.side}b}".encode().translate(_DIGITS)
        return b"".join(digits[start : start + self.side] for start in range(0, len(digits), stride))


def best(candidates: Sequence[Symbol]) -> Symbol:
    """Give the candidate with the least penalty, the first of equals."""
    return min(candidates, key=penalty)


def penalty(symbol: Symbol) -> int:
    """Add up the four penalties of table 11."""
    stride = symbol.side + 1
    edge = _packed([b"\1" * symbol.side] * symbol.side)
    return (
        _lines(symbol.rows, edge)
        + _lines(symbol.columns, edge)
        + _blocks(symbol.rows, edge, stride)
        + _imbalance(symbol)
    )


def _lines(dark: int, inside: int) -> int:
    """Penalise long runs of one colour, and what looks like a finder with light beside it, along one direction."""
    light = dark ^ inside
    lights = light & light >> 1
    lights &= lights >> 2
    finder = dark & light >> 1 & dark >> 2 & dark >> 3 & dark >> 4 & light >> 5 & dark >> 6
    lookalikes = (finder & lights >> 7).bit_count() + (lights & finder >> 4).bit_count()
    darks = dark & dark >> 1
    darks &= darks >> 2
    return _FINDER * lookalikes + _runs(darks & dark >> 4) + _runs(lights & light >> 4)


def _runs(fives: int) -> int:
    """Cost of runs, given where five of a kind begin: 3 for a run of five and 1 for each module more."""
    ends = fives & ~(fives >> 1)
    return fives.bit_count() + (_RUN_BASE - 1) * ends.bit_count()


def _blocks(dark: int, inside: int, stride: int) -> int:
    light = dark ^ inside
    darks = dark & dark >> 1
    lights = light & light >> 1
    return _BLOCK * ((darks & darks >> stride).bit_count() + (lights & lights >> stride).bit_count())


def _imbalance(symbol: Symbol) -> int:
    modules = symbol.side * symbol.side
    # |dark / modules - 1/2| in whole steps of five percent, without a fraction.
    return _BALANCE * (abs(symbol.rows.bit_count() * 2 - modules) * 100 // (modules * 2 * _SHARE))


_DIGITS = bytes(255 if octet not in b"01" else octet - 48 for octet in range(256))
_LETTERS = bytes.maketrans(b"\0\1", b"01")


def _packed(lines: Iterable[bytes]) -> int:
    return int(b"".join(line.translate(_LETTERS) + b"0" for line in lines), 2)
