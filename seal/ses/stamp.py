"""Time stamps in e-seal structures: a token over signature octets (GB/T 20520, the shape of RFC 3161)."""

from dataclasses import dataclass
from datetime import datetime

from seal.model import Finding, Verdict
from seal.trust import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What a time stamp proves: ``time`` only if everything about it holds."""

    time: datetime | None = None
    findings: tuple[Finding, ...] = ()


def read_stamp(token: bytes | None, *, covered: bytes, trust: Trust) -> Stamp:
    """Judge a token that should stamp ``covered``; without a token nothing is proved and nothing is wrong."""
    if token is None:
        return Stamp()
    return Stamp(findings=(Finding(code="TIMESTAMP_UNTRUSTED", verdict=Verdict.INDETERMINATE),))
