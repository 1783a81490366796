"""Judging the plain digital signatures of OFD: GB/T 35275 SignedData in its three shapes, and bare SM2 values.

Signers write SM3(Signature.xml) as the content, write it in Base64, or leave the content out and sign attributes;
``crypto.cms`` tells them apart.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from crypto.cms import CmsProblem, SignedData, SignerInfo, parse_signed_data, verify_signer
from crypto.der import INTEGER, parse
from crypto.errors import CmsError, DerError
from crypto.sm2 import RAW_SIGNATURE_SIZE
from seal.evidence import MessageTraces
from seal.model import Finding, SignatureReport, TimeSource, Verdict
from seal.ses.rules import SIGNER, STAMP, Placed, Rule, apply, in_order, invalid, undecided
from seal.stamps import Stamp, read_stamp
from seal.trust import Trust, judge_certificate
from seal.trust.embedded import embedded_facts

FORMAT, BARE_FORMAT = "ofd-gbt35275", "ofd-sm2-value"
_FINDINGS: Mapping[CmsProblem, tuple[str, Verdict]] = {
    CmsProblem.DIGEST_MISMATCH: ("DATA_HASH_MISMATCH", Verdict.INVALID),
    CmsProblem.SIGNATURE_INVALID: ("SIGNATURE_INVALID", Verdict.INVALID),
    CmsProblem.SIGNING_CERTIFICATE_MISMATCH: ("SIGNING_CERTIFICATE_MISMATCH", Verdict.INVALID),
    CmsProblem.ATTRIBUTES_MALFORMED: ("CMS_MALFORMED", Verdict.INVALID),
    CmsProblem.CONTENT_TYPE_MISMATCH: ("CMS_MALFORMED", Verdict.INVALID),
    CmsProblem.CERTIFICATE_MISSING: ("SIGNER_CERT_MISSING", Verdict.INDETERMINATE),
    CmsProblem.ALGORITHM_UNSUPPORTED: ("ALGORITHM_UNSUPPORTED", Verdict.INDETERMINATE),
    CmsProblem.WEAK_DIGEST: ("WEAK_DIGEST", Verdict.VALID),
    CmsProblem.WEAK_KEY: ("ALGORITHM_WEAK", Verdict.VALID),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainCase:
    """One signer of a message, with everything the signature is judged against."""

    message: SignedData
    signer: SignerInfo
    signed: bytes
    stamp: Stamp
    time: datetime | None
    """Stamped, or signed, or claimed in what was signed."""
    at: datetime | None
    """The instant of judgement."""
    trust: Trust


def _value(case: PlainCase) -> Iterator[Finding]:
    for problem in verify_signer(case.message, case.signer, lambda algorithm: algorithm.digest(case.signed)):
        code, verdict = _FINDINGS[problem]
        yield Finding(code=code, verdict=verdict, detail=problem.value)


def _certificate(case: PlainCase) -> Iterator[Finding]:
    if case.at is not None and case.signer.certificate is not None:
        yield from judge_certificate(
            case.signer.certificate,
            others=case.message.certificates,
            trust=case.trust,
            at=case.at,
            role="SIGNER",
            proved=case.stamp.time,
            facts=embedded_facts(case.message, case.signer),
        )


def _time(case: PlainCase) -> Iterator[Finding]:
    if case.at is None:
        yield undecided("SIGN_TIME_UNKNOWN")


def _time_stamp(case: PlainCase) -> Iterator[Finding]:
    yield from case.stamp.findings


def _unreadable(why: str) -> Iterator[Finding]:
    yield invalid("CMS_MALFORMED", why)


def _bare(_octets: bytes) -> Iterator[Finding]:
    # Old writers left the certificate out; whoever signed must be known otherwise.
    yield undecided("SIGNER_CERT_MISSING", "the signature is a bare SM2 value")


PLAIN_FORMAT: Rule[str] = Rule(
    name="plain format",
    step=2,
    asks="The octets are a GB/T 35275 SignedData, and somebody signed it.",
    codes=("CMS_MALFORMED",),
    check=_unreadable,
)
PLAIN_BARE: Rule[bytes] = Rule(
    name="plain certificate",
    step=2,
    asks="The value is not a bare SM2 value without a certificate.",
    codes=("SIGNER_CERT_MISSING",),
    check=_bare,
)
PLAIN_RULES: tuple[Rule[PlainCase], ...] = (
    Rule(
        name="plain value",
        step=3,
        asks="The digest is that of Signature.xml, and the value holds under the certificate that it names.",
        codes=tuple(dict.fromkeys(code for code, _ in _FINDINGS.values())),
        check=_value,
    ),
    Rule(
        name="plain signer",
        step=4,
        asks="The signer's certificate leads to a trusted root, is for signing, was valid and not revoked then.",
        codes=SIGNER,
        check=_certificate,
    ),
    Rule(
        name="plain time",
        step=5,
        asks="There is a time of signing: stamped, signed, or claimed in Signature.xml.",
        codes=("SIGN_TIME_UNKNOWN",),
        check=_time,
    ),
    Rule(
        name="plain time stamp",
        step=8,
        asks="The time stamp is over this value and of a trusted stamper.",
        codes=STAMP,
        check=_time_stamp,
    ),
)


def judge_signed_value(
    octets: bytes, *, signed: bytes, claimed: datetime | None, trust: Trust, at: datetime | None = None
) -> SignatureReport:
    """Judge a SignedValue of Type Sign over ``signed`` (Signature.xml) at the time of signing or as of ``at``.

    ``claimed`` is the time written in ``signed``: it counts where the signer signed no other. Never raises for what
    it is given.
    """
    report, placed = place_signed_value(octets, signed=signed, claimed=claimed, trust=trust, at=at)
    return replace(report, findings=in_order(placed))


def place_signed_value(
    octets: bytes, *, signed: bytes, claimed: datetime | None, trust: Trust, at: datetime | None = None
) -> tuple[SignatureReport, list[Placed]]:
    """Judge as ``judge_signed_value`` does; give the findings beside the report, each with its step."""
    if _is_bare(octets):
        return _report(BARE_FORMAT, None, claimed, TimeSource.CLAIMED), PLAIN_BARE.placed(octets)
    try:
        message = parse_signed_data(octets)
    except (CmsError, DerError) as error:
        return _report(FORMAT, None, None, None), PLAIN_FORMAT.placed(str(error))
    if not message.signers:
        return _report(FORMAT, None, None, None), PLAIN_FORMAT.placed("nobody signed it")
    cases = [_case(message, signer, signed, claimed, trust, at) for signer in message.signers]
    one = cases[0]
    report = _report(
        FORMAT,
        one.signer.certificate.subject_text if one.signer.certificate else None,
        one.time,
        TimeSource.TIMESTAMP if one.stamp.time else TimeSource.CLAIMED,
    )
    traces = MessageTraces(message=message, signer=one.signer, trust=trust, at=one.at, proved=one.stamp.time)
    report = replace(report, traces=traces)
    return report, [placed for case in cases for placed in apply(PLAIN_RULES, case)]


def _case(  # noqa: PLR0913, PLR0917 - one signer out of its message
    message: SignedData,
    signer: SignerInfo,
    signed: bytes,
    claimed: datetime | None,
    trust: Trust,
    at: datetime | None,
) -> PlainCase:
    stamp = read_stamp(signer.timestamp_token, covered=signer.signature, trust=trust)
    time = stamp.time or signer.signing_time or claimed
    return PlainCase(message=message, signer=signer, signed=signed, stamp=stamp, time=time, at=at or time, trust=trust)


def _is_bare(octets: bytes) -> bool:
    if len(octets) == RAW_SIGNATURE_SIZE:
        return True
    try:
        return [node.tag for node in parse(octets)] == [INTEGER, INTEGER]
    except DerError:
        return False


def _report(name: str, signer: str | None, time: datetime | None, source: TimeSource | None) -> SignatureReport:
    return SignatureReport(
        format=name,
        signer=signer,
        seal=None,
        time=time,
        time_source=source if time is not None else None,
        findings=(),
    )
