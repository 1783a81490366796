"""Recording: intents, attempts, failures and completions of sealings, each with its log entry, in one transaction.

Whatever is recorded of one sealing can be recorded of many at once: a document at a time, most of the time would go
into statements and into waiting for the disk.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from crypto.errors import CryptoError
from kernel.audit import AuditLog, Deed, Fact
from kernel.clock import Clock
from kernel.db import Database
from kernel.errors import Refusal
from kernel.ids import new_id
from kernel.outbox import Outbox
from seal import store
from seal.errors import RoomTooSmall
from seal.hands import Achieved, Hand
from seal.later.store import owe
from seal.model import PreparedDocument, Report
from seal.preparing import Task
from seal.register import SealRegister
from seal.request import asked_text, request_hash
from seal.store import Intent, Progress
from seal.telling import tell_completed, tell_failed
from seal.usage.admission import Admission, Admitted, usage_row
from seal.usage.store import USAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """An attempt at a sealing that is on record: its key may be touched now."""

    task: Task
    sealing: str
    attempt: int
    document_sm3: str
    """Of the document as it came, hexadecimal: it is kept under this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A sealed document that our own verifier accepted."""

    begun: Begun
    document: bytes
    report: Report
    reached: Achieved


class Overtaken(Exception):
    """Another call with the same Idempotency-Key got there first."""


class Recorder:
    """Puts on record what becomes of sealings. Each method is one transaction: all of it, or nothing."""

    def __init__(  # noqa: PLR0913 - its dependencies
        self,
        *,
        db: Database,
        audit: AuditLog,
        clock: Clock,
        register: SealRegister,
        outbox: Outbox | None,
        lease: timedelta,
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._register = register
        self._outbox = outbox
        self._lease = lease
        self._admission = Admission(register)

    # --- intents ---

    def begin(self, tasks: Sequence[Task], documents: Sequence[str]) -> tuple[Begun, ...]:
        """Record new sealings by one seal, under consecutive serials; Overtaken if one of their keys is taken.

        ``documents`` are the keys under which the documents are kept.
        """
        begun = tuple(
            Begun(task=task, sealing=new_id(), attempt=1, document_sm3=key)
            for task, key in zip(tasks, documents, strict=True)
        )
        try:
            with self._db.begin() as conn:
                self._hold(conn, tasks)
                self._intend(conn, begun, self._admission.admit(conn, tasks))
        except sa.exc.IntegrityError as error:
            if all(task.request.idempotency_key is None for task in tasks):
                raise
            raise Overtaken from error
        return begun

    def take_up(self, task: Task, earlier: Progress) -> Begun:
        """Record another attempt at a sealing, under its old serial; Overtaken if it is not as it was found."""
        sealing, last = earlier.intent.id, earlier.attempt.number
        with self._db.begin() as conn:
            self._hold(conn, [task])
            store.lock_sealing(conn, sealing)
            now = store.find_progress(conn, sealing)
            if now is None or now.completion or now.attempt.number != last:
                raise Overtaken
            self._admission.go_on(conn, task.seal.id, sealing)
            begun = Begun(task=task, sealing=sealing, attempt=last + 1, document_sm3=now.intent.document_before)
            self._attempt(conn, [begun])
            self._log(conn, "seal.sealing.retried", begun, {"attempt": begun.attempt})
        return begun

    def require_admitted(self, task: Task) -> None:
        """Refuse what the seal's use policy does not let through now; only ``begin`` can tell for good."""
        with self._db.read() as conn:
            self._admission.admit(conn, [task])

    def _hold(self, conn: sa.Connection, tasks: Sequence[Task]) -> None:
        """Hold the seal, and refuse unless it may still sign: it may have been suspended since it was looked at."""
        first = tasks[0]
        store.lock_seal(conn, first.seal.id)
        for seal, at in {(task.seal.id, task.at): (task.seal, task.at) for task in tasks}.values():
            self._register.still(conn, seal, at)

    def _intend(self, conn: sa.Connection, begun: Sequence[Begun], admitted: Sequence[Admitted]) -> None:
        first, now = store.next_serial(conn, begun[0].task.seal.id), self._clock.now()
        rows = [
            {
                "id": each.sealing,
                "seal": each.task.seal.id,
                "serial": first + number,
                "caller": each.task.principal.subject,
                "organisation": each.task.principal.organisation,
                "idempotency_key": each.task.request.idempotency_key,
                "request_hash": request_hash(each.task.request, each.document_sm3),
                "document_before": each.document_sm3,
                "format": each.task.format.name,
                "document_kind": each.task.request.document_kind,
                "case_number": each.task.request.case_number,
                "reason": each.task.request.reason,
                "intended_at": now,
            }
            for number, each in enumerate(begun)
        ]
        store.insert_all(conn, store.SEALINGS, rows)
        sources = [{"sealing": each.sealing, "asked": asked_text(each.task.request)} for each in begun]
        store.insert_all(conn, store.SOURCES, sources)
        uses = [usage_row(each.sealing, each.task, by) for each, by in zip(begun, admitted, strict=True)]
        store.insert_all(conn, USAGES, uses)
        self._attempt(conn, begun)
        told = []
        for number, (each, by) in enumerate(zip(begun, admitted, strict=True)):
            formats = "+".join(hand.format.name for hand in each.task.hands)
            note = each.task.format.document.note
            noted = note(conn, each.sealing, each.task.request.document) if note else {}
            facts = {"serial": first + number, "format": formats, **noted, **by.facts()}
            told.append(self._deed("seal.sealing.intended", each, facts))
        self._audit.append_all(conn, told)

    def _attempt(self, conn: sa.Connection, begun: Sequence[Begun]) -> None:
        ends = store.lease_end(conn, self._lease)
        rows = [
            {
                "sealing": each.sealing,
                "number": each.attempt,
                "owner": each.task.owner,
                "document_digest": each.task.prepared.document_digest.hex(),
                "certificate": each.task.hands[0].signing.credential.certificate.fingerprint,
                "sealed_at": each.task.at,
                "lease_ends": ends,
            }
            for each in begun
        ]
        store.insert_all(conn, store.ATTEMPTS, rows)

    def continued(self, begun: Begun, hand: Hand, prepared: PreparedDocument) -> None:
        """Record what another hand of the sealing is about to sign."""
        facts: dict[str, Fact] = {
            "attempt": begun.attempt,
            "format": hand.format.name,
            "digest": prepared.document_digest.hex(),
            "certificate": hand.signing.credential.certificate.fingerprint,
        }
        with self._db.begin() as conn:
            self._log(conn, "seal.sealing.continued", begun, facts)

    # --- ends ---

    def complete(self, made: Sequence[Made], files: Sequence[str]) -> tuple[Intent | None, ...]:
        """Record results, kept under the keys ``files``; None for each whose sealing another took over meanwhile."""
        with self._db.begin() as conn:
            store.lock_sealings(conn, [each.begun.sealing for each in made])
            progress = store.find_progresses(conn, [each.begun.sealing for each in made])
            ours = {
                each.begun.sealing: (each, key)
                for each, key in zip(made, files, strict=True)
                if (now := progress.get(each.begun.sealing)) and now.attempt.owner == each.begun.task.owner
            }
            intents = {sealing: progress[sealing].intent for sealing in ours}
            if ours:
                self._conclude(conn, tuple(ours.values()), intents)
        return tuple(intents.get(each.begun.sealing) for each in made)

    def _conclude(self, conn: sa.Connection, made: Sequence[tuple[Made, str]], intents: Mapping[str, Intent]) -> None:
        now = self._clock.now()
        rows = [
            {
                "sealing": each.begun.sealing,
                "attempt": each.begun.attempt,
                "object_key": key,
                "size": len(each.document),
                "sealed_at": each.begun.task.at,
                "completed_at": now,
                "level": each.reached.level,
                "time_source": each.reached.time_source.value,
            }
            for each, key in made
        ]
        store.insert_all(conn, store.COMPLETIONS, rows)
        owe(conn, {each.begun.sealing: each.reached.owed for each, _ in made if each.reached.owed}, now)
        times = {each.begun.sealing: each.reached.trusted_time.value for each, _ in made}
        if self._outbox:
            news = [(intents[one.begun.sealing], key, times[one.begun.sealing]) for one, key in made]
            tell_completed(self._outbox, conn, news, at=now)
        told = [
            self._deed("seal.sealing.completed", one.begun, {"file": key, "trusted_time": times[one.begun.sealing]})
            for one, key in made
        ]
        self._audit.append_all(conn, told)

    def failed(self, begun: Begun, failure: Exception) -> None:
        """Record that an attempt failed, so that a retry need not wait for its lease to end.

        Where even that fails, a note of it is added to ``failure``: the intent stays on record, its lease will end.
        """
        code = failure.code if isinstance(failure, Refusal | CryptoError) else type(failure).__name__
        sealing, number, now = begun.sealing, begun.attempt, self._clock.now()
        try:
            with self._db.begin() as conn:
                store.lock_sealing(conn, sealing)
                progress = store.find_progress(conn, sealing)
                # A database that went away may have committed before it could say so; another may have taken over.
                if progress is None or progress.completion or progress.attempt.owner != begun.task.owner:
                    return
                store.insert(conn, store.FAILURES, sealing=sealing, number=number, code=code, at=now)
                # Room that was too small is found again at once, and is no news to the caller.
                if self._outbox and not isinstance(failure, RoomTooSmall):
                    tell_failed(self._outbox, conn, progress.intent, number=number, code=code, at=now)
                self._log(conn, "seal.sealing.failed", begun, {"attempt": number, "code": code})
        except sa.exc.SQLAlchemyError as unrecorded:
            failure.add_note(f"and the failure could not be recorded: {type(unrecorded).__name__}")

    # --- the log ---

    def _log(self, conn: sa.Connection, action: str, begun: Begun, facts: Mapping[str, Fact]) -> None:
        self._audit.append_all(conn, [self._deed(action, begun, facts)])

    def _deed(self, action: str, begun: Begun, facts: Mapping[str, Fact]) -> Deed:
        return Deed(
            at=self._clock.now(),
            actor=begun.task.principal.subject,
            action=action,
            target=begun.sealing,
            facts={"seal": begun.task.seal.id, **facts},
        )
