"""Judging a sealed digest by itself: its value, certificate, seal and time stamp. The document stays unseen."""

import dataclasses
from collections.abc import Iterator
from datetime import datetime

from crypto.cms import SignedData, parse_signed_data, verify_signer
from crypto.digests import DigestAlgorithm
from crypto.errors import CryptoError, DerError
from crypto.suites import ES256, SM2_SM3
from seal.errors import SealingRejected
from seal.formats_table import DOCUMENT_TYPES
from seal.model import Finding, Report, SignatureReport, TimeSource, Verdict
from seal.ses.judge import judge_ses
from seal.ses.read import parse_ses_signature
from seal.stamps import read_stamp
from seal.trust import Trust, judge_certificate
from seal.trust.embedded import embedded_facts
from seal.verifying import verify_in_process, with_seal_status

_KINDS = {SM2_SM3.key.value: "digest-pades-sm2", ES256.key.value: "digest-pades-p256"}


def judge_any(made: bytes, trust: Trust, *, now: datetime) -> Report:
    """Judge whatever sealing makes: a document as ever, else a signature over a digest."""
    if any(kind.looks_like(made) for kind in DOCUMENT_TYPES):
        return verify_in_process(made, trust, now=now)
    believed = dataclasses.replace(trust, seal_status=None, now=now)
    return with_seal_status(verify_digest_seal(made, believed, now), trust, None)


def verify_digest_seal(document: bytes, trust: Trust, at: datetime | None = None) -> Report:
    """Judge a signature over a digest, by the digest that it binds.

    ``at`` is the moment to judge as of where the signature tells no time of its own. Whether the digest is that of
    some document is not looked at: nobody here has it.
    """
    try:
        signed = _message(document)
        one = _ses(document, trust) if signed is None else _cms(signed, trust, at)
    except CryptoError as error:
        finding = Finding(code="CMS_MALFORMED", verdict=Verdict.INVALID, detail=str(error))
        return Report(signatures=(), findings=(finding,))
    return Report(signatures=(one,), findings=())


def bound_digest(made: bytes) -> bytes:
    """Give the digest that a signature binds; SealingRejected if it is none of ours."""
    try:
        signed = _message(made)
        digest = parse_ses_signature(made).data_hash if signed is None else signed.signers[0].message_digest
    except (CryptoError, IndexError) as error:
        raise SealingRejected("What was made is no signature over a digest.") from error
    return digest or b""


def _message(octets: bytes) -> SignedData | None:
    """Read a signed message; None if it is none, and may be an e-seal signature."""
    try:
        parse_ses_signature(octets)
    except DerError:
        return parse_signed_data(octets)
    return None


def _ses(octets: bytes, trust: Trust) -> SignatureReport:
    judged = judge_ses(octets, digest=bound_digest(octets), trust=trust)
    return SignatureReport(
        format=f"digest-ses-v{judged.layout}",
        signer=judged.signer,
        seal=judged.seal,
        time=judged.time,
        time_source=judged.time_source,
        findings=judged.findings,
    )


def _cms(signed: SignedData, trust: Trust, at: datetime | None) -> SignatureReport:
    signer = signed.signers[0]
    certificate = signer.certificate
    stamp = read_stamp(signer.timestamp_token, covered=signer.signature, trust=trust)
    time = stamp.time or signer.signing_time
    findings = [*_value(signed), *stamp.findings]
    if certificate is not None and (when := time or at) is not None:
        facts = embedded_facts(signed, signer)
        findings += judge_certificate(
            certificate,
            others=signed.certificates,
            trust=trust,
            at=when,
            role="SIGNER",
            proved=stamp.time,
            facts=facts,
        )
    source = TimeSource.TIMESTAMP if stamp.time else TimeSource.CLAIMED
    return SignatureReport(
        format=_name(signed),
        signer=certificate.subject_text if certificate else None,
        seal=None,
        time=time,
        time_source=source if time else None,
        findings=tuple(findings),
    )


def _name(signed: SignedData) -> str:
    certificate = signed.signers[0].certificate
    if signed.signers[0].signing_time is not None or certificate is None:
        return "digest-gbt35275"
    return _KINDS.get(certificate.public_key.kind.value, "digest")


def _value(signed: SignedData) -> Iterator[Finding]:
    signer = signed.signers[0]

    def bound(_: DigestAlgorithm) -> bytes:
        return signer.message_digest or b""

    for problem in verify_signer(signed, signer, bound):
        yield Finding(code="SIGNATURE_INVALID", verdict=Verdict.INVALID, detail=problem.value)
    if signer.certificate is None:
        yield Finding(code="SIGNER_CERT_MISSING", verdict=Verdict.INDETERMINATE)
