"""What the certificate side refuses.

Refusal
├── CertificateRequestRefused   no certificate for this request
├── UnknownCertificate          this authority never issued it
├── AlreadyRevoked
├── RevocationRefused           not for this reason, or not as of then
├── AuthorityNotReady           the authority has no certificate yet, or no longer a valid one
└── TimestampUnavailable        no time-stamp authority gave a token that holds
"""

from kernel.errors import Reason, Refusal


class CertificateRequestRefused(Refusal):
    """No certificate is issued for this request."""

    reason, code = Reason.BAD_INPUT, "certificate_request_refused"


class UnknownCertificate(Refusal):
    """This authority never issued a certificate of this serial."""

    reason, code = Reason.NOT_FOUND, "certificate_unknown"


class AlreadyRevoked(Refusal):
    """The certificate is revoked already; the first revocation stands."""

    reason, code = Reason.CONFLICT, "certificate_already_revoked"


class RevocationRefused(Refusal):
    """A certificate is not revoked for this reason, or not as of then."""

    reason, code = Reason.BAD_INPUT, "revocation_refused"


class AuthorityNotReady(Refusal):
    """The authority has no certificate yet, or none that is valid now."""

    reason, code = Reason.CONFLICT, "authority_not_ready"


class TimestampUnavailable(Refusal):
    """No time-stamp authority gave a token that holds; the detail says of each why not."""

    reason, code = Reason.UNAVAILABLE, "timestamp_unavailable"
