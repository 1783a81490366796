"""What our own authorities say of their certificates, as facts that go into a document."""

from crypto.certificate import Certificate
from crypto.crl import RevocationList
from crypto.errors import CryptoError
from crypto.ocsp import CertId, make_request
from crypto.ocsp_answer import OcspAnswer, parse_answer
from crypto.revocation import Revocation
from kernel.errors import Refusal
from seal.pki.authorities import Authorities


class AuthorityFacts:
    """The ``OwnFacts`` of this installation: its responders' answers, and the lists of the roots above."""

    def __init__(self, authorities: Authorities) -> None:
        self._authorities = authorities

    def said(self, certificate: Certificate, issuer: Certificate) -> Revocation:
        """Give an answer made just now, and the newest list; nothing of issuers that are none of ours."""
        for name, path in self._authorities.paths():
            if path[0] == issuer:
                answer, issued = self._answer(name, certificate, issuer), self._list(name)
                return Revocation(crls=() if issued is None else (issued,), answers=() if answer is None else (answer,))
        return Revocation()

    def _answer(self, name: str, certificate: Certificate, issuer: Certificate) -> OcspAnswer | None:
        try:
            responder = self._authorities.responder(name)
            return parse_answer(responder.answer(make_request([CertId.of(certificate.serial, issuer)])))
        except (Refusal, CryptoError):
            return None  # A root is offline and has no responder; a vault may not answer now.

    def _list(self, name: str) -> RevocationList | None:
        try:
            return self._authorities.list_of(name)
        except Refusal:
            return None
