"""The actions of a seal's life, one row each: from where to where, by whose rights, with what in hand.

国办发〔2025〕33号: a seal is applied for, made, filed, and only then used; every later change is filed with its reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from seal.model import SealStatus


class Action(StrEnum):
    """What can be done with a seal."""

    MAKE = "make"
    FILE = "file"
    ACTIVATE = "activate"
    SUSPEND = "suspend"
    RESUME = "resume"
    CHANGE = "change"
    RENEW = "renew"
    LOSE = "lose"
    REVOKE = "revoke"
    DESTROY = "destroy"
    EXPORT = "export"
    POLICY = "policy"
    GRANT = "grant"
    END_GRANT = "end_grant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """All that an action means.

    Rights are named without their target, which is the seal. An action without ``approve`` acts at once: it is
    protective, or records what another body did.
    """

    moves: Mapping[SealStatus | None, SealStatus]
    """From which status to which; None: there is no such seal yet."""
    propose: str
    approve: str = ""
    review: str = ""
    """The right of whoever examines the papers before anybody may approve."""
    papers: frozenset[str] = frozenset()
    """Kinds of papers that must be there; more may be."""
    legal_basis: bool = False
    audit: str
    """The audit entry that says it was done."""

    @property
    def four_eyes(self) -> bool:
        """Whether a second person decides."""
        return bool(self.approve)

    @property
    def people(self) -> int:
        """How many people, the proposer among them, must have agreed."""
        return 1 + bool(self.review) + bool(self.approve)


def _stay(*statuses: SealStatus) -> Mapping[SealStatus | None, SealStatus]:
    return {status: status for status in statuses}


def _to(end: SealStatus, *starts: SealStatus | None) -> Mapping[SealStatus | None, SealStatus]:
    return dict.fromkeys(starts, end)


_MADE, _FILED, _ACTIVE, _SUSPENDED, _LOST, _REVOKED, _DESTROYED = SealStatus
APPLICATION, AUTHORISATION, HANDLER = "application", "authorisation", "handler-identity"
"""Papers of 国办发〔2025〕33号 article 5: the application, the owner's authorisation, who the handler is."""

RULES: Mapping[Action, Rule] = {
    Action.MAKE: Rule(
        moves=_to(_MADE, None),
        propose="seal.apply",
        review="seal.review",
        approve="seal.make",
        papers=frozenset({APPLICATION}),
        audit="seal.made",
    ),
    # The filing body's answer is put on record; it gives no power by itself.
    Action.FILE: Rule(moves=_to(_FILED, _MADE), propose="seal.file", audit="seal.filed"),
    Action.ACTIVATE: Rule(
        moves=_to(_ACTIVE, _FILED), propose="seal.manage", approve="seal.approve", audit="seal.activated"
    ),
    Action.SUSPEND: Rule(
        moves=_to(_SUSPENDED, _ACTIVE), propose="seal.manage", approve="seal.approve", audit="seal.suspended"
    ),
    Action.RESUME: Rule(
        moves=_to(_ACTIVE, _SUSPENDED), propose="seal.manage", approve="seal.approve", audit="seal.resumed"
    ),
    Action.CHANGE: Rule(
        moves=_stay(_MADE, _ACTIVE, _SUSPENDED), propose="seal.apply", approve="seal.make", audit="seal.changed"
    ),
    # A lost seal comes back only by being made anew with other keys (挂失补办).
    Action.RENEW: Rule(
        moves={**_stay(_ACTIVE, _SUSPENDED), _LOST: _ACTIVE},
        propose="seal.apply",
        approve="seal.make",
        audit="seal.renewed",
    ),
    # 挂失 protects: it waits for nobody.
    Action.LOSE: Rule(
        moves=_to(_LOST, _MADE, _FILED, _ACTIVE, _SUSPENDED), propose="seal.lose", audit="seal.loss_reported"
    ),
    # A revoked seal stays revoked: whoever needs one again has a new one made.
    Action.REVOKE: Rule(
        moves=_to(_REVOKED, _MADE, _FILED, _ACTIVE, _SUSPENDED, _LOST),
        propose="seal.manage",
        approve="seal.approve",
        legal_basis=True,
        audit="seal.revoked",
    ),
    Action.DESTROY: Rule(
        moves=_to(_DESTROYED, _REVOKED),
        propose="seal.manage",
        approve="seal.approve",
        legal_basis=True,
        audit="seal.destroyed",
    ),
    Action.EXPORT: Rule(
        moves=_stay(_MADE, _FILED, _ACTIVE, _SUSPENDED, _LOST, _REVOKED),
        propose="seal.manage",
        approve="seal.approve",
        audit="seal.exported",
    ),
    Action.POLICY: Rule(
        moves=_stay(_MADE, _FILED, _ACTIVE, _SUSPENDED),
        propose="seal.manage",
        approve="seal.approve",
        audit="seal.policy_changed",
    ),
    Action.GRANT: Rule(
        moves=_stay(_MADE, _FILED, _ACTIVE, _SUSPENDED),
        propose="seal.manage",
        approve="seal.approve",
        audit="seal.use_granted",
    ),
    Action.END_GRANT: Rule(
        moves=_stay(_MADE, _FILED, _ACTIVE, _SUSPENDED, _LOST),
        propose="seal.manage",
        approve="seal.approve",
        audit="seal.grant_ended",
    ),
}
