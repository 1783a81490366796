"""Organisation codes: the unified social credit code (GB 32100-2015) and its check character."""

from typing import NewType

OrganisationCode = NewType("OrganisationCode", str)
"""A unified social credit code whose form and check character are right; only ``parse`` makes one."""

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100 table 2: no I, O, S, V, Z."""
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_BODY = 17
_REGION = slice(2, 8)


class NotAnOrganisationCode(ValueError):
    """The text is not a unified social credit code; the message says what is wrong with it."""


def check_character(body: str) -> str:
    """Compute the 18th character over the first 17 (GB 32100 5.6: weights 3^i mod 31)."""
    if len(body) != _BODY or not set(body) <= _VALUES.keys():
        raise NotAnOrganisationCode("the first 17 characters must be digits and capitals without I, O, S, V, Z")
    total = sum(_VALUES[character] * weight for character, weight in zip(body, _WEIGHTS, strict=True))
    return _ALPHABET[-total % 31]


def parse(text: str) -> OrganisationCode:
    """Check length, alphabet, region digits and check character; raise NotAnOrganisationCode."""
    if len(text) != _BODY + 1:
        raise NotAnOrganisationCode("a unified social credit code has 18 characters")
    if not (text[_REGION].isascii() and text[_REGION].isdigit()):
        raise NotAnOrganisationCode("characters 3 to 8 are the region and must be digits")
    if check_character(text[:_BODY]) != text[_BODY]:
        raise NotAnOrganisationCode("the check character does not fit; a character is mistyped or swapped")
    return OrganisationCode(text)


def region(code: OrganisationCode) -> str:
    """Give the six GB/T 2260 digits of the registering region."""
    return code[_REGION]
