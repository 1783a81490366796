"""The nouns of affairs: what was proposed, what was decided about it, and where it stands."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from crypto.digests import sm3
from kernel.audit import canonical
from kernel.errors import Forbidden, Reason, Refusal
from kernel.principal import Principal, PrincipalKind
from seal.affairs.actions import RULES, Action, Rule
from seal.model import SealId

LIFETIME, LONGEST_LIFE = timedelta(days=7), timedelta(days=30)
"""How long an affair may be decided, by default and at most."""


class AffairRefused(Refusal):
    """An affair cannot be proposed as asked: its parts do not fit the action."""

    reason, code = Reason.BAD_INPUT, "affair_refused"


class UnknownAffair(Refusal):
    """There is no such affair, or it is none of the caller's business."""

    reason, code = Reason.NOT_FOUND, "affair_unknown"


class AffairClosed(Refusal):
    """The affair was carried out, rejected or withdrawn, or its time is over: nothing more is decided about it."""

    reason, code = Reason.CONFLICT, "affair_closed"


class AffairNotReady(Refusal):
    """The affair waits for another word first."""

    reason, code = Reason.CONFLICT, "affair_not_ready"


class AffairStale(Refusal):
    """The hash does not name what stands in this affair: it must be looked at again."""

    reason, code = Reason.CONFLICT, "affair_hash_mismatch"


class AffairDamaged(Refusal):
    """What stands in the database is not what was proposed or decided: an operator finds out why."""

    reason, code = Reason.UNAVAILABLE, "affair_damaged"


class SecondPersonNeeded(Forbidden):
    """The caller has a part in the affair already, or is no natural person: somebody else decides."""

    code = "second_person_needed"


class Verdict(StrEnum):
    """What somebody decided."""

    REVIEW = "review"
    """The papers were examined and found in order."""
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"


class Standing(StrEnum):
    """Where an affair stands."""

    REVIEWING = "waiting_for_review"
    APPROVING = "waiting_for_approval"
    DONE = "carried_out"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper that speaks for the affair, kept in the object store under its SM3."""

    kind: str
    object_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is asked for. ``payload`` is the action's own part, see ``seal.affairs.payloads``."""

    action: Action
    seal: SealId
    payload: Mapping[str, Any]
    reason: str
    legal_basis: str = ""
    papers: tuple[Paper, ...] = ()
    lifetime: timedelta = LIFETIME


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one person decided. ``payload_sm3`` is the hash of what was shown to them."""

    affair: str
    number: int
    by: str
    person: str
    verdict: Verdict
    at: datetime
    note: str
    payload_sm3: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Affair:
    """A proposal on record, with all that was decided about it. Nothing of it is ever changed."""

    id: str
    action: Action
    seal: SealId
    payload: str = field(repr=False)
    """Canonical JSON."""
    payload_sm3: str
    papers: tuple[Paper, ...]
    reason: str
    legal_basis: str
    proposed_by: str
    proposer: str
    """The person behind ``proposed_by``."""
    proposed_at: datetime
    expires_at: datetime
    decisions: tuple[Decision, ...] = ()
    outcome: str | None = None
    """What came of it, canonical JSON; None as long as it was not carried out."""

    @property
    def rule(self) -> Rule:
        """What its action means."""
        return RULES[self.action]

    def statement_hash(self) -> str:
        """Hash all that a decider is shown: another affair, or a changed one, has another hash."""
        return statement_hash(
            id=self.id,
            action=self.action,
            seal=self.seal,
            payload=self.payload,
            papers=self.papers,
            reason=self.reason,
            legal_basis=self.legal_basis,
            proposed_by=self.proposed_by,
            proposer=self.proposer,
            expires_at=self.expires_at,
        )

    def standing(self, now: datetime) -> Standing:
        """Derive where it stands."""
        verdicts = {each.verdict for each in self.decisions}
        if self.outcome is not None:
            return Standing.DONE
        if Verdict.REJECT in verdicts:
            return Standing.REJECTED
        if Verdict.WITHDRAW in verdicts:
            return Standing.WITHDRAWN
        if now >= self.expires_at:
            return Standing.EXPIRED
        if self.rule.review and Verdict.REVIEW not in verdicts:
            return Standing.REVIEWING
        return Standing.APPROVING

    @property
    def objects(self) -> frozenset[str]:
        """The keys of its papers and of the picture in its payload."""
        picture = json.loads(self.payload).get("picture") or {}
        named = {picture["object_key"]} if picture else set()
        return frozenset(named.union(each.object_key for each in self.papers))

    def is_proposed_by(self, principal: Principal) -> bool:
        """Tell whether a caller, or the person behind them, has proposed it."""
        return not names_of(principal).isdisjoint({self.proposer, self.proposed_by})

    def involves(self, principal: Principal) -> bool:
        """Tell whether a caller, or the person behind them, has proposed it or decided something about it."""
        decided = {name for each in self.decisions for name in (each.person, each.by)}
        return self.is_proposed_by(principal) or not names_of(principal).isdisjoint(decided)


def statement_hash(*, papers: tuple[Paper, ...], expires_at: datetime, **parts: str) -> str:
    """Hash an affair's statement: SM3 over canonical JSON, in hexadecimal."""
    shown = {
        **parts,
        "version": 1,
        "papers": [{"kind": each.kind, "object_key": each.object_key} for each in papers],
        "expires_at": expires_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    return sm3(canonical(shown).encode()).hex()


def person_of(principal: Principal) -> str:
    """Give who is behind an account: two accounts of one person count as one."""
    return principal.person or principal.subject


def names_of(principal: Principal) -> frozenset[str]:
    """Give what a caller may stand on record as: an account is the same one, whoever it is told later to belong to."""
    return frozenset({principal.subject, person_of(principal)})


def require_person(principal: Principal) -> None:
    """Refuse a decision that no natural person takes."""
    if principal.kind not in {PrincipalKind.PERSON, PrincipalKind.OPERATOR}:
        raise SecondPersonNeeded("A natural person decides; a client system can only propose.")
