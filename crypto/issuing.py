"""Issuing: certificates by profile (GM/T 0015 habits) and certification requests (RFC 2986), written strictly."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from crypto import der, extensions
from crypto.certificate import MAX_CERTIFICATE, Certificate, pem_block, signed_parts
from crypto.digests import SHA1
from crypto.errors import CertificateError, DerError, KeyRefused, SuiteRefused
from crypto.extensions import OCSP_SIGNING, TIME_STAMPING
from crypto.keys import PublicKey, Signer, require_fit, require_strong
from crypto.names import NameParts
from crypto.signatures import scheme_of, verify
from crypto.suites import Suite, Usage

_VERSION_3 = 2
_SERIAL_OCTETS = 20
_LAST_UTC_TIME_YEAR = 2049


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateProfile:
    """What a kind of certificate may do, as extensions (GM/T 0015 habits)."""

    name: str
    key_usage: tuple[str, ...]
    ca: bool = False
    path_length: int | None = None
    extended_key_usage: tuple[str, ...] = ()
    ocsp_no_check: bool = False
    """Whether nobody need ask for its revocation: only for short-lived OCSP responders."""


_CA_USAGE = ("key_cert_sign", "crl_sign")
_SIGNING_USAGE = ("digital_signature", "content_commitment")
ROOT = CertificateProfile(name="root", key_usage=_CA_USAGE, ca=True)
SUB_CA = CertificateProfile(name="sub-ca", key_usage=_CA_USAGE, ca=True, path_length=0)
SEAL_MAKER = CertificateProfile(name="seal-maker", key_usage=_SIGNING_USAGE)
SIGNER = CertificateProfile(name="signer", key_usage=_SIGNING_USAGE)
TSA = CertificateProfile(name="tsa", key_usage=("digital_signature",), extended_key_usage=(TIME_STAMPING,))
# GM/T 0015: of a holder's two certificates one signs and one is encrypted to; neither does the other's work.
ENCRYPTION = CertificateProfile(name="encryption", key_usage=("key_encipherment", "data_encipherment", "key_agreement"))
OCSP_RESPONDER = CertificateProfile(
    name="ocsp-responder", key_usage=("digital_signature",), extended_key_usage=(OCSP_SIGNING,), ocsp_no_check=True
)
PROFILES: Mapping[str, CertificateProfile] = {
    row.name: row for row in (ROOT, SUB_CA, SEAL_MAKER, SIGNER, ENCRYPTION, TSA, OCSP_RESPONDER)
}


def make_certificate(  # noqa: PLR0913 - a certificate has as many parts
    *,
    subject: bytes,
    public_key: PublicKey,
    issuer: Certificate | None,
    issuer_key: Signer,
    serial: int,
    not_before: datetime,
    not_after: datetime,
    profile: CertificateProfile,
    crl_urls: Iterable[str] = (),
    ocsp_urls: Iterable[str] = (),
) -> Certificate:
    """Issue a certificate under ``issuer``, or a self-signed one when that is None.

    Times are cut to whole seconds. Refuses (CertificateError) an issuer that is no CA, a key that is not the
    issuer's, a serial beyond 20 octets and an empty validity; the result is verified before it is given out.
    """
    _check_issuing(issuer, issuer_key, public_key, serial)
    if not_before >= not_after:
        raise CertificateError("the certificate would never be valid")
    authority = public_key if issuer is None else issuer.public_key
    authority_id = spki_key_id(authority.spki) if issuer is None else issuer.subject_key_id or spki_key_id(issuer.spki)
    parts = [
        extensions.authority_key_id(authority_id),
        extensions.subject_key_id(spki_key_id(public_key.spki)),
        extensions.key_usage(profile.key_usage),
        extensions.basic_constraints(profile.path_length) if profile.ca else b"",
        extensions.extended_key_usage(profile.extended_key_usage) if profile.extended_key_usage else b"",
        extensions.ocsp_no_check() if profile.ocsp_no_check else b"",
        extensions.crl_points(crls) if (crls := tuple(crl_urls)) else b"",
        extensions.ocsp_access(responders) if (responders := tuple(ocsp_urls)) else b"",
    ]
    algorithm = algorithm_identifier(issuer_key.suite)
    tbs = der.sequence(
        der.explicit(0, der.integer(_VERSION_3)),
        der.integer(serial),
        algorithm,
        subject if issuer is None else issuer.subject,
        der.sequence(choose_time(not_before), choose_time(not_after)),
        subject,
        public_key.spki,
        der.explicit(3, der.sequence(*parts)),
    )
    signature = issuer_key.sign(tbs)
    made = Certificate.from_der(der.sequence(tbs, algorithm, der.bit_string(signature)))
    if not made.signed_by(authority.spki):
        raise CertificateError("the certificate just made does not verify under its issuer's key")
    return made


def _check_issuing(issuer: Certificate | None, key: Signer, public_key: PublicKey, serial: int) -> None:
    require_fit(key.suite, key.public_key, Usage.CERTIFICATE)
    try:
        require_strong(public_key)
    except SuiteRefused as error:
        raise CertificateError(f"no certificate is issued for this key: {error}") from error
    if issuer is not None and not issuer.is_ca:
        raise CertificateError("the issuer is no certification authority")
    if key.public_key.spki != (public_key.spki if issuer is None else issuer.spki):
        raise CertificateError("the signing key is not the issuer's")
    if not 0 < serial < 1 << (8 * _SERIAL_OCTETS - 1):
        raise CertificateError(f"a serial is positive and fits {_SERIAL_OCTETS} octets")


def random_serial() -> int:
    """Draw a positive serial of 20 octets at most, unguessable (CA/Browser Forum asks for 64 bits; this has 158)."""
    return 1 << 158 | secrets.randbits(158)


def spki_key_id(spki: bytes) -> bytes:
    """Give a key's identifier: SHA-1 of the subjectPublicKey bits (RFC 5280 4.2.1.2, method 1)."""
    return SHA1.digest(der.parse(spki)[1].as_bits())


def algorithm_identifier(suite: Suite) -> bytes:
    """Write the AlgorithmIdentifier of a suite's signatures."""
    return der.sequence(der.oid(suite.signature_oid), suite.signature_parameters)


def choose_time(at: datetime) -> bytes:
    """Write a Time: UTCTime up to 2049, GeneralizedTime from then on (RFC 5280 4.1.2.5, RFC 5652 11.3)."""
    year = at.astimezone(UTC).year
    return der.utc_time(at) if year <= _LAST_UTC_TIME_YEAR else der.generalized_time(at)


# --- requests --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Csr:
    """A certification request that proved possession of its key."""

    raw: bytes
    subject: bytes = field(compare=False, repr=False)
    public_key: PublicKey = field(compare=False, repr=False)

    @property
    def subject_text(self) -> str:
        """The wished-for subject as RFC 4514 text."""
        return NameParts.from_der(self.subject).text

    def pem(self) -> str:
        """Write the request as PEM."""
        return pem_block(self.raw, "CERTIFICATE REQUEST")


def make_csr(subject: bytes, signer: Signer) -> bytes:
    """Request a certificate for the signer's key (RFC 2986), without attributes; DER."""
    require_fit(signer.suite, signer.public_key, Usage.CERTIFICATE)
    wish = der.sequence(der.integer(0), subject, signer.public_key.spki, der.explicit(0))
    return der.sequence(wish, algorithm_identifier(signer.suite), der.bit_string(signer.sign(wish)))


def parse_csr(raw: bytes) -> Csr:
    """Read a DER request and verify its signature under its own key; a CertificateError where that fails."""
    try:
        wish, algorithm, signature = signed_parts(der.parse(raw, max_size=MAX_CERTIFICATE))
        subject, spki = wish[1], wish[2]
        NameParts.from_der(subject.raw)
        key = PublicKey.from_spki(spki.raw)
        scheme = scheme_of(algorithm)
        proved = scheme is not None and not scheme.weak and verify(scheme, key, wish.raw, signature.as_bits())
    except (DerError, KeyRefused) as error:
        raise CertificateError(f"the request cannot be used: {error}") from error
    if not proved:
        raise CertificateError("the request's signature does not verify under its own key")
    return Csr(raw=raw, subject=subject.raw, public_key=key)
