"""Writing PDFs as other makers lay them out: object streams, cross-reference streams, hybrids."""

import zlib
from collections.abc import Collection, Sequence

from tests.seal.pdf.forging import stream


def _rows(rows: dict[int, tuple[int, int, int]]) -> bytes:
    return b"".join(
        kind.to_bytes(1, "big") + where.to_bytes(4, "big") + minor.to_bytes(2, "big")
        for _, (kind, where, minor) in sorted(rows.items())
    )


def _written(
    objects: Sequence[bytes], packed: Collection[int], head: bytes
) -> tuple[bytearray, dict[int, tuple[int, int, int]]]:
    """Write the objects, those of ``packed`` in one object stream behind the others; give where each one is."""
    out = bytearray(head)
    rows: dict[int, tuple[int, int, int]] = {0: (0, 0, 0xFFFF)}
    numbered = dict(enumerate(objects, 1))
    if packed:
        inside = [numbered.pop(number) for number in sorted(packed)]
        places = [sum(len(each) + 1 for each in inside[:at]) for at in range(len(inside))]
        index = b" ".join(b"%d %d" % pair for pair in zip(sorted(packed), places, strict=True)) + b"\n"
        container = len(objects) + 1
        entries = b"/Type/ObjStm/N %d/First %d/Filter/FlateDecode" % (len(inside), len(index))
        numbered[container] = stream(zlib.compress(index + b"\n".join(inside)), entries)
        rows |= {number: (2, container, place) for place, number in enumerate(sorted(packed))}
    for number, body in numbered.items():
        rows[number] = (1, len(out), 0)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    return out, rows


def streamed_pdf(
    objects: Sequence[bytes], *, packed: Collection[int] = (), trailer: bytes = b"", head: bytes = b"%PDF-1.7\n"
) -> bytes:
    """Write a PDF with a cross-reference stream; object 1 is the catalog."""
    out, rows = _written(objects, packed, head)
    number, start = len(rows), len(out)
    rows[number] = (1, start, 0)
    entries = b"/Type/XRef/W[1 4 2]/Size %d/Root 1 0 R%b/Filter/FlateDecode" % (len(rows), trailer)
    out += b"%d 0 obj\n%b\nendobj\n" % (number, stream(zlib.compress(_rows(rows)), entries))
    out += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(out)


def hybrid_pdf(objects: Sequence[bytes], *, packed: Collection[int], trailer: bytes = b"") -> bytes:
    """Write a PDF with a table, whose trailer names a stream that tells where the packed objects are (7.5.8.4)."""
    out, rows = _written(objects, packed, b"%PDF-1.5\n")
    hidden, number = len(out), len(rows)
    inside = {each: row for each, row in rows.items() if row[0] == 2}
    index = b" ".join(b"%d 1" % each for each in sorted(inside))
    entries = b"/Type/XRef/W[1 4 2]/Size %d/Index[%b]" % (number + 1, index)
    out += b"%d 0 obj\n%b\nendobj\n" % (number, stream(_rows(inside), entries))
    rows[number] = (1, hidden, 0)
    start = len(out)
    table = b"".join(
        b"%010d 00000 n\r\n" % where if kind == 1 else b"0000000000 %05d f\r\n" % (0xFFFF if each == 0 else 0)
        for each, (kind, where, _) in sorted(rows.items())
    )
    out += b"xref\n0 %d\n%btrailer\n<</Size %d/Root 1 0 R/XRefStm %d%b>>\nstartxref\n%d\n%%%%EOF\n" % (
        len(rows),
        table,
        len(rows),
        hidden,
        trailer,
        start,
    )
    return bytes(out)
