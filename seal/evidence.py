"""Evidence: what a signature's verdict rests on, told from what the engine had in its hands when it judged.

Nothing here is on the way of a verdict. Judging keeps references (``MessageTraces`` and its like); facts are made of
them when somebody wants a report to read or to keep, and then by the very same functions that judged.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from crypto.cms import SignedData, SignerInfo
from crypto.crl import RevocationList
from crypto.digests import DIGESTS_BY_OID, SHA256
from crypto.errors import CryptoError, KeyRefused
from crypto.revocation import RevocationFinding
from crypto.signatures import judging_key
from crypto.suites import SUITES_BY_ANY_OID, KeyKind
from crypto.timestamp import parse_token
from crypto.x509 import Certificate
from seal.model import (
    Algorithm,
    CertificateEvidence,
    CertificateFacts,
    Coverage,
    Report,
    RevocationFacts,
    SignatureEvidence,
)
from seal.stamps import NO_BACKING, Backing
from seal.trust import Facts, Role, Trust, explain_certificate
from seal.trust.embedded import NONE, embedded_facts

_KEYS = {
    KeyKind.SM2: "SM2",
    KeyKind.P256: "ECDSA P-256",
    KeyKind.P384: "ECDSA P-384",
    KeyKind.P521: "ECDSA P-521",
    KeyKind.RSA: "RSA",
    KeyKind.ED25519: "Ed25519",
}
_UNKNOWN = "unknown"


def with_evidence(report: Report) -> Report:
    """Tell the evidence of every signature whose engine left traces; the verdict stays as it is."""
    return replace(
        report,
        signatures=tuple(
            replace(each, evidence=each.traces.told(), traces=None) if each.traces is not None else each
            for each in report.signatures
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTraces:
    """Traces of judging one signer of a SignedData, or a time-stamp token that stands for itself (role TSA)."""

    message: SignedData
    signer: SignerInfo
    trust: Trust
    at: datetime | None
    proved: datetime | None = None
    role: Role = "SIGNER"
    coverage: Coverage | None = None
    backing: Backing = NO_BACKING
    """What else the document holds to judge by."""

    def over(self, coverage: Coverage) -> "MessageTraces":
        """Give the same traces, with how much is protected."""
        return replace(self, coverage=coverage)

    def told(self) -> SignatureEvidence:
        """Tell the signer's certificate, its stamper's, and the algorithms."""
        signer = self.signer
        attributes, digest = signer.signed_attributes_raw, signer.digest
        return SignatureEvidence(
            certificates=(*self._signer(), *tell_stamper(signer.timestamp_token, self.trust, self.backing)),
            signature=signature_algorithm(signer.signature_oid, signer.certificate),
            digest=digest_algorithm(signer.digest_oid),
            value=signer.signature,
            signed_digest=digest.digest(attributes) if digest is not None and attributes is not None else None,
            content_digest=signer.message_digest,
            coverage=self.coverage,
        )

    def _signer(self) -> Iterator[CertificateEvidence]:
        if self.signer.certificate is not None and self.at is not None:
            yield tell_certificate(
                self.signer.certificate,
                others=(*self.message.certificates, *self.backing.certificates),
                trust=self.trust,
                at=self.at,
                role=self.role,
                proved=self.proved,
                facts=embedded_facts(self.message, self.signer) + self.backing.facts,
            )


def tell_stamper(token: bytes | None, trust: Trust, backing: Backing = NO_BACKING) -> Iterator[CertificateEvidence]:
    """Tell who made a time stamp, if there is one that can be read."""
    if token is None:
        return
    try:
        stamp = parse_token(token)
    except CryptoError:
        return  # A finding says so.
    if stamp.certificate is not None:
        yield tell_certificate(
            stamp.certificate,
            others=(*stamp.signed.certificates, *backing.certificates),
            trust=trust,
            at=stamp.gen_time,
            role="TSA",
            proved=backing.proved,
            facts=embedded_facts(stamp.signed) + backing.facts,
        )


def tell_certificate(  # noqa: PLR0913 - as judge_certificate
    cert: Certificate,
    *,
    others: Iterable[Certificate],
    trust: Trust,
    at: datetime,
    role: Role,
    used_at: datetime | None = None,
    proved: datetime | None = None,
    facts: Facts = NONE,
) -> CertificateEvidence:
    """Tell what ``judge_certificate``, asked the same, judges by."""
    explained = explain_certificate(
        cert, others=others, trust=trust, at=at, role=role, used_at=used_at, proved=proved, facts=facts
    )
    return CertificateEvidence(
        role=role,
        certificate=certificate_facts(cert),
        chain=tuple(map(certificate_facts, explained.path[1:])),
        at=at,
        revocation=tuple(map(_revocation, explained.standings)),
    )


def certificate_facts(cert: Certificate) -> CertificateFacts:
    """Tell what is told of a certificate."""
    return CertificateFacts(
        subject=cert.subject_text,
        organisation=cert.organisation,
        issuer=cert.issuer_text,
        serial=f"{cert.serial:x}",
        not_before=cert.not_before,
        not_after=cert.not_after,
        key=_key_name(cert),
        sha256=SHA256.digest(cert.raw),
    )


def signature_algorithm(oid: str, cert: Certificate | None) -> Algorithm:
    """Name what a value was made by: the suite where the identifier says so, else the kind of key."""
    suite = SUITES_BY_ANY_OID.get(oid)
    name = suite.name if suite is not None else _key_name(cert) if cert is not None else _UNKNOWN
    return Algorithm(name=name, oid=oid)


def digest_algorithm(oid: str) -> Algorithm:
    """Name a digest."""
    known = DIGESTS_BY_OID.get(oid)
    return Algorithm(name=known.name if known else _UNKNOWN, oid=oid)


def _key_name(cert: Certificate) -> str:
    try:
        return _KEYS[judging_key(cert.spki).kind]
    except KeyRefused:
        return _UNKNOWN


def _revocation(found: RevocationFinding) -> RevocationFacts:
    source, issued = _source(found)
    return RevocationFacts(
        subject=found.certificate.subject_text,
        standing=found.standing.value,
        source=source,
        speaker=found.certificate.issuer_text if source else None,
        issued=issued,
        revoked_at=found.revoked.at if found.revoked else None,
        reason=found.revoked.reason.name.lower() if found.revoked else None,
        why=found.why,
    )


def _source(found: RevocationFinding) -> tuple[str | None, datetime | None]:
    match found.fact:
        case RevocationList(this_update=issued):
            return "crl", issued
        case None:
            # Word that needs no list is that of an authority of ours; who knows nothing has no source.
            return (None, None) if found.standing.value == _UNKNOWN else ("own", None)
        case answer:
            said = answer.produced_at or max((each.this_update for each in answer.answers), default=None)
            return "ocsp", said
