"""Certificates (X.509, RFC 5280), read tolerantly and kept as they were received.

Our own reader, because strict ones refuse certificates that Chinese authorities really issue, and because
``cryptography`` cannot read SM2 keys.
"""

import base64
import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache

from crypto import der
from crypto.digests import sm3
from crypto.errors import CertificateError, DerError, KeyRefused
from crypto.extensions import Extensions, read_extensions
from crypto.keys import PublicKey
from crypto.names import COMMON_NAME, ORGANISATION, NameParts, same_name
from crypto.signatures import Scheme, judging_key, scheme_of, verify

MAX_CERTIFICATE = 1024 * 1024
"""Octets that a certificate or request may have at most."""
_REMEMBERED = 8 * 1024
"""Octets up to which a certificate read is remembered."""


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
            return (_read_certificate if len(raw) > _REMEMBERED else _read_remembered)(bytes(raw))
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
        return pem_block(self.raw, "CERTIFICATE")

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
        """Whether the key in ``spki`` made the signature; weak digests and keys are judged too, and stay weak."""
        if self.scheme is None:
            return False
        try:
            return verify(self.scheme, judging_key(spki), self.tbs, self.signature)
        except KeyRefused:
            return False


def _read_certificate(raw: bytes) -> Certificate:
    tbs, algorithm, signature = signed_parts(der.parse(raw, max_size=MAX_CERTIFICATE))
    fields = list(tbs.expect(der.SEQUENCE))
    if fields and fields[0].tag == der.context(0):
        fields.pop(0)
    if len(fields) < 6:  # noqa: PLR2004 - serial, algorithm, issuer, validity, subject, key
        raise DerError("the certificate is cut short")
    serial, inner_algorithm, issuer, validity, subject, spki, *rest = fields
    # RFC 5280 4.1.1.2: both must name the same algorithm, or the unsigned one could be exchanged.
    scheme = scheme_of(inner_algorithm)
    if inner_algorithm[0].as_oid() != algorithm[0].as_oid() or scheme != scheme_of(algorithm):
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
        scheme=scheme,
        extensions=read_extensions(None if wrapped is None else wrapped.inner()),
    )


@lru_cache(maxsize=512)
def _read_remembered(raw: bytes) -> Certificate:
    # The same few signers and issuers are met in document after document.
    return _read_certificate(raw)


def signed_parts(node: der.Node) -> tuple[der.Node, der.Node, der.Node]:
    """Take apart a SIGNED structure: what was signed, the algorithm, the value."""
    fields = node.expect(der.SEQUENCE).children()
    if len(fields) != 3:  # noqa: PLR2004 - to be signed, algorithm, signature
        raise DerError(f"a signed structure has three members, not {len(fields)}")
    return fields[0], fields[1], fields[2]


def pem_bodies(text: str | bytes, label: str) -> list[bytes]:
    """Give the decoded bodies of all PEM blocks with ``label``; a CertificateError for a broken block."""
    content = text if isinstance(text, str) else text.decode("ascii", "replace")
    found = re.findall(rf"-----BEGIN {re.escape(label)}-----\s([^-]*)-----END {re.escape(label)}-----", content)
    if len(found) != content.count(f"-----BEGIN {label}-----"):
        raise CertificateError("the PEM text is broken: a block is cut short")
    try:
        return [base64.b64decode("".join(body.split()), validate=True) for body in found]
    except ValueError as error:  # Not only binascii.Error: letters outside ASCII are a plain ValueError.
        raise CertificateError(f"the PEM text is broken: {error}") from error


def pem_block(raw: bytes, label: str) -> str:
    """Write one PEM block."""
    text = base64.b64encode(raw).decode("ascii")
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"
