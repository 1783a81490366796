"""Licence identifiers (GB/T 36904-2018): made, parsed and checked.

``1.2.156.3005.2 . <type 21> . <issuer 18> . <serial> . <version 3> . <check 1>``
"""

import re
from dataclasses import dataclass

ROOT = "1.2.156.3005.2"
"""The object identifier arc of electronic licences."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_FORM = re.compile(
    re.escape(ROOT)
    + r"\.(?P<type_code>[0-9A-Z]{21})\.(?P<issuer>[0-9A-Z]{18}|[0-9]{6})"
    + r"\.(?P<serial>[0-9A-Z]{1,64})\.(?P<version>[0-9]{3})\.(?P<check>[0-9A-Z])",
    re.ASCII,
)
_TYPE_CODE = re.compile(r"[0-9A-Z]{21}", re.ASCII)
_ISSUER = re.compile(r"[0-9A-Z]{18}", re.ASCII)
_SERIAL = re.compile(r"[0-9A-Z]{1,64}", re.ASCII)
_LAST_VERSION = 999
_REGION_ISSUER = 6


class NotAnIdentifier(ValueError):
    """The text is not a licence identifier; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A licence identifier whose form and check character are right."""

    type_code: str
    issuer: str
    serial: str
    version: int

    @property
    def check(self) -> str:
        """The check character over everything but root and dots."""
        return check_character(f"{self.type_code}{self.issuer}{self.serial}{self.version:03}")

    @property
    def issuer_is_region(self) -> bool:
        """Whether the issuer is a bare region code: seen in old data, accepted on import, never made."""
        return len(self.issuer) == _REGION_ISSUER

    def __str__(self) -> str:
        return f"{ROOT}.{self.type_code}.{self.issuer}.{self.serial}.{self.version:03}.{self.check}"


def check_character(text: str) -> str:
    """Compute the ISO 7064 MOD 37,36 character over ``text``, which holds only 0-9 and A-Z."""
    product = 36
    for character in text:
        total = (product + _VALUES[character]) % 36 or 36
        product = total * 2 % 37
    return _ALPHABET[(37 - product) % 36]


def make(*, type_code: str, issuer: str, serial: str, version: int) -> Identifier:
    """Make an identifier of well-formed parts; the issuer is an 18-character organisation code."""
    for name, part, form in (
        ("type code", type_code, _TYPE_CODE),
        ("issuer", issuer, _ISSUER),
        ("serial", serial, _SERIAL),
    ):
        if not form.fullmatch(part):
            raise NotAnIdentifier(f"the {name} {part!r} has not the form GB/T 36904 gives it")
    if not 1 <= version <= _LAST_VERSION:
        raise NotAnIdentifier("the version goes from 1 to 999")
    return Identifier(type_code=type_code, issuer=issuer, serial=serial, version=version)


def parse(text: str) -> Identifier:
    """Read an identifier and check its form and check character; raise NotAnIdentifier."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise NotAnIdentifier(f"a licence identifier is {ROOT}.<type 21>.<issuer 18>.<serial>.<version 3>.<check 1>")
    parts = match.groupdict()
    identifier = Identifier(
        type_code=parts["type_code"],
        issuer=parts["issuer"],
        serial=parts["serial"],
        version=int(parts["version"]),
    )
    if identifier.check != parts["check"]:
        raise NotAnIdentifier("the check character does not fit; a character is mistyped or swapped")
    return identifier
