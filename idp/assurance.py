"""Assurance: how surely we know who someone is, and what of it is published as ``acr``.

Identity level (``ial``) and authenticator level (``aal``) are kept apart; a published ``acr`` names the least of both
that it promises. One row per name, strongest first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from idp.model import IdentityLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class Assurance:
    """One published authentication context class and what it promises."""

    acr: str
    ial: int
    aal: int


POLICY: tuple[Assurance, ...] = (
    Assurance(acr="urn:xinyin:acr:ial2", ial=2, aal=1),
    Assurance(acr="urn:xinyin:acr:ial1", ial=1, aal=1),
)
ACRS = tuple(row.acr for row in POLICY)
PASSWORD_AMR = ("pwd",)
# One row per method reference (RFC 8176) that we issue.
_AAL: Mapping[tuple[str, ...], int] = {PASSWORD_AMR: 1}


def aal_of(amr: tuple[str, ...]) -> int:
    """Give the authenticator level that these methods amount to."""
    return _AAL.get(amr, 1)


def acr_of(level: IdentityLevel, amr: tuple[str, ...]) -> str:
    """Give the strongest published class that this person and this authentication reach."""
    return next(row.acr for row in POLICY if level >= row.ial and aal_of(amr) >= row.aal)


def satisfied(wanted: Iterable[str], level: IdentityLevel, amr: tuple[str, ...]) -> bool:
    """Tell whether any known class of ``wanted`` is reached; unknown ones ask for nothing we could do."""
    rows = [row for row in POLICY if row.acr in set(wanted)]
    return not rows or any(level >= row.ial and aal_of(amr) >= row.aal for row in rows)
