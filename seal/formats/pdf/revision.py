"""A revision that holds one signature: laid out in full, but for the gap that takes the signature's contents."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from seal.errors import RoomTooSmall
from seal.formats.pdf.append import Appender
from seal.formats.pdf.form import form
from seal.formats.pdf.objects import PdfArray, Ref, date_string, text_string, write
from seal.formats.pdf.pages import Page
from seal.formats.pdf.reader import View

_SIGNATURES_EXIST_APPEND_ONLY = 3
_RANGE_WIDTH = 48
_RANGE_BLANKS = b" " * _RANGE_WIDTH


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureDictionary:
    """What a signature dictionary says (ISO 32000-2 12.8.1), but for its byte range and contents."""

    filter: str
    subfilter: str
    kind: str = "Sig"
    """/Type: Sig, or DocTimeStamp."""
    name: str = ""
    reason: str = ""
    at: datetime | None = None
    more: bytes = b""
    """Further entries, written."""

    def written(self, room: int) -> tuple[bytes, int, int]:
        """Write it with a gap of ``room`` octets; give it with where its byte range and its contents start."""
        head = b"<</Type/%b/Filter/%b/SubFilter/%b%b%b%b%b/ByteRange " % (
            self.kind.encode(),
            self.filter.encode(),
            self.subfilter.encode(),
            b"/Name" + text(self.name) if self.name else b"",
            b"/M" + write(date_string(self.at)) if self.at else b"",
            b"/Reason" + text(self.reason) if self.reason else b"",
            self.more,
        )
        middle = head + _RANGE_BLANKS + b"/Contents "
        return b"%b<%b>>>" % (middle, b"0" * (2 * room)), len(head), len(middle)


@dataclass(frozen=True, slots=True)
class Gapped:
    """A document with a revision appended whose byte range is filled in and whose contents are not."""

    before: bytes = field(repr=False)
    """The document as it was."""
    head: bytes = field(repr=False)
    """The revision up to the gap."""
    after: bytes = field(repr=False)
    """The revision from the gap on."""
    room: int
    """How many octets the contents may have."""

    @property
    def parts(self) -> tuple[bytes, bytes, bytes]:
        """What the signature covers."""
        return self.before, self.head, self.after

    def filled(self, contents: bytes) -> bytes:
        """Give the finished document; RoomTooSmall for contents that the room laid aside does not hold."""
        if len(contents) > self.room:
            raise RoomTooSmall(len(contents), self.room)
        written = contents.ljust(self.room, b"\0").hex().encode()
        return b"".join((self.before, self.head, b"<", written, b">", self.after))


def gapped(document: bytes, appender: Appender, signature: Ref, says: SignatureDictionary, room: int) -> Gapped:
    """Finish ``appender``'s revision of ``document`` with the dictionary of ``signature``, leaving ``room`` octets."""
    body, range_at, contents_at = says.written(room)
    appender.put_written(signature, body)
    appended = appender.finish(b"%b %d" % (body[:contents_at], len(document)))
    start = appended.values[signature.number] - len(document)
    gap, tail = start + contents_at, appended.tail
    end = gap + 2 * room + 2
    byte_range = b"[0 %d %d %d]" % (len(document) + gap, len(document) + end, len(tail) - end)
    at = start + range_at
    head = tail[:at] + byte_range.ljust(_RANGE_WIDTH) + tail[at + _RANGE_WIDTH : gap]
    return Gapped(document, head, tail[end:], room)


@lru_cache(maxsize=1024)
def text(words: str) -> bytes:
    """Write a text string."""
    return write(text_string(words))


# --- hanging a field into the document -------------------------------------------------------------------------


def annotate(view: View, appender: Appender, shown: Sequence[tuple[Page, Ref]]) -> None:
    """Show each widget on its page, replacing the innermost object that has to change."""
    pages: dict[Ref, tuple[Page, list[Ref]]] = {}
    for page, widget in shown:
        pages.setdefault(page.ref, (page, []))[1].append(widget)
    # What several pages share cannot hold the widgets of one of them.
    uses = Counter(held for page, _ in pages.values() if isinstance(held := page.entries.get("Annots"), Ref))
    for page, widgets in pages.values():
        annotations = page.entries.get("Annots")
        extended: PdfArray = [*view.array(annotations, "/Annots"), *widgets]
        if isinstance(annotations, Ref) and uses[annotations] == 1 and view.load(annotations) is not None:
            appender.put(annotations, extended)
        else:
            appender.extend(page.ref, page.entries, {"Annots": extended})


def enlist(view: View, appender: Appender, item: Ref) -> None:
    """Add the field ``item`` to the form, replacing the innermost object that has to change."""
    held = view.catalog.get("AcroForm")
    entries = form(view) or {}
    listed = entries.get("Fields")
    extended: PdfArray = [*view.array(listed, "/Fields"), item]
    changed = dict(entries)
    if isinstance(listed, Ref) and view.load(listed) is not None:
        appender.put(listed, extended)
    else:
        changed["Fields"] = extended
    flags = view.resolve(entries.get("SigFlags"))
    changed["SigFlags"] = (flags if isinstance(flags, int) else 0) | _SIGNATURES_EXIST_APPEND_ONLY
    if changed == entries:
        return
    if isinstance(held, Ref) and entries:
        appender.put(held, changed)
    else:
        appender.extend(view.root, view.catalog, {"AcroForm": changed})
