"""Use requests: a caller asks for one use of a seal, a second person decides, and the caller seals by it, once."""

from datetime import timedelta

import sqlalchemy as sa

from kernel.audit import AuditLog, Fact
from kernel.clock import Clock
from kernel.db import Database
from kernel.ids import new_id
from kernel.objects import ObjectStore
from kernel.principal import Principal
from seal.affairs.model import Verdict, person_of
from seal.model import SealId
from seal.request import SealedDocument, SealRequest, asked_again, asked_hash, asked_text, request_hash
from seal.sealing import SealService
from seal.usage import store
from seal.usage.approvals import (
    LIFETIME,
    LONGEST_LIFE,
    RIGHT,
    UseRequest,
    UseRequestRefused,
    UseRequestStale,
    UseRequestUnknown,
    UseStanding,
    concerns,
    require_decider,
    require_open,
)

_TEXT_MAX = 500
_MOST_LISTED = 200
_AUDIT = {
    Verdict.APPROVE: "seal.use.approved",
    Verdict.REJECT: "seal.use.rejected",
    Verdict.WITHDRAW: "seal.use.recalled",
}


class UseRequests:
    """Takes use requests and decisions, and seals by them; safe to share between threads."""

    def __init__(
        self, *, db: Database, audit: AuditLog, clock: Clock, objects: ObjectStore, sealing: SealService
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._objects = objects
        self._sealing = sealing

    def ask(
        self,
        request: SealRequest,
        principal: Principal,
        *,
        client_address: str | None = None,
        lifetime: timedelta = LIFETIME,
    ) -> UseRequest:
        """Ask for a use and keep its document; needs ``seal.use:<seal>``. Refuses what could not be sealed now."""
        if not 0 < lifetime.total_seconds() <= LONGEST_LIFE.total_seconds():
            raise UseRequestRefused(f"A use request is decided and used within {LONGEST_LIFE.days} days.")
        if request.use_request is not None:
            raise UseRequestRefused("A use request does not name another.")
        task = self._sealing.rehearse(request, principal)
        now = self._clock.now()
        made = UseRequest(
            id=new_id(),
            seal=request.seal,
            caller=principal.subject,
            caller_kind=principal.kind.value,
            organisation=principal.organisation,
            person=person_of(principal),
            client_address=client_address,
            document_sm3=self._objects.put(request.document),
            pages=task.prepared.pages,
            request_hash=request_hash(request),
            asked=asked_text(request),
            at=now,
            expires_at=now + lifetime,
            decision=None,
            sealing=None,
        )
        columns = {column.name: getattr(made, column.name) for column in store.USE_REQUESTS.columns}
        with self._db.begin() as conn:
            store.insert(conn, store.USE_REQUESTS, **columns)
            self._log(conn, made, "seal.use.requested", principal)
        return made

    def decide(
        self, request: str, verdict: Verdict, principal: Principal, *, request_hash: str, note: str = ""
    ) -> UseRequest:
        """Record a decision: to approve or reject needs ``seal.use.approve:<seal>`` and not to have asked oneself.

        ``request_hash`` names what was shown to whoever decides.
        """
        if len(note) > _TEXT_MAX:
            raise UseRequestRefused(f"A note has at most {_TEXT_MAX} characters.")
        with self._db.begin() as conn:
            held = store.lock_use_request(conn, request)
            if held is None or not concerns(held, principal):
                raise UseRequestUnknown("There is no such use request.")
            require_decider(held, verdict, principal)
            now = self._clock.now()
            require_open(held, shown=request_hash, at=now)
            if asked_hash(held.asked, seal=held.seal, document_sm3=held.document_sm3) != held.request_hash:
                raise UseRequestStale("What was asked for does not stand on record as it was: ask anew.")
            store.insert(
                conn,
                store.USE_DECISIONS,
                request=held.id,
                verdict=verdict.value,
                by=principal.subject,
                person=person_of(principal),
                at=now,
                note=note,
                request_hash=request_hash,
            )
            self._log(conn, held, _AUDIT[verdict], principal)
            decided = store.find_use_request(conn, held.id)
        return decided or held

    def seal(
        self,
        request: str,
        principal: Principal,
        *,
        idempotency_key: str | None = None,
        client_address: str | None = None,
    ) -> SealedDocument:
        """Seal what was approved, as its caller; asked again, it is the same sealing that is given."""
        found = self.find(request, principal)
        if found.caller != principal.subject:
            raise UseRequestUnknown("There is no such use request of this caller.")
        document = self._objects.get(found.document_sm3)
        asked = asked_again(
            found.asked,
            document=document,
            seal=SealId(found.seal),
            use_request=found.id,
            idempotency_key=idempotency_key or f"use:{found.id}",
        )
        return self._sealing.seal(asked, principal, client_address=client_address)

    # --- asking ---

    def find(self, request: str, principal: Principal) -> UseRequest:
        """Give a use request to its caller, and to whoever may decide the like."""
        with self._db.read() as conn:
            found = store.find_use_request(conn, request)
        if found is None or not concerns(found, principal):
            raise UseRequestUnknown("There is no such use request.")
        return found

    def document(self, request: str, principal: Principal) -> bytes:
        """Give the document that is to be sealed to those whom the request concerns."""
        return self._objects.get(self.find(request, principal).document_sm3)

    def list(
        self, principal: Principal, *, waiting: bool = False, after: str | None = None, limit: int = 50
    ) -> tuple[UseRequest, ...]:
        """List a caller's own use requests and those they may decide, the newest first; or those that wait alone."""
        held = [right.removeprefix(f"{RIGHT}:") for right in principal.rights if right.startswith(f"{RIGHT}:")]
        last = self.find(after, principal) if after else None
        with self._db.read() as conn:
            return store.list_use_requests(
                conn,
                caller=principal.subject,
                seals=None if "*" in held else frozenset(held),
                waiting_at=self._clock.now() if waiting else None,
                after=last,
                limit=max(1, min(limit, _MOST_LISTED)),
            )

    def standing(self, request: UseRequest) -> UseStanding:
        """Tell where a use request stands now."""
        return request.standing(self._clock.now())

    def _log(self, conn: sa.Connection, request: UseRequest, action: str, principal: Principal) -> None:
        facts: dict[str, Fact] = {"seal": request.seal, "request_hash": request.request_hash}
        self._audit.append(
            conn, at=self._clock.now(), actor=principal.subject, action=action, target=request.id, facts=facts
        )
