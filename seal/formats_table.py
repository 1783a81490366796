"""The formats: which documents can be sealed and judged, one row each; nothing else lists them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa

from crypto.suites import ES256, SM2_SM3, Suite
from seal.errors import UnsupportedDocument
from seal.formats.late import Unstamped
from seal.formats.ofd import OFD_INTEGRITY, OFD_SES, OFD_SIGN, looks_like_ofd, unstamped_ofd, verify_ofd
from seal.formats.pdf import (
    PDF_GM_CMS,
    PDF_PADES,
    PDF_SES,
    looks_like_pdf,
    raise_newest,
    read_through,
    unstamped_pdf,
    verify_pdf,
    with_document_stamp,
)
from seal.levels import Level
from seal.model import Report, SealFormat
from seal.stamping import Stamping
from seal.trust import Trust
from seal.trust.evidence import EvidenceSource


class Judge(Protocol):
    """Judges a document of one type; an unsigned or forged one is an answer, never an exception."""

    def __call__(self, document: bytes, trust: Trust, at: datetime | None = None) -> Report:
        """Give everything found in ``document``, judged at the time of sealing or, if given, as of ``at``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentType:
    """A type of document: how it is told from others, and who judges it."""

    name: str
    media_type: str
    looks_like: Callable[[bytes], bool]
    judge: Judge
    read_through: Callable[[bytes], None] | None = None
    """Reads what sealing reads, where judging does not: a file that breaks its reader is to break that of a child."""
    right: str = "seal.use"
    """What it takes to have one sealed; its target is the seal."""
    note: "Note | None" = None
    """Keeps, with the intent, what would not be known of it otherwise."""
    unstamped: Callable[[bytes], Unstamped] | None = None
    """Finds the newest signature, which is to get a time stamp late; None where no format is stamped."""
    stamp_over: Callable[[bytes, Stamping], bytes] | None = None
    """Puts a time stamp over the whole document, in types that have such."""


class Note(Protocol):
    """Puts more about a document on record, within the transaction of the intent to seal it."""

    def __call__(self, conn: sa.Connection, sealing: str, document: bytes) -> Mapping[str, str | int | bool | None]:
        """Keep it; give what the log is to say of it."""


class RaiseLevel(Protocol):
    """Brings the newest ``count`` signatures of a document, which are stamped, to a level above that."""

    def __call__(
        self, document: bytes, level: Level, evidence: EvidenceSource, stamping: Stamping, *, count: int = 1
    ) -> bytes:
        """Give the document with what the level asks for appended; a refusal of either source passes through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingFormat:
    """A way of sealing, by the name callers ask for: a document type, a layout and a suite."""

    name: str
    document: DocumentType
    layout: SealFormat
    suite: Suite
    pictured: bool = True
    """Whether it shows the seal's picture; else no place can be asked for."""
    stamped: bool = False
    """Whether it has the signature time-stamped where the service has somebody to ask."""
    raise_level: RaiseLevel | None = None
    """What brings a signature above level b-t; None in formats that have no levels."""
    second: bool = False
    """Whether it may follow another in one sealing, for readers that cannot judge that."""
    timeless: bool = False
    """Whether a signature without time stamp tells no time: what is around it does, elsewhere."""


PDF = DocumentType(
    name="pdf",
    media_type="application/pdf",
    looks_like=looks_like_pdf,
    judge=verify_pdf,
    read_through=read_through,
    unstamped=unstamped_pdf,
    stamp_over=with_document_stamp,
)
OFD = DocumentType(
    name="ofd", media_type="application/ofd", looks_like=looks_like_ofd, judge=verify_ofd, unstamped=unstamped_ofd
)

DOCUMENT_TYPES: tuple[DocumentType, ...] = (PDF, OFD)
SEALING_FORMATS: Mapping[str, SealingFormat] = {
    row.name: row
    for row in (
        # The first row of a document type is what a caller gets who names no format.
        SealingFormat(
            name="pdf-pades-sm2", document=PDF, layout=PDF_PADES, suite=SM2_SM3, stamped=True, raise_level=raise_newest
        ),
        SealingFormat(
            name="pdf-pades-p256",
            document=PDF,
            layout=PDF_PADES,
            suite=ES256,
            second=True,
            stamped=True,
            raise_level=raise_newest,
        ),
        SealingFormat(name="pdf-ses-v4", document=PDF, layout=PDF_SES, suite=SM2_SM3, stamped=True),
        SealingFormat(name="pdf-gm-cms", document=PDF, layout=PDF_GM_CMS, suite=SM2_SM3, stamped=True),
        SealingFormat(name="ofd-ses-v4", document=OFD, layout=OFD_SES, suite=SM2_SM3, stamped=True),
        SealingFormat(name="ofd-gbt35275", document=OFD, layout=OFD_SIGN, suite=SM2_SM3, pictured=False, stamped=True),
        SealingFormat(
            name="ofd-gmt0099", document=OFD, layout=OFD_INTEGRITY, suite=SM2_SM3, pictured=False, stamped=True
        ),
    )
}


def document_type(document: bytes, among: Iterable[DocumentType] = DOCUMENT_TYPES) -> DocumentType:
    """Tell what ``document`` is; UnsupportedDocument if none of the known types."""
    for kind in among:
        if kind.looks_like(document):
            return kind
    raise UnsupportedDocument("The file is neither a PDF nor an OFD document.")


def is_ambiguous(document: bytes, among: Iterable[DocumentType] = DOCUMENT_TYPES) -> bool:
    """Tell whether ``document`` is of more than one type: which one is shown is then the reader's choice."""
    return sum(kind.looks_like(document) for kind in among) > 1


def sealing_format(
    document: bytes, name: str | None = None, among: Mapping[str, SealingFormat] = SEALING_FORMATS
) -> SealingFormat:
    """Choose the format by name, or by the document's type; refuse one that does not take this document."""
    kinds = dict.fromkeys(row.document for row in among.values())
    kind = document_type(document, kinds)
    if is_ambiguous(document, kinds):
        raise UnsupportedDocument("The file is a PDF and an OFD at once; what was sealed would be the reader's choice.")
    if name is None:
        return next(row for row in among.values() if row.document is kind)
    row = among.get(name)
    if row is None:
        raise UnsupportedDocument(f"There is no format of this name; there are {', '.join(among)}.")
    if row.document is not kind:
        raise UnsupportedDocument(f"{row.name} seals {row.document.name} documents; this is {kind.name}.")
    return row


def second_format(
    name: str, first: SealingFormat, among: Mapping[str, SealingFormat] = SEALING_FORMATS
) -> SealingFormat:
    """Choose the format of a second signature by name; refuse one that does not go with ``first``."""
    row = among.get(name)
    if row is None or not row.second:
        seconds = ", ".join(each.name for each in among.values() if each.second)
        raise UnsupportedDocument(f"No second signature is made by this format; there is {seconds}.")
    if row.document is not first.document or row.suite is first.suite:
        raise UnsupportedDocument(
            f"{row.name} does not go with {first.name}: it is a PDF's second signature, beside one with SM2."
        )
    return row
