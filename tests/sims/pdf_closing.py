"""Makers of signatures by hand: certifying or not, named by the catalog or not, or mere document time stamps."""

from datetime import datetime

from crypto.digests import SM3
from seal.formats.pdf.append import Appender
from seal.formats.pdf.hidden import hide_seal
from seal.formats.pdf.objects import PdfObject, Ref
from seal.formats.pdf.reader import Document, View
from seal.formats.pdf.revision import Gapped, SignatureDictionary, gapped
from tests.sims.ofd_workshop import AT, Bureau, Holder
from tests.sims.ofd_writing import token
from tests.sims.pdf_gm import CMS, detached, pdf_mark

CERTIFIES = b"/Reference[<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/P 2/V/1.2>>>>]"
NAMELESS = object()
"""The catalog names no certifying signature."""


def by_hand(bureau: Bureau, document: bytes, *, more: bytes = CERTIFIES, named: object = NAMELESS) -> bytes:
    """Sign with whatever is to be said; ``named`` is what /Perms says, None for the signature itself."""
    view, appender, signature = _begun(document)
    if named is not NAMELESS:
        value: PdfObject = signature if named is None else named  # type: ignore[assignment]
        appender.extend(view.root, view.catalog, {"Perms": {"DocMDP": value}})
    says = SignatureDictionary(filter="GM.PKILite", subfilter=CMS, at=AT, more=more)
    laid = gapped(document, appender, signature, says, 4000)
    return laid.filled(detached(bureau.signer)(SM3.digest(*laid.parts)))


def renamed(document: bytes, named: PdfObject) -> bytes:
    """Append a revision in which the catalog names another certifying signature, or with None none."""
    view = Document(document).current
    appender = Appender(view)
    appender.put(view.root, {**view.catalog, "Perms": None if named is None else {"DocMDP": named}})
    return document + appender.finish(b"").tail


def document_stamp(document: bytes, tsa: Holder, at: datetime = AT) -> bytes:
    """Append a document time stamp."""
    _, appender, signature = _begun(document)
    says = SignatureDictionary(kind="DocTimeStamp", filter="Adobe.PPKLite", subfilter="ETSI.RFC3161")
    laid: Gapped = gapped(document, appender, signature, says, 4000)
    return laid.filled(token(tsa, b"".join(laid.parts), at))


def _begun(document: bytes) -> tuple[View, Appender, Ref]:
    view = Document(document).current
    appender = Appender(view)
    signature = appender.reserve()
    hide_seal(view, appender, pdf_mark(), signature)
    return view, appender, signature
