"""Certificate revocation lists (RFC 5280 5), read tolerantly and judged strictly; written as version 2.

A list that restricts itself in a way not understood here, delta and indirect lists among them, is read and never
used: ``covers`` says no.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from crypto import der, extensions
from crypto.certificate import Certificate, pem_block, pem_bodies, signed_parts
from crypto.errors import CertificateError, DerError
from crypto.extensions import AUTHORITY_KEY_ID
from crypto.issuing import algorithm_identifier, choose_time, spki_key_id
from crypto.keys import Signer, require_fit
from crypto.names import NameParts, same_name
from crypto.revoked import RevocationReason, Revoked
from crypto.signatures import Scheme, made_by, scheme_of
from crypto.suites import Usage

MAX_CRL = 16 * 1024 * 1024
"""Octets of a list at most."""
MAX_ENTRIES = 250_000
"""Revoked certificates of a list at most."""

CRL_NUMBER, REASON_CODE, INVALIDITY_DATE = "2.5.29.20", "2.5.29.21", "2.5.29.24"
_DISTRIBUTION_POINT = "2.5.29.28"
_ENUMERATED = 0x0A
_TIMES = (der.UTC_TIME, der.GENERALIZED_TIME)
_LONG_FORM = 0x80
_SHORTEST_ENTRY = 7  # Headers of the entry, its serial and its date, and one octet of serial.
_LARGEST_NUMBER = 20  # Octets of a CRL number (RFC 5280 5.2.3).
_USERS_ONLY, _CAS_ONLY = der.context(1, constructed=False), der.context(2, constructed=False)
_URI = der.context(6, constructed=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which of the issuer's certificates a list speaks for (issuingDistributionPoint, RFC 5280 5.2.5)."""

    users_only: bool = False
    cas_only: bool = False
    urls: tuple[str, ...] = ()
    """Only certificates that name one of these addresses; empty for no such limit."""

    def includes(self, certificate: Certificate) -> bool:
        """Whether ``certificate`` is one the list speaks for."""
        if (certificate.is_ca and self.users_only) or (not certificate.is_ca and self.cas_only):
            return False
        return not self.urls or bool(set(self.urls) & set(certificate.crl_urls))


@dataclass(frozen=True, kw_only=True)
class RevocationList:
    """A revocation list as it was received; reading it says nothing about its signature."""

    raw: bytes = field(repr=False)
    tbs: bytes = field(compare=False, repr=False)
    issuer: bytes = field(compare=False, repr=False)
    this_update: datetime = field(compare=False)
    next_update: datetime | None = field(compare=False)
    number: int | None = field(compare=False)
    authority_key_id: bytes | None = field(compare=False, repr=False)
    scope: Scope = field(compare=False, repr=False)
    scheme: Scheme | None = field(compare=False, repr=False)
    signature: bytes = field(compare=False, repr=False)
    not_understood: frozenset[str] = field(compare=False)
    """Critical extensions, of the list or of any entry, that forbid its use here (RFC 5280 5.2, 5.3)."""
    entries: Mapping[int, bytes] = field(compare=False, repr=False)
    """DER of each entry by serial; ``entry`` reads one."""

    @classmethod
    def from_der(cls, raw: bytes) -> "RevocationList":
        """Read one list; a CertificateError if the octets are none."""
        try:
            return _read_list(bytes(raw))
        except DerError as error:
            raise CertificateError(f"not a revocation list: {error}") from error

    @classmethod
    def from_pem(cls, text: str | bytes) -> "RevocationList":
        """Read the first X509 CRL block of a PEM text (RFC 7468)."""
        bodies = pem_bodies(text, "X509 CRL")
        if not bodies:
            raise CertificateError("the text holds no X509 CRL block")
        return cls.from_der(bodies[0])

    def pem(self) -> str:
        """Write the list as PEM."""
        return pem_block(self.raw, "X509 CRL")

    def __len__(self) -> int:
        return len(self.entries)

    def entry(self, serial: int) -> Revoked | None:
        """Look up a serial, whenever it was revoked; None when it is not on the list."""
        raw = self.entries.get(serial)
        if raw is None:
            return None
        try:
            fields = der.parse(raw).children()
            reason, invalid_since, _ = _read_entry_extensions(fields[2].raw if len(fields) > 2 else b"")  # noqa: PLR2004
            return Revoked(serial=serial, at=fields[1].as_time(), reason=reason, invalid_since=invalid_since)
        except DerError as error:
            raise CertificateError(f"the entry of serial {serial:x} cannot be read: {error}") from error

    def revoked_at(self, serial: int, at: datetime) -> Revoked | None:
        """Look up a serial as of ``at``: None when it is not on the list, or was revoked only later."""
        found = self.entry(serial)
        return found if found is not None and found.effective_at(at) else None

    def current_at(self, at: datetime) -> bool:
        """Whether the list was the newest one at ``at`` by its own dates; without a next update it never is."""
        return self.next_update is not None and self.this_update <= at <= self.next_update

    def covers(self, certificate: Certificate) -> bool:
        """Whether the list can say anything of ``certificate``."""
        return (
            not self.not_understood and same_name(self.issuer, certificate.issuer) and self.scope.includes(certificate)
        )

    def issued_by(self, issuer: Certificate) -> bool:
        """Whether ``issuer`` is named, may sign lists, and its key made the signature; no weak one counts."""
        may = issuer.key_usage is None or "crl_sign" in issuer.key_usage
        return may and same_name(self.issuer, issuer.subject) and self.signed_by(issuer.spki)

    def signed_by(self, spki: bytes) -> bool:
        """Whether the key in ``spki`` made the signature, with a digest and a size that still count."""
        return made_by(spki, self.scheme, self.tbs, self.signature)


# --- writing ---------------------------------------------------------------------------------------------------


def make_crl(  # noqa: PLR0913 - a list has as many parts
    *,
    issuer: Certificate,
    issuer_key: Signer,
    number: int,
    this_update: datetime,
    next_update: datetime,
    revoked: Iterable[Revoked],
) -> RevocationList:
    """Sign a full version 2 list of ``revoked``; CertificateError for what RFC 5280 5 does not allow.

    Numbers must grow from list to list: that is for the caller to see to.
    """
    if issuer.key_usage is not None and "crl_sign" not in issuer.key_usage:
        raise CertificateError("the issuer may not sign revocation lists")
    if issuer_key.public_key.spki != issuer.spki:
        raise CertificateError("the signing key is not the issuer's")
    if not 0 <= number < 1 << (8 * _LARGEST_NUMBER - 1):
        raise CertificateError(f"a list's number is not negative and fits {_LARGEST_NUMBER} octets")
    if next_update <= this_update:
        raise CertificateError("the list would be over before it began")
    require_fit(issuer_key.suite, issuer_key.public_key, Usage.CERTIFICATE)
    entries = b"".join(map(_entry, revoked))
    algorithm = algorithm_identifier(issuer_key.suite)
    key_id = issuer.subject_key_id or spki_key_id(issuer.spki)
    tbs = der.sequence(
        der.integer(1),
        algorithm,
        issuer.subject,
        choose_time(this_update),
        choose_time(next_update),
        # RFC 5280 5.1.2.6: without entries the field is absent.
        der.sequence(entries) if entries else b"",
        der.explicit(
            0,
            der.sequence(extensions.authority_key_id(key_id), extensions.extension(CRL_NUMBER, der.integer(number))),
        ),
    )
    made = RevocationList.from_der(der.sequence(tbs, algorithm, der.bit_string(issuer_key.sign(tbs))))
    if not made.signed_by(issuer.spki):
        raise CertificateError("the list just made does not verify under its issuer's key")
    return made


def _entry(revoked: Revoked) -> bytes:
    if revoked.reason is RevocationReason.REMOVE_FROM_CRL:
        raise CertificateError("only a delta list removes entries")
    details = b""
    if revoked.reason is not RevocationReason.UNSPECIFIED:
        # RFC 5280 5.3.1: "unspecified" is not written.
        details += extensions.extension(REASON_CODE, der.tlv(_ENUMERATED, bytes((revoked.reason.value,))))
    if revoked.invalid_since is not None:
        details += extensions.extension(INVALIDITY_DATE, der.generalized_time(revoked.invalid_since))
    return der.sequence(der.integer(revoked.serial), choose_time(revoked.at), der.sequence(details) if details else b"")


# --- reading ---------------------------------------------------------------------------------------------------


def _read_list(raw: bytes) -> RevocationList:
    tbs, algorithm, signature = signed_parts(der.parse(raw, max_size=MAX_CRL))
    fields = list(tbs.expect(der.SEQUENCE))
    version = fields.pop(0).as_int() if fields and fields[0].tag == der.INTEGER else 0
    if len(fields) < 3 or version not in (0, 1):  # noqa: PLR2004 - algorithm, issuer, this update
        raise DerError("the list is cut short, or of a version unknown")
    inner_algorithm, issuer, this_update, *rest = fields
    scheme = scheme_of(inner_algorithm)
    # RFC 5280 5.1.1.2: both must name the same algorithm, or the unsigned one could be exchanged.
    if inner_algorithm[0].as_oid() != algorithm[0].as_oid() or scheme != scheme_of(algorithm):
        raise DerError("the list names two signature algorithms")
    NameParts.from_der(issuer.raw)
    next_update = rest.pop(0).as_time() if rest and rest[0].tag in _TIMES else None
    listed = rest.pop(0) if rest and rest[0].tag == der.SEQUENCE else None
    wrapped = rest.pop(0) if rest and rest[0].tag == der.context(0) else None
    if rest:
        raise DerError("the list holds something that does not belong there")
    entries, entry_critical = _index(b"" if listed is None else listed.content)
    said = _read_extensions(None if wrapped is None else wrapped.inner())
    return RevocationList(
        raw=raw,
        tbs=tbs.raw,
        issuer=issuer.raw,
        this_update=this_update.as_time(),
        next_update=next_update,
        number=said.number,
        authority_key_id=said.authority_key_id,
        scope=said.scope,
        scheme=scheme,
        signature=signature.as_bits(),
        not_understood=frozenset(said.bad) | entry_critical,
        entries=entries,
    )


@dataclass(slots=True)
class _Said:
    """What the extensions of a list say."""

    number: int | None = None
    authority_key_id: bytes | None = None
    scope: Scope = field(default_factory=Scope)
    bad: set[str] = field(default_factory=set)


def _read_extensions(node: der.Node | None) -> _Said:
    said = _Said()
    for kind, critical, value in _extensions(node):
        if kind == CRL_NUMBER:
            said.number = _number(value)
        elif kind == AUTHORITY_KEY_ID:
            key_id = value.find(der.context(0, constructed=False))
            said.authority_key_id = None if key_id is None else key_id.content
        elif kind == _DISTRIBUTION_POINT:
            scope = _read_scope(value)
            if scope is None:
                said.bad.add(kind)
            else:
                said.scope = scope
        elif critical:
            said.bad.add(kind)
    return said


def _number(node: der.Node) -> int:
    number = node.as_int()
    if number.bit_length() > 8 * _LARGEST_NUMBER:
        raise DerError(f"the list's number has more than {_LARGEST_NUMBER} octets")
    return number


def _extensions(node: der.Node | None) -> Iterator[tuple[str, bool, der.Node]]:
    members = () if node is None else node.expect(der.SEQUENCE).children()
    if len(members) > extensions.MAX_EXTENSIONS:
        raise DerError(f"more than {extensions.MAX_EXTENSIONS} extensions")
    seen: set[str] = set()
    for member in members:
        name, rest = member[0].as_oid(), member.children()[1:]
        if not rest or name in seen:
            raise DerError(f"extension {name} is empty, or there twice")
        seen.add(name)
        yield name, len(rest) > 1 and rest[0].as_bool(), der.parse(rest[-1].as_octets())


def _read_scope(node: der.Node) -> Scope | None:
    """Read issuingDistributionPoint; None for a list that is indirect, partial by reason, or about attributes."""
    users_only = cas_only = False
    urls: list[str] = []
    for member in node.expect(der.SEQUENCE):
        if member.tag == der.context(0):
            full = member.find(der.context(0))
            urls += [uri.content.decode("ascii", "replace") for uri in full or () if uri.tag == _URI]
            if not urls:
                return None
        elif member.tag == _USERS_ONLY:
            users_only = member.content != b"\x00"
        elif member.tag == _CAS_ONLY:
            cas_only = member.content != b"\x00"
        elif member.content != b"\x00":
            return None
    return Scope(users_only=users_only, cas_only=cas_only, urls=tuple(urls))


def _index(content: bytes) -> tuple[dict[int, bytes], frozenset[str]]:
    """Find every entry, and the critical extensions in any that are not understood.

    Entries are told apart by their lengths alone and read when they are asked for: lists of real authorities have
    a hundred thousand of them, which all but never say something of the certificate in question.
    """
    entries: dict[int, bytes] = {}
    details: set[bytes] = set()
    at = 0
    while at < len(content):
        if len(entries) == MAX_ENTRIES:
            raise DerError(f"more than {MAX_ENTRIES} entries")
        raw, serial, detail = _next_entry(content, at)
        entries.setdefault(serial, raw)
        if detail:
            details.add(detail)
        at += len(raw)
    return entries, frozenset(kind for detail in details for kind in _read_entry_extensions(detail)[2])


def _next_entry(content: bytes, at: int) -> tuple[bytes, int, bytes]:
    """Give the entry that begins at ``at``, its serial, and the DER of its extensions."""
    raw = content[at : at + 2 + content[at + 1]] if len(content) - at > _SHORTEST_ENTRY else b""
    if len(raw) < _SHORTEST_ENTRY or raw[0] != der.SEQUENCE or raw[1] >= _LONG_FORM or raw[3] >= _LONG_FORM:
        return _next_odd_entry(content, at)
    date = 4 + raw[3]
    end = date + 2 + raw[date + 1] if len(raw) > date + 1 else len(raw) + 1
    if raw[2] != der.INTEGER or not raw[3] or end > len(raw) or raw[date] not in _TIMES:
        raise DerError("an entry is a serial and a time")
    return raw, int.from_bytes(raw[4:date], "big", signed=True), raw[end:]


def _next_odd_entry(content: bytes, at: int) -> tuple[bytes, int, bytes]:
    # Long lengths are rare: an entry that holds them is read the slow way.
    node = der.parse_at(content, at).expect(der.SEQUENCE)
    members = node.children()
    if len(members) not in (2, 3):
        raise DerError("an entry is a serial and a time")
    members[1].expect(*_TIMES)
    return node.raw, members[0].as_int(), members[2].raw if len(members) > 2 else b""  # noqa: PLR2004


def _read_entry_extensions(raw: bytes) -> tuple[RevocationReason, datetime | None, frozenset[str]]:
    """Give an entry's reason, invalidity date, and the critical extensions that are not understood."""
    reason, invalid_since, bad = RevocationReason.UNSPECIFIED, None, set()
    for kind, critical, value in _extensions(der.parse(raw) if raw else None):
        if kind == REASON_CODE:
            reason = RevocationReason.read(value.as_int())
        elif kind == INVALIDITY_DATE:
            invalid_since = value.as_time()
        elif critical:
            bad.add(kind)
    return reason, invalid_since, frozenset(bad)
