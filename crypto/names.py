"""Distinguished names: built as DER, read into RFC 4514 text, compared as RFC 5280 7.1 says."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from crypto import der
from crypto.errors import CertificateError, DerError

COMMON_NAME, ORGANISATION, ORGANISATION_ID, COUNTRY = "2.5.4.3", "2.5.4.10", "2.5.4.97", "2.5.4.6"
_UPPER_BOUND = 64
"""ub-common-name and ub-organization-name (RFC 5280 appendix A.1), in characters."""
MAX_NAME = 8 * 1024
"""Octets of a Name: what is read is remembered, and may not fill the memory."""

# RFC 4514 section 3 first, then descriptors of the LDAP registry that real certificates use.
_KEYWORDS: Mapping[str, str] = {
    COMMON_NAME: "CN",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    ORGANISATION: "O",
    "2.5.4.11": "OU",
    COUNTRY: "C",
    "2.5.4.9": "STREET",
    "0.9.2342.19200300.100.1.25": "DC",
    "0.9.2342.19200300.100.1.1": "UID",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.12": "title",
    "2.5.4.17": "postalCode",
    "2.5.4.42": "givenName",
    "2.5.4.46": "dnQualifier",
    ORGANISATION_ID: "organizationIdentifier",
    "1.2.840.113549.1.9.1": "emailAddress",
}
_UNSEEN = frozenset(("Cc", "Cf", "Zl", "Zp"))
_ESCAPED = frozenset('"+,;<>\\')
_TEXT_TAGS = frozenset(der.TEXTS)

# One attribute of a relative distinguished name: OID, and text or, when the value is no text, its DER.
_Attribute: TypeAlias = tuple[str, str | bytes]
Folded: TypeAlias = tuple[frozenset[_Attribute], ...]
"""A name in the form in which equal names are equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameParts:
    """A Name read into its relative distinguished names, in encoded order (country first, as a rule)."""

    rdns: tuple[tuple[_Attribute, ...], ...]

    @staticmethod
    def from_der(raw: bytes) -> "NameParts":
        """Read a DER Name; a DerError if it is none."""
        return _read_name(raw)

    @property
    def text(self) -> str:
        """The name as RFC 4514 text, most specific part first."""
        return ",".join("+".join(_pair(*attribute) for attribute in rdn) for rdn in reversed(self.rdns))

    def value(self, oid: str) -> str | None:
        """Give the most specific text value of attribute ``oid``, if any."""
        for rdn in reversed(self.rdns):
            for kind, value in rdn:
                if kind == oid and isinstance(value, str):
                    return value
        return None

    def folded(self) -> Folded:
        """Forget what does not count in a comparison: string type, case, runs of space (RFC 5280 7.1)."""
        return tuple(frozenset((kind, _fold(value)) for kind, value in rdn) for rdn in self.rdns)


def name(
    common_name: str, organisation: str | None = None, organisation_id: str | None = None, country: str = "CN"
) -> bytes:
    """Build a DER Name: country, organisation, organisation identifier, common name.

    ``organisation_id`` is the unified social credit code. Refuses empty parts and parts longer than 64 characters.
    """
    if len(country) != 2 or not (country.isascii() and country.isalpha()):  # noqa: PLR2004 - ISO 3166 alpha-2
        raise CertificateError("a country is two letters")
    parts = [_rdn(COUNTRY, der.printable(country.upper()))]
    for oid, text in ((ORGANISATION, organisation), (ORGANISATION_ID, organisation_id), (COMMON_NAME, common_name)):
        if text is None:
            continue
        if not 1 <= len(text) <= _UPPER_BOUND:
            raise CertificateError(f"{_KEYWORDS[oid]} must have 1 to {_UPPER_BOUND} characters, not {len(text)}")
        parts.append(_rdn(oid, der.utf8(text)))
    return der.sequence(*parts)


def name_text(raw: bytes) -> str:
    """Read a DER Name into RFC 4514 text."""
    return NameParts.from_der(raw).text


@lru_cache(maxsize=1024)
def fold_name(raw: bytes) -> Folded:
    """Read a DER Name into the form in which equal names are equal."""
    return _read_name(raw).folded()


@lru_cache(maxsize=1024)
def _read_name(raw: bytes) -> NameParts:
    # Remembered, because the same few issuers and signers are named over and over.
    if len(raw) > MAX_NAME:
        raise DerError(f"a name of {len(raw)} octets")
    return NameParts(rdns=tuple(tuple(_attribute(pair) for pair in rdn) for rdn in der.parse(raw).expect(der.SEQUENCE)))


def same_name(one: bytes, other: bytes) -> bool:
    """Whether two DER Names name the same; string type, case and runs of space do not count."""
    return one == other or fold_name(one) == fold_name(other)


def _rdn(oid: str, value: bytes) -> bytes:
    return der.set_of((der.sequence(der.oid(oid), value),))


def _attribute(pair: der.Node) -> _Attribute:
    members = pair.children()
    if len(members) != 2:  # noqa: PLR2004 - type, value
        raise DerError("an attribute of a name is a type and a value")
    kind, value = members
    return kind.as_oid(), value.as_text() if value.tag in _TEXT_TAGS else value.raw


def _pair(oid: str, value: str | bytes) -> str:
    keyword = _KEYWORDS.get(oid)
    if keyword is not None and isinstance(value, str):
        return f"{keyword}={_escape(value)}"
    # RFC 4514 2.4: a type without a keyword goes dotted, its value as hexadecimal of the DER. Where the value is
    # text we deviate and show the text: people read these names, nothing parses them back.
    return f"{keyword or oid}={_escape(value) if isinstance(value, str) else '#' + value.hex()}"


def _escape(value: str) -> str:
    last = len(value) - 1
    return "".join(_escaped(character, first=at == 0, last=at == last) for at, character in enumerate(value))


def _escaped(character: str, *, first: bool, last: bool) -> str:
    if character in _ESCAPED or (first and character in "# ") or (last and character == " "):
        return "\\" + character
    # Characters that are not seen but turn or hide what stands beside them could make one name look like another.
    if unicodedata.category(character) in _UNSEEN:
        return "".join(f"\\{octet:02x}" for octet in character.encode())
    return character


def _fold(value: str | bytes) -> str | bytes:
    return " ".join(value.split()).casefold() if isinstance(value, str) else value
