"""The warrant: leave to change one seal in one way, which no single person can give."""

from dataclasses import KW_ONLY, InitVar, dataclass, field
from datetime import datetime

import sqlalchemy as sa

from seal.affairs.actions import RULES, Action, Rule
from seal.model import SealId

_ISSUER = object()


@dataclass(frozen=True, slots=True)
class Agreed:
    """Somebody who agreed: the account, and the person behind it."""

    subject: str
    person: str


@dataclass(frozen=True, slots=True)
class Warrant:
    """What the register demands before it changes a seal; made by ``seal.affairs`` alone, see ``issue``.

    It is good in the transaction it was made in, and holds it. One with too few people in it cannot be built.
    """

    issuer: InitVar[object]
    _: KW_ONLY
    conn: sa.Connection = field(repr=False)
    affair: str
    action: Action
    seal: SealId
    agreed: tuple[Agreed, ...]
    """Who proposed, then who reviewed, if anybody had to, then who approved."""
    reason: str
    legal_basis: str
    at: datetime

    def __post_init__(self, issuer: object) -> None:
        """Refuse to come into being but by ``issue`` and with as many people as the action takes."""
        if issuer is not _ISSUER:
            raise TypeError("a warrant is made by seal.affairs, when enough people have agreed")
        people = {each.person for each in self.agreed}
        accounts = {each.subject for each in self.agreed}
        if not len(people) == len(accounts) == len(self.agreed) or len(people) < self.rule.people:
            raise ValueError(f"{self.action} takes {self.rule.people} different people")

    @property
    def rule(self) -> Rule:
        """What the action means."""
        return RULES[self.action]

    @property
    def actor(self) -> str:
        """Whose word was the last one needed."""
        return self.agreed[-1].subject


def issue(  # noqa: PLR0913 - a warrant's parts
    conn: sa.Connection,
    *,
    affair: str,
    action: Action,
    seal: SealId,
    agreed: tuple[Agreed, ...],
    reason: str,
    legal_basis: str,
    at: datetime,
) -> Warrant:
    """Make a warrant within the transaction of ``conn``; for the service of affairs, and development's stand-in."""
    return Warrant(
        _ISSUER,
        conn=conn,
        affair=affair,
        action=action,
        seal=seal,
        agreed=agreed,
        reason=reason,
        legal_basis=legal_basis,
        at=at,
    )
