"""Undoing the filters that a file's own structure may use: Flate and its predictors, within limits (7.4)."""

import zlib
from itertools import accumulate

from seal.formats.pdf.objects import Name, PdfDict, PdfError, PdfObject, Stream

MAX_INFLATED = 64 * 1024 * 1024
_DEAR = 64
"""How much dearer an octet is in rows that are predicted one by one."""
_PNG = 10
_LAST_PNG = 15
_NONE, _SUB, _UP, _AVERAGE, _PAETH = range(5)
# Older names of the same entries, which some readers honour, and octets kept outside the file (7.3.8.2).
_DOUBTFUL = frozenset({"F", "DP", "FFilter", "FDecodeParms"})


class Budget:
    """What undoing the filters of one document may still cost, in octets inflated."""

    __slots__ = ("left",)

    def __init__(self, left: int = MAX_INFLATED) -> None:
        self.left = left

    def spend(self, octets: int) -> None:
        """Take ``octets`` away; refuse what is too much."""
        if octets > self.left:
            raise PdfError("the structural streams of the document hold too much")
        self.left -= octets


def decode(stream: Stream, budget: Budget | None = None) -> bytes:
    """Give the octets of a structural ``stream``, at the cost of ``budget``.

    Refused where another reader might find other octets in it.
    """
    budget = budget or Budget()
    if _DOUBTFUL & stream.entries.keys():
        raise PdfError("a structural stream names its filter in a way that readers differ about")
    names = _listed(stream.entries.get("Filter"))
    parameters = _listed(stream.entries.get("DecodeParms"))
    if any(value is not None and not isinstance(value, dict) for value in parameters) or len(parameters) > 1:
        raise PdfError("the filter's parameters in a structural stream are not one direct dictionary")
    if not names:
        budget.spend(len(stream.raw))
        return stream.raw
    if names != [Name("FlateDecode")]:
        raise PdfError(f"a structural stream uses the filters {names}")
    data = _inflate(stream.raw, budget.left)
    budget.spend(len(data))
    wanted = parameters[0] if parameters else None
    return _unpredicted(data, wanted, budget) if isinstance(wanted, dict) else data


def _listed(value: PdfObject) -> list[PdfObject]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _inflate(raw: bytes, limit: int) -> bytes:
    if limit <= 0:
        # To zlib nothing left would mean no limit.
        raise PdfError("the structural streams of the document hold too much")
    engine = zlib.decompressobj()
    try:
        data = engine.decompress(raw, limit)
    except zlib.error as error:
        raise PdfError("a stream cannot be inflated") from error
    if engine.unconsumed_tail:
        raise PdfError(f"a stream inflates to more than {limit} octets")
    if not engine.eof:
        raise PdfError("a deflated stream is cut short")
    return data


def _unpredicted(data: bytes, parameters: PdfDict, budget: Budget) -> bytes:
    predictor = parameters.get("Predictor", 1)
    if predictor == 1:
        return data
    columns, colors, bits = (parameters.get(key, default) for key, default in _DEFAULTS)
    known = isinstance(predictor, int) and _PNG <= predictor <= _LAST_PNG
    if not (known and colors == 1 and bits == 8):  # noqa: PLR2004
        raise PdfError(f"predictor {predictor!r} is not used in structural streams")
    if not isinstance(columns, int) or not 0 < columns <= 1 << 16:
        raise PdfError(f"{columns!r} columns in a predicted stream")
    return _png(data, columns, budget)


_DEFAULTS = (("Columns", 1), ("Colors", 1), ("BitsPerComponent", 8))


def _png(data: bytes, columns: int, budget: Budget) -> bytes:
    step = columns + 1
    if len(data) % step:
        raise PdfError("a predicted stream ends within a row")
    kinds = data[::step]
    if not kinds.strip(b"\x02"):
        # The one case that occurs: every row says how it differs from the row above. Sum column by column.
        rows = len(kinds)
        out = bytearray(rows * columns)
        for column in range(columns):
            out[column::columns] = bytes(value & 0xFF for value in accumulate(data[column + 1 :: step]))
        return bytes(out)
    budget.spend(_DEAR * len(data))
    above = bytes(columns)
    rows_out = []
    for at, kind in enumerate(kinds):
        above = _row(kind, data[at * step + 1 : (at + 1) * step], above)
        rows_out.append(above)
    return b"".join(rows_out)


def _row(kind: int, row: bytes, above: bytes) -> bytes:
    if kind == _NONE:
        return row
    if kind == _UP:
        return bytes((value + up) & 0xFF for value, up in zip(row, above, strict=True))
    if kind not in (_SUB, _AVERAGE, _PAETH):
        raise PdfError(f"row predictor {kind}")
    out = bytearray()
    left = corner = 0
    for value, up in zip(row, above, strict=True):
        guess = left if kind == _SUB else (left + up) // 2 if kind == _AVERAGE else _paeth(left, up, corner)
        left, corner = (value + guess) & 0xFF, up
        out.append(left)
    return bytes(out)


def _paeth(left: int, up: int, corner: int) -> int:
    estimate = left + up - corner
    return min((left, up, corner), key=lambda neighbour: abs(estimate - neighbour))
