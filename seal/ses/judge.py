"""Judging a seal and the signature made with it, by the rules of ``seal.ses.rules``.

What the signature protects outside itself (a package's references, a PDF's byte range) is its format's affair: it
comes in as one digest.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from crypto.errors import CertificateError, DerError
from crypto.x509 import Certificate
from seal.model import Finding, SealFacts, TimeSource
from seal.ses.model import SesSeal
from seal.ses.read import parse_ses_signature
from seal.ses.rules import FORMAT, RULES, Case, Placed, apply, in_order
from seal.ses.traces import SesTraces
from seal.stamps import read_stamp
from seal.trust import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class SesJudgement:
    """All that was found out about one SES_Signature."""

    layout: int | None
    """None if the octets are no SES_Signature at all; then nothing below is known either."""
    signer: str | None = None
    seal: SealFacts | None = None
    time: datetime | None = None
    time_source: TimeSource | None = None
    placed: tuple[Placed, ...]
    traces: SesTraces | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the rules found, in their order."""
        return in_order(self.placed)


def judge_ses(  # noqa: PLR0913 - what a signature is judged by
    octets: bytes,
    *,
    digest: bytes,
    trust: Trust,
    at: datetime | None = None,
    seal_file: bytes | None = None,
    there: datetime | None = None,
) -> SesJudgement:
    """Judge a SES_Signature that should bind ``digest``, at the time of sealing or, if given, as of ``at``.

    ``seal_file`` is the seal delivered beside the signature, if there is one. A signature without a time stamp that
    proves anything is judged as of ``there``, by when another shows that it was there. Never raises for what it is
    given.
    """
    try:
        signature = parse_ses_signature(octets)
    except DerError as error:
        return SesJudgement(layout=None, placed=tuple(FORMAT.placed(error)))
    stamp = read_stamp(signature.timestamp, covered=signature.signature, trust=trust)
    if stamp.time is None and there is not None:
        stamp = replace(stamp, time=there)
    time = stamp.time or signature.time
    case = Case(
        signature=signature,
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
        placed=tuple(apply(RULES, case)),
        traces=SesTraces(case=case),
    )


def _certificate(octets: bytes) -> Certificate | None:
    try:
        return Certificate.from_der(octets)
    except (CertificateError, DerError):
        return None


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
