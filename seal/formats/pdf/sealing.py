"""Sealing a PDF: one revision appended, holding the picture, its field and the signature."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from seal.errors import DocumentRefused, FurtherSealingForbidden, UnsupportedDocument
from seal.formats.pdf.append import Appender
from seal.formats.pdf.closing import close
from seal.formats.pdf.contents import Contents, ContentsKind, PadesKind
from seal.formats.pdf.contents_gm import GmCmsKind
from seal.formats.pdf.contents_ses import SesKind
from seal.formats.pdf.form import earlier_signature_fields, forbids_more, form, signature_fields
from seal.formats.pdf.hidden import hide_seal
from seal.formats.pdf.pages import count_pages, leaves, shown_area
from seal.formats.pdf.reader import Document, View
from seal.formats.pdf.revision import Gapped, SignatureDictionary, gapped
from seal.formats.pdf.widgets import show_seal
from seal.formats.pdf.words import Words
from seal.model import Credential, Mark, PreparedDocument, SignMessage


class PdfSealing:
    """The ``SealFormat`` of PDF: the same layout around whichever kind of contents."""

    media_type = "application/pdf"

    def __init__(self, name: str, kind: ContentsKind, words: Words | None = None) -> None:
        """``words`` finds keywords; its process starts with the first of them."""
        self.name = name
        self._kind = kind
        self._words = words or Words()

    def prepare(self, document: bytes, mark: Mark, credential: Credential, at: datetime) -> PreparedDocument:
        """Append the seal's revision with room for the signature; refuse what cannot be sealed."""
        # 1. Read, and see whether earlier signatures allow another one.
        view = open_for_signing(document)
        # 2. The field, with the picture where it belongs if it is to be seen; and that it is the last, if it closes.
        appender = Appender(view)
        signature = appender.reserve()
        if mark.shown:
            show_seal(view, appender, mark, signature, self._words)
        else:
            hide_seal(view, appender, mark, signature)
        closing = close(view, appender, mark, signature)
        # 3. The signature dictionary, its two variable parts left blank; the byte range filled in, the digest fixed.
        contents = self._kind.contents(credential, at)
        says = SignatureDictionary(
            filter=self._kind.filter,
            subfilter=self._kind.subfilter,
            name=mark.seal_name,
            reason=mark.reason,
            at=at,
            more=closing,
        )
        laid = gapped(document, appender, signature, says, contents.room)
        return _Prepared(contents.digest.digest(*laid.parts), count_pages(view), laid, contents)


def open_for_signing(document: bytes) -> View:
    """Give the document as it is shown now; refuses one that takes no further signature."""
    pdf = Document(document)
    pdf.refuse_encrypted()
    # What our own reader could not tell apart afterwards is refused now.
    pdf.check_revisions()
    for _ in earlier_signature_fields(pdf):
        pass
    _allow(pdf.current)
    return pdf.current


def read_through(document: bytes) -> None:
    """Read what sealing reads, and stop where sealing would refuse: a file that breaks its reader does so here."""
    with suppress(DocumentRefused):
        view = open_for_signing(document)
        for page in leaves(view):
            view.array(page.entries.get("Annots"))
            shown_area(view, page)


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
            raise FurtherSealingForbidden(f"The signature in field {item.name!r} permits no later change.")


@dataclass(slots=True)
class _Prepared:
    """A document laid out but for the signature's contents."""

    document_digest: bytes
    pages: int | None
    _laid: Gapped = field(repr=False)
    _contents: Contents = field(repr=False)
    _used: bool = False

    def apply(self, sign: SignMessage) -> bytes:
        """Sign and embed; once only."""
        if self._used:
            raise RuntimeError("a prepared document is signed once")
        self._used = True
        return self._laid.filled(self._contents.make(self.document_digest, sign))


PDF_PADES = PdfSealing("pdf-pades", PadesKind())
PDF_SES = PdfSealing("pdf-ses-v4", SesKind())
PDF_GM_CMS = PdfSealing("pdf-gm-cms", GmCmsKind())
