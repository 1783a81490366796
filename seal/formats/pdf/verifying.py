"""Judging the signatures of a PDF: every check is made, every finding is told, nothing is raised."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from seal.formats.pdf.changes import changes
from seal.formats.pdf.coverage import Covered, covered
from seal.formats.pdf.findings import Code
from seal.formats.pdf.form import Field, forbids_more, signature_fields
from seal.formats.pdf.history import stray, tail
from seal.formats.pdf.objects import PdfError, Ref
from seal.formats.pdf.reader import Document, View
from seal.formats.pdf.signed import DOC_TIMESTAMP, Judge, format_of
from seal.model import Finding, Report, SignatureReport
from seal.trust import Trust

_CLAIM = b"/ByteRange"
_MAX_SIGNATURES = 128


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
        return Report(signatures=(), findings=(Code.DOCUMENT_ENCRYPTED.found(),))
    view = document.current
    signed = [item for item in signature_fields(view) if view.resolve(item.value) is not None]
    if len(signed) > _MAX_SIGNATURES:
        raise PdfError(f"more than {_MAX_SIGNATURES} signatures")
    about_file = tuple(_about_file(document, view, signed))
    if not signed:
        return Report(signatures=(), findings=about_file or (Code.NO_SIGNATURE.found(),))
    judging = _Judging(document, view, tuple(signed), trust, at)
    return Report(signatures=tuple(judging.reports()), findings=about_file)


def _about_file(document: Document, view: View, signed: list[Field]) -> Iterator[Finding]:
    """Look for signatures that were there once, or are there for the octets only."""
    now = {_place(view, item) for item in signed}
    for index in range(len(document.revisions) - 1):
        before = document.view(index)
        for item in signature_fields(before):
            if before.resolve(item.value) is not None and _place(before, item) not in now:
                yield Code.SIGNATURE_REMOVED.found(f"field {item.name!r} of revision {index + 1}")
    if not signed and document.data.count(_CLAIM):
        yield Code.SIGNATURE_UNREACHABLE.found()


def _place(view: View, item: Field) -> tuple[int, int, int] | None:
    return view.place(item.value.number) if isinstance(item.value, Ref) else None


@dataclass(frozen=True, slots=True)
class _Judging:
    document: Document
    view: View
    fields: tuple[Field, ...]
    trust: Trust
    at: datetime | None

    def reports(self) -> Iterator[SignatureReport]:
        """Judge each signature, in the order of what they cover."""
        # 1. What each covers; one that covers nothing sensible is not looked into.
        held: list[Covered] = []
        for item in self.fields:
            try:
                held.append(covered(self.document, self.view, item))
            except PdfError as error:
                yield _bare(Code.BYTE_RANGE_INVALID.found(error.detail))
        held.sort(key=lambda one: one.end)
        # 2. The signature itself. 3. What came after it.
        judge = Judge(self.view, self.trust, self.at)
        for one in held:
            judged = judge.judge(one)
            yield SignatureReport(
                format=judged.format,
                signer=judged.signer,
                seal=None,
                time=judged.time,
                time_source=judged.time_source,
                findings=(*judged.findings, *self._since(one, held)),
            )

    def _since(self, one: Covered, held: list[Covered]) -> Iterator[Finding]:
        if sum(item.value == one.ref for item in self.fields) > 1:
            yield Code.SIGNATURE_SHARED.found()
        for problem in tail(self.document):
            yield Code.UNKNOWN_TAIL.found(problem)
        last = len(self.document.revisions) - 1
        if one.revision == last:
            return
        for index in range(one.revision + 1, last + 1):
            for problem in stray(self.document, index):
                yield Code.UNKNOWN_TAIL.found(problem)
        later = [other for other in held if other.revision > one.revision]
        try:
            for change in changes(self.document.view(one.revision), self.view, {other.ref for other in later}):
                yield Code.CHANGED_AFTER_SIGNING.found(change)
        except PdfError as error:
            yield Code.CHANGES_UNKNOWN.found(error.detail)
        if forbids_more(self.view, one.entries) and any(format_of(self.view, item) != DOC_TIMESTAMP for item in later):
            yield Code.CHANGED_AFTER_SIGNING.found("a signature was added though this one permits no change")


def _bare(finding: Finding) -> SignatureReport:
    return SignatureReport(format="pdf", signer=None, seal=None, time=None, time_source=None, findings=(finding,))
