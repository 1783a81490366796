"""Timestamps in a PDF: one over a signature's value, or one over the document itself (RFC 3161, ETSI EN 319 142-1)."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from crypto.cms import CmsProblem, ContentDigest
from crypto.errors import CryptoError
from crypto.timestamp import TimestampProblem, TimestampToken, parse_token, verify_token
from seal.formats.pdf.findings import Code
from seal.model import Finding, Verdict
from seal.trust import Trust, judge_certificate
from seal.trust.embedded import embedded_facts
from seal.trust.judging import TOLD_OF_STAMPERS

# As a document timestamp the token is the signature; its problems bear the signature's names.
TOKEN_CODES: Mapping[CmsProblem | TimestampProblem, Code] = {
    CmsProblem.DIGEST_MISMATCH: Code.SIGNATURE_INVALID,
    CmsProblem.SIGNATURE_INVALID: Code.SIGNATURE_INVALID,
    CmsProblem.CERTIFICATE_MISSING: Code.TSA_CERT_MISSING,
    CmsProblem.SIGNING_CERTIFICATE_MISMATCH: Code.SIGNING_CERT_MISMATCH,
    CmsProblem.ATTRIBUTES_MALFORMED: Code.CMS_MALFORMED,
    CmsProblem.CONTENT_TYPE_MISMATCH: Code.CMS_MALFORMED,
    CmsProblem.ALGORITHM_UNSUPPORTED: Code.ALGORITHM_UNSUPPORTED,
    CmsProblem.WEAK_DIGEST: Code.ALGORITHM_WEAK,
    CmsProblem.WEAK_KEY: Code.ALGORITHM_WEAK,
    TimestampProblem.IMPRINT_MISMATCH: Code.DATA_HASH_MISMATCH,
    TimestampProblem.IMPRINT_UNSUPPORTED: Code.ALGORITHM_UNSUPPORTED,
    TimestampProblem.NOT_A_TSA: Code.TIMESTAMP_INVALID,
}


class Stamped(NamedTuple):
    """A token and everything found about it; ``proved`` is its time if all of it held and its maker is trusted."""

    token: TimestampToken
    findings: tuple[Finding, ...]
    proved: datetime | None


def judge_token(der: bytes, digests: ContentDigest, trust: Trust, at: datetime | None) -> Stamped:
    """Judge a token over the octets ``digests`` speaks for; CryptoError if it cannot be read."""
    token = parse_token(der)
    findings = list(_token(token, digests))
    certificate = token.certificate
    if certificate is not None:
        others = token.signed.certificates
        findings += judge_certificate(
            certificate,
            others=others,
            trust=trust,
            at=at or token.gen_time,
            role="TSA",
            facts=embedded_facts(token.signed),
        )
    held = certificate is not None and all(found.verdict is Verdict.VALID for found in findings)
    return Stamped(token, tuple(findings), token.gen_time if held else None)


def _token(token: TimestampToken, digests: ContentDigest) -> Iterator[Finding]:
    for problem in verify_token(token, digests):
        yield TOKEN_CODES[problem].found(problem.value)


def judge_signature_stamp(der: bytes, value: bytes, trust: Trust) -> tuple[datetime | None, tuple[Finding, ...]]:
    """Judge the token over a signature's ``value``; give the time it proves, if it does.

    A token whose maker we do not know proves nothing and spoils nothing: the claimed time is used, with a note. One
    that stamps another signature, or is itself broken, was put there to deceive.
    """
    try:
        stamped = judge_token(der, lambda digest: digest.digest(value), trust, None)
    except CryptoError as error:
        return None, (Code.TIMESTAMP_INVALID.found(str(error)),)
    told = tuple(found for found in stamped.findings if found.code in TOLD_OF_STAMPERS)
    if stamped.proved is not None:
        return stamped.proved, told
    code = (
        Code.TIMESTAMP_INVALID
        if any(found.verdict is Verdict.INVALID for found in stamped.findings)
        else Code.TIMESTAMP_UNTRUSTED
    )
    return None, (code.found(", ".join(map(named, stamped.findings))), *told)


def named(finding: Finding) -> str:
    """Name a finding within another: with its cause, where that is something to go after."""
    return f"{finding.code} ({finding.detail})" if finding.code == "REVOCATION_UNKNOWN" else finding.code
