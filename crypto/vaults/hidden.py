"""Octets that are not shown: a password on its way to a device."""

from dataclasses import dataclass

from crypto.secrecy import Secret


@dataclass(frozen=True, slots=True, repr=False)
class Hidden(Secret):
    """A secret that no log, message or copy shows by accident."""

    octets: bytes
