"""Sealing a PDF: one revision appended, holding the picture, its field and a PAdES signature (ETSI EN 319 142-1)."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from crypto.cms import CmsTemplate
from crypto.suites import Suite
from crypto.x509 import Certificate
from seal.errors import DocumentRefused, FurtherSealingForbidden, UnsupportedDocument
from seal.formats.pdf.append import Appender
from seal.formats.pdf.artwork import appearance, artwork
from seal.formats.pdf.form import fields, forbids_more, form, signature_fields
from seal.formats.pdf.objects import PdfArray, Ref, date_string, text_string, write
from seal.formats.pdf.pages import Page, Place, find_page, picture_box, single_place
from seal.formats.pdf.reader import Document, View
from seal.model import Credential, Mark, PreparedDocument, SignMessage

_PRINT_AND_LOCKED = 132
_SIGNATURES_EXIST_APPEND_ONLY = 3
_RANGE_WIDTH = 48
_RANGE_BLANKS = b" " * _RANGE_WIDTH


class PdfPades:
    """PAdES B-B in PDF, under whichever suite the credential has."""

    media_type = "application/pdf"

    def __init__(self, name: str) -> None:
        self.name = name

    def prepare(self, document: bytes, mark: Mark, credential: Credential, at: datetime) -> PreparedDocument:
        """Append the seal's revision with room for the signature; refuse what cannot be sealed."""
        if mark.closes:
            raise UnsupportedDocument("a PDF document is not closed against later seals")
        # 1. Read, and see whether earlier signatures allow another one.
        pdf = Document(document)
        pdf.refuse_encrypted()
        # What our own reader could not tell apart afterwards is refused now.
        pdf.check_revisions()
        view = pdf.current
        _allow(view)
        # 2. The picture, where it belongs, and the field that shows it.
        appender = Appender(view)
        place = single_place(mark.placement)
        page = find_page(view, place.page)
        signature = appender.reserve()
        widget = _widget(view, appender, page, mark, place, signature)
        # 3. The signature dictionary, its two variable parts left blank.
        template, room = _template(credential.certificate, credential.chain, credential.suite)
        body, range_at, contents_at = _signature(mark, at, room)
        appender.put_written(signature, body)
        # 4. Hang both into the page and the form.
        _annotate(view, appender, page, widget)
        _enlist(view, appender, widget)
        # 5. Lay out, fill in the byte range and fix the digest.
        appended = appender.finish(b"%b %d" % (body[:contents_at], len(document)))
        start = appended.values[signature.number] - len(document)
        head, after = _around(len(document), appended.tail, start + range_at, start + contents_at, 2 * room + 2)
        digest = credential.suite.digest.digest(document, head, after)
        return _Prepared(digest, document, head, after, room, template)


def _around(before: int, tail: bytes, range_at: int, gap: int, size: int) -> tuple[bytes, bytes]:
    """Give ``tail`` up to and from the gap of ``size`` octets, the range filled in; ``before`` octets precede it."""
    end = gap + size
    byte_range = b"[0 %d %d %d]" % (before + gap, before + end, len(tail) - end)
    head = tail[:range_at] + byte_range.ljust(_RANGE_WIDTH) + tail[range_at + _RANGE_WIDTH : gap]
    return head, tail[end:]


@dataclass(slots=True)
class _Prepared:
    """A document with its byte range filled in: what stands before the revision, up to the gap, and after it."""

    document_digest: bytes
    _before: bytes = field(repr=False)
    _head: bytes = field(repr=False)
    _after: bytes = field(repr=False)
    _room: int
    _template: CmsTemplate = field(repr=False)
    _used: bool = False

    def apply(self, sign: SignMessage) -> bytes:
        """Sign the CMS attributes and embed the SignedData; once only."""
        if self._used:
            raise RuntimeError("a prepared document is signed once")
        self._used = True
        attributes = self._template.attributes(self.document_digest)
        signed = self._template.assemble(attributes, sign(attributes))
        if len(signed) > self._room:
            raise DocumentRefused(f"the signature takes {len(signed)} octets; {self._room} were laid aside")
        contents = signed.ljust(self._room, b"\0").hex().encode()
        return b"".join((self._before, self._head, b"<", contents, b">", self._after))


@lru_cache(maxsize=256)
def _template(certificate: Certificate, chain: tuple[Certificate, ...], suite: Suite) -> tuple[CmsTemplate, int]:
    """Encode once what all signatures under one certificate share, and measure the room they need."""
    template = CmsTemplate(certificate, chain, suite)
    return template, template.size_limit()


def _allow(view: View) -> None:
    """Refuse a document whose form or earlier signatures leave no room for another signature."""
    entries = form(view)
    if entries is None:
        return
    if view.resolve(entries.get("XFA")) is not None:
        raise UnsupportedDocument("the document's form is XFA, which other readers show differently; print it to PDF")
    for item in signature_fields(view):
        signature = view.resolve(item.value)
        if not isinstance(signature, dict):
            continue
        lock = view.resolve(item.locked)
        if forbids_more(view, signature) or (isinstance(lock, dict) and view.resolve(lock.get("P")) == 1):
            raise FurtherSealingForbidden(f"the signature in field {item.name!r} permits no later change")


def _widget(  # noqa: PLR0913, PLR0917 - the parts of a field
    view: View, appender: Appender, page: Page, mark: Mark, place: Place, signature: Ref
) -> Ref:
    """Write the picture and the field that is its own widget."""
    box = picture_box(view, page, mark.picture, place)
    art = artwork(mark.picture)
    mask = appender.add_written(art.mask)
    image = appender.add_written(art.image(mask))
    shown = appender.add_written(appearance(image, box))
    return appender.add_written(
        b"<</Type/Annot/Subtype/Widget/FT/Sig/T%b/TU%b/F %d/Rect[%.4f %.4f %.4f %.4f]"
        b"/P %d %d R/AP<</N %d 0 R>>/V %d 0 R>>"
        % (
            write(text_string(_unused_name(view, signature))),
            _text(mark.seal_name),
            _PRINT_AND_LOCKED,
            *(box.left, box.bottom, box.right, box.top),
            *page.ref,
            shown.number,
            signature.number,
        )
    )


def _unused_name(view: View, signature: Ref) -> str:
    taken = {item.name for item in fields(view)}
    number = signature.number
    while f"Xinyin-{number}" in taken:
        number += 1
    return f"Xinyin-{number}"


def _signature(mark: Mark, at: datetime, room: int) -> tuple[bytes, int, int]:
    """Write the signature dictionary; give it with where its byte range and its contents start."""
    head = b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/Name%b/M%b%b/ByteRange " % (
        _text(mark.seal_name),
        write(date_string(at)),
        b"/Reason" + _text(mark.reason) if mark.reason else b"",
    )
    middle = head + _RANGE_BLANKS + b"/Contents "
    return b"%b<%b>>>" % (middle, b"0" * (2 * room)), len(head), len(middle)


@lru_cache(maxsize=1024)
def _text(text: str) -> bytes:
    return write(text_string(text))


def _annotate(view: View, appender: Appender, page: Page, widget: Ref) -> None:
    annotations = page.entries.get("Annots")
    extended: PdfArray = [*view.array(annotations, "/Annots"), widget]
    if isinstance(annotations, Ref) and view.load(annotations) is not None:
        appender.put(annotations, extended)
    else:
        appender.put(page.ref, {**page.entries, "Annots": extended})


def _enlist(view: View, appender: Appender, widget: Ref) -> None:
    """Add the field to the form, replacing the innermost object that has to change."""
    held = view.catalog.get("AcroForm")
    entries = form(view) or {}
    listed = entries.get("Fields")
    extended: PdfArray = [*view.array(listed, "/Fields"), widget]
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
        appender.put(view.root, {**view.catalog, "AcroForm": changed})


PDF_PADES = PdfPades("pdf-pades")
