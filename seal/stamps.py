"""Time stamps: tokens over a signature's value, or over a document itself (RFC 3161, GB/T 20520)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from crypto.certificate import Certificate
from crypto.cms import CmsProblem, ContentDigest
from crypto.errors import CryptoError
from crypto.timestamp import TimestampProblem, TimestampToken, parse_token, verify_token
from seal.model import Finding, Verdict
from seal.trust import Trust, judge_certificate
from seal.trust.embedded import NONE, embedded_facts
from seal.trust.facts import Facts
from seal.trust.judging import TOLD_OF_STAMPERS

# Where a token stands for itself, over a document, it is the signature; its problems bear the signature's names.
TOKEN_FINDINGS: Mapping[CmsProblem | TimestampProblem, tuple[str, Verdict]] = {
    CmsProblem.DIGEST_MISMATCH: ("SIGNATURE_INVALID", Verdict.INVALID),
    CmsProblem.SIGNATURE_INVALID: ("SIGNATURE_INVALID", Verdict.INVALID),
    CmsProblem.CERTIFICATE_MISSING: ("TSA_CERT_MISSING", Verdict.INDETERMINATE),
    CmsProblem.SIGNING_CERTIFICATE_MISMATCH: ("SIGNING_CERT_MISMATCH", Verdict.INVALID),
    CmsProblem.ATTRIBUTES_MALFORMED: ("CMS_MALFORMED", Verdict.INVALID),
    CmsProblem.CONTENT_TYPE_MISMATCH: ("CMS_MALFORMED", Verdict.INVALID),
    CmsProblem.ALGORITHM_UNSUPPORTED: ("ALGORITHM_UNSUPPORTED", Verdict.INDETERMINATE),
    CmsProblem.WEAK_DIGEST: ("ALGORITHM_WEAK", Verdict.INDETERMINATE),
    CmsProblem.WEAK_KEY: ("ALGORITHM_WEAK", Verdict.INDETERMINATE),
    TimestampProblem.IMPRINT_MISMATCH: ("DATA_HASH_MISMATCH", Verdict.INVALID),
    TimestampProblem.IMPRINT_UNSUPPORTED: ("ALGORITHM_UNSUPPORTED", Verdict.INDETERMINATE),
    TimestampProblem.NOT_A_TSA: ("TIMESTAMP_INVALID", Verdict.INVALID),
}


class JudgedToken(NamedTuple):
    """A token and everything found about it; ``proved`` is its time if all of it held and its maker is trusted."""

    token: TimestampToken
    findings: tuple[Finding, ...]
    proved: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What the stamp on a signature proves: ``time`` only if everything about it holds."""

    time: datetime | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """What a document holds in favour of a token in it."""

    certificates: tuple[Certificate, ...] = ()
    facts: Facts = NONE
    proved: datetime | None = None
    """By when the token was there, as a later time stamp shows that is trusted itself."""


NO_BACKING = Backing()


def judge_token(
    der: bytes, digests: ContentDigest, trust: Trust, at: datetime | None = None, backing: Backing = NO_BACKING
) -> JudgedToken:
    """Judge a token over the octets ``digests`` speaks for, at its own time or as of ``at``.

    As of a time later than that by which it was there, it is judged as of that one: its maker's certificate may have
    ended since (ETSI EN 319 102-1 5.6.2.2). Raises CryptoError if it cannot be read.
    """
    token = parse_token(der)
    findings = list(_problems(token, digests))
    certificate = token.certificate
    if certificate is not None:
        findings += _maker(token, certificate, trust, at, backing)
    held = certificate is not None and not _faults(findings)
    return JudgedToken(token, tuple(findings), token.gen_time if held else None)


def _maker(
    token: TimestampToken, certificate: Certificate, trust: Trust, at: datetime | None, backing: Backing
) -> tuple[Finding, ...]:
    """Judge the certificate of whoever made ``token``."""
    proved = backing.proved

    def judge(dates: datetime, used_at: datetime, proved: datetime | None) -> tuple[Finding, ...]:
        return judge_certificate(
            certificate,
            others=(*token.signed.certificates, *backing.certificates),
            trust=trust,
            # Outside its dates it stamps nothing, whatever is proved of later.
            at=dates if certificate.valid_at(token.gen_time) else token.gen_time,
            used_at=used_at,
            role="TSA",
            proved=proved,
            facts=embedded_facts(token.signed) + backing.facts,
        )

    # By a time that is proved it was there: good then, nothing that came later counts. Facts from before that time do
    # not do, for whoever has a stamper's key may name any time and choose old facts to go with it.
    if proved is not None and proved >= token.gen_time:
        found = judge(token.gen_time if at is None else min(at, proved), proved, proved)
        if not _faults(found):
            return found
    # Else it vouches for its own time: word of a revocation since then is heard, and weighed by its reason.
    at = at or token.gen_time
    return judge(at, min(at, token.gen_time), None)


def read_stamp(
    token: bytes | None,
    *,
    covered: bytes,
    trust: Trust,
    at: datetime | None = None,
    backing: Backing = NO_BACKING,
) -> Stamp:
    """Judge a token that should stamp ``covered``, a signature's value; without one nothing is proved nor wrong.

    With ``at``, a token that held at its own time and does not as of ``at`` proves nothing either (a note).

    A token of a stamper we do not know proves nothing and spoils nothing (TIMESTAMP_UNTRUSTED, a note): the claimed
    time counts, as if it were not there. One that stamps other octets or is broken was put there to deceive.
    """
    if token is None:
        return Stamp()
    try:
        judged = judge_token(token, lambda digest: digest.digest(covered), trust, backing=backing)
        if judged.proved is not None and at is not None:
            later = judge_token(token, lambda digest: digest.digest(covered), trust, at, backing)
            if later.proved is None:
                causes = ", ".join(dict.fromkeys(map(_named, _faults(later.findings))))
                return Stamp(findings=(_finding("TIMESTAMP_UNTRUSTED", Verdict.VALID, f"{causes}, {at.isoformat()}"),))
    except CryptoError as error:
        return Stamp(findings=(_finding("TIMESTAMP_INVALID", Verdict.INVALID, str(error)),))
    told = tuple(finding for finding in judged.findings if finding.code in TOLD_OF_STAMPERS)
    if judged.proved is not None:
        return Stamp(time=judged.proved, findings=told)
    faults = _faults(judged.findings)
    causes = ", ".join(dict.fromkeys(map(_named, faults)))
    if any(fault.verdict is Verdict.INVALID for fault in faults):
        return Stamp(findings=(_finding("TIMESTAMP_INVALID", Verdict.INVALID, causes), *told))
    return Stamp(findings=(_finding("TIMESTAMP_UNTRUSTED", Verdict.VALID, causes), *told))


def _problems(token: TimestampToken, digests: ContentDigest) -> Iterator[Finding]:
    for problem in verify_token(token, digests):
        code, verdict = TOKEN_FINDINGS[problem]
        yield _finding(code, verdict, problem.value)


def _faults(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.verdict is not Verdict.VALID]


def _named(finding: Finding) -> str:
    """Name a finding within another: with its cause, where that is something to go after."""
    return f"{finding.code} ({finding.detail})" if finding.code == "REVOCATION_UNKNOWN" else finding.code


def _finding(code: str, verdict: Verdict, detail: str) -> Finding:
    return Finding(code=code, verdict=verdict, detail=detail)
