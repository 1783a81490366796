"""What the certificate side refuses.

Refusal
├── CertificateRequestRefused   no certificate for this request
├── UnknownCertificate          this authority never issued it
├── UnknownCertificateRequest   no certificate was asked for under this id
├── AlreadyRevoked
├── RevocationRefused           not for this reason, or not as of then
├── CertificateUnfit            it signs where one to encrypt to is needed, or the other way round
├── UnknownAuthority            there is none of this name here, or not one that works yet
├── ContentTypeRefused          not the media type that is spoken here
├── AuthorityNotReady           the authority has no certificate yet, or no longer a valid one
├── LedgerDamaged               a file of an authority's ledger is not what was written there
└── TimestampUnavailable        no time-stamp authority gave a token that holds
"""

from kernel.errors import Reason, Refusal


class CertificateRequestRefused(Refusal):
    """No certificate is issued for this request."""

    reason, code = Reason.BAD_INPUT, "certificate_request_refused"


class UnknownCertificate(Refusal):
    """This authority never issued a certificate of this serial."""

    reason, code = Reason.NOT_FOUND, "certificate_unknown"


class UnknownCertificateRequest(Refusal):
    """No certificate was asked for at an authority elsewhere under this id."""

    reason, code = Reason.NOT_FOUND, "certificate_request_unknown"


class AlreadyRevoked(Refusal):
    """The certificate is revoked already; the first revocation stands."""

    reason, code = Reason.CONFLICT, "certificate_already_revoked"


class RevocationRefused(Refusal):
    """A certificate is not revoked for this reason, or not as of then."""

    reason, code = Reason.BAD_INPUT, "revocation_refused"


class CertificateUnfit(Refusal):
    """The certificate's key is not for this use."""

    reason, code = Reason.BAD_INPUT, "certificate_unfit"


class UnknownAuthority(Refusal):
    """There is no authority of this name here, or it has not begun to work."""

    reason, code = Reason.NOT_FOUND, "authority_unknown"


class ContentTypeRefused(Refusal):
    """The body is not of the media type that is spoken here."""

    reason, code = Reason.UNSUPPORTED, "content_type_refused"


class AuthorityNotReady(Refusal):
    """The authority has no certificate yet, or none that is valid now."""

    reason, code = Reason.CONFLICT, "authority_not_ready"


class LedgerDamaged(Refusal):
    """A file of an authority's ledger is not what was written there; the text is for the operator."""

    reason, code = Reason.UNAVAILABLE, "ledger_damaged"


class TimestampUnavailable(Refusal):
    """No time-stamp authority gave a token that holds; the detail says of each why not."""

    reason, code = Reason.UNAVAILABLE, "timestamp_unavailable"
