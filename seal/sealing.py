"""Sealing: prepare, record the intent, sign, have our own verifier accept, complete.

Nothing is signed that is not on record, and nothing is handed out that is not complete. A crash or a refusal at any
step leaves an intent that ``pending`` shows and that a retry under the same Idempotency-Key takes up.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from crypto.digests import sm3
from crypto.errors import CryptoError
from crypto.keys import KeyVault
from kernel.audit import AuditLog
from kernel.clock import Clock
from kernel.db import Database
from kernel.errors import Refusal
from kernel.ids import new_id
from kernel.objects import ObjectStore
from kernel.outbox import Outbox
from kernel.principal import Principal
from seal import store
from seal.errors import (
    IdempotencyMismatch,
    RoomTooSmall,
    SealingInProgress,
    SealingNotRetryable,
    SigningUnavailable,
    UnknownSealing,
)
from seal.formats_table import SEALING_FORMATS, SealingFormat
from seal.hands import Hand, check_accepted
from seal.model import PreparedDocument, Report, SealId
from seal.preparing import Preparer, Task
from seal.register import SealRegister
from seal.request import (
    SealedDocument,
    SealRequest,
    asked_again,
    asked_hash,
    asked_text,
    request_hash,
)
from seal.stamping import Stamper
from seal.store import Progress
from seal.telling import tell_completed, tell_failed
from seal.trust import TrustSource
from seal.trust.evidence import EvidenceSource
from seal.verifying import MAX_DOCUMENT

LEASE = timedelta(minutes=2)


Judge = Callable[[bytes], Report]


class SealService:
    """Seals documents for callers who may use a seal; safe to share between threads.

    ``judge`` is our own verifier; it must know the trust anchors under which our seals are made. ``trust`` tells which
    certificates are revoked by now: no seal signs with one. With a ``stamper`` every signature of a format that
    carries time stamps gets one, or is refused: none is ever made without, unless level b-b is asked for. ``evidence``
    gives what the levels b-lt and b-lta embed.
    """

    def __init__(  # noqa: PLR0913 - its dependencies
        self,
        *,
        db: Database,
        audit: AuditLog,
        clock: Clock,
        objects: ObjectStore,
        vault: KeyVault,
        register: SealRegister,
        judge: Judge,
        stamper: Stamper | None = None,
        evidence: EvidenceSource | None = None,
        trust: TrustSource | None = None,
        formats: Mapping[str, SealingFormat] = SEALING_FORMATS,
        lease: timedelta = LEASE,
        max_document: int = MAX_DOCUMENT,
        outbox: Outbox | None = None,
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._objects = objects
        self._vault = vault
        self._register = register
        self._judge = judge
        self._evidence = evidence
        self._formats = formats
        if lease > store.LONGEST_LEASE:
            raise ValueError(f"an attempt may last {store.LONGEST_LEASE} at most")
        self._lease = lease
        self._preparer = Preparer(
            clock=clock,
            register=register,
            stamper=stamper,
            evidence=evidence,
            trust=trust,
            formats=formats,
            max_document=max_document,
        )
        self._outbox = outbox

    def seal(self, request: SealRequest, principal: Principal) -> SealedDocument:
        """Seal a document; needs the right ``seal.use:<seal>``.

        The same Idempotency-Key with the same request gives the same sealing, however often it is asked.
        """
        principal.require("seal.use", request.seal)
        # 1. An answer that exists already is given again.
        earlier = self._earlier(request, principal)
        if earlier and earlier.completion:
            return self._replay(earlier)
        return self._finish(request, principal, earlier)

    def retry(self, sealing: str, principal: Principal) -> SealedDocument:
        """Finish a sealing that failed or was interrupted, under its old serial; needs ``seal.use:<seal>``.

        Nobody need send the document again: it was kept before the intent was recorded.
        """
        earlier = self.progress(sealing, principal)
        principal.require("seal.use", earlier.intent.seal)
        if earlier.completion:
            return self._replay(earlier)
        if earlier.running:
            raise SealingInProgress("This sealing is being worked on; ask again in a minute.")
        return self._finish(self._asked(earlier), principal, earlier)

    def _asked(self, earlier: Progress) -> SealRequest:
        with self._db.read() as conn:
            asked = store.find_asked(conn, earlier.intent.id)
        intent = earlier.intent
        if asked is None or not self._objects.has(intent.document_before):
            raise SealingNotRetryable("The document of this sealing is not at hand: send the request again.")
        if asked_hash(asked, seal=intent.seal, document_sm3=intent.document_before) != intent.request_hash:
            raise SealingNotRetryable("What was asked for does not stand on record as it was: send the request again.")
        return asked_again(asked, document=self._objects.get(intent.document_before), seal=SealId(intent.seal))

    def _finish(self, request: SealRequest, principal: Principal, earlier: Progress | None) -> SealedDocument:
        try:
            try:
                return self._carry_out(request, principal, earlier)
            except _Short as short:
                # The stamper's token is larger than any before: laid out again with the room it takes, which is known
                # now, it is another attempt of the same sealing, with its own digest on record.
                return self._carry_out(request, principal, short.progress, last=True)
        except _Overtaken as overtaken:
            return self._after_the_race(request, principal, overtaken)

    def _carry_out(
        self, request: SealRequest, principal: Principal, earlier: Progress | None, *, last: bool = False
    ) -> SealedDocument:
        # 2. Prepare: lay the document out; refusals here leave no trace because nothing was promised.
        task = self._preparer.prepare(request, principal, earlier)
        # 3. Intent: the document is kept, serial and digest are on record, before the key is touched.
        self._objects.put(request.document)
        sealing, attempt = self._intend(task)
        with self._telling_if_short(sealing, last=last), self._noting_failure(task, sealing, attempt):
            # 4. Apply, once.
            document = self._apply(task, sealing, attempt)
            # 5. Our own verifier accepts it, or nobody receives it.
            report = self._accepted(task, document)
            # 6. Completion: the file create-only under its digest; then result and log entry together.
            return self._complete(task, sealing, attempt, document, report)

    # --- 1 ---

    def _earlier(self, request: SealRequest, principal: Principal) -> Progress | None:
        if request.idempotency_key is None:
            return None
        with self._db.read() as conn:
            earlier = store.find_by_key(conn, principal.subject, request.idempotency_key)
        if earlier is None:
            return None
        if earlier.intent.request_hash != request_hash(request):
            raise IdempotencyMismatch("This Idempotency-Key was used for a different request.")
        if earlier.running:
            raise SealingInProgress("The same request is being worked on; ask again in a minute.")
        return earlier

    def _after_the_race(self, request: SealRequest, principal: Principal, overtaken: "_Overtaken") -> SealedDocument:
        """Answer a call that lost to another with the same key: the winner's result, or that it is under way."""
        earlier = self._earlier(request, principal)
        if earlier is None and overtaken.__cause__ is None:
            raise SealingInProgress("Another attempt at this sealing is at work; ask again in a minute.")
        if earlier is None:
            raise overtaken.__cause__ or overtaken  # nobody overtook us: the database refused for its own reasons
        if earlier.completion:
            return self._replay(earlier)
        raise SealingInProgress("The same request is being worked on; ask again in a minute.")

    def _replay(self, progress: Progress) -> SealedDocument:
        intent, completion = progress.intent, progress.completion
        if completion is None:
            raise UnknownSealing("This sealing was never completed.")
        document = self._objects.get(completion.object_key)
        return SealedDocument(
            id=intent.id,
            serial=intent.serial,
            document=document,
            object_key=completion.object_key,
            seal=SealId(intent.seal),
            format=intent.format,
            media_type=self._formats[intent.format].document.media_type,
            sealed_at=completion.sealed_at,
            report=self._judge(document),
            replayed=True,
        )

    # --- 3 ---

    def _intend(self, task: Task) -> tuple[str, int]:
        try:
            with self._db.begin() as conn:
                return self._take_up(conn, task, task.earlier) if task.earlier else self._begin(conn, task)
        except sa.exc.IntegrityError as error:
            if task.request.idempotency_key is None:
                raise
            raise _Overtaken from error

    def _begin(self, conn: sa.Connection, task: Task) -> tuple[str, int]:
        request, sealing = task.request, new_id()
        store.lock_seal(conn, task.seal.id)
        # It may have been suspended since it was looked at; under the lock it cannot be.
        self._register.still(conn, task.seal, task.at)
        serial = store.next_serial(conn, task.seal.id)
        store.insert(
            conn,
            store.SEALINGS,
            id=sealing,
            seal=task.seal.id,
            serial=serial,
            caller=task.principal.subject,
            organisation=task.principal.organisation,
            idempotency_key=request.idempotency_key,
            request_hash=request_hash(request),
            document_before=sm3(request.document).hex(),
            format=task.format.name,
            document_kind=request.document_kind,
            case_number=request.case_number,
            reason=request.reason,
            intended_at=self._clock.now(),
        )
        store.insert(conn, store.SOURCES, sealing=sealing, asked=asked_text(request))
        self._attempt(conn, task, sealing, 1)
        formats = "+".join(hand.format.name for hand in task.hands)
        self._log(conn, task, "seal.sealing.intended", sealing, {"serial": serial, "format": formats})
        return sealing, 1

    def _take_up(self, conn: sa.Connection, task: Task, earlier: Progress) -> tuple[str, int]:
        """Try an interrupted sealing again, under its old serial."""
        sealing = earlier.intent.id
        store.lock_seal(conn, task.seal.id)
        self._register.still(conn, task.seal, task.at)
        store.lock_sealing(conn, sealing)
        now = store.find_progress(conn, sealing)
        if now is None or now.completion or now.attempt.number != earlier.attempt.number:
            raise _Overtaken
        number = now.attempt.number + 1
        self._attempt(conn, task, sealing, number)
        self._log(conn, task, "seal.sealing.retried", sealing, {"attempt": number})
        return sealing, number

    def _attempt(self, conn: sa.Connection, task: Task, sealing: str, number: int) -> None:
        store.insert(
            conn,
            store.ATTEMPTS,
            sealing=sealing,
            number=number,
            owner=task.owner,
            document_digest=task.prepared.document_digest.hex(),
            certificate=task.hands[0].signing.credential.certificate.fingerprint,
            sealed_at=task.at,
            lease_ends=store.lease_end(conn, self._lease),
        )

    # --- 4, 5 ---

    def _apply(self, task: Task, sealing: str, attempt: int) -> bytes:
        first, *others = task.hands
        try:
            document = first.apply(task.prepared, self._vault)
            for hand in others:
                prepared = hand.prepare(document)
                # Its digest holds the signature before it, so that it is known only now; the key is touched after.
                self._continue(task, sealing, attempt, hand, prepared)
                document = hand.apply(prepared, self._vault)
        except CryptoError as error:
            raise SigningUnavailable("The key of this seal cannot sign now; nothing was sealed.") from error
        return self._raised(task, document)

    def _raised(self, task: Task, document: bytes) -> bytes:
        """Add what a lasting level asks for: evidence about every signature of the sealing, then one stamp over all."""
        first = task.hands[0]
        raise_level, level, stamping = first.format.raise_level, first.level, first.stamping
        if raise_level is None or level is None or not level.lasting or stamping is None or self._evidence is None:
            return document
        return raise_level(document, level, self._evidence, replace(stamping), count=len(task.hands))

    def _continue(self, task: Task, sealing: str, attempt: int, hand: Hand, prepared: PreparedDocument) -> None:
        facts: dict[str, str | int | bool | None] = {
            "attempt": attempt,
            "format": hand.format.name,
            "digest": prepared.document_digest.hex(),
            "certificate": hand.signing.credential.certificate.fingerprint,
        }
        with self._db.begin() as conn:
            self._log(conn, task, "seal.sealing.continued", sealing, facts)

    def _accepted(self, task: Task, document: bytes) -> Report:
        report = self._judge(document)
        check_accepted(report, task.hands)
        return report

    # --- 6 ---

    def _complete(self, task: Task, sealing: str, attempt: int, document: bytes, report: Report) -> SealedDocument:
        key = self._objects.put(document)
        with self._db.begin() as conn:
            store.lock_sealing(conn, sealing)
            progress = store.find_progress(conn, sealing)
            if progress is None or progress.attempt.owner != task.owner:
                raise SealingInProgress("This attempt took too long and another took over; ask again.")
            store.insert(
                conn,
                store.COMPLETIONS,
                sealing=sealing,
                attempt=attempt,
                object_key=key,
                size=len(document),
                sealed_at=task.at,
                completed_at=self._clock.now(),
            )
            if self._outbox:
                tell_completed(self._outbox, conn, progress.intent, file=key, at=self._clock.now())
            self._log(conn, task, "seal.sealing.completed", sealing, {"file": key})
        return SealedDocument(
            id=sealing,
            serial=progress.intent.serial,
            document=document,
            object_key=key,
            seal=task.seal.id,
            format=task.format.name,
            media_type=task.format.document.media_type,
            sealed_at=task.at,
            report=report,
        )

    # --- failing ---

    @contextmanager
    def _telling_if_short(self, sealing: str, *, last: bool) -> Iterator[None]:
        """Let the caller lay the document out again, with the failure on record; the last attempt's stands."""
        try:
            yield
        except RoomTooSmall as small:
            with self._db.read() as conn:
                progress = None if last else store.find_progress(conn, sealing)
            if progress is None:
                raise
            raise _Short(progress) from small

    @contextmanager
    def _noting_failure(self, task: Task, sealing: str, attempt: int) -> Iterator[None]:
        """Put an attempt's failure on record, so that a retry need not wait for its lease to end."""
        try:
            yield
        except Exception as failure:
            code = failure.code if isinstance(failure, Refusal | CryptoError) else type(failure).__name__
            try:
                # Room that was too small is found again at once, and is no news to the caller.
                self._note_failure(task, sealing, attempt, code, tell=not isinstance(failure, RoomTooSmall))
            except sa.exc.SQLAlchemyError as unrecorded:
                # The intent stays on record, and its lease will end.
                failure.add_note(f"and the failure could not be recorded: {type(unrecorded).__name__}")
            raise

    def _note_failure(self, task: Task, sealing: str, attempt: int, code: str, *, tell: bool) -> None:
        with self._db.begin() as conn:
            store.lock_sealing(conn, sealing)
            progress = store.find_progress(conn, sealing)
            # A database that went away may have committed before it could say so; another may have taken over.
            if progress is None or progress.completion or progress.attempt.owner != task.owner:
                return
            at = self._clock.now()
            store.insert(conn, store.FAILURES, sealing=sealing, number=attempt, code=code, at=at)
            if self._outbox and tell:
                tell_failed(self._outbox, conn, progress.intent, number=attempt, code=code, at=at)
            self._log(conn, task, "seal.sealing.failed", sealing, {"attempt": attempt, "code": code})

    def _log(
        self,
        conn: sa.Connection,
        task: Task,
        action: str,
        sealing: str,
        facts: Mapping[str, str | int | bool | None],
    ) -> None:
        self._audit.append(
            conn,
            at=self._clock.now(),
            actor=task.principal.subject,
            action=action,
            target=sealing,
            facts={"seal": task.seal.id, **facts},
        )

    # --- asking ---

    def progress(self, sealing: str, principal: Principal) -> Progress:
        """Tell how far a sealing came; only to its caller and to those who may use its seal."""
        with self._db.read() as conn:
            found = store.find_progress(conn, sealing)
        if found is None or not (
            found.intent.caller == principal.subject or principal.may("seal.use", found.intent.seal)
        ):
            raise UnknownSealing("There is no such sealing.")
        return found

    def sealed(self, sealing: str, principal: Principal) -> SealedDocument:
        """Give a completed sealing again, judged anew."""
        return self._replay(self.progress(sealing, principal))

    def document(self, sealing: str, principal: Principal) -> tuple[bytes, str]:
        """Give the file of a completed sealing and its media type."""
        progress = self.progress(sealing, principal)
        if progress.completion is None:
            raise SealingInProgress("This sealing is not completed.")
        media_type = self._formats[progress.intent.format].document.media_type
        return self._objects.get(progress.completion.object_key), media_type

    def pending(self, limit: int = 100) -> tuple[Progress, ...]:
        """List the oldest sealings that were intended and not completed: under way, failed or interrupted."""
        with self._db.read() as conn:
            return store.list_pending(conn, limit=limit)


class _Short(Exception):
    """The first attempt laid too little room aside for what was to go into the document."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = progress


class _Overtaken(Exception):
    """Another call with the same Idempotency-Key got there first."""
