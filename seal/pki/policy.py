"""Issuing policies: for each kind of certificate what it may do, for how long, and what its subject must say."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from crypto.names import COMMON_NAME, ORGANISATION, ORGANISATION_ID
from crypto.x509 import ENCRYPTION, OCSP_RESPONDER, SEAL_MAKER, SIGNER, SUB_CA, TSA, CertificateProfile

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
# Short, for nobody asks if it was revoked (RFC 6960 4.2.2.2.1).
RESPONDER = IssuingPolicy(profile=OCSP_RESPONDER, validity=timedelta(days=90), addresses=False)

POLICIES: Mapping[str, IssuingPolicy] = {
    row.name: row for row in (INTERMEDIATE, SEAL_SIGNER, ENCIPHERMENT, MAKER, TIMESTAMPING, RESPONDER)
}
