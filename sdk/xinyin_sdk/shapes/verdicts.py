"""Verdicts on files."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found: ``code`` to act on, words to read."""

    code: str
    verdict: str
    detail: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSeal:
    """The seal that a signature shows."""

    id: str
    name: str
    kind: int
    valid_from: datetime
    valid_to: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What was found about one signature. ``time_source`` tells whether its time is proved or only claimed."""

    format: str
    verdict: str
    signer: str | None
    level: str | None
    seal: ShownSeal | None
    time: datetime | None
    time_source: str | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict on a file: ``valid``, ``invalid``, ``indeterminate`` (cannot be decided now) or ``unsigned``."""

    verdict: str
    signatures: tuple[Signature, ...]
    findings: tuple[Finding, ...]
    file: str | None

    @property
    def is_valid(self) -> bool:
        """Whether every signature holds, and there is one. Only this says yes."""
        return self.verdict == "valid"

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of all findings that are as bad as the verdict, each once."""
        every = [*self.findings, *(found for one in self.signatures for found in one.findings)]
        return tuple(dict.fromkeys(found.code for found in every if found.verdict == self.verdict))
