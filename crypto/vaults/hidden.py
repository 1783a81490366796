"""Octets that are not shown: a password on its way to a device."""

from dataclasses import dataclass
from typing import NoReturn


@dataclass(frozen=True, slots=True, repr=False)
class Hidden:
    """A secret that no log, message or copy shows by accident."""

    octets: bytes

    def __repr__(self) -> str:
        return "Hidden(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not copied to where it would be readable")
