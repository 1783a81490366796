"""SignedData read as received (RFC 5652, PKCS#7, GB/T 35275); judging it is for ``crypto.cms_verify``."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from crypto import cms_names as names
from crypto import der
from crypto.ber import definite
from crypto.certificate import Certificate
from crypto.digests import DIGESTS_BY_OID, SHA1, SHA256, DigestAlgorithm
from crypto.errors import CertificateError, CmsError, DerError
from crypto.names import fold_name, same_name
from crypto.signatures import Scheme, scheme_of

MAX_CMS = 16 * 1024 * 1024
"""Octets of a message at most, padding included."""
MAX_CERTIFICATES = 256
MAX_SIGNERS = 16
MAX_VALUES = 1024
"""Attribute values of a signer, signed or unsigned."""
_INDEFINITE = 0x80
_CERTIFICATES, _CRLS = der.context(0), der.context(1)
_SIGNED_ATTRIBUTES, _UNSIGNED_ATTRIBUTES = der.context(0), der.context(1)
_KEY_ID = der.context(0, constructed=False)


@dataclass(frozen=True, kw_only=True)
class SignerInfo:
    """One signer of a message, as written; nothing here has been verified."""

    digest_oid: str
    digest: DigestAlgorithm | None
    """The digest algorithm; None when it is unknown here."""
    signature_oid: str
    scheme: Scheme | None
    """How the value was made; None when that cannot be judged here."""
    signature: bytes = field(repr=False)
    signed_attributes_raw: bytes | None = field(repr=False)
    """The signed attributes as a SET, the octets that were signed; None when there are none."""
    attributes: Mapping[str, tuple[der.Node, ...]] = field(repr=False)
    """Values of the signed attributes by OID; all values of repeated attributes."""
    unsigned: Mapping[str, tuple[der.Node, ...]] = field(repr=False)
    issuer: bytes | None = field(repr=False)
    serial: int | None
    key_id: bytes | None
    """The signer is named by issuer and serial, or else by subject key identifier."""
    certificate: Certificate | None = field(repr=False)
    """The signer's certificate, if it is among those inside."""

    @property
    def message_digest(self) -> bytes | None:
        """The content digest that was signed; None unless there is exactly one."""
        value = self._single(names.MESSAGE_DIGEST)
        return value.content if value is not None and value.tag == der.OCTET_STRING else None

    @property
    def content_type(self) -> str | None:
        """The signed content type; None unless there is exactly one."""
        value = self._single(names.CONTENT_TYPE)
        try:
            return None if value is None else value.as_oid()
        except DerError:
            return None

    @property
    def signing_time(self) -> datetime | None:
        """The signer's own claim of when; None if there is none that can be read."""
        value = self._single(names.SIGNING_TIME)
        try:
            return None if value is None else value.as_time()
        except DerError:
            return None

    @property
    def timestamp_token(self) -> bytes | None:
        """The time-stamp token over the signature value (RFC 3161 appendix A), DER."""
        values = self.unsigned.get(names.TIMESTAMP_TOKEN, ())
        return values[0].raw if values else None

    @cached_property
    def signing_certificate_matches(self) -> bool | None:
        """Whether the signed reference to the certificate fits it; None without a reference or a certificate."""
        return None if self.certificate is None else self.refers_to(self.certificate)

    def refers_to(self, certificate: Certificate) -> bool | None:
        """Whether the signingCertificate attribute (RFC 2634 or 5035) names ``certificate``; None without one."""
        newer = self.attributes.get(names.SIGNING_CERTIFICATE_V2)
        values = newer or self.attributes.get(names.SIGNING_CERTIFICATE)
        if not values:
            return None
        try:
            # SigningCertificate { certs { the first ESSCertID is the signer's, ... } }
            first = values[0][0][0]
            digest, expected = _reference(first, default=SHA256 if newer else SHA1)
        except DerError:
            return False
        return digest is not None and digest.digest(certificate.raw) == expected

    def is_under(self, certificate: Certificate) -> bool:
        """Whether ``certificate`` is the one this signer names."""
        if self.key_id is not None:
            return certificate.subject_key_id == self.key_id
        return self.serial == certificate.serial and same_name(self.issuer or b"", certificate.issuer)

    def _single(self, oid: str) -> der.Node | None:
        values = self.attributes.get(oid, ())
        return values[0] if len(values) == 1 else None


@dataclass(frozen=True, kw_only=True)
class SignedData:
    """A signed message, as written. How many signers are right is for the caller to say."""

    raw: bytes = field(repr=False)
    """The message without padding, in definite lengths."""
    gm: bool
    """Whether the outer content type is GB/T 35275's."""
    content_type: str
    """OID of what was signed."""
    encapsulated: bytes | None = field(repr=False)
    """The content, where it is inside."""
    certificates: tuple[Certificate, ...] = field(repr=False)
    """Those that can be read."""
    crls: tuple[bytes, ...] = field(repr=False)
    signers: tuple[SignerInfo, ...]


def parse_signed_data(data: bytes) -> SignedData:
    """Read a SignedData; zero octets may follow it, as in a PDF. CmsError (or its sibling DerError) for rubbish."""
    if len(data) > MAX_CMS:
        raise CmsError(f"{len(data)} octets are more than the {MAX_CMS} allowed")
    data = bytes(data)
    if len(data) > 1 and data[1] == _INDEFINITE:
        raw, taken = definite(data)
    else:
        raw = der.parse_prefix(data).raw
        taken = len(raw)
    if data[taken:].strip(b"\x00"):
        raise CmsError("something other than zero octets follows the message")
    try:
        return _read(raw)
    except (CertificateError, DerError) as error:
        raise CmsError(f"not a SignedData: {error}") from error


def _read(raw: bytes) -> SignedData:
    outer = der.parse(raw).expect(der.SEQUENCE)
    kind = outer[0].as_oid()
    if kind not in (names.SIGNED_DATA, names.GM_SIGNED_DATA):
        raise CmsError(f"content type {kind} is no SignedData")
    fields = outer[1].expect(der.context(0)).inner().expect(der.SEQUENCE).children()
    if len(fields) < 4:  # noqa: PLR2004 - version, digest algorithms, content, signer infos
        raise CmsError("the SignedData is cut short")
    content, tail = fields[2].expect(der.SEQUENCE), fields[-1].expect(der.SET)
    certificates = tuple(_certificates(next((node for node in fields[3:] if node.tag == _CERTIFICATES), None)))
    crls = next((node for node in fields[3:] if node.tag == _CRLS), None)
    infos = tail.children()
    if len(infos) > MAX_SIGNERS:
        raise CmsError(f"more than {MAX_SIGNERS} signers")
    return SignedData(
        raw=raw,
        gm=kind == names.GM_SIGNED_DATA,
        content_type=content[0].as_oid(),
        encapsulated=content[1].expect(der.context(0)).inner().content if len(content) > 1 else None,
        certificates=certificates,
        crls=() if crls is None else tuple(node.raw for node in crls),
        signers=tuple(_signer(info, certificates) for info in infos),
    )


def _certificates(node: der.Node | None) -> Iterable[Certificate]:
    members = node.children() if node is not None else ()
    if len(members) > MAX_CERTIFICATES:
        raise CmsError(f"more than {MAX_CERTIFICATES} certificates")
    for member in members:
        # Other tags are attribute certificates and the like (RFC 5652 10.2.2): no use for them here.
        if member.tag == der.SEQUENCE:
            try:
                yield Certificate.from_der(member.raw)
            except CertificateError:
                continue  # If it was the signer's, it will be missed by name.


def _signer(info: der.Node, certificates: tuple[Certificate, ...]) -> SignerInfo:
    fields = list(info.expect(der.SEQUENCE))
    signed = fields.pop(3) if len(fields) > 3 and fields[3].tag == _SIGNED_ATTRIBUTES else None  # noqa: PLR2004
    if len(fields) < 5:  # noqa: PLR2004 - version, signer, digest, signature algorithm, signature
        raise CmsError("a SignerInfo is cut short")
    _, sid, digest, method, value, *unsigned = fields
    by_name = sid.tag != _KEY_ID
    if by_name:
        fold_name(sid[0].raw)  # Unreadable names are refused now, not when they are compared.
    digest_oid = digest[0].as_oid()
    algorithm = DIGESTS_BY_OID.get(digest_oid)
    found = SignerInfo(
        digest_oid=digest_oid,
        digest=algorithm,
        signature_oid=method[0].as_oid(),
        scheme=scheme_of(method, algorithm),
        signature=value.as_octets(),
        signed_attributes_raw=None if signed is None else bytes((der.SET,)) + signed.raw[1:],
        attributes=_attributes(signed),
        unsigned=_attributes(unsigned[0] if unsigned and unsigned[0].tag == _UNSIGNED_ATTRIBUTES else None),
        issuer=sid[0].raw if by_name else None,
        serial=sid[1].as_int() if by_name else None,
        key_id=None if by_name else sid.content,
        certificate=None,
    )
    return replace(found, certificate=next((each for each in certificates if found.is_under(each)), None))


def _attributes(node: der.Node | None) -> dict[str, tuple[der.Node, ...]]:
    found: defaultdict[str, list[der.Node]] = defaultdict(list)
    count = 0
    for attribute in node or ():
        values = attribute[1].expect(der.SET).children()
        found[attribute[0].as_oid()] += values
        count += len(values)
        if count > MAX_VALUES:
            raise CmsError(f"more than {MAX_VALUES} attribute values")
    return {oid: tuple(values) for oid, values in found.items()}


def _reference(cert_id: der.Node, default: DigestAlgorithm) -> tuple[DigestAlgorithm | None, bytes]:
    """Read the digest and value of an ESSCertID or ESSCertIDv2."""
    if cert_id[0].tag == der.SEQUENCE:
        return DIGESTS_BY_OID.get(cert_id[0][0].as_oid()), cert_id[1].as_octets()
    return default, cert_id[0].as_octets()
