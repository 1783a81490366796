"""OCSP (RFC 6960): certificates as it names them, what is said of one, and requests written and read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from crypto import der
from crypto.certificate import Certificate
from crypto.digests import DIGESTS_BY_OID, SHA1, DigestAlgorithm
from crypto.errors import DerError, OcspError
from crypto.extensions import MAX_EXTENSIONS
from crypto.names import same_name
from crypto.revoked import Revoked

MAX_REQUEST = 16 * 1024
"""Octets of a request at most."""
MAX_ASKED = 32
"""Certificates that one request may ask for, or one answer speak of."""
MAX_NONCE = 128
"""Octets of a nonce read (RFC 9654 2.1); we send 32."""

BASIC, NONCE = "1.3.6.1.5.5.7.48.1.1", "1.3.6.1.5.5.7.48.1.2"
_NONCE_OID = der.oid(NONCE)


class ResponseStatus(Enum):
    """OCSPResponseStatus (RFC 6960 4.2.1); all but the first come without an answer."""

    SUCCESSFUL = 0
    MALFORMED_REQUEST = 1
    INTERNAL_ERROR = 2
    TRY_LATER = 3
    SIGNATURE_REQUIRED = 5
    UNAUTHORIZED = 6


class CertStatus(Enum):
    """What is said of one certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    """The responder knows nothing of it: no statement at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertId:
    """A certificate as OCSP names it: digests of its issuer's name and key, and its serial."""

    digest_oid: str
    name_hash: bytes
    key_hash: bytes
    serial: int
    raw: bytes = field(compare=False, repr=False)
    """As received: an answer repeats the very octets of the question."""

    @classmethod
    def of(cls, serial: int, issuer: Certificate, *, digest: DigestAlgorithm = SHA1) -> "CertId":
        """Name the certificate ``serial`` of ``issuer``; SHA-1 is what every responder knows (RFC 5019 2.1.1)."""
        name_hash, key_hash = issuer_hashes(issuer, digest)
        raw = der.sequence(
            # RFC 5754 and older habit alike accept NULL parameters for SHA-1; the others go without.
            der.sequence(der.oid(digest.oid), der.null() if digest is SHA1 else b""),
            der.octet_string(name_hash),
            der.octet_string(key_hash),
            der.integer(serial),
        )
        return cls(digest_oid=digest.oid, name_hash=name_hash, key_hash=key_hash, serial=serial, raw=raw)

    @classmethod
    def read(cls, node: der.Node) -> "CertId":
        """Read a CertID; a DerError if it is none."""
        fields = node.expect(der.SEQUENCE).children()
        if len(fields) != 4:  # noqa: PLR2004 - algorithm, name hash, key hash, serial
            raise DerError("a CertID has four members")
        return cls(
            digest_oid=fields[0][0].as_oid(),
            name_hash=fields[1].as_octets(),
            key_hash=fields[2].as_octets(),
            serial=fields[3].expect(der.INTEGER).as_int(),
            raw=node.raw,
        )

    def issued_by(self, issuer: Certificate) -> bool:
        """Whether ``issuer`` is the one whose certificate this names; unknown digests fit nobody."""
        digest = DIGESTS_BY_OID.get(self.digest_oid)
        return digest is not None and issuer_hashes(issuer, digest) == (self.name_hash, self.key_hash)

    def names(self, certificate: Certificate, issuer: Certificate) -> bool:
        """Whether this names ``certificate`` of ``issuer``."""
        return (
            self.serial == certificate.serial
            and same_name(certificate.issuer, issuer.subject)
            and self.issued_by(issuer)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleAnswer:
    """What a responder says of one certificate, and for how long."""

    cert_id: CertId
    status: CertStatus
    revoked: Revoked | None = None
    """Set exactly when the status is REVOKED."""
    this_update: datetime
    next_update: datetime | None = None
    """None: there is always newer word to be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OcspRequest:
    """A question about one or more certificates."""

    asked: tuple[CertId, ...]
    nonce: bytes | None = None
    """Contents of the nonce's extension value, as received."""


def issuer_hashes(issuer: Certificate, digest: DigestAlgorithm) -> tuple[bytes, bytes]:
    """Hash an issuer's name and key bits, as CertID does (RFC 6960 4.1.1)."""
    return digest.digest(issuer.subject), digest.digest(der.parse(issuer.spki)[1].as_bits())


def nonce_extension(nonce: bytes) -> bytes:
    """Write the nonce (RFC 9654 2.1): an OCTET STRING within the extension's own."""
    return der.sequence(_NONCE_OID, der.octet_string(der.octet_string(nonce)))


def make_request(asked: Sequence[CertId], *, nonce: bytes | None = None) -> bytes:
    """Ask about certificates, unsigned; with a nonce the answer cannot be an old one. DER."""
    if not 1 <= len(asked) <= MAX_ASKED:
        raise OcspError(f"a request asks for 1 to {MAX_ASKED} certificates")
    if nonce is not None and not 1 <= len(nonce) <= MAX_NONCE:
        raise OcspError(f"a nonce has 1 to {MAX_NONCE} octets")
    extensions = b"" if nonce is None else der.explicit(2, der.sequence(nonce_extension(nonce)))
    return der.sequence(der.sequence(der.sequence(*(der.sequence(each.raw) for each in asked)), extensions))


def parse_request(data: bytes) -> OcspRequest:
    """Read a request; an OcspError for rubbish and for too much. A signature on it is not looked at."""
    try:
        return _read_request(der.parse(data, max_size=MAX_REQUEST))
    except DerError as error:
        raise OcspError(f"not an OCSP request: {error}") from error


def read_extensions(node: der.Node | None) -> Iterator[tuple[str, bool, bytes]]:
    """Give identifier, criticality and value of each extension."""
    members = () if node is None else node.expect(der.SEQUENCE).children()
    if len(members) > MAX_EXTENSIONS:
        raise DerError(f"more than {MAX_EXTENSIONS} extensions")
    for member in members:
        kind, rest = member[0].as_oid(), member.children()[1:]
        if not rest:
            raise DerError("an extension without a value")
        yield kind, len(rest) > 1 and rest[0].as_bool(), rest[-1].as_octets()


def read_nonce(value: bytes) -> bytes:
    """Read a nonce's extension value: an OCTET STRING, or from old clients the bare octets."""
    try:
        inner = der.parse(value).as_octets()
    except DerError:
        inner = value
    if not 1 <= len(inner) <= MAX_NONCE:
        raise DerError(f"a nonce of {len(inner)} octets")
    return inner


def _read_request(node: der.Node) -> OcspRequest:
    tbs = node.expect(der.SEQUENCE)[0].expect(der.SEQUENCE)
    fields = tbs.children()
    asked = next((each for each in fields if each.tag == der.SEQUENCE), None)
    members = () if asked is None else asked.children()
    if not 1 <= len(members) <= MAX_ASKED:
        raise DerError(f"{len(members)} certificates asked for: 1 to {MAX_ASKED} may be")
    wrapped = next((each for each in fields if each.tag == der.context(2)), None)
    nonce = None
    for kind, critical, value in read_extensions(None if wrapped is None else wrapped.inner()):
        if kind == NONCE:
            nonce = read_nonce(value)
        elif critical:
            raise DerError(f"the critical extension {kind} is not understood")
    return OcspRequest(asked=tuple(CertId.read(each.expect(der.SEQUENCE)[0]) for each in members), nonce=nonce)
