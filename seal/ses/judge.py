"""Judging a seal and the signature made with it, rule by rule (GM/T 0031-2014 6.1.2 and 6.2.3, GB/T 38540 7.3).

What the signature protects outside itself (a package's references, a PDF's byte range) is its format's affair: it
comes in as one digest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from crypto.errors import CertificateError, CryptoError, DerError
from crypto.suites import SUITES_BY_ANY_OID, Suite
from crypto.x509 import Certificate
from seal.model import Finding, SealFacts, TimeSource, Verdict
from seal.ses.model import HEADER_ID, V1, SesSeal, SesSignature
from seal.ses.read import parse_ses_signature
from seal.stamps import Stamp, read_stamp
from seal.trust import Trust, judge_certificate, judge_seal_status

STAMP_LAG = timedelta(minutes=5)
"""How far the signer's clock may run ahead of the time stamper's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SesJudgement:
    """All that was found out about one SES_Signature."""

    layout: int | None
    """None if the octets are no SES_Signature at all; then nothing below is known either."""
    signer: str | None
    seal: SealFacts | None
    time: datetime | None
    time_source: TimeSource | None
    findings: tuple[Finding, ...]


def judge_ses(
    octets: bytes,
    *,
    digest: bytes,
    trust: Trust,
    at: datetime | None = None,
    seal_file: bytes | None = None,
) -> SesJudgement:
    """Judge a SES_Signature that should bind ``digest``, at the time of sealing or, if given, as of ``at``.

    ``seal_file`` is the seal delivered beside the signature, if there is one. Never raises for what it is given.

    A seal made before its maker's certificate began is a note (SEAL_MAKER_NOT_VALID_AT_MAKE), not a fault, as long
    as the certificate had begun when the seal signed: a tax authority's seals in use are like that, made days before
    their maker's certificate was renewed, and the maker's signature holds all the same.
    """
    try:
        signature = parse_ses_signature(octets)
    except DerError as error:
        finding = Finding(code="SES_FORMAT_ERROR", verdict=Verdict.INVALID, detail=str(error))
        return SesJudgement(layout=None, signer=None, seal=None, time=None, time_source=None, findings=(finding,))
    stamp = read_stamp(signature.timestamp, covered=signature.signature, trust=trust)
    time = stamp.time or signature.time
    case = _Case(
        signature=signature,
        seal=signature.seal,
        signer=_certificate(signature.certificate),
        maker=_certificate(signature.seal.maker_certificate),
        digest=digest,
        seal_file=seal_file,
        stamp=stamp,
        at=at or time,
        trust=trust,
    )
    return SesJudgement(
        layout=signature.layout,
        signer=case.signer.subject_text if case.signer else None,
        seal=_facts(signature.seal),
        time=time,
        time_source=None if time is None else TimeSource.TIMESTAMP if stamp.time else TimeSource.CLAIMED,
        findings=tuple(finding for rule in RULES for finding in rule(case)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    signature: SesSignature
    seal: SesSeal
    signer: Certificate | None
    maker: Certificate | None
    digest: bytes
    seal_file: bytes | None
    stamp: Stamp
    at: datetime | None
    """The instant of judgement: the one asked for, else the stamped, else the claimed time."""
    trust: Trust


def _invalid(code: str, detail: str = "") -> Finding:
    return Finding(code=code, verdict=Verdict.INVALID, detail=detail)


# --- the rules, in the order of the standard -------------------------------------------------------------------


def _structure(case: _Case) -> Iterator[Finding]:
    signature, seal = case.signature, case.seal
    if seal.header_id != HEADER_ID:
        yield _invalid("SES_VERSION_MISMATCH", f"the seal's header says {seal.header_id!r}")
    if signature.version != seal.header_version or (signature.layout == V1) != (seal.layout == V1):
        yield _invalid(
            "SES_VERSION_MISMATCH",
            f"signature version {signature.version} around a seal of version {seal.header_version}",
        )
    for extension in (*signature.extensions, *seal.extensions):
        if extension.critical:
            # Government seals in use carry critical extensions of their vendor: said, not failed.
            yield Finding(code="UNKNOWN_CRITICAL_EXTENSION", verdict=Verdict.VALID, detail=extension.oid)


def _signature_value(case: _Case) -> Iterator[Finding]:
    signature = case.signature
    if case.signer is None:
        yield _invalid("SES_FORMAT_ERROR", "the signer's certificate cannot be read")
    else:
        yield from _value(case.signer, signature.signature_oid, signature.tbs, signature.signature, "SIGNATURE_INVALID")


def _signer_certificate(case: _Case) -> Iterator[Finding]:
    if case.at is None:
        yield Finding(code="SIGN_TIME_UNKNOWN", verdict=Verdict.INDETERMINATE, detail="no time of sealing can be read")
    elif case.signer is not None:
        yield from judge_certificate(
            case.signer, others=_others(case), trust=case.trust, at=case.at, role="SIGNER", proved=case.stamp.time
        )


def _document(case: _Case) -> Iterator[Finding]:
    if case.signature.data_hash != case.digest:
        yield _invalid("DATA_HASH_MISMATCH", "the signature is about other octets than these")


def _seal_signature(case: _Case) -> Iterator[Finding]:
    seal = case.seal
    if case.maker is None:
        yield _invalid("SEAL_SIGNATURE_INVALID", "the seal maker's certificate cannot be read")
    else:
        yield from _value(case.maker, seal.signature_oid, seal.signed, seal.signature, "SEAL_SIGNATURE_INVALID")


def _maker_certificate(case: _Case) -> Iterator[Finding]:
    if case.maker is None:
        return
    made = case.seal.created
    if made < case.maker.not_before and case.at is not None and case.maker.not_before <= case.at:
        yield Finding(
            code="SEAL_MAKER_NOT_VALID_AT_MAKE",
            verdict=Verdict.VALID,
            detail=f"seal made {made.isoformat()}, maker's certificate from {case.maker.not_before.isoformat()}",
        )
        made = case.maker.not_before
    # The maker's certificate had to be valid when the seal was made, and not to be revoked when it was used.
    yield from judge_certificate(
        case.maker,
        others=_others(case),
        trust=case.trust,
        at=made,
        role="SEAL_MAKER",
        used_at=case.at,
        proved=case.stamp.time,
    )


def _seal_validity(case: _Case) -> Iterator[Finding]:
    seal = case.seal
    if case.at is not None and not seal.valid_at(case.at):
        span = f"{seal.valid_from.isoformat()} to {seal.valid_to.isoformat()}"
        yield _invalid("SEAL_NOT_VALID_AT_SIGN_TIME", f"{case.at.isoformat()} is outside {span}")


def _signer_listed(case: _Case) -> Iterator[Finding]:
    if not case.seal.lists(case.signature.certificate):
        yield _invalid("SIGNER_NOT_IN_SEAL", "the seal does not allow this certificate to sign with it")


def _seal_file(case: _Case) -> Iterator[Finding]:
    if case.seal_file is not None and case.seal_file != case.seal.raw:
        yield _invalid("SEAL_FILE_MISMATCH", "the seal beside the signature is not the one in it")


def _registered(case: _Case) -> Iterator[Finding]:
    if case.at is not None:
        yield from judge_seal_status(case.seal.esid, trust=case.trust, at=case.at)


def _timestamps(case: _Case) -> Iterator[Finding]:
    yield from case.stamp.findings
    if case.stamp.time and case.signature.time and case.signature.time > case.stamp.time + STAMP_LAG:
        yield _invalid("TIMESTAMP_INVALID", "the time stamp is older than the time the signer claims")
    yield from read_stamp(case.seal.timestamp, covered=case.seal.signature, trust=case.trust).findings


Rule = Callable[[_Case], Iterator[Finding]]
RULES: tuple[Rule, ...] = (
    _structure,
    _signature_value,
    _signer_certificate,
    _document,
    _seal_signature,
    _maker_certificate,
    _seal_validity,
    _signer_listed,
    _seal_file,
    _registered,
    _timestamps,
)


# --- what the rules share --------------------------------------------------------------------------------------


def suite_named(oid: str) -> Suite | None:
    """Give the suite a signature algorithm identifier means; None for those not judged here."""
    return SUITES_BY_ANY_OID.get(oid)


def _value(certificate: Certificate, oid: str, message: bytes, value: bytes, code: str) -> Iterator[Finding]:
    suite = suite_named(oid)
    if suite is None:
        yield Finding(code="ALGORITHM_UNSUPPORTED", verdict=Verdict.INDETERMINATE, detail=oid)
        return
    try:
        key = certificate.public_key
    except CryptoError as error:
        yield Finding(code="ALGORITHM_UNSUPPORTED", verdict=Verdict.INDETERMINATE, detail=str(error))
        return
    if key.kind is not suite.key:
        yield _invalid("ALGORITHM_CERT_MISMATCH", f"{suite.name} under a key of kind {key.kind.value}")
    elif not key.verify(suite, message, value):
        yield _invalid(code)


def _certificate(octets: bytes) -> Certificate | None:
    try:
        return Certificate.from_der(octets)
    except (CertificateError, DerError):
        return None


def _others(case: _Case) -> tuple[Certificate, ...]:
    return tuple(certificate for certificate in (case.signer, case.maker) if certificate is not None)


def _facts(seal: SesSeal) -> SealFacts:
    return SealFacts(
        id=seal.esid,
        name=seal.name,
        kind=seal.kind,
        picture_type=seal.picture.kind,
        picture=seal.picture.octets,
        valid_from=seal.valid_from,
        valid_to=seal.valid_to,
    )
