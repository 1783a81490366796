"""Sealing: prepare, record the intent, sign, have our own verifier accept, complete.

Nothing is signed that is not on record, and nothing is handed out that is not complete. A crash or a refusal at any
step leaves an intent that ``pending`` shows and that a retry under the same Idempotency-Key takes up.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from crypto.digests import sm3
from crypto.errors import CryptoError
from crypto.keys import KeyVault, sign
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
    PlacementRefused,
    SealingInProgress,
    SealingNotRetryable,
    SealingRejected,
    SealNotUsable,
    SigningUnavailable,
    UnknownSealing,
)
from seal.formats_table import SEALING_FORMATS, SealingFormat, sealing_format
from seal.model import Credential, Mark, PreparedDocument, Report, Seal, SealId, SignatureReport, TimeSource, Verdict
from seal.register import SealCredential, SealRegister
from seal.request import (
    DEFAULT_PLACEMENT,
    SealedDocument,
    SealRequest,
    asked_again,
    asked_text,
    check_texts,
    request_hash,
)
from seal.stamping import Stamper, Stamping
from seal.store import Progress
from seal.telling import tell_completed, tell_failed
from seal.trust import TrustSource, revoked_at
from seal.verifying import MAX_DOCUMENT, check_size

LEASE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """A request that may be carried out: all that the steps after preparation need."""

    request: SealRequest
    principal: Principal
    seal: Seal
    format: SealingFormat
    signing: SealCredential
    stamping: Stamping | None
    prepared: PreparedDocument
    at: datetime
    owner: str
    earlier: Progress | None


Judge = Callable[[bytes], Report]


class SealService:
    """Seals documents for callers who may use a seal; safe to share between threads.

    ``judge`` is our own verifier; it must know the trust anchors under which our seals are made. ``trust`` tells which
    certificates are revoked by now: no seal signs with one. With a ``stamper`` every signature of a format that
    carries time stamps gets one, or is refused: none is ever made without.
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
        self._stamper = stamper
        self._trust = trust
        self._formats = formats
        self._lease = lease
        self._max_document = max_document
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
        return self._carry_out(request, principal, earlier)

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
        return self._carry_out(self._asked(earlier), principal, earlier)

    def _asked(self, earlier: Progress) -> SealRequest:
        with self._db.read() as conn:
            asked = store.find_asked(conn, earlier.intent.id)
        if asked is None or not self._objects.has(earlier.intent.document_before):
            raise SealingNotRetryable("The document of this sealing is not at hand: send the request again.")
        document = self._objects.get(earlier.intent.document_before)
        request = asked_again(asked, document=document, seal=SealId(earlier.intent.seal))
        if request_hash(request) != earlier.intent.request_hash:
            raise SealingNotRetryable("What was asked for does not stand on record as it was: send the request again.")
        return request

    def _carry_out(self, request: SealRequest, principal: Principal, earlier: Progress | None) -> SealedDocument:
        # 2. Prepare: lay the document out; refusals here leave no trace because nothing was promised.
        task = self._prepare(request, principal, earlier)
        # 3. Intent: the document is kept, serial and digest are on record, before the key is touched.
        self._objects.put(request.document)
        try:
            sealing, attempt = self._intend(task)
        except _Overtaken as overtaken:
            return self._after_the_race(request, principal, overtaken)
        with self._noting_failure(task, sealing, attempt):
            # 4. Apply, once.
            document = self._apply(task)
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

    # --- 2 ---

    def _prepare(self, request: SealRequest, principal: Principal, earlier: Progress | None) -> _Task:
        check_texts(request)
        check_size(request.document, self._max_document)
        chosen = sealing_format(request.document, request.format, self._formats)
        if request.placement is not None and not chosen.pictured:
            raise PlacementRefused(f"{chosen.name} shows no picture of the seal: name no place for it.")
        seal = self._register.find(request.seal)
        signing = self._register.credential(seal, chosen.suite)
        # Formats carry whole seconds; ours is the time that will be read back from the file.
        at = self._clock.now().replace(microsecond=0)
        self._register.usable(seal, at, signing.credential.certificate)
        self._not_revoked(seal, signing.credential, at)
        mark = Mark(
            seal_name=seal.name,
            picture=seal.picture,
            placement=request.placement or DEFAULT_PLACEMENT,
            reason=request.reason,
            closes=request.closes,
        )
        stamping = Stamping(self._stamper) if self._stamper is not None and chosen.stamped else None
        credential = replace(signing.credential, stamper=stamping)
        prepared = chosen.layout.prepare(request.document, mark, credential, at)
        return _Task(
            request=request,
            principal=principal,
            seal=seal,
            format=chosen,
            signing=signing,
            stamping=stamping,
            prepared=prepared,
            at=at,
            owner=new_id(),
            earlier=earlier,
        )

    def _not_revoked(self, seal: Seal, credential: Credential, at: datetime) -> None:
        if self._trust is None:
            return
        revoked = revoked_at(credential.certificate, others=credential.chain, trust=self._trust(), at=at)
        if revoked is not None:
            raise SealNotUsable(f"The certificate of seal {seal.id} does not count any more: {revoked.detail}.")

    # --- 3 ---

    def _intend(self, task: _Task) -> tuple[str, int]:
        try:
            with self._db.begin() as conn:
                return self._take_up(conn, task, task.earlier) if task.earlier else self._begin(conn, task)
        except sa.exc.IntegrityError as error:
            if task.request.idempotency_key is None:
                raise
            raise _Overtaken from error

    def _begin(self, conn: sa.Connection, task: _Task) -> tuple[str, int]:
        request, sealing = task.request, new_id()
        store.lock_seal(conn, task.seal.id)
        # It may have been suspended since it was looked at; under the lock it cannot be.
        self._register.usable(self._register.read(conn, task.seal.id), task.at)
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
        self._log(conn, task, "seal.sealing.intended", sealing, {"serial": serial, "format": task.format.name})
        return sealing, 1

    def _take_up(self, conn: sa.Connection, task: _Task, earlier: Progress) -> tuple[str, int]:
        """Try an interrupted sealing again, under its old serial."""
        sealing = earlier.intent.id
        store.lock_seal(conn, task.seal.id)
        self._register.usable(self._register.read(conn, task.seal.id), task.at)
        store.lock_sealing(conn, sealing)
        now = store.find_progress(conn, sealing)
        if now is None or now.completion or now.attempt.number != earlier.attempt.number:
            raise _Overtaken
        number = now.attempt.number + 1
        self._attempt(conn, task, sealing, number)
        self._log(conn, task, "seal.sealing.retried", sealing, {"attempt": number})
        return sealing, number

    def _attempt(self, conn: sa.Connection, task: _Task, sealing: str, number: int) -> None:
        store.insert(
            conn,
            store.ATTEMPTS,
            sealing=sealing,
            number=number,
            owner=task.owner,
            document_digest=task.prepared.document_digest.hex(),
            certificate=task.signing.credential.certificate.fingerprint,
            sealed_at=task.at,
            lease_ends=store.lease_end(conn, self._lease),
        )

    # --- 4, 5 ---

    def _apply(self, task: _Task) -> bytes:
        key = task.signing.key
        try:
            return task.prepared.apply(lambda message: sign(self._vault, key, message))
        except CryptoError as error:
            raise SigningUnavailable("The key of this seal cannot sign now; nothing was sealed.") from error

    def _accepted(self, task: _Task, document: bytes) -> Report:
        report = self._judge(document)
        ours = [one for one in report.signatures if _made_by(task, one)]
        if report.verdict is Verdict.INVALID or not ours or any(one.verdict is not Verdict.VALID for one in ours):
            found = [*report.findings, *(finding for one in report.signatures for finding in one.findings)]
            # A time stamp that proves nothing is a note elsewhere; here it is why.
            notes = {"TIMESTAMP_UNTRUSTED"}
            codes = {finding.code for finding in found if finding.verdict is not Verdict.VALID or finding.code in notes}
            raise SealingRejected(
                f"Our own verifier finds the result {report.verdict.value}: it is not handed out."
                f" Findings: {', '.join(sorted(codes)) or 'our signature is not in it'}."
            )
        return report

    # --- 6 ---

    def _complete(self, task: _Task, sealing: str, attempt: int, document: bytes, report: Report) -> SealedDocument:
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
    def _noting_failure(self, task: _Task, sealing: str, attempt: int) -> Iterator[None]:
        """Put an attempt's failure on record, so that a retry need not wait for its lease to end."""
        try:
            yield
        except Exception as failure:
            code = failure.code if isinstance(failure, Refusal | CryptoError) else type(failure).__name__
            try:
                with self._db.begin() as conn:
                    store.insert(conn, store.FAILURES, sealing=sealing, number=attempt, code=code, at=self._clock.now())
                    progress = store.find_progress(conn, sealing)
                    if self._outbox and progress:
                        tell_failed(self._outbox, conn, progress, code=code, at=self._clock.now())
                    self._log(conn, task, "seal.sealing.failed", sealing, {"attempt": attempt, "code": code})
            except sa.exc.SQLAlchemyError as unrecorded:
                # The intent stays on record, and its lease will end.
                failure.add_note(f"and the failure could not be recorded: {type(unrecorded).__name__}")
            raise

    def _log(
        self,
        conn: sa.Connection,
        task: _Task,
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


def _made_by(task: _Task, signature: SignatureReport) -> bool:
    """Tell whether ``signature`` is the one this task made, with the time stamp that it got, if it should have one."""
    when = (task.at, TimeSource.CLAIMED) if task.stamping is None else (task.stamping.proved, TimeSource.TIMESTAMP)
    signer = task.signing.credential.certificate.subject_text
    return signature.signer == signer and (signature.time, signature.time_source) == when


class _Overtaken(Exception):
    """Another call with the same Idempotency-Key got there first."""
