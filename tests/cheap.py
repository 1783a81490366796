"""Secrets that cost next to nothing to check: what is made while the block runs says so in its own header.

A vault's passphrase and a person's password are stretched on purpose, each time a command is run; what is tested
with these is everything but that.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

from crypto.vaults.soft import KdfCost, SoftVault
from idp.passwords import Passwords

CHEAP: Final = KdfCost(passes=1, memory_kib=64, lanes=1)


def _defaults(function: object) -> dict[str, Any]:
    return cast("dict[str, Any]", cast("Any", function).__kwdefaults__)


_PLACES: Final = (
    (_defaults(SoftVault.create), "cost", CHEAP),
    (_defaults(SoftVault.change_secret), "cost", CHEAP),
    (_defaults(Passwords.__init__), "memory_mib", 1),
)
_BEFORE: Final = tuple(defaults[name] for defaults, name, _ in _PLACES)


@contextmanager
def cheap() -> Iterator[None]:
    """Let whoever names no cost choose the least until the block ends; blocks may overlap."""
    for defaults, name, least in _PLACES:
        defaults[name] = least
    try:
        yield
    finally:
        for (defaults, name, _), before in zip(_PLACES, _BEFORE, strict=True):
            defaults[name] = before
