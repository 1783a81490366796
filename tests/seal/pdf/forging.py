"""Appending revisions of every shape to a document, honest or not, octet by octet."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from seal.formats.pdf.objects import PdfDict, PdfObject, Ref, write
from seal.formats.pdf.reader import Document


def stream(octets: bytes, entries: bytes = b"") -> bytes:
    return b"<<%b/Length %d>>\nstream\n%b\nendstream" % (entries, len(octets), octets)


@dataclass
class Update:
    """One incremental update with a cross-reference table; its parts may be spoilt one by one."""

    objects: Mapping[int, bytes]
    generations: Mapping[int, int] = field(default_factory=dict)
    trailer: bytes = b""
    """Octets put at the end of the trailer dictionary."""
    size: int = 200
    lead: bytes = b""
    """Octets between ``startxref``'s target and the word ``xref``."""
    shift: int = 0
    """How far before its object each entry points."""

    def after(self, document: bytes) -> bytes:
        """Append it to ``document``."""
        read = Document(document)
        out = bytearray(document)
        rows = []
        for number, body in sorted(self.objects.items()):
            generation = self.generations.get(number, 0)
            rows.append(b"%d 1\n%010d %05d n\r\n" % (number, len(out) - self.shift, generation))
            out += b"%d %d obj\n%b\nendobj\n" % (number, generation, body)
        start = len(out)
        kept = {"Root": read.trailer["Root"], "Prev": read.sections[0].start, "Size": self.size}
        trailer = write(kept)[:-2] + self.trailer + b">>"
        out += b"%bxref\n%btrailer\n%b\nstartxref\n%d\n%%%%EOF\n" % (self.lead, b"".join(rows), trailer, start)
        return bytes(out)


def packing(*members: bytes) -> bytes:
    """Write a document whose objects 2 and on stand in an object stream."""
    starts = [sum(len(each) + 1 for each in members[:place]) for place in range(len(members))]
    head = b" ".join(b"%d %d" % pair for pair in enumerate(starts, 2)) + b" "
    packed = zlib.compress(head + b" ".join(members))
    entries = b"/Type/ObjStm/Filter/FlateDecode/N %d/First %d" % (len(members), len(head))
    container, own = len(members) + 2, len(members) + 3
    out = bytearray(b"%PDF-1.7\n")
    rows = [(0, 0, 0), (1, len(out), 0), *((2, container, place) for place in range(len(members)))]
    out += b"1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
    rows += [(1, len(out), 0)]
    out += b"%d 0 obj\n%b\nendobj\n" % (container, stream(packed, entries))
    rows += [(1, len(out), 0)]
    table = b"".join(
        bytes((kind,)) + where.to_bytes(4, "big") + minor.to_bytes(2, "big") for kind, where, minor in rows
    )
    xref = stream(table, b"/Type/XRef/W[1 4 2]/Size %d/Root 1 0 R" % len(rows))
    return bytes(out) + b"%d 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (own, xref, len(out))


def packed_update(
    document: bytes, container: bytes, members: list[int], *, more: Mapping[int, bytes] | None = None
) -> bytes:
    """Append object stream 90, holding ``members``, and ``more`` objects beside it, under a cross-reference stream."""
    read = Document(document)
    out = bytearray(document)
    rows: dict[int, tuple[int, int, int]] = {number: (2, 90, place) for place, number in enumerate(members)}
    for number, body in {90: container, **(more or {})}.items():
        rows[number] = (1, len(out), 0)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    rows[99] = (1, start, 0)
    index = b" ".join(b"%d 1" % number for number in sorted(rows))
    table = b"".join(
        kind.to_bytes(1, "big") + where.to_bytes(4, "big") + minor.to_bytes(2, "big")
        for _, (kind, where, minor) in sorted(rows.items())
    )
    head = b"/Type/XRef/W[1 4 2]/Index[%b]/Size 200/Prev %d/Root %b" % (
        index,
        read.sections[0].start,
        write(read.trailer["Root"]),
    )
    out += b"99 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (stream(table, head), start)
    return bytes(out)


def changed(document: bytes, number: int, **entries: PdfObject) -> bytes:
    """Write dictionary ``number`` anew with some entries changed; None takes an entry out."""
    value: PdfDict = {**Document(document).current.dictionary(Ref(number, 0)), **entries}
    return write({key: item for key, item in value.items() if item is not None})
