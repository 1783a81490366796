"""Which PAdES level a signature reaches: by what is in the document, not by what the verifier knows besides."""

from dataclasses import dataclass, replace
from datetime import datetime

from crypto.certificate import Certificate
from crypto.cms import SignedData
from crypto.timestamp import parse_token
from seal.formats.pdf.dss import Store, Stores
from seal.levels import Level
from seal.trust import Facts, Role, Trust, judge_certificate
from seal.trust.embedded import embedded_facts

_LACKING = frozenset({"SIGNER_CERT_UNTRUSTED", "TSA_CERT_UNTRUSTED", "REVOCATION_UNKNOWN", "REVOCATION_NOT_OFFERED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Provided:
    """A sound signature, and what stands around it."""

    signed: SignedData
    stamped: datetime | None
    """What its time stamp proves."""
    there: datetime | None
    """What document time stamps over it prove."""
    covered: int | None
    """Index of the last revision that such a stamp is over."""
    trust: Trust
    stores: Stores


def reached(provided: Provided) -> Level:
    """Give the level."""
    if provided.stamped is None and provided.there is None:
        return Level.B
    if provided.covered is not None and _provides(provided, provided.stores.upto(provided.covered)):
        return Level.LTA
    return Level.LT if _provides(provided, provided.stores.all) else Level.T


def _provides(provided: Provided, store: Store) -> bool:
    """Tell whether the document alone shows where signer and stamper stood; the anchors are the verifier's."""
    if not store.facts:
        return False
    signed, signer = provided.signed, provided.signed.signers[0]
    bare = replace(provided.trust, intermediates=(), facts=Facts(), seal_status=None)
    time = provided.stamped or provided.there
    if signer.certificate is None or time is None:
        return False
    brought = embedded_facts(signed, signer) + store.facts
    if _lacks(signer.certificate, "SIGNER", bare, time, (*signed.certificates, *store.certificates), brought):
        return False
    if provided.stamped is None or signer.timestamp_token is None:
        return True
    token = parse_token(signer.timestamp_token)
    others = (*token.signed.certificates, *store.certificates)
    return token.certificate is not None and not _lacks(
        token.certificate, "TSA", bare, token.gen_time, others, embedded_facts(token.signed) + store.facts
    )


def _lacks(  # noqa: PLR0913, PLR0917 - a certificate is judged against as many things
    certificate: Certificate,
    role: Role,
    trust: Trust,
    time: datetime,
    others: tuple[Certificate, ...],
    facts: Facts,
) -> bool:
    found = judge_certificate(certificate, others=others, trust=trust, at=time, role=role, proved=time, facts=facts)
    return any(each.code in _LACKING for each in found)
