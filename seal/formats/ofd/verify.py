"""Verifying OFD packages: every signature, every rule, all findings (GM/T 0031-2014 6.2.3, GB/T 33190 chapter 18)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from crypto.digests import SM3
from seal.formats.ofd.archive import Limits
from seal.formats.ofd.gbt35275 import place_signed_value
from seal.formats.ofd.integrity import judge_integrity
from seal.formats.ofd.package import OfdPackage, PackageError
from seal.formats.ofd.rules import (
    FILE_RULES,
    LIST_RULES,
    NAMED_ONCE,
    PACKAGE,
    RULES,
    SEALED,
    Case,
    Files,
    Sealed,
    SignatureList,
    make_case,
    read_files,
    read_list,
)
from seal.formats.ofd.structure import SIGN_KIND, Body, SignatureFile, read_bodies
from seal.model import Coverage, Finding, Report, SignatureReport
from seal.ses import time_from_text
from seal.ses.judge import judge_ses
from seal.ses.rules import Placed, apply, in_order
from seal.trust import Trust


def verify_ofd(document: bytes, trust: Trust, at: datetime | None = None, *, limits: Limits | None = None) -> Report:
    """Judge every signature of an OFD document at the time it was made or, if given, as of ``at``.

    Never raises for what the document holds: what cannot be read is a finding.
    """
    try:
        package = OfdPackage(document, limits)
        bodies = read_bodies(package)
    except PackageError as error:
        return Report(signatures=(), findings=tuple(PACKAGE.check(error)))
    lists = [read_list(package, body) for body in bodies]
    named = {package.locate(row.location, each.body.signatures or "") for each in lists for row in each.rows}
    integrity = judge_integrity(package, trust, at)
    judge = _Judge(
        package=package,
        trust=trust,
        at=at,
        listed=frozenset(path for path in named if path is not None),
        apart=integrity.files if integrity else frozenset(),
    )
    reports: list[SignatureReport] = []
    findings: list[Finding] = []
    bare = 0
    for each in lists:
        found, faults = judge.document(each)
        reports.extend(found)
        findings.extend(faults)
        bare += not found
    sealed = Sealed(documents=len(bodies), bare=bare, signatures=len(reports), faults=len(findings))
    # A list of the files says nothing of what is in them: it makes no document a sealed one.
    findings.extend(SEALED.check(sealed))
    if integrity is not None:
        reports.append(integrity.report)
    return Report(signatures=tuple(reports), findings=tuple(findings))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    package: OfdPackage
    trust: Trust
    at: datetime | None
    listed: frozenset[str]
    apart: frozenset[str]
    digests: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def document(self, listed: SignatureList) -> tuple[list[SignatureReport], list[Finding]]:
        """Judge the signatures of one document, in their order; or say why its list says nothing."""
        signatures = tuple(read_files(self.package, row, listed.body.signatures or "") for row in listed.rows)
        faults = [*apply(LIST_RULES, listed), *NAMED_ONCE.placed((listed, signatures))]
        if faults:
            return [], list(in_order(faults))
        reports = []
        for place, files in enumerate(signatures):
            later = frozenset(path for after in signatures[place + 1 :] for path in after.own)
            reports.append(self._signature(files, listed.body, later))
        return reports, []

    def _signature(self, files: Files, body: Body, later: frozenset[str]) -> SignatureReport:
        placed = apply(FILE_RULES, files)
        report = SignatureReport(format="ofd", signer=None, seal=None, time=None, time_source=None, findings=())
        if files.file is not None:
            case = make_case(
                self.package,
                body,
                files,
                files.file,
                later=later,
                listed=self.listed,
                apart=self.apart,
                digests=self.digests,
            )
            placed += apply(RULES, case)
            if files.octets is not None:
                judge = self._plain if files.row.kind == SIGN_KIND else self._seal
                report, more = judge(files.octets, files.file, files.seal_octets)
                placed += more
                report = replace(report, traces=report.traces and report.traces.over(_coverage(case)))
        return replace(report, findings=in_order(placed))

    def _plain(
        self, octets: bytes, file: SignatureFile, _seal_file: bytes | None
    ) -> tuple[SignatureReport, Sequence[Placed]]:
        claimed = time_from_text(file.claimed_time or "")
        return place_signed_value(octets, signed=file.raw, claimed=claimed, trust=self.trust, at=self.at)

    def _seal(
        self, octets: bytes, file: SignatureFile, seal_file: bytes | None
    ) -> tuple[SignatureReport, Sequence[Placed]]:
        judged = judge_ses(octets, digest=SM3.digest(file.raw), trust=self.trust, at=self.at, seal_file=seal_file)
        report = SignatureReport(
            format=f"ofd-ses-v{judged.layout}" if judged.layout else "ofd-ses",
            signer=judged.signer,
            seal=judged.seal,
            time=judged.time,
            time_source=judged.time_source,
            findings=(),
            traces=judged.traces,
        )
        return report, judged.placed


def _coverage(case: Case) -> Coverage:
    """Count the protected files of those that a signature can protect, but for an integrity list's own."""
    left = sum(path not in case.apart for path in case.uncovered)
    return Coverage(unit="file", part=len(case.covered), of=len(case.covered) + left, whole=not left)
