"""Traces of judging a SES_Signature, and the evidence they make."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from crypto.digests import SM3
from seal.evidence import digest_algorithm, signature_algorithm, tell_certificate, tell_stamper
from seal.model import CertificateEvidence, Coverage, SignatureEvidence
from seal.ses.rules import Case
from seal.ses.rules.maker import made_at


@dataclass(frozen=True, slots=True, kw_only=True)
class SesTraces:
    """The case that the rules were asked about."""

    case: Case
    coverage: Coverage | None = None

    def over(self, coverage: Coverage) -> "SesTraces":
        """Give the same traces, with how much is protected."""
        return replace(self, coverage=coverage)

    def told(self) -> SignatureEvidence:
        """Tell the signer's certificate, the seal maker's and the stamper's, and the algorithms."""
        signature = self.case.signature
        return SignatureEvidence(
            certificates=tuple(self._certificates()),
            signature=signature_algorithm(signature.signature_oid, self.case.signer),
            digest=digest_algorithm(SM3.oid),  # GB/T 38540 knows no other
            value=signature.signature,
            signed_digest=SM3.digest(signature.tbs),
            content_digest=signature.data_hash,
            coverage=self.coverage,
        )

    def _certificates(self) -> Iterator[CertificateEvidence]:
        case = self.case
        if case.signer is not None and case.at is not None:
            yield tell_certificate(
                case.signer, others=case.others, trust=case.trust, at=case.at, role="SIGNER", proved=case.stamp.time
            )
        if case.maker is not None:
            yield tell_certificate(
                case.maker,
                others=case.others,
                trust=case.trust,
                at=made_at(case, case.maker),
                role="SEAL_MAKER",
                used_at=case.at,
                proved=case.stamp.time,
            )
        yield from tell_stamper(case.signature.timestamp, case.trust)
