"""Judging the signatures of a PDF: every check is made, every finding is told, nothing is raised."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice

from seal.formats.pdf.certification import certified_by, closes, judge_certification
from seal.formats.pdf.changes import changes
from seal.formats.pdf.coverage import Covered, covered
from seal.formats.pdf.dss import Stores
from seal.formats.pdf.findings import Code
from seal.formats.pdf.form import (
    Field,
    TooManyFields,
    earlier_signature_fields,
    signature_fields,
    text_of,
)
from seal.formats.pdf.history import stray, tail
from seal.formats.pdf.objects import PdfError, Ref
from seal.formats.pdf.reader import Document, View
from seal.formats.pdf.signed import DOC_TIMESTAMP, Judge, Judged, format_of
from seal.model import Coverage, Finding, Report, SignatureReport
from seal.trust import Trust

_CLAIM = b"/ByteRange"
_BYTE_RANGE = re.compile(rb"/ByteRange\s*+\[\s*+0\s++(\d{1,12})\s++\d{1,12}\s++\d{1,12}\s*+\]")
_NEAR = 16
_MAX_CLAIMS = 256
_MAX_SIGNATURES = 128
_MAX_FINDINGS = 32


def verify_pdf(document: bytes, trust: Trust, at: datetime | None = None) -> Report:
    """Judge every signature of a PDF at the time it was made or, if given, as of ``at``.

    Never raises for what the document holds: what cannot be read is a finding.
    """
    try:
        return _report(Document(document), trust, at)
    except PdfError as error:
        return Report(signatures=(), findings=(_unreadable(document, error.detail),))
    except RecursionError:
        return Report(signatures=(), findings=(_unreadable(document, "nested too deeply"),))


def _unreadable(document: bytes, detail: str) -> Finding:
    code = Code.PACKAGE_MALFORMED if _CLAIM in document else Code.PACKAGE_UNREADABLE
    return code.found(detail)


def _report(document: Document, trust: Trust, at: datetime | None) -> Report:
    if document.encrypted:
        return Report(signatures=(), findings=(_encrypted(document),))
    view = document.current
    signed = [item for item in signature_fields(view) if view.resolve(item.value) is not None]
    if len(signed) > _MAX_SIGNATURES:
        raise PdfError(f"more than {_MAX_SIGNATURES} signatures")
    about_file = tuple(_about_file(document, view, signed))
    if not signed:
        return Report(signatures=(), findings=about_file or (Code.NO_SIGNATURE.found(),))
    held, faults = _hold(document, view, signed)
    first = min((one.revision for one in held), default=0)
    judged = Judge(view, trust, at, Stores(document, first)).judge_all(held)
    judging = _Judging(document, view, tuple(held))
    about_file += tuple(judge_certification(view, held))
    reports = (judging.report(one, judged[place]) for place, one in enumerate(held))
    return Report(signatures=(*faults, *reports), findings=about_file)


def _encrypted(document: Document) -> Finding:
    """Tell a document that is encrypted from one that somebody says is, after it was saved: readers fail at it."""
    told = {any("Encrypt" in section.trailer for section in each.sections) for each in document.revisions}
    if len(told) > 1:
        return _unreadable(document.data, "only some revisions say that the document is encrypted")
    return Code.DOCUMENT_ENCRYPTED.found()


def _hold(document: Document, view: View, signed: list[Field]) -> tuple[list[Covered], list[SignatureReport]]:
    """Check what each signature covers; one that covers nothing sensible is not looked into any further."""
    held: list[Covered] = []
    faults: list[SignatureReport] = []
    for item in signed:
        try:
            held.append(covered(document, view, item))
        except PdfError as error:
            finding = Code.BYTE_RANGE_INVALID.found(error.detail)
            faults.append(
                SignatureReport(format="pdf", signer=None, seal=None, time=None, time_source=None, findings=(finding,))
            )
    return sorted(held, key=lambda one: one.end), faults


def _about_file(document: Document, view: View, signed: list[Field]) -> Iterator[Finding]:
    """Look for signatures that were there once, or are there for the octets only."""
    now = {_place(view, item) for item in signed}
    try:
        for index, before, item in earlier_signature_fields(document):
            if before.resolve(item.value) is not None and _place(before, item) not in now:
                yield Code.SIGNATURE_REMOVED.found(f"field {item.name!r} of revision {index + 1}")
    except TooManyFields as error:
        yield Code.CANNOT_VERIFY.found(error.detail)
    if not signed and document.data.count(_CLAIM):
        orphan = _orphan(document.data)
        if orphan is None:
            yield Code.SIGNATURE_UNREACHABLE.found()
        else:
            yield Code.SIGNATURE_REMOVED.found(f"no field leads to the signature at {orphan}")


def _orphan(data: bytes) -> int | None:
    """Find a signature that stands where its own byte range says: one of this very file, and no attached one's."""
    for match in islice(_BYTE_RANGE.finditer(data), _MAX_CLAIMS):
        start = int(match[1])
        if data[start : start + 1] == b"<" and data[max(0, start - _NEAR) : start].rstrip().endswith(b"/Contents"):
            return match.start()
    return None


def _place(view: View, item: Field) -> tuple[int, int, int] | None:
    return view.place(item.value.number) if isinstance(item.value, Ref) else None


@dataclass(frozen=True)
class _Judging:
    document: Document
    view: View
    held: tuple[Covered, ...]
    """The signatures whose place and ranges hold together, in the order of what they cover."""

    def report(self, one: Covered, judged: Judged) -> SignatureReport:
        """Report on ``one``: the signature itself, as judged, then what came after it."""
        # Only what stands in the signature's own dictionary: what it points to may be written anew later.
        reason = one.entries.get("Reason")
        return SignatureReport(
            format=judged.format,
            signer=judged.signer,
            seal=judged.seal,
            time=judged.time,
            time_source=judged.time_source,
            findings=(*judged.findings, *islice(self._since(one), _MAX_FINDINGS)),
            reason=text_of(reason) if isinstance(reason, bytes) else None,
            level=judged.level,
            traces=judged.traces and judged.traces.over(self._coverage(one)),
        )

    def _coverage(self, one: Covered) -> Coverage:
        size, revisions = len(self.document.data), len(self.document.revisions)
        return Coverage(unit="revision", part=one.revision + 1, of=revisions, whole=one.end == size)

    @cached_property
    def strays(self) -> tuple[tuple[int, str], ...]:
        """Octets that belong nowhere, each with the revision it follows or stands in; looked for once."""
        count = len(self.document.revisions)
        first = min(one.revision for one in self.held) + 1
        found = [(index, problem) for index in range(first, count) for problem in stray(self.document, index)]
        return (*found, *((count, problem) for problem in tail(self.document)))

    def _since(self, one: Covered) -> Iterator[Finding]:
        if sum(other.ref == one.ref for other in self.held) > 1:
            yield Code.SIGNATURE_SHARED.found()
        for index, problem in self.strays:
            if index > one.revision:
                yield Code.UNKNOWN_TAIL.found(problem)
        if one.revision == len(self.document.revisions) - 1:
            return
        later = [other for other in self.held if other.revision > one.revision]
        signed = {other.ref for other in later}
        stamps = {other.ref for other in later if format_of(self.view, other) == DOC_TIMESTAMP}
        if closes(self.view, one) and signed - stamps:
            yield Code.CHANGED_AFTER_SIGNING.found("a signature was added though this one permits no change")
        try:
            if certified_by(self.document.view(one.revision)) != certified_by(self.view):
                yield Code.CHANGED_AFTER_SIGNING.found("/DocMDP in /Perms of the catalog")
            for change in changes(self.document.view(one.revision), self.view, signed=signed, stamps=stamps):
                yield Code.CHANGED_AFTER_SIGNING.found(change)
        except PdfError as error:
            yield Code.CANNOT_VERIFY.found(error.detail)
