"""Certificate extensions (RFC 5280 4.2): the ones that decide what a certificate may do, read and written."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from crypto import der
from crypto.errors import DerError

SUBJECT_KEY_ID, AUTHORITY_KEY_ID = "2.5.29.14", "2.5.29.35"
KEY_USAGE, EXTENDED_KEY_USAGE, BASIC_CONSTRAINTS = "2.5.29.15", "2.5.29.37", "2.5.29.19"
CRL_POINTS, AUTHORITY_ACCESS, CERTIFICATE_POLICIES = "2.5.29.31", "1.3.6.1.5.5.7.1.1", "2.5.29.32"
SUBJECT_ALT_NAME, ISSUER_ALT_NAME = "2.5.29.17", "2.5.29.18"
MAX_EXTENSIONS = 128
TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
OCSP_NO_CHECK = "1.3.6.1.5.5.7.48.1.5"
_OCSP = "1.3.6.1.5.5.7.48.1"
_URI = der.context(6, constructed=False)
_OCTET_BITS = 8

KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
"""The named bits of KeyUsage in their order; ``content_commitment`` is also called nonRepudiation."""

_RESTRICTING = frozenset((KEY_USAGE, EXTENDED_KEY_USAGE, BASIC_CONSTRAINTS))
# Policies restrict nothing here, since no initial policy set is ever asked for; other names only add to the subject;
# that a responder's certificate need not be asked for (RFC 6960 4.2.2.2.1) is seen by its presence.
_HARMLESS = frozenset((CERTIFICATE_POLICIES, SUBJECT_ALT_NAME, ISSUER_ALT_NAME, OCSP_NO_CHECK))


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """What a certificate's extensions say. Absent and unreadable extensions leave the defaults."""

    key_usage: frozenset[str] | None = None
    """None when the extension is absent: then nothing is restricted."""
    is_ca: bool = False
    path_length: int | None = None
    extended_key_usage: frozenset[str] = frozenset()
    """Purpose OIDs; empty when the extension is absent."""
    extended_key_usage_critical: bool = False
    subject_key_id: bytes | None = None
    authority_key_id: bytes | None = None
    crl_urls: tuple[str, ...] = ()
    ocsp_urls: tuple[str, ...] = ()
    oids: frozenset[str] = frozenset()
    not_understood: frozenset[str] = frozenset()
    """Critical extensions unknown here or unreadable, and unreadable key restrictions: no path may hold one."""


def read_extensions(node: der.Node | None) -> Extensions:
    """Read the Extensions SEQUENCE; one unreadable value never costs the others, very many are a DerError."""
    if node is not None and len(node) > MAX_EXTENSIONS:
        raise DerError(f"more than {MAX_EXTENSIONS} extensions")
    found = Extensions()
    oids: set[str] = set()
    bad: set[str] = set()
    for entry in node or ():
        kind, rest = entry[0].as_oid(), entry.children()[1:]
        # Issuers write an explicit FALSE, which DER forbids; read it as what it says.
        critical = len(rest) > 1 and rest[0].as_bool()
        reading = None if kind in oids or not rest else _read_one(kind, rest[-1], found)
        if reading is not None:
            found = reading
        elif critical or kind in _RESTRICTING:
            bad.add(kind)
        if kind == EXTENDED_KEY_USAGE:
            found = replace(found, extended_key_usage_critical=critical)
        oids.add(kind)
    return replace(found, oids=frozenset(oids), not_understood=frozenset(bad))


def _read_one(kind: str, value: der.Node, found: Extensions) -> Extensions | None:
    """Add what one extension says; None when it is unknown or unreadable."""
    reader = _READERS.get(kind)
    if reader is None:
        return found if kind in _HARMLESS else None
    try:
        return reader(der.parse(value.as_octets()), found)
    except (DerError, ValueError):
        return None


def _read_key_usage(node: der.Node, found: Extensions) -> Extensions:
    bits = node.as_bits()
    return replace(found, key_usage=frozenset(name for at, name in enumerate(KEY_USAGES) if _bit(bits, at)))


def _bit(bits: bytes, at: int) -> bool:
    octet, shift = divmod(at, _OCTET_BITS)
    return octet < len(bits) and bool(bits[octet] & 0x80 >> shift)


def _read_basic_constraints(node: der.Node, found: Extensions) -> Extensions:
    ca, length = node.find(der.BOOLEAN), node.find(der.INTEGER)
    return replace(
        found, is_ca=ca is not None and ca.as_bool(), path_length=None if length is None else length.as_int()
    )


def _read_extended_key_usage(node: der.Node, found: Extensions) -> Extensions:
    return replace(found, extended_key_usage=frozenset(purpose.as_oid() for purpose in node))


def _read_subject_key_id(node: der.Node, found: Extensions) -> Extensions:
    return replace(found, subject_key_id=node.as_octets())


def _read_authority_key_id(node: der.Node, found: Extensions) -> Extensions:
    key_id = node.find(der.context(0, constructed=False))
    return replace(found, authority_key_id=None if key_id is None else key_id.content)


def _read_crl_points(node: der.Node, found: Extensions) -> Extensions:
    # DistributionPoint { [0] { [0] fullName { [6] URI } } }; anything else in it is not an address we could ask.
    urls = []
    for point in node:
        where = point.find(der.context(0))
        full = None if where is None else where.find(der.context(0))
        urls += [uri.content.decode("ascii") for uri in full or () if uri.tag == _URI]
    return replace(found, crl_urls=tuple(urls))


def _read_authority_access(node: der.Node, found: Extensions) -> Extensions:
    urls = [entry[1].content.decode("ascii") for entry in node if entry[0].as_oid() == _OCSP and entry[1].tag == _URI]
    return replace(found, ocsp_urls=tuple(urls))


_READERS: Mapping[str, Callable[[der.Node, Extensions], Extensions]] = {
    KEY_USAGE: _read_key_usage,
    BASIC_CONSTRAINTS: _read_basic_constraints,
    EXTENDED_KEY_USAGE: _read_extended_key_usage,
    SUBJECT_KEY_ID: _read_subject_key_id,
    AUTHORITY_KEY_ID: _read_authority_key_id,
    CRL_POINTS: _read_crl_points,
    AUTHORITY_ACCESS: _read_authority_access,
}


# --- writing ---------------------------------------------------------------------------------------------------


def extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    """Write one Extension around the DER of its value."""
    return der.sequence(der.oid(oid), der.boolean(value=True) if critical else b"", der.octet_string(value))


def key_usage(usages: Iterable[str]) -> bytes:
    """Write KeyUsage, critical, as a named bit list without trailing zero bits (X.690 11.2.2)."""
    places = {KEY_USAGES.index(usage) for usage in usages}
    last = max(places)
    size = last // _OCTET_BITS + 1
    value = sum(1 << (size * _OCTET_BITS - 1 - place) for place in places)
    unused = size * _OCTET_BITS - 1 - last
    return extension(KEY_USAGE, der.bit_string(value.to_bytes(size, "big"), unused=unused), critical=True)


def basic_constraints(path_length: int | None) -> bytes:
    """Write BasicConstraints of a CA, critical; others go without (GM/T 0015 habit)."""
    length = b"" if path_length is None else der.integer(path_length)
    return extension(BASIC_CONSTRAINTS, der.sequence(der.boolean(value=True), length), critical=True)


def extended_key_usage(purposes: Iterable[str]) -> bytes:
    """Write ExtendedKeyUsage, critical where a purpose demands it (RFC 3161 2.3 does of time-stamping)."""
    listed = tuple(purposes)
    return extension(EXTENDED_KEY_USAGE, der.sequence(*map(der.oid, listed)), critical=TIME_STAMPING in listed)


def ocsp_no_check() -> bytes:
    """Write id-pkix-ocsp-nocheck: nobody need ask whether this responder's certificate is revoked."""
    return extension(OCSP_NO_CHECK, der.null())


def subject_key_id(key_id: bytes) -> bytes:
    """Write SubjectKeyIdentifier."""
    return extension(SUBJECT_KEY_ID, der.octet_string(key_id))


def authority_key_id(key_id: bytes) -> bytes:
    """Write AuthorityKeyIdentifier with the key identifier alone."""
    return extension(AUTHORITY_KEY_ID, der.sequence(der.implicit(0, key_id)))


def crl_points(urls: Iterable[str]) -> bytes:
    """Write CRLDistributionPoints, one point an address."""
    points = (der.sequence(der.explicit(0, der.explicit(0, _uri(url)))) for url in urls)
    return extension(CRL_POINTS, der.sequence(*points))


def ocsp_access(urls: Iterable[str]) -> bytes:
    """Write AuthorityInfoAccess with OCSP addresses."""
    return extension(AUTHORITY_ACCESS, der.sequence(*(der.sequence(der.oid(_OCSP), _uri(url)) for url in urls)))


def _uri(url: str) -> bytes:
    return der.implicit(6, url.encode("ascii"))
