"""Development's stand-in for a second pair of eyes: invented people who agree to everything, and say so."""

import warnings

import sqlalchemy as sa

from kernel.clock import Clock
from kernel.ids import new_id
from kernel.principal import Principal, PrincipalKind
from seal.affairs.actions import RULES, Action
from seal.affairs.model import Affair, Proposal, Verdict
from seal.affairs.service import AffairService
from seal.affairs.warrant import Agreed, Warrant, issue
from seal.model import SealId
from seal.pki.dev_ca import DevelopmentOnly

NAMES = ("development-proposer", "development-reviewer", "development-approver")
_REASON = "development: approved automatically by invented people"


class DevApprovers:
    """Takes affairs through every step, each in the name of another invented person: for development only."""

    def __init__(self, affairs: AffairService) -> None:
        _warn("DevApprovers agree to everything")
        self._affairs = affairs

    def settle(self, proposal: Proposal) -> Affair:
        """Propose it and have it decided, until it is carried out."""
        rule = RULES[proposal.action]
        proposer, reviewer, approver = (_person(name) for name in NAMES)
        affair = self._affairs.propose(proposal, proposer)
        shown = affair.payload_sm3
        if rule.review:
            self._affairs.decide(affair.id, Verdict.REVIEW, reviewer, payload_sm3=shown, note=_REASON)
        if rule.approve:
            affair = self._affairs.decide(affair.id, Verdict.APPROVE, approver, payload_sm3=shown, note=_REASON)
        return affair


def dev_warrant(conn: sa.Connection, action: Action, seal: SealId, clock: Clock, *, reason: str = _REASON) -> Warrant:
    """Make a warrant that nobody gave, in the name of invented people: for development only."""
    _warn("this warrant was given by nobody")
    return issue(
        conn,
        affair=new_id(),
        action=action,
        seal=seal,
        agreed=tuple(Agreed(name, name) for name in NAMES),
        reason=reason,
        legal_basis=_REASON if RULES[action].legal_basis else "",
        at=clock.now(),
    )


def _person(name: str) -> Principal:
    rights = {f"{right}:*" for rule in RULES.values() for right in (rule.propose, rule.review, rule.approve) if right}
    return Principal(subject=name, kind=PrincipalKind.PERSON, rights=frozenset(rights))


def _warn(what: str) -> None:
    warnings.warn(f"{what}: development only", DevelopmentOnly, stacklevel=3)
