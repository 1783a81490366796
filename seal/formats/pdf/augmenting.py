"""Adding to signatures that are there: evidence to judge them by, and document time stamps over all of it.

Nothing that stands in the document is touched: each step appends a revision. Whoever made a signature is no matter.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from crypto.certificate import Certificate
from crypto.cms import parse_signed_data
from crypto.errors import CryptoError
from crypto.timestamp import parse_token
from seal.errors import EvidenceMissing, LevelRefused, RoomTooSmall, UnsupportedDocument
from seal.formats.pdf.append import Appender
from seal.formats.pdf.contents_ses import GM_SEAL
from seal.formats.pdf.coverage import Covered, covered
from seal.formats.pdf.dss import with_evidence
from seal.formats.pdf.form import form, signature_fields
from seal.formats.pdf.objects import Name, PdfError, text_string, write
from seal.formats.pdf.pages import find_page
from seal.formats.pdf.reader import Document, View
from seal.formats.pdf.revision import Gapped, SignatureDictionary, annotate, enlist, gapped
from seal.formats.pdf.shapes import GM_ANY, is_seal
from seal.formats.pdf.widgets import unused_name
from seal.levels import Level
from seal.stamping import Stamping
from seal.trust.evidence import Evidence, EvidenceSource

_TOKEN = Name("ETSI.RFC3161")
_PRINT_AND_LOCKED = 132


@dataclass(frozen=True, slots=True)
class _Signature:
    """A signature of the document, and whom it needs evidence about."""

    contents: bytes = field(repr=False)
    subjects: tuple[tuple[Certificate, tuple[Certificate, ...]], ...]
    """Certificates, each with others that came along."""
    stamped: bool
    """Whether it has a time stamp of its own, or is one."""


def raise_newest(
    document: bytes, level: Level, evidence: EvidenceSource, stamping: Stamping, *, count: int = 1
) -> bytes:
    """Bring the document's newest ``count`` signatures, which have their time stamps, to ``level``."""
    pdf = Document(document)
    newest = [_read(pdf.current, one) for one in covered_signatures(pdf)[-count:]]
    document = with_evidence(document, _evidence(newest, evidence))
    return with_document_stamp(document, stamping) if level is Level.LTA else document


def raise_all(document: bytes, level: Level, evidence: EvidenceSource | None, stamping: Stamping) -> bytes:
    """Bring every signature that no document time stamp is over yet to ``level``, and that stamp itself: renewal.

    What an earlier document time stamp is over had its evidence before it. A level may come out higher than asked.
    Seals with a structure of their own have no levels: the time stamp is over them too, and that is all.
    """
    pdf = Document(document)
    pdf.refuse_encrypted()
    held = covered_signatures(pdf)
    if not held:
        raise LevelRefused("The document bears no signature that a level could be raised of.")
    view = pdf.current
    if all(_is_seal(view, one) for one in held):
        raise LevelRefused(f"The signature in field {held[0].shown_by.name!r} is none that has levels: it is a seal.")
    stamps = [place for place, one in enumerate(held) if _is_stamp(view, one)]
    # The last document time stamp counts as not covered: nothing is over it yet.
    newer = held[stamps[-1] if stamps else 0 :]
    waiting = tuple(_read(view, one) for one in newer if not _is_seal(view, one))
    if level.lasting:
        if evidence is None:
            raise EvidenceMissing("There is nobody here to ask for evidence.")
        document = with_evidence(document, _evidence(waiting, evidence))
    if level is Level.LTA or not all(one.stamped for one in waiting):
        document = with_document_stamp(document, stamping)
    return document


def with_document_stamp(document: bytes, stamping: Stamping) -> bytes:
    """Append a document time stamp over everything (EN 319 142-1 5.4.3), in a field that shows nothing.

    A token that takes more room than was laid aside is asked for once more, with as much as it took.
    """
    laid = _laid_for_stamp(document, stamping.room)
    try:
        return laid.filled(stamping.stamp(stamping.digest.digest(*laid.parts)))
    except RoomTooSmall as small:
        laid = _laid_for_stamp(document, max(stamping.room, small.needed))
        return laid.filled(stamping.stamp(stamping.digest.digest(*laid.parts)))


def _laid_for_stamp(document: bytes, room: int) -> Gapped:
    pdf = Document(document)
    pdf.refuse_encrypted()
    pdf.check_revisions()
    view = pdf.current
    if view.resolve((form(view) or {}).get("XFA")) is not None:
        raise UnsupportedDocument("the document's form is XFA, which other readers show differently")
    appender = Appender(view)
    signature = appender.reserve()
    page = find_page(view, 1)
    widget = appender.add_written(
        b"<</Type/Annot/Subtype/Widget/FT/Sig/T%b/F %d/Rect[0 0 0 0]/P %d %d R/V %d 0 R>>"
        % (write(text_string(unused_name(view, signature))), _PRINT_AND_LOCKED, *page.ref, signature.number)
    )
    annotate(view, appender, [(page, widget)])
    enlist(view, appender, widget)
    says = SignatureDictionary(kind="DocTimeStamp", filter="Adobe.PPKLite", subfilter=_TOKEN)
    return gapped(document, appender, signature, says, room)


# --- what is there ---------------------------------------------------------------------------------------------


def covered_signatures(pdf: Document) -> list[Covered]:
    """Give a document's signatures in the order of what they cover, without those that cover nothing sensible."""
    view, found = pdf.current, list[Covered]()
    for item in signature_fields(view):
        if view.resolve(item.value) is not None:
            with suppress(PdfError):
                found.append(covered(pdf, view, item))
    return sorted(found, key=lambda one: one.end)


def _is_stamp(view: View, one: Covered) -> bool:
    return view.resolve(one.entries.get("SubFilter")) == _TOKEN


def _is_seal(view: View, one: Covered) -> bool:
    kind = view.resolve(one.entries.get("SubFilter"))
    return kind == Name(GM_SEAL) or (kind == Name(GM_ANY) and is_seal(one.contents))


def _read(view: View, one: Covered) -> _Signature:
    try:
        if _is_stamp(view, one):
            return _Signature(one.contents, tuple(_of_token(one.contents)), stamped=True)
        signed = parse_signed_data(one.contents)
        (signer,) = signed.signers
        certificate, token = signer.certificate, signer.timestamp_token
        subjects = [] if certificate is None else [(certificate, signed.certificates)]
        return _Signature(one.contents, (*subjects, *(_of_token(token) if token else ())), stamped=token is not None)
    except (CryptoError, ValueError) as error:
        raise LevelRefused(
            f"The signature in field {one.shown_by.name!r} cannot be read as a PAdES signature: only these have levels."
        ) from error


def _of_token(octets: bytes) -> Iterator[tuple[Certificate, tuple[Certificate, ...]]]:
    token = parse_token(octets)
    if token.certificate is not None:
        yield token.certificate, token.signed.certificates


def _evidence(signatures: Iterable[_Signature], source: EvidenceSource) -> Iterator[tuple[bytes, Evidence]]:
    for each in signatures:
        yield each.contents, sum((source.about(*subject) for subject in each.subjects), Evidence())
