"""Verifying OFD packages: every signature, every rule, all findings (GM/T 0031-2014 6.2.3, GB/T 33190 chapter 18)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from crypto.digests import MD5, SHA1, SHA256, SHA384, SHA512, SM3, DigestAlgorithm
from seal.formats.ofd.archive import Limits
from seal.formats.ofd.gbt35275 import judge_signed_value
from seal.formats.ofd.integrity import judge_integrity
from seal.formats.ofd.package import OfdPackage, PackageError, alias, names_in
from seal.formats.ofd.structure import (
    Body,
    ListedSignature,
    SignatureFile,
    is_signature,
    read_bodies,
    read_pages,
    read_signature,
    read_signature_list,
)
from seal.model import Finding, Report, SignatureReport, Verdict
from seal.ses import time_from_text
from seal.ses.judge import judge_ses
from seal.trust import Trust

CHECK_METHODS: Mapping[str, DigestAlgorithm] = {
    name: row
    for row in (SM3, SHA256, SHA384, SHA512, SHA1, MD5)
    for name in (row.oid, row.name.replace("-", ""), *row.aliases)
}
DEFAULT_CHECK_METHOD = "MD5"
"""GB/T 33190 table 79: what a missing CheckMethod means."""
SEAL_KIND, SIGN_KIND = "Seal", "Sign"
_NAMES_SHOWN = 4
_FAULTS_SHOWN = 50
"""Faulty references of one signature that are named one by one."""


def verify_ofd(document: bytes, trust: Trust, at: datetime | None = None, *, limits: Limits | None = None) -> Report:
    """Judge every signature of an OFD document at the time it was made or, if given, as of ``at``.

    Never raises for what the document holds: what cannot be read is a finding.
    """
    try:
        package = OfdPackage(document, limits)
        bodies = read_bodies(package)
    except PackageError as error:
        return Report(signatures=(), findings=(_invalid("PACKAGE_MALFORMED", str(error)),))
    integrity = judge_integrity(package, trust, at)
    reader = _Reader(
        package=package,
        trust=trust,
        at=at,
        listed=_listed_files(package, bodies),
        apart=integrity.files if integrity else frozenset(),
    )
    reports: list[SignatureReport] = []
    findings: list[Finding] = []
    bare = 0
    for body in bodies:
        found, faults = reader.judge_body(body)
        reports.extend(found)
        findings.extend(faults)
        bare += not found
    if bare and reports:
        # Signatures of another document beside it say nothing about this one, yet a reader may show it.
        findings.append(
            Finding(
                code="DOCUMENT_WITHOUT_SEAL",
                verdict=Verdict.INDETERMINATE,
                detail=f"{bare} of the package's {len(bodies)} documents bear no signature",
            )
        )
    elif not reports and not findings:
        # A list of the files says nothing of what is in them.
        findings.append(Finding(code="NO_SIGNATURE", verdict=Verdict.UNSIGNED))
    if integrity is not None:
        reports.append(integrity.report)
    return Report(signatures=tuple(reports), findings=tuple(findings))


def _listed_files(package: OfdPackage, bodies: Iterable[Body]) -> frozenset[str | None]:
    """Give the signature files that the lists of the package name."""
    found: set[str | None] = set()
    for body in bodies:
        with suppress(PackageError):  # said where that body is judged
            rows = read_signature_list(package, body.signatures) if body.signatures else ()
            found.update(package.locate(row.location, body.signatures or "") for row in rows)
    return frozenset(found)


def _invalid(code: str, detail: str = "") -> Finding:
    return Finding(code=code, verdict=Verdict.INVALID, detail=detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signature:
    """One listed signature, read as far as it can be."""

    row: ListedSignature
    file: SignatureFile | None = None
    value: str | None = None
    seal: str | None = None
    faults: tuple[Finding, ...] = ()

    @property
    def own_files(self) -> frozenset[str]:
        """The files that came with this signature."""
        paths = (self.file.path if self.file else None, self.value, self.seal)
        return frozenset(path for path in paths if path is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    package: OfdPackage
    trust: Trust
    at: datetime | None
    listed: frozenset[str | None]
    apart: frozenset[str]
    """The files of the integrity list, if it holds: they came after every signature."""
    digests: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def judge_body(self, body: Body) -> tuple[list[SignatureReport], list[Finding]]:
        if body.signatures_location is None:
            return [], []
        if body.signatures is None:
            return [], [_invalid("SIGNATURE_FILE_MISSING", f"{body.signatures_location} is missing")]
        try:
            rows = read_signature_list(self.package, body.signatures)
        except PackageError as error:
            return [], [_invalid("PACKAGE_MALFORMED", str(error))]
        signatures = [self._read(row, body.signatures) for row in rows]
        files = [signature.file.path for signature in signatures if signature.file]
        if len(set(files)) != len(files):
            return [], [_invalid("PACKAGE_MALFORMED", f"{body.signatures} lists one signature twice")]
        reports = []
        for place, signature in enumerate(signatures):
            later = frozenset(path for after in signatures[place + 1 :] for path in after.own_files)
            reports.append(self._judge(signature, body, later))
        return reports, []

    def _read(self, row: ListedSignature, listed_in: str) -> _Signature:
        path = self.package.locate(row.location, listed_in)
        if path is None:
            return _Signature(row=row, faults=(_invalid("SIGNATURE_FILE_MISSING", f"{row.location} is missing"),))
        try:
            file = read_signature(self.package, path)
        except PackageError as error:
            return _Signature(row=row, faults=(_invalid("PACKAGE_MALFORMED", str(error)),))
        value = self.package.locate(file.value_location, path) if file.value_location else None
        seal = self.package.locate(file.seal_location, path) if file.seal_location else None
        faults = []
        if value is None:
            faults.append(_invalid("SIGNED_VALUE_MISSING", f"{file.value_location or 'its location'} is missing"))
        if file.seal_location and seal is None:
            faults.append(_invalid("SEAL_FILE_MISMATCH", f"{file.seal_location} is missing"))
        return _Signature(row=row, file=file, value=value, seal=seal, faults=tuple(faults))

    def _judge(self, signature: _Signature, body: Body, later: frozenset[str]) -> SignatureReport:
        file, value = signature.file, signature.value
        findings = list(signature.faults)
        if file is not None:
            findings.extend(_first(self._references(file)))
            findings.extend(self._coverage(signature, file, body, later))
        if file is None or value is None:
            return _unread(findings)
        try:
            octets = self.package.read(value)
            seal_file = self.package.read(signature.seal) if signature.seal else None
        except PackageError as error:
            return _unread([*findings, _invalid("PACKAGE_MALFORMED", str(error))])
        if signature.row.kind == SIGN_KIND:
            claimed = time_from_text(file.claimed_time or "")
            report = judge_signed_value(octets, signed=file.raw, claimed=claimed, trust=self.trust, at=self.at)
        else:
            report = self._judge_seal(octets, file, seal_file)
        return SignatureReport(
            format=report.format,
            signer=report.signer,
            seal=report.seal,
            time=report.time,
            time_source=report.time_source,
            findings=(*findings, *report.findings),
        )

    def _judge_seal(self, octets: bytes, file: SignatureFile, seal_file: bytes | None) -> SignatureReport:
        judged = judge_ses(octets, digest=SM3.digest(file.raw), trust=self.trust, at=self.at, seal_file=seal_file)
        return SignatureReport(
            format=f"ofd-ses-v{judged.layout}" if judged.layout else "ofd-ses",
            signer=judged.signer,
            seal=judged.seal,
            time=judged.time,
            time_source=judged.time_source,
            findings=judged.findings,
        )

    # --- what the signature protects ---------------------------------------------------------------------------

    def _references(self, file: SignatureFile) -> Iterator[Finding]:
        name = file.check_method or DEFAULT_CHECK_METHOD
        algorithm = CHECK_METHODS.get(name.strip().upper().replace("-", ""))
        if algorithm is None:
            yield Finding(code="ALGORITHM_UNSUPPORTED", verdict=Verdict.INDETERMINATE, detail=f"CheckMethod {name}")
        elif algorithm.weak:
            yield Finding(code="WEAK_DIGEST", verdict=Verdict.VALID, detail=algorithm.name)
        for reference in file.references:
            path = self.package.locate(reference.location, file.path)
            if path is None:
                yield _invalid("REFERENCE_MISSING", reference.location)
            elif algorithm is not None:
                yield from self._reference(path, reference.check_value, algorithm)

    def _reference(self, path: str, expected: bytes | None, algorithm: DigestAlgorithm) -> Iterator[Finding]:
        key = path, algorithm.name
        try:
            if key not in self.digests:
                self.digests[key] = algorithm.digest(self.package.read(path))
        except PackageError as error:
            yield _invalid("PACKAGE_MALFORMED", str(error))
            return
        if self.digests[key] != expected:
            yield _invalid("REFERENCE_MISMATCH", path)

    def _coverage(
        self, signature: _Signature, file: SignatureFile, body: Body, later: frozenset[str]
    ) -> Iterator[Finding]:
        """Say what the signature leaves open.

        A file left open that nothing leads to is a note: real signers leave OFD.xml out. The document's own root and
        pages are another matter: were they open, what is shown would not be what was sealed. Between the two are
        files that a protected one names: whoever adds or exchanges a template, an annotation or a picture changes
        what is shown, and nobody can tell whether that was done.
        """
        covered = {self.package.locate(reference.location, file.path) for reference in file.references}
        try:
            pages = read_pages(self.package, body.root) if body.root else ()
        except PackageError as error:
            yield _invalid("PACKAGE_MALFORMED", str(error))
            pages = ()
        shown = [path for path in (body.root, *(page.content for page in pages)) if path is not None]
        if body.root is None:
            yield _invalid("PACKAGE_MALFORMED", "the document's root is missing")
        exposed = [path for path in shown if path not in covered]
        if exposed:
            yield _invalid("PAGES_UNCOVERED", _names(exposed))
        by_nature = {body.signatures, *(signature.own_files - {signature.seal}), *later}
        uncovered = [path for path in self.package.paths if path not in covered and path not in by_nature]
        open_to_anyone = [path for path in uncovered if path not in self.apart]
        if open_to_anyone:
            yield Finding(code="UNCOVERED_CONTENT", verdict=Verdict.VALID, detail=_names(open_to_anyone))
        if uncovered:
            yield from self._open_files(covered, [path for path in uncovered if path not in exposed])
        gone = [path for path in covered - self.listed if path is not None and is_signature(self.package, path)]
        if gone:
            yield _invalid("SIGNATURE_REMOVED", _names(gone))

    def _open_files(self, covered: Iterable[str | None], uncovered: list[str]) -> Iterator[Finding]:
        paths = [path for path in covered if path is not None]
        known = {alias(path) for path in paths}
        doubles = [path for path in uncovered if alias(path) in known]
        if doubles:
            # Where names are folded, a reader that unpacks the archive finds this file in the place of the other.
            yield _invalid("PACKAGE_MALFORMED", f"another name for a protected file: {_names(doubles)}")
        try:
            for path in uncovered:
                self.package.read(path)  # what nobody reads may hold records for those who read as they go
            named = {name for path in paths for name in names_in(self.package, path)}
        except PackageError as error:
            yield _invalid("PACKAGE_MALFORMED", str(error))
            return
        # A list of files and its signature are nothing to show, whatever the name of one is the name of.
        rest = [path for path in uncovered if path not in doubles and path not in self.apart]
        shown = [path for path in rest if alias(path).rpartition("/")[2] in named]
        if shown:
            yield Finding(code="SHOWN_CONTENT_UNCOVERED", verdict=Verdict.INDETERMINATE, detail=_names(shown))


def _unread(findings: list[Finding]) -> SignatureReport:
    return SignatureReport(format="ofd", signer=None, seal=None, time=None, time_source=None, findings=tuple(findings))


def _names(paths: list[str]) -> str:
    rest = len(paths) - _NAMES_SHOWN
    return ", ".join(paths[:_NAMES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _first(findings: Iterator[Finding]) -> Iterator[Finding]:
    yield from islice(findings, _FAULTS_SHOWN)
    rest = Counter(finding.code for finding in findings)
    for code, count in rest.items():
        yield _invalid(code, f"and {count} more")
