"""The service of affairs: one person proposes, others decide, and the last word needed carries it out at once.

Every step and its audit entry are one transaction; an approval and what it does are one, too. There is no way to
change an affair: whoever wants another one withdraws it and proposes anew.
"""

import json
from dataclasses import replace

import sqlalchemy as sa

from crypto.digests import sm3
from kernel.audit import AuditLog, Fact, canonical
from kernel.clock import Clock
from kernel.db import Database
from kernel.errors import Forbidden
from kernel.ids import new_id
from kernel.objects import ObjectStore
from kernel.principal import Principal
from seal import store as seals
from seal import versions
from seal.affairs import store
from seal.affairs.actions import RULES, Action, Rule
from seal.affairs.carrying import Carrier
from seal.affairs.checks import (
    TEXT_MAX,
    awaits,
    concerns,
    require_decider,
    require_own,
    require_shown,
    require_status,
    require_texts,
    require_turn,
)
from seal.affairs.model import (
    Affair,
    AffairRefused,
    Decision,
    Proposal,
    Standing,
    UnknownAffair,
    Verdict,
    person_of,
)
from seal.affairs.payloads import written
from seal.affairs.warrant import Agreed, issue
from seal.errors import IdempotencyMismatch

_MOST_LISTED = 200
_AUDIT = {
    Verdict.REVIEW: "seal.affair.reviewed",
    Verdict.APPROVE: "seal.affair.approved",
    Verdict.REJECT: "seal.affair.rejected",
    Verdict.WITHDRAW: "seal.affair.recalled",
}


class AffairService:
    """Takes proposals and decisions; safe to share between threads."""

    def __init__(self, *, db: Database, audit: AuditLog, clock: Clock, objects: ObjectStore, carrier: Carrier) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._objects = objects
        self._carrier = carrier

    # --- proposing ---

    def keep(self, content: bytes) -> str:
        """Keep a paper or a picture that a proposal is to name; give its key."""
        return self._objects.put(content)

    def keep_for(self, content: bytes, principal: Principal) -> str:
        """Keep a paper for a caller; refuses whoever has no right to propose anything."""
        proposing = {f"{rule.propose}:" for rule in RULES.values()}
        if not any(right.startswith(tuple(proposing)) for right in principal.rights):
            raise Forbidden("This needs a right to propose something, which the caller was not granted.")
        return self.keep(content)

    def propose(self, proposal: Proposal, principal: Principal) -> Affair:
        """Put an affair on record; what takes no second person is done at once.

        Needs the right to propose that ``RULES`` names, on this seal.
        """
        return self.propose_once(proposal, principal, None)[0]

    def propose_once(self, proposal: Proposal, principal: Principal, key: str | None) -> tuple[Affair, bool]:
        """Propose under an Idempotency-Key: the same again gives the affair as it stands now, and True.

        IdempotencyMismatch for a caller's key that stands for another proposal.
        """
        rule = RULES[proposal.action]
        principal.require(rule.propose, proposal.seal)
        affair = self._affair(proposal, rule, principal)
        require_own(affair, principal)
        with self._db.begin() as conn:
            # Before anything that may have changed since: the status is no longer what it was when this was done.
            earlier = _earlier(conn, affair, proposal, principal, key) if key is not None else None
            if earlier is not None:
                return earlier, True
            require_status(conn, affair)
            store.insert_affair(conn, affair)
            self._log(conn, affair, "seal.affair.proposed", principal)
            done = None if rule.four_eyes else self._carry_out(conn, affair)
        return replace(affair, outcome=done), False

    def _affair(self, proposal: Proposal, rule: Rule, principal: Principal) -> Affair:
        require_texts(proposal, rule)
        for paper in proposal.papers:
            if not self._objects.has(paper.object_key):
                raise AffairRefused(f"The paper {paper.kind} is not in the object store.")
        # Kept to the microsecond by every database.
        now = self._clock.now()
        affair = Affair(
            id=new_id(),
            action=proposal.action,
            seal=proposal.seal,
            payload=written(proposal.action, proposal.payload),
            payload_sm3="",
            papers=proposal.papers,
            reason=proposal.reason,
            legal_basis=proposal.legal_basis,
            proposed_by=principal.subject,
            proposer=person_of(principal),
            proposed_at=now,
            expires_at=now + proposal.lifetime,
        )
        return replace(affair, payload_sm3=affair.statement_hash())

    # --- deciding ---

    def decide(
        self, affair: str, verdict: Verdict, principal: Principal, *, payload_sm3: str, note: str = ""
    ) -> Affair:
        """Record what ``principal`` decides about what they were shown; the approval that was missing carries it out.

        ``payload_sm3`` names what they were shown. If it cannot be carried out, nothing is decided either.
        """
        # 1. Nobody else comes between: the affair is held.
        # 2. Who: a natural person with the right, who has had no part in it; to withdraw, the proposer.
        # 3. What: the record is whole, and it is what was shown to this person and those before.
        # 4. When: it still waits for just this.
        # 5. The decision and its audit entry; with the last approval, the deed.
        if len(note) > TEXT_MAX:
            raise AffairRefused(f"A note has at most {TEXT_MAX} characters.")
        with self._db.begin() as conn:
            held = store.lock_affair(conn, affair)
            if held is None or not concerns(held, principal):
                raise UnknownAffair("There is no such affair.")
            now = self._clock.now()
            require_decider(held, verdict, principal)
            require_shown(held, payload_sm3)
            require_turn(verdict, held.standing(now))
            decision = Decision(
                affair=held.id,
                number=len(held.decisions) + 1,
                by=principal.subject,
                person=person_of(principal),
                verdict=verdict,
                at=now,
                note=note,
                payload_sm3=payload_sm3,
            )
            store.insert_decision(conn, decision)
            decided = replace(held, decisions=(*held.decisions, decision))
            self._log(conn, decided, _AUDIT[verdict], principal)
            if verdict is Verdict.APPROVE:
                decided = replace(decided, outcome=self._carry_out(conn, decided))
        if verdict is Verdict.APPROVE and decided.action is Action.DESTROY:
            self._destroy_keys(decided, principal)
        return decided

    def _carry_out(self, conn: sa.Connection, affair: Affair) -> str:
        agreed = [Agreed(affair.proposed_by, affair.proposer)]
        agreed += [Agreed(each.by, each.person) for each in affair.decisions]
        now = self._clock.now()
        warrant = issue(
            conn,
            affair=affair.id,
            action=affair.action,
            seal=affair.seal,
            agreed=tuple(agreed),
            reason=affair.reason,
            legal_basis=affair.legal_basis,
            at=now,
        )
        outcome = self._carrier.carry_out(warrant, affair)
        store.insert_outcome(conn, affair.id, at=now, facts=outcome)
        return outcome

    def _destroy_keys(self, affair: Affair, principal: Principal) -> None:
        # After the commit: a key that is gone cannot be rolled back, a seal that is destroyed signs no more anyway.
        self._keys_ended(affair, self._carrier.destroy_keys(affair), "vault", principal)

    def keys_destroyed_by_hand(self, affair: str, principal: Principal) -> tuple[str, ...]:
        """Put on record that what the vault could not destroy was destroyed by hand; give which keys.

        Needs the right ``seal.manage:<seal>``.
        """
        found = self.find(affair, principal)
        principal.require(RULES[Action.DESTROY].propose, found.seal)
        if found.action is not Action.DESTROY or found.outcome is None:
            raise AffairRefused("This affair destroyed no seal.")
        with self._db.read() as conn:
            ended = {each.key for each in versions.key_ends(conn, found.seal)}
        left = tuple(key for key in json.loads(found.outcome)["keys"] if key not in ended)
        self._keys_ended(found, left, "by hand", principal)
        return left

    def _keys_ended(self, affair: Affair, keys: tuple[str, ...], how: str, principal: Principal) -> None:
        now = self._clock.now()
        with self._db.begin() as conn:
            for key in keys:
                columns = {"key": key, "how": how, "by": principal.subject, "at": now}
                seals.insert(conn, versions.KEY_ENDS, seal=affair.seal, **columns)
            for key in keys:
                facts: dict[str, Fact] = {"seal": affair.seal, "affair": affair.id, "how": how}
                actor, action = principal.subject, "seal.key_destroyed"
                self._audit.append(conn, at=now, actor=actor, action=action, target=key, facts=facts)

    # --- asking ---

    def paper(self, affair: str, object_key: str, principal: Principal) -> bytes:
        """Give a paper, or the picture, that an affair names, to those whom it concerns."""
        found = self.find(affair, principal)
        if object_key not in found.objects:
            raise UnknownAffair("This affair names no such paper.")
        return self._objects.get(object_key)

    def find(self, affair: str, principal: Principal) -> Affair:
        """Give an affair to those it concerns: its proposer, and whoever may propose or decide the like."""
        with self._db.read() as conn:
            found = store.find_affair(conn, affair)
        if found is None or not concerns(found, principal):
            raise UnknownAffair("There is no such affair.")
        return found

    def list(
        self,
        principal: Principal,
        *,
        waiting: bool = False,
        seal: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> tuple[Affair, ...]:
        """List the affairs that concern a caller, newest first; with ``waiting``, those that wait for just them."""
        now, limit = self._clock.now(), min(limit, _MOST_LISTED)
        last = self.find(after, principal) if after else None
        found: list[Affair] = []
        with self._db.read() as conn:
            while page := store.list_affairs(
                conn, principal, seal=seal, after=last, open_at=now if waiting else None, limit=_MOST_LISTED
            ):
                found += [each for each in page if not waiting or awaits(each, principal, each.standing(now))]
                last = page[-1]
                if len(found) >= limit or len(page) < _MOST_LISTED:
                    break
        return tuple(found[:limit])

    def standing(self, affair: Affair) -> Standing:
        """Tell where an affair stands now."""
        return affair.standing(self._clock.now())

    def _log(self, conn: sa.Connection, affair: Affair, action: str, principal: Principal) -> None:
        self._audit.append(
            conn,
            at=self._clock.now(),
            actor=principal.subject,
            action=action,
            target=affair.id,
            facts={"seal": affair.seal, "action": affair.action.value, "payload_sm3": affair.payload_sm3},
        )


def _earlier(conn: sa.Connection, affair: Affair, proposal: Proposal, principal: Principal, key: str) -> Affair | None:
    """Give the affair that an Idempotency-Key stands for already; None if it stands for this one from now on."""
    asked = {
        "action": affair.action.value,
        "seal": affair.seal,
        "payload": affair.payload,
        "papers": [[paper.kind, paper.object_key] for paper in affair.papers],
        "reason": affair.reason,
        "legal_basis": affair.legal_basis,
        "seconds": int(proposal.lifetime.total_seconds()),
    }
    hashed = sm3(canonical(asked).encode()).hex()
    held, earlier = store.claim_request(conn, caller=principal.subject, key=key, request_hash=hashed, affair=affair.id)
    if held != hashed:
        raise IdempotencyMismatch("This Idempotency-Key was used for a different proposal.")
    return None if earlier == affair.id else store.find_affair(conn, earlier)
