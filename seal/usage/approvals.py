"""Approvals of single uses: the nouns, and the rules of who decides and what an approval is good for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kernel.errors import Reason, Refusal
from kernel.principal import Principal
from seal.affairs.model import SecondPersonNeeded, Verdict, names_of, require_person

RIGHT = "seal.use.approve"
LIFETIME, LONGEST_LIFE = timedelta(days=3), timedelta(days=30)
"""How long a use request may be decided and used, by default and at most."""


class UseRequestRefused(Refusal):
    """A use request cannot be made, or decided, as asked."""

    reason, code = Reason.BAD_INPUT, "use_request_refused"


class UseRequestUnknown(Refusal):
    """There is no such use request, or it is none of the caller's business."""

    reason, code = Reason.NOT_FOUND, "use_request_unknown"


class UseRequestClosed(Refusal):
    """The use request was decided, or its time is over: nothing more is decided about it."""

    reason, code = Reason.CONFLICT, "use_request_closed"


class UseRequestStale(Refusal):
    """The hash does not name what was asked for: look at it again, or ask for this."""

    reason, code = Reason.CONFLICT, "use_request_mismatch"


class UseRequestNotApproved(Refusal):
    """The use request waits for its approval, or was not given it in time."""

    reason, code = Reason.CONFLICT, "use_request_not_approved"


class UseRequestUsed(Refusal):
    """The approval was used for another sealing: it is good for one."""

    reason, code = Reason.CONFLICT, "use_request_used"


class UseStanding(StrEnum):
    """Where a use request stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    USED = "used"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class UseDecision:
    """What one person decided. ``request_hash`` is the hash of what was shown to them."""

    verdict: Verdict
    by: str
    person: str
    at: datetime
    note: str
    request_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UseRequest:
    """A sealing that a caller wants approved: just this document, by just this seal, with just these words."""

    id: str
    seal: str
    caller: str
    caller_kind: str
    organisation: str | None
    person: str
    client_address: str | None
    document_sm3: str
    pages: int | None
    request_hash: str
    asked: str
    at: datetime
    expires_at: datetime
    decision: UseDecision | None
    sealing: str | None
    """The sealing that used it."""

    def standing(self, now: datetime) -> UseStanding:
        """Derive where it stands."""
        if self.sealing is not None:
            return UseStanding.USED
        if self.decision is not None and self.decision.verdict is Verdict.REJECT:
            return UseStanding.REJECTED
        if self.decision is not None and self.decision.verdict is Verdict.WITHDRAW:
            return UseStanding.WITHDRAWN
        if now >= self.expires_at:
            return UseStanding.EXPIRED
        return UseStanding.WAITING if self.decision is None else UseStanding.APPROVED


def concerns(request: UseRequest, principal: Principal) -> bool:
    """Tell whether a use request is any of the caller's business: theirs, or theirs to decide."""
    return request.caller == principal.subject or principal.may(RIGHT, request.seal)


def require_decider(request: UseRequest, verdict: Verdict, principal: Principal) -> None:
    """Refuse whoever may not decide this: to withdraw, the caller alone; else another person, who has the right."""
    if verdict is Verdict.REVIEW:
        raise UseRequestRefused("A use request is approved, rejected or withdrawn.")
    if verdict is Verdict.WITHDRAW:
        if request.caller != principal.subject:
            raise SecondPersonNeeded("Only who made a use request withdraws it.")
        return
    require_person(principal)
    principal.require(RIGHT, request.seal)
    if not names_of(principal).isdisjoint({request.caller, request.person}):
        raise SecondPersonNeeded("Who asked for a use does not decide about it: another person does.")


def require_open(request: UseRequest, *, shown: str, at: datetime) -> None:
    """Refuse to decide what is decided or over, or what is not what was shown."""
    standing = request.standing(at)
    if standing is not UseStanding.WAITING:
        raise UseRequestClosed(f"This use request is {standing.value}: nothing more is decided about it.")
    if shown != request.request_hash:
        raise UseRequestStale("The hash given is not that of this use request: look at it again.")


def require_usable(request: UseRequest, *, seal: str, request_hash: str, at: datetime) -> None:
    """Refuse to seal by a request that is not approved for just this."""
    if request.seal != seal or request.request_hash != request_hash:
        raise UseRequestStale("Another use was approved: the document, the seal or the words differ.")
    if request.sealing is not None:
        raise UseRequestUsed("This use request was used already: an approval is for one sealing.")
    standing = request.standing(at)
    if standing is not UseStanding.APPROVED:
        raise UseRequestNotApproved(f"This use request is {standing.value}.")
    if request.decision is None or request.decision.request_hash != request_hash:
        raise UseRequestStale("What was approved is not what stands in the use request.")
