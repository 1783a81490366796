"""Admission: whether a seal's use policy lets this use through, looked at with the seal in hand."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial

import sqlalchemy as sa

from kernel.audit import Fact
from kernel.errors import Forbidden, Reason, Refusal
from seal.model import UsePolicy
from seal.preparing import Task
from seal.register import SealRegister
from seal.request import request_hash
from seal.usage import grants, store
from seal.usage.approvals import UseRequestUnknown, require_usable
from seal.usage.grants import GrantMissing, GrantRefused, Use


class UseApprovalNeeded(Forbidden):
    """Each use of this seal is approved by a second person: ask by a use request, and seal by that."""

    code = "use_approval_needed"


class UsePolicyChanged(Refusal):
    """The sealing was begun under another use policy, and cannot be finished under that of now."""

    reason, code = Reason.CONFLICT, "use_policy_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """What a use was let through by."""

    grant: str | None = None
    approval: str | None = None

    def facts(self) -> dict[str, Fact]:
        """Tell it to the log; of an open seal's use there is nothing to tell."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class Admission:
    """Lets uses through, or refuses; holds nothing. Every method works within the caller's transaction."""

    def __init__(self, register: SealRegister) -> None:
        self._register = register

    def admit(self, conn: sa.Connection, tasks: Sequence[Task]) -> tuple[Admitted, ...]:
        """Say by what new uses of one seal are let through; a refusal says which rule, and when it would be.

        Only where the seal is locked is the answer good: else another call may take the last unit, or the approval.
        """
        policy = self._register.policy(conn, tasks[0].seal.id)
        # Units that uses before them in the same transaction take.
        taken: Counter[str] = Counter()
        admitted = []
        for task in tasks:
            approval = None
            if task.request.use_request is not None:
                approval = self._approved(conn, task, task.request.use_request)
            elif policy is UsePolicy.APPROVED:
                raise UseApprovalNeeded("Each use of this seal is approved by a second person: make a use request.")
            grant = self._granted(conn, task, taken) if policy is UsePolicy.GRANTED else None
            taken.update(filter(None, (grant,)))
            admitted.append(Admitted(grant=grant, approval=approval))
        return tuple(admitted)

    def go_on(self, conn: sa.Connection, seal: str, sealing: str) -> None:
        """Let a use that was admitted once be tried again: it takes no second unit, but its leave must stand still."""
        policy = self._register.policy(conn, seal)
        if policy is UsePolicy.OPEN:
            return
        kept = store.find_usage(conn, sealing)
        if kept is None or (kept.grant if policy is UsePolicy.GRANTED else kept.approval) is None:
            raise UsePolicyChanged("This was begun when the seal could be used otherwise: send the request anew.")
        grant = store.find_grant(conn, kept.grant) if kept.grant else None
        if policy is UsePolicy.GRANTED and (grant is None or grant.ended_at is not None):
            raise GrantMissing("The grant that this was begun under has ended.")

    @staticmethod
    def _granted(conn: sa.Connection, task: Task, taken: Mapping[str, int]) -> str:
        principal, request = task.principal, task.request
        use = Use(
            formats=tuple(hand.format.name for hand in task.hands),
            document_kind=request.document_kind,
            amount=request.amount,
            at=task.at,
        )
        refusals: dict[str, GrantRefused] = {}
        for grant in store.grants_for(
            conn, task.seal.id, subject=principal.subject, organisation=principal.organisation, at=task.at
        ):
            refusal = grants.check(grant, use, partial(_count, conn, grant.id, taken.get(grant.id, 0)))
            if refusal is None:
                return grant.id
            refusals[grant.id] = refusal
        if not refusals:
            raise GrantMissing("The use of this seal must be granted, and no grant in force is for this caller.")
        raise grants.nearest(refusals)

    @staticmethod
    def _approved(conn: sa.Connection, task: Task, name: str) -> str:
        found = store.find_use_request(conn, name)
        if found is None or found.caller != task.principal.subject:
            raise UseRequestUnknown("There is no such use request of this caller.")
        require_usable(found, seal=task.seal.id, request_hash=request_hash(task.request), at=task.at)
        return found.id


def usage_row(sealing: str, task: Task, admitted: Admitted) -> dict[str, object]:
    """Give the use's own facts, to be recorded within the transaction of its intent."""
    principal = task.principal
    return {
        "sealing": sealing,
        "caller_kind": principal.kind.value,
        "person": principal.person,
        "client_address": task.client_address,
        "pages": task.prepared.pages,
        "amount": task.request.amount,
        "grant": admitted.grant,
        "approval": admitted.approval,
        "at": task.at,
    }


def _count(conn: sa.Connection, grant: str, more: int, since: datetime | None, most: int) -> int:
    return more + store.first_uses(conn, grant, since, most)
