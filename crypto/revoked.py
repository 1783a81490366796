"""One certificate's revocation: when, why, and what that means at a given time."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class RevocationReason(Enum):
    """CRLReason (RFC 5280 5.3.1) with its numbers; 7 is not used."""

    UNSPECIFIED = 0
    KEY_COMPROMISE = 1
    CA_COMPROMISE = 2
    AFFILIATION_CHANGED = 3
    SUPERSEDED = 4
    CESSATION_OF_OPERATION = 5
    CERTIFICATE_HOLD = 6
    """Not final: a held certificate may be released."""
    REMOVE_FROM_CRL = 8
    """Only in delta lists: the hold has ended."""
    PRIVILEGE_WITHDRAWN = 9
    AA_COMPROMISE = 10

    @classmethod
    def read(cls, number: int) -> "RevocationReason":
        """Give the reason with ``number``; unknown numbers are unspecified, for the revocation itself stands."""
        return _BY_NUMBER.get(number, cls.UNSPECIFIED)


_BY_NUMBER = {reason.value: reason for reason in RevocationReason}


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """That the certificate with ``serial`` was revoked by its issuer at ``at``."""

    serial: int
    at: datetime
    reason: RevocationReason = RevocationReason.UNSPECIFIED
    invalid_since: datetime | None = None
    """When the key was known or suspected to be compromised (invalidityDate, RFC 5280 5.3.2); may precede ``at``."""

    def effective_at(self, at: datetime) -> bool:
        """Whether the certificate no longer counted at ``at``: revoked by then, or its key already compromised."""
        since = self.at if self.invalid_since is None else min(self.at, self.invalid_since)
        return at >= since and self.reason is not RevocationReason.REMOVE_FROM_CRL
