"""X.509 certificates and requests (RFC 5280, RFC 2986, GM/T 0015): read tolerantly, written strictly.

Our own reader, because strict ones refuse certificates that Chinese authorities really issue, and because
``cryptography`` cannot read SM2 keys.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from crypto import der, extensions
from crypto.digests import SHA1, sm3
from crypto.errors import CertificateError, DerError, KeyRefused
from crypto.extensions import TIME_STAMPING, Extensions, read_extensions
from crypto.keys import PublicKey, Signer
from crypto.names import COMMON_NAME, ORGANISATION, NameParts, name, same_name
from crypto.signatures import Scheme, scheme_of, verify
from crypto.suites import Suite

__all__ = [
    "PROFILES",
    "ROOT",
    "SEAL_MAKER",
    "SIGNER",
    "SUB_CA",
    "TSA",
    "Certificate",
    "CertificateProfile",
    "Csr",
    "NameParts",
    "algorithm_identifier",
    "make_certificate",
    "make_csr",
    "name",
    "parse_csr",
    "pem_bodies",
    "random_serial",
    "spki_key_id",
]

_MAX_CERTIFICATE = 1024 * 1024
_VERSION_3 = 2
_SERIAL_OCTETS = 20
_LAST_UTC_TIME_YEAR = 2049


# --- reading ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A certificate as it was received; two are equal when their octets are.

    Reading says nothing about trust: signature, validity and usage are for ``issued_by`` and ``crypto.chain``.
    """

    raw: bytes
    tbs: bytes = field(compare=False, repr=False)
    """The octets the issuer signed."""
    serial: int = field(compare=False)
    issuer: bytes = field(compare=False, repr=False)
    subject: bytes = field(compare=False, repr=False)
    not_before: datetime = field(compare=False)
    not_after: datetime = field(compare=False)
    spki: bytes = field(compare=False, repr=False)
    signature_oid: str = field(compare=False)
    signature: bytes = field(compare=False, repr=False)
    scheme: Scheme | None = field(compare=False, repr=False)
    """How the issuer signed; None when it is no way that can be judged here."""
    extensions: Extensions = field(compare=False, repr=False)

    @classmethod
    def from_der(cls, raw: bytes) -> "Certificate":
        """Read one certificate; a CertificateError if the octets are none."""
        try:
            return _read_certificate(bytes(raw))
        except DerError as error:
            raise CertificateError(f"not a certificate: {error}") from error

    @classmethod
    def from_pem(cls, text: str | bytes) -> "Certificate":
        """Read the first CERTIFICATE block of a PEM text (RFC 7468)."""
        bodies = pem_bodies(text, "CERTIFICATE")
        if not bodies:
            raise CertificateError("the text holds no CERTIFICATE block")
        return cls.from_der(bodies[0])

    def pem(self) -> str:
        """Write the certificate as PEM."""
        return _pem(self.raw, "CERTIFICATE")

    @cached_property
    def public_key(self) -> PublicKey:
        """The subject's key; a CertificateError for keys of unknown kind, too weak, or off their curve."""
        try:
            return PublicKey.from_spki(self.spki)
        except KeyRefused as error:
            raise CertificateError(f"the certificate's key cannot be used: {error}") from error

    @cached_property
    def fingerprint(self) -> str:
        """SM3 of the whole certificate in hexadecimal."""
        return sm3(self.raw).hex()

    @cached_property
    def subject_name(self) -> NameParts:
        """The subject, read."""
        return NameParts.from_der(self.subject)

    @property
    def subject_text(self) -> str:
        """The subject as RFC 4514 text."""
        return self.subject_name.text

    @property
    def issuer_text(self) -> str:
        """The issuer as RFC 4514 text."""
        return NameParts.from_der(self.issuer).text

    @property
    def common_name(self) -> str | None:
        """The subject's common name."""
        return self.subject_name.value(COMMON_NAME)

    @property
    def organisation(self) -> str | None:
        """The subject's organisation."""
        return self.subject_name.value(ORGANISATION)

    @property
    def key_usage(self) -> frozenset[str] | None:
        """Names out of ``extensions.KEY_USAGES``; None when the certificate restricts nothing."""
        return self.extensions.key_usage

    @property
    def is_ca(self) -> bool:
        """Whether BasicConstraints says so."""
        return self.extensions.is_ca

    @property
    def path_length(self) -> int | None:
        """How many certificates of CAs may stand below this one; None for no limit."""
        return self.extensions.path_length

    @property
    def extended_key_usage(self) -> frozenset[str]:
        """Purpose OIDs; empty when the extension is absent."""
        return self.extensions.extended_key_usage

    @property
    def subject_key_id(self) -> bytes | None:
        """SubjectKeyIdentifier."""
        return self.extensions.subject_key_id

    @property
    def authority_key_id(self) -> bytes | None:
        """The key identifier of AuthorityKeyIdentifier."""
        return self.extensions.authority_key_id

    @property
    def crl_urls(self) -> tuple[str, ...]:
        """Where the issuer publishes revocation lists."""
        return self.extensions.crl_urls

    @property
    def ocsp_urls(self) -> tuple[str, ...]:
        """Where the issuer answers OCSP."""
        return self.extensions.ocsp_urls

    @property
    def self_issued(self) -> bool:
        """Whether subject and issuer are the same name."""
        return same_name(self.subject, self.issuer)

    def valid_at(self, at: datetime) -> bool:
        """Whether ``at`` lies in the validity period, both ends included (RFC 5280 4.1.2.5)."""
        return self.not_before <= at <= self.not_after

    def issued_by(self, issuer: "Certificate") -> bool:
        """Whether ``issuer`` is named as the issuer and its key made the signature.

        SM2 under the default signer identifier. Judges neither validity nor usage. Never raises for a certificate
        that merely does not fit.
        """
        return same_name(self.issuer, issuer.subject) and self.signed_by(issuer.spki)

    def signed_by(self, spki: bytes) -> bool:
        """Whether the key in ``spki`` made the signature."""
        if self.scheme is None:
            return False
        try:
            return verify(self.scheme, PublicKey.from_spki(spki), self.tbs, self.signature)
        except KeyRefused:
            return False


def _read_certificate(raw: bytes) -> Certificate:
    tbs, algorithm, signature = _three(der.parse(raw, max_size=_MAX_CERTIFICATE))
    fields = list(tbs.expect(der.SEQUENCE))
    if fields and fields[0].tag == der.context(0):
        fields.pop(0)
    if len(fields) < 6:  # noqa: PLR2004 - serial, algorithm, issuer, validity, subject, key
        raise DerError("the certificate is cut short")
    serial, inner_algorithm, issuer, validity, subject, spki, *rest = fields
    # RFC 5280 4.1.1.2: both must name the same algorithm, or the unsigned one could be exchanged.
    if inner_algorithm[0].as_oid() != algorithm[0].as_oid():
        raise DerError("the certificate names two signature algorithms")
    for each in (issuer, subject):
        NameParts.from_der(each.raw)
    wrapped = next((node for node in rest if node.tag == der.context(3)), None)
    return Certificate(
        raw=raw,
        tbs=tbs.raw,
        serial=serial.as_int(),
        issuer=issuer.raw,
        subject=subject.raw,
        not_before=validity[0].as_time(),
        not_after=validity[1].as_time(),
        spki=spki.expect(der.SEQUENCE).raw,
        signature_oid=algorithm[0].as_oid(),
        signature=signature.as_bits(),
        scheme=scheme_of(algorithm),
        extensions=read_extensions(None if wrapped is None else wrapped.inner()),
    )


def _three(node: der.Node) -> tuple[der.Node, der.Node, der.Node]:
    fields = node.expect(der.SEQUENCE).children()
    if len(fields) != 3:  # noqa: PLR2004 - to be signed, algorithm, signature
        raise DerError(f"a signed structure has three members, not {len(fields)}")
    return fields[0], fields[1], fields[2]


def pem_bodies(text: str | bytes, label: str) -> list[bytes]:
    """Give the decoded bodies of all PEM blocks with ``label``; a CertificateError for a broken block."""
    content = text if isinstance(text, str) else text.decode("ascii", "replace")
    found = re.findall(rf"-----BEGIN {re.escape(label)}-----\s([^-]*)-----END {re.escape(label)}-----", content)
    try:
        return [base64.b64decode("".join(body.split()), validate=True) for body in found]
    except binascii.Error as error:
        raise CertificateError(f"the PEM text is broken: {error}") from error


def _pem(raw: bytes, label: str) -> str:
    text = base64.b64encode(raw).decode("ascii")
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


# --- writing ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateProfile:
    """What a kind of certificate may do, as extensions (GM/T 0015 habits)."""

    name: str
    key_usage: tuple[str, ...]
    ca: bool = False
    path_length: int | None = None
    extended_key_usage: tuple[str, ...] = ()


_CA_USAGE = ("key_cert_sign", "crl_sign")
_SIGNING_USAGE = ("digital_signature", "content_commitment")
ROOT = CertificateProfile(name="root", key_usage=_CA_USAGE, ca=True)
SUB_CA = CertificateProfile(name="sub-ca", key_usage=_CA_USAGE, ca=True, path_length=0)
SEAL_MAKER = CertificateProfile(name="seal-maker", key_usage=_SIGNING_USAGE)
SIGNER = CertificateProfile(name="signer", key_usage=_SIGNING_USAGE)
TSA = CertificateProfile(name="tsa", key_usage=("digital_signature",), extended_key_usage=(TIME_STAMPING,))
PROFILES: Mapping[str, CertificateProfile] = {row.name: row for row in (ROOT, SUB_CA, SEAL_MAKER, SIGNER, TSA)}


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
        extensions.crl_points(crls) if (crls := tuple(crl_urls)) else b"",
        extensions.ocsp_access(responders) if (responders := tuple(ocsp_urls)) else b"",
    ]
    algorithm = algorithm_identifier(issuer_key.suite)
    tbs = der.sequence(
        der.explicit(0, der.integer(_VERSION_3)),
        der.integer(serial),
        algorithm,
        subject if issuer is None else issuer.subject,
        der.sequence(_time(not_before), _time(not_after)),
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
    return der.sequence(der.oid(suite.signature_oid), der.null() if suite.signature_parameters_null else b"")


def _time(at: datetime) -> bytes:
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
        return _pem(self.raw, "CERTIFICATE REQUEST")


def make_csr(subject: bytes, signer: Signer) -> bytes:
    """Request a certificate for the signer's key (RFC 2986), without attributes; DER."""
    wish = der.sequence(der.integer(0), subject, signer.public_key.spki, der.explicit(0))
    return der.sequence(wish, algorithm_identifier(signer.suite), der.bit_string(signer.sign(wish)))


def parse_csr(raw: bytes) -> Csr:
    """Read a DER request and verify its signature under its own key; a CertificateError where that fails."""
    try:
        wish, algorithm, signature = _three(der.parse(raw, max_size=_MAX_CERTIFICATE))
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
