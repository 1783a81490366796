"""The checks of affairs, one each: what is proposed, who decides, what was shown to them, and whether it is time."""

import json
from typing import Any

import sqlalchemy as sa

from kernel.errors import Forbidden
from kernel.principal import Principal
from seal import store
from seal.affairs.actions import Action, Rule
from seal.affairs.model import (
    LONGEST_LIFE,
    Affair,
    AffairClosed,
    AffairDamaged,
    AffairNotReady,
    AffairRefused,
    AffairStale,
    Proposal,
    SecondPersonNeeded,
    Standing,
    Verdict,
    require_person,
)
from seal.errors import SealExists, SealNotUsable, UnknownSeal
from seal.model import SealStatus

TEXT_MAX = 500
_KIND_MAX, _MOST_PAPERS = 40, 20


def require_texts(proposal: Proposal, rule: Rule) -> None:
    """Refuse texts and papers that are missing or too long."""
    if not proposal.reason.strip() or len(proposal.reason) > TEXT_MAX:
        raise AffairRefused(f"A reason of 1 to {TEXT_MAX} characters is needed.")
    if len(proposal.legal_basis) > TEXT_MAX or (rule.legal_basis and not proposal.legal_basis.strip()):
        raise AffairRefused(f"The legal basis of this is needed, in 1 to {TEXT_MAX} characters.")
    if not 0 < proposal.lifetime.total_seconds() <= LONGEST_LIFE.total_seconds():
        raise AffairRefused(f"An affair is decided within {LONGEST_LIFE.days} days.")
    kinds = {paper.kind for paper in proposal.papers}
    if len(proposal.papers) > _MOST_PAPERS or any(not 0 < len(kind) <= _KIND_MAX for kind in kinds):
        raise AffairRefused(f"At most {_MOST_PAPERS} papers come along, each of a kind of 1 to {_KIND_MAX} characters.")
    if missing := rule.papers - kinds:
        raise AffairRefused(f"Papers are missing: {', '.join(sorted(missing))}.")


def require_own(affair: Affair, principal: Principal) -> None:
    """Refuse an application for another body's seal."""
    owner: Any = json.loads(affair.payload).get("owner")
    if owner and principal.organisation and owner != principal.organisation:
        raise Forbidden("A body applies for its own store.")


def require_status(conn: sa.Connection, affair: Affair) -> None:
    """Refuse what could not be carried out now: nobody need decide it."""
    known = store.lock_seal(conn, affair.seal)
    if affair.action is Action.MAKE:
        if known:
            raise SealExists(f"A seal with the number {affair.seal} is registered already.")
        return
    if not known:
        raise UnknownSeal("There is no seal with this number.")
    status = SealStatus(store.status_history(conn, affair.seal)[-1].status)
    if status not in affair.rule.moves:
        raise SealNotUsable(f"Seal {affair.seal} is {status.value}: it cannot be changed by {affair.action}.")


def _right(affair: Affair, verdict: Verdict) -> tuple[str, ...]:
    """Give the rights of which one allows the verdict."""
    rule = affair.rule
    rights = {
        Verdict.REVIEW: (rule.review,),
        Verdict.APPROVE: (rule.approve,),
        Verdict.REJECT: (rule.review, rule.approve),
        Verdict.WITHDRAW: (),
    }[verdict]
    return tuple(filter(None, rights))


def concerns(affair: Affair, principal: Principal) -> bool:
    """Tell whether an affair is any of the caller's business."""
    rule = affair.rule
    rights = filter(None, (rule.propose, rule.review, rule.approve))
    # Without any right there is no office: such is the token that some website has of whoever signed in to it.
    part = bool(principal.rights) and affair.involves(principal)
    return part or any(principal.may(right, affair.seal) for right in rights)


def require_decider(affair: Affair, verdict: Verdict, principal: Principal) -> None:
    """Refuse whoever may not decide this: no person, no right, or a part in it already."""
    if verdict is Verdict.WITHDRAW:
        if not affair.is_proposed_by(principal):
            raise Forbidden("Only the proposer withdraws an affair.")
        return
    require_person(principal)
    rights = _right(affair, verdict)
    if not any(principal.may(right, affair.seal) for right in rights):
        named = " or ".join(f"{right}:{affair.seal}" for right in rights) or "a part in this affair"
        raise Forbidden(f"This needs {named}, which the caller was not granted.")
    if affair.involves(principal):
        raise SecondPersonNeeded("Whoever has a part in an affair does not decide it: another person does.")


def require_shown(affair: Affair, payload_sm3: str) -> None:
    """Refuse a record that is not what was proposed, and a hash that is not of this record."""
    stated = affair.statement_hash()
    agreed = [each.payload_sm3 for each in affair.decisions if each.verdict is Verdict.REVIEW]
    if any(each != stated for each in (affair.payload_sm3, *agreed)):
        raise AffairDamaged("The record of this affair is not what was proposed: nothing is decided about it.")
    if payload_sm3 != stated:
        raise AffairStale("The hash given is not that of this affair: look at it again.")


def require_turn(verdict: Verdict, standing: Standing) -> None:
    """Refuse a verdict that the affair does not wait for."""
    if standing not in {Standing.REVIEWING, Standing.APPROVING}:
        raise AffairClosed(f"This affair is {standing.value.replace('_', ' ')}: nothing more is decided about it.")
    if verdict is Verdict.APPROVE and standing is Standing.REVIEWING:
        raise AffairNotReady("The papers of this affair have not been reviewed yet.")
    if verdict is Verdict.REVIEW and standing is Standing.APPROVING:
        raise AffairNotReady("This affair waits for an approval, not for a review.")


def awaits(affair: Affair, principal: Principal, standing: Standing) -> bool:
    """Tell whether the caller is one of those whose word comes next."""
    verdict = {Standing.REVIEWING: Verdict.REVIEW, Standing.APPROVING: Verdict.APPROVE}.get(standing)
    if verdict is None:
        return False
    try:
        require_decider(affair, verdict, principal)
    except Forbidden:
        return False
    return True
