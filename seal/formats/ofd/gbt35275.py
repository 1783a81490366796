"""Judging the plain digital signatures of OFD: GB/T 35275 SignedData in its three shapes, and bare SM2 values.

Signers write SM3(Signature.xml) as the content, write it in Base64, or leave the content out and sign attributes;
``crypto.cms`` tells them apart.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from crypto.cms import CmsProblem, SignedData, SignerInfo, parse_signed_data, verify_signer
from crypto.der import INTEGER, parse
from crypto.errors import CmsError, DerError
from crypto.sm2 import RAW_SIGNATURE_SIZE
from seal.model import Finding, SignatureReport, TimeSource, Verdict
from seal.stamps import read_stamp
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


def judge_signed_value(
    octets: bytes, *, signed: bytes, claimed: datetime | None, trust: Trust, at: datetime | None = None
) -> SignatureReport:
    """Judge a SignedValue of Type Sign over ``signed`` (Signature.xml) at the time of signing or as of ``at``.

    ``claimed`` is the time written in ``signed``: it counts where the signer signed no other. Never raises for what
    it is given.
    """
    if _is_bare(octets):
        # Old writers left the certificate out; whoever signed must be known otherwise.
        missing = Finding(
            code="SIGNER_CERT_MISSING", verdict=Verdict.INDETERMINATE, detail="the signature is a bare SM2 value"
        )
        return _report(BARE_FORMAT, None, claimed, TimeSource.CLAIMED, (missing,))
    try:
        message = parse_signed_data(octets)
    except (CmsError, DerError) as error:
        return _report(FORMAT, None, None, None, (_malformed(str(error)),))
    if not message.signers:
        return _report(FORMAT, None, None, None, (_malformed("nobody signed it"),))
    reports = [_judge_signer(message, signer, signed, claimed, trust, at) for signer in message.signers]
    findings = tuple(finding for report in reports for finding in report.findings)
    return _report(FORMAT, reports[0].signer, reports[0].time, reports[0].time_source, findings)


def _judge_signer(  # noqa: PLR0913, PLR0917 - one signer out of its message
    message: SignedData,
    signer: SignerInfo,
    signed: bytes,
    claimed: datetime | None,
    trust: Trust,
    at: datetime | None,
) -> SignatureReport:
    findings = list(_mathematics(message, signer, signed))
    stamp = read_stamp(signer.timestamp_token, covered=signer.signature, trust=trust)
    time = stamp.time or signer.signing_time or claimed
    instant = at or time
    if instant is None:
        findings.append(Finding(code="SIGN_TIME_UNKNOWN", verdict=Verdict.INDETERMINATE))
    elif signer.certificate is not None:
        findings += judge_certificate(
            signer.certificate,
            others=message.certificates,
            trust=trust,
            at=instant,
            role="SIGNER",
            proved=stamp.time,
            facts=embedded_facts(message, signer),
        )
    source = None if time is None else TimeSource.TIMESTAMP if stamp.time else TimeSource.CLAIMED
    subject = signer.certificate.subject_text if signer.certificate else None
    return _report(FORMAT, subject, time, source, (*findings, *stamp.findings))


def _mathematics(message: SignedData, signer: SignerInfo, signed: bytes) -> Iterator[Finding]:
    for problem in verify_signer(message, signer, lambda algorithm: algorithm.digest(signed)):
        code, verdict = _FINDINGS[problem]
        yield Finding(code=code, verdict=verdict, detail=problem.value)


def _is_bare(octets: bytes) -> bool:
    if len(octets) == RAW_SIGNATURE_SIZE:
        return True
    try:
        return [node.tag for node in parse(octets)] == [INTEGER, INTEGER]
    except DerError:
        return False


def _malformed(detail: str) -> Finding:
    return Finding(code="CMS_MALFORMED", verdict=Verdict.INVALID, detail=detail)


def _report(
    name: str,
    signer: str | None,
    time: datetime | None,
    source: TimeSource | None,
    findings: tuple[Finding, ...],
) -> SignatureReport:
    return SignatureReport(
        format=name,
        signer=signer,
        seal=None,
        time=time,
        time_source=source if time is not None else None,
        findings=findings,
    )
