"""Appending revisions of every shape to a document, honest or not, octet by octet."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from crypto import der
from seal.formats.pdf.coverage import covered
from seal.formats.pdf.form import signature_fields
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
    rows: Mapping[int, bytes] = field(default_factory=dict)
    """Entries, 18 octets each, of objects that the update does not hold."""
    kept: PdfDict = field(default_factory=dict)
    """Entries of the trailer to set otherwise than an honest writer would."""

    def after(self, document: bytes) -> bytes:
        """Append it to ``document``."""
        read = Document(document)
        out = bytearray(document)
        rows = {number: b"%d 1\n%b\r\n" % (number, row) for number, row in self.rows.items()}
        for number, body in sorted(self.objects.items()):
            generation = self.generations.get(number, 0)
            rows[number] = b"%d 1\n%010d %05d n\r\n" % (number, len(out) - self.shift, generation)
            out += b"%d %d obj\n%b\nendobj\n" % (number, generation, body)
        start = len(out)
        kept: PdfDict = {"Root": read.trailer["Root"], "Prev": read.sections[0].start, "Size": self.size, **self.kept}
        trailer = write(kept)[:-2] + self.trailer + b">>"
        table = b"".join(rows[number] for number in sorted(rows))
        out += b"%bxref\n%btrailer\n%b\nstartxref\n%d\n%%%%EOF\n" % (self.lead, table, trailer, start)
        return bytes(out)


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


def signed_update(
    document: bytes,
    message: Callable[[bytes], bytes],
    *,
    page: int,
    number: int,
    sub_filter: bytes = b"ETSI.CAdES.detached",
    widget: bytes = b"/Rect[0 0 0 0]/F 132",
    objects: Mapping[int, bytes] | None = None,
    room: int = 6000,
) -> bytes:
    """Append signature ``number`` in the field after it, shown on ``page``; ``message`` is given what is covered."""
    view = Document(document).current
    form = view.dictionary(view.catalog.get("AcroForm", {}))
    field_ref = Ref(number + 1, 0)
    root = view.root.number
    catalog = changed(document, root, AcroForm={**form, "Fields": [*view.array(form.get("Fields")), field_ref]})
    annotations = [*view.array(view.dictionary(Ref(page, 0)).get("Annots")), field_ref]
    head = b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/%b/ByteRange%b/Contents" % (sub_filter, b" " * 60)
    shown = b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Late)/P %d 0 R/V %d 0 R%b>>" % (page, number, widget)
    update = {
        root: catalog,
        page: changed(document, page, Annots=annotations),
        number: head + b"<" + b"0" * (2 * room) + b">>>",
        number + 1: shown,
        **(objects or {}),
    }
    whole = Update(update, size=number + 100).after(document)
    start = whole.index(b"<" + b"0" * (2 * room), len(document))
    end = start + 2 * room + 2
    blank = whole.rindex(b" " * 60, 0, start)
    byte_range = b"[0 %d %d %d]" % (start, end, len(whole) - end)
    before = whole[:blank] + byte_range.ljust(60) + whole[blank + 60 : start]
    signed = message(before + whole[end:])
    return before + b"<" + signed.ljust(room, b"\0").hex().encode() + b">" + whole[end:]


def resigned(document: bytes, build: Callable[[Sequence[memoryview], bytes], bytes]) -> bytes:
    """Put another message in the place of the newest seal's; ``build`` gets what is covered and the old message."""
    read = Document(document)
    held = [covered(read, read.current, item) for item in signature_fields(read.current) if item.value is not None]
    one = max(held, key=lambda each: each.end)
    room = (one.gap[1] - one.gap[0] - 2) // 2
    message = build(one.parts(document), der.parse_prefix(one.contents).raw)
    if len(message) > room:
        raise ValueError("the message does not fit")
    return document[: one.gap[0]] + b"<" + message.ljust(room, b"\0").hex().encode() + b">" + document[one.gap[1] :]
