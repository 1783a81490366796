"""An OCSP responder for one authority (RFC 6960): request octets in, answer octets out, never an exception."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from crypto.certificate import Certificate
from crypto.errors import CryptoError, OcspError
from crypto.keys import Signer
from crypto.ocsp import CertId, CertStatus, ResponseStatus, SingleAnswer, parse_request
from crypto.ocsp_answer import OcspTemplate, refusal
from kernel.clock import Clock
from seal.pki.ca import Authority
from seal.pki.errors import LedgerDamaged

REQUEST_TYPE, RESPONSE_TYPE = "application/ocsp-request", "application/ocsp-response"


@dataclass(frozen=True, slots=True, kw_only=True)
class Responded:
    """An OCSPResponse; the times are set where it may be kept and given to others (RFC 5019 6)."""

    body: bytes
    this_update: datetime | None = None
    next_update: datetime | None = None


class OcspResponder:
    """Answers from the authority's ledger: a certificate it never issued is unknown.

    ``certificate`` and ``signer`` are the appointed responder's; without them the authority answers itself.
    """

    def __init__(
        self,
        authority: Authority,
        clock: Clock,
        *,
        certificate: Certificate | None = None,
        signer: Signer | None = None,
        life: timedelta = timedelta(hours=12),
    ) -> None:
        self._authority = authority
        self._issuer = authority.certificate
        self._clock = clock
        self._life = life
        self._template = OcspTemplate(certificate or self._issuer, signer or authority.signer, issuer=self._issuer)

    def answer(self, request: bytes) -> bytes:
        """Answer a DER request."""
        return self.respond(request).body

    def respond(self, request: bytes) -> Responded:
        """Answer a DER request, and say how long the answer may be kept by those it passes on its way."""
        try:
            asked = parse_request(request)
        except OcspError:
            return Responded(body=refusal(ResponseStatus.MALFORMED_REQUEST))
        if not any(each.issued_by(self._issuer) for each in asked.asked):
            return Responded(body=refusal(ResponseStatus.UNAUTHORIZED))
        now = self._clock.now().replace(microsecond=0)
        try:
            said = [self._single(each, now) for each in asked.asked]
            body = self._template.answer(said, produced_at=now, nonce=asked.nonce)
        except (CryptoError, OSError, LedgerDamaged):
            # The vault or the ledger does not answer now; the asker shall come again.
            return Responded(body=refusal(ResponseStatus.TRY_LATER))
        if asked.nonce is not None:
            return Responded(body=body)
        return Responded(body=body, this_update=now, next_update=now + self._life)

    def _single(self, asked: CertId, now: datetime) -> SingleAnswer:
        known = asked.issued_by(self._issuer)
        status, revoked = self._authority.status(asked.serial) if known else (CertStatus.UNKNOWN, None)
        return SingleAnswer(
            cert_id=asked, status=status, revoked=revoked, this_update=now, next_update=now + self._life
        )
