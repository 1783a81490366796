"""Principals: who is calling, for whom, and with which rights."""

from dataclasses import dataclass
from enum import Enum

from kernel.errors import Forbidden


class PrincipalKind(Enum):
    """What kind of actor stands behind a call."""

    PERSON = "person"
    CLIENT = "client"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An authenticated caller.

    A right is ``action:target`` (``seal.use:4403000000000001``); the target ``*`` stands for all of them.
    ``organisation`` is the unified social credit code the caller acts for, if any. ``person`` tells the natural person
    behind an account, where that is known: two accounts with the same ``person`` are one person's.
    """

    subject: str
    kind: PrincipalKind
    rights: frozenset[str]
    organisation: str | None = None
    person: str | None = None

    def may(self, action: str, target: str) -> bool:
        """Tell whether this caller has the right to do ``action`` on ``target``."""
        return f"{action}:{target}" in self.rights or f"{action}:*" in self.rights

    def require(self, action: str, target: str) -> None:
        """Refuse with Forbidden unless the caller has the right."""
        if not self.may(action, target):
            raise Forbidden(f"This needs the right {action}:{target}, which the caller was not granted.")
