"""The report for people: one page of HTML that stands alone, in Chinese or English, for a phone and for A4.

The page brings its style along and fetches nothing; its policy allows that one style sheet by its digest and, beside
the pictures inside it, nothing else. So it reads the same from a server, from a disk and after ten years.
"""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import jinja2
from markupsafe import Markup

from crypto.digests import SHA256
from kernel.page import environment
from seal.model import CertificateFacts, Finding, Judgement, SealFacts, SignatureReport, Verdict
from seal.reporting import words
from seal.reporting.indications import remedy
from seal.reporting.reading import DOCUMENT_STAMP, is_proved, signer_of
from seal.reporting.texts import fit
from seal.wording import wording

_MOST_SHOWN = 100
"""Findings of one signature, and signatures of one file, that a page shows."""
_LARGEST_PICTURE = 256 * 1024
_PNG = b"\x89PNG\r\n\x1a\n"


def human_report(judgement: Judgement, language: str = "zh") -> str:
    """Write ``judgement`` as a page in ``language`` (zh or en)."""
    report = judgement.report
    return (
        _environment(language)
        .get_template("seal/report.html")
        .render(
            css=Markup(_style()),  # noqa: S704 - our own style sheet
            policy=page_policy(),
            judgement=judgement,
            file=judgement.file,
            kind=report.verdict.value,
            sentence=words.sentence(report),
            reasons=tuple(words.reasons(report)),
            signatures=[_shown(each) for each in report.signatures[:_MOST_SHOWN]],
            more=max(0, len(report.signatures) - _MOST_SHOWN),
            stamps=sum(each.format == DOCUMENT_STAMP for each in report.signatures),
            findings=_findings(report.findings),
            unchecked=tuple(words.unchecked(judgement)),
            words=words,
        )
        .lstrip()
    )


def page_policy() -> str:
    """Give the Content-Security-Policy of the page: its own style sheet, the pictures inside it, and nothing else."""
    digest = b64encode(SHA256.digest(_style().encode())).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; form-action 'none'; base-uri 'none'"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A signature as the page shows it."""

    report: SignatureReport
    kind: str
    proved: bool
    signer: CertificateFacts | None
    findings: tuple["_ShownFinding", ...]
    held: tuple[tuple[str, str], ...]
    picture: str | None
    hidden: int
    """Findings beyond those shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _ShownFinding:
    code: str
    kind: str
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str
    detail: str


def _shown(signature: SignatureReport) -> _Shown:
    return _Shown(
        report=signature,
        kind=signature.verdict.value,
        proved=is_proved(signature),
        signer=signer_of(signature),
        findings=_findings(signature.findings),
        held=tuple(words.held(signature)),
        picture=_picture(signature.seal) if signature.verdict is Verdict.VALID else None,
        hidden=max(0, len(signature.findings) - _MOST_SHOWN),
    )


def _findings(findings: tuple[Finding, ...]) -> tuple[_ShownFinding, ...]:
    return tuple(_each(sorted(findings, key=_grave_first)[:_MOST_SHOWN]))


def _grave_first(finding: Finding) -> int:
    return -tuple(Verdict).index(finding.verdict)


def _each(findings: list[Finding]) -> Iterator[_ShownFinding]:
    for finding in findings:
        zh, en = wording(finding.code)
        remedy_zh, remedy_en = remedy(finding).value
        yield _ShownFinding(
            code=finding.code,
            # A note is no mark of success: it has the look of what is merely said.
            kind="note" if finding.verdict is Verdict.VALID else finding.verdict.value,
            zh=zh,
            en=en,
            remedy_zh=remedy_zh,
            remedy_en=remedy_en,
            detail=fit(finding.detail),
        )


def _picture(seal: SealFacts | None) -> str | None:
    """Give a seal's picture as an address: a small PNG, of a signature that holds; a false seal is not shown around."""
    if seal is None or not seal.picture.startswith(_PNG) or len(seal.picture) > _LARGEST_PICTURE:
        return None
    return "data:image/png;base64," + b64encode(seal.picture).decode()


@cache
def _style() -> str:
    house = (files("kernel") / "static" / "xinyin.css").read_text("utf-8")
    return house + (files("seal") / "reporting" / "report.css").read_text("utf-8")


@cache
def _environment(language: str) -> jinja2.Environment:
    loader = jinja2.ChoiceLoader([jinja2.PackageLoader(name) for name in ("kernel", "seal")])
    made = environment(loader, language, "")
    made.filters.update(fit=fit, octets=words.octets)
    return made
