"""Issuing policies: for each kind of certificate what it may do, for how long, and what its subject must say."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from crypto.names import COMMON_NAME, ORGANISATION, ORGANISATION_ID, NameParts
from crypto.x509 import ENCRYPTION, OCSP_RESPONDER, SEAL_MAKER, SIGNER, SUB_CA, TSA, CertificateProfile
from seal.pki.errors import CertificateRequestRefused

_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuingPolicy:
    """One kind of certificate as an authority issues it."""

    profile: CertificateProfile
    validity: timedelta
    """Cut short where the authority itself ends earlier."""
    demanded: frozenset[str] = frozenset((COMMON_NAME, ORGANISATION))
    """Attributes the subject must have."""
    addresses: bool = True
    """Whether the certificate says where revocation is asked for."""

    @property
    def name(self) -> str:
        """The profile's name."""
        return self.profile.name


INTERMEDIATE = IssuingPolicy(profile=SUB_CA, validity=10 * _YEAR)
# A seal's certificate names the body it belongs to by its unified social credit code.
SEAL_SIGNER = IssuingPolicy(
    profile=SIGNER, validity=3 * _YEAR, demanded=frozenset((COMMON_NAME, ORGANISATION, ORGANISATION_ID))
)
# The holder's other certificate (GM/T 0015): the same subject, another key, as long.
ENCIPHERMENT = IssuingPolicy(profile=ENCRYPTION, validity=SEAL_SIGNER.validity, demanded=SEAL_SIGNER.demanded)
MAKER = IssuingPolicy(profile=SEAL_MAKER, validity=5 * _YEAR)
TIMESTAMPING = IssuingPolicy(profile=TSA, validity=5 * _YEAR)
# Signs what this installation says of itself, never a document.
RECORDS = IssuingPolicy(profile=SIGNER, validity=5 * _YEAR)
# Short, for nobody asks if it was revoked (RFC 6960 4.2.2.2.1).
RESPONDER = IssuingPolicy(profile=OCSP_RESPONDER, validity=timedelta(days=90), addresses=False)

_MOST_PARTS, _LONGEST = 16, 64
_ONCE = frozenset((COMMON_NAME, ORGANISATION, ORGANISATION_ID))


def require_plain(subject: NameParts) -> None:
    """Refuse a subject that two readers could take for two: doubled, blank or unseen parts, or too much of it."""
    parts = [part for rdn in subject.rdns for part in rdn]
    kinds = [kind for kind, _ in parts]
    if len(parts) > _MOST_PARTS:
        raise CertificateRequestRefused(f"a subject has {_MOST_PARTS} parts at most")
    if any(kinds.count(kind) > 1 for kind in _ONCE):
        raise CertificateRequestRefused("the subject says twice what it is called")
    for kind, value in parts:
        # RFC 5280 appendix A.1 bounds names by 64 characters.
        if not isinstance(value, str) or value != value.strip() or not 1 <= len(value) <= _LONGEST:
            raise CertificateRequestRefused(f"{kind} in the subject is no text of 1 to {_LONGEST} characters")
        if not value.isprintable():
            raise CertificateRequestRefused(f"{kind} in the subject holds characters that are not seen")


POLICIES: Mapping[str, IssuingPolicy] = {
    row.name: row for row in (INTERMEDIATE, SEAL_SIGNER, ENCIPHERMENT, MAKER, TIMESTAMPING, RESPONDER)
}
