"""Time stamps in e-seal structures: a token over signature octets (GB/T 20520, the shape of RFC 3161)."""

from dataclasses import dataclass
from datetime import datetime

from crypto.cms import CmsProblem
from crypto.errors import CryptoError
from crypto.timestamp import TimestampProblem, TimestampToken, parse_token, verify_token
from seal.model import Finding, Verdict
from seal.trust import Trust, judge_certificate
from seal.trust.embedded import embedded_facts
from seal.trust.judging import TOLD_OF_STAMPERS

_UNJUDGED = frozenset(
    {
        CmsProblem.CERTIFICATE_MISSING,
        CmsProblem.ALGORITHM_UNSUPPORTED,
        CmsProblem.WEAK_DIGEST,
        CmsProblem.WEAK_KEY,
        TimestampProblem.IMPRINT_UNSUPPORTED,
    }
)
"""Problems that leave a token unproved without making it false."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What a time stamp proves: ``time`` only if everything about it holds."""

    time: datetime | None = None
    findings: tuple[Finding, ...] = ()


def read_stamp(token: bytes | None, *, covered: bytes, trust: Trust) -> Stamp:
    """Judge a token that should stamp ``covered``; without a token nothing is proved and nothing is wrong.

    A token of a stamper we do not know proves nothing and spoils nothing (TIMESTAMP_UNTRUSTED, a note): the claimed
    time counts, as if it were not there. One that stamps other octets or is broken was put there to deceive.
    """
    if token is None:
        return Stamp()
    try:
        read = parse_token(token)
    except CryptoError as error:
        return Stamp(findings=(_invalid(str(error)),))
    problems = verify_token(read, lambda digest: digest.digest(covered))
    wrong = [problem.value for problem in problems if problem not in _UNJUDGED]
    if wrong:
        return Stamp(findings=(_invalid(", ".join(wrong)),))
    return _trusted(read, [problem.value for problem in problems], trust)


def _trusted(token: TimestampToken, doubts: list[str], trust: Trust) -> Stamp:
    certificate = token.certificate
    if certificate is None:
        return Stamp(findings=(_untrusted(", ".join(doubts)),))
    judged = judge_certificate(
        certificate,
        others=token.signed.certificates,
        trust=trust,
        at=token.gen_time,
        role="TSA",
        facts=embedded_facts(token.signed),
    )
    told = tuple(finding for finding in judged if finding.code in TOLD_OF_STAMPERS)
    faults = [finding for finding in judged if finding.verdict is not Verdict.VALID]
    if any(fault.verdict is Verdict.INVALID for fault in faults):
        return Stamp(findings=(_invalid(", ".join(fault.code for fault in faults)), *told))
    doubts += [fault.code for fault in faults]
    if doubts:
        return Stamp(findings=(_untrusted(", ".join(doubts)), *told))
    return Stamp(time=token.gen_time, findings=told)


def _invalid(detail: str) -> Finding:
    return Finding(code="TIMESTAMP_INVALID", verdict=Verdict.INVALID, detail=detail)


def _untrusted(detail: str) -> Finding:
    return Finding(code="TIMESTAMP_UNTRUSTED", verdict=Verdict.VALID, detail=detail)
