"""Sealing: prepare, record the intent, sign, have our own verifier accept, complete.

Nothing is signed that is not on record, and nothing is handed out that is not complete. A crash or a refusal at any
step leaves an intent that ``pending`` shows and that a retry under the same Idempotency-Key takes up.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import ParamSpec, TypeVar

from crypto.keys import KeyVault
from kernel.audit import AuditLog
from kernel.clock import Clock
from kernel.db import Database
from kernel.objects import ObjectStore
from kernel.outbox import Outbox
from kernel.principal import Principal
from seal import store
from seal.applying import Applier
from seal.errors import (
    IdempotencyMismatch,
    RoomTooSmall,
    SealingInProgress,
    SealingNotRetryable,
    UnknownSealing,
)
from seal.formats_table import SEALING_FORMATS, SealingFormat
from seal.later.model import NEWEST, Standing
from seal.later.store import standing_of
from seal.model import Judge, SealId
from seal.preparing import Looked, Preparer, Task
from seal.recording import Begun, Made, Overtaken, Recorder
from seal.register import SealRegister
from seal.request import SealedDocument, SealRequest, asked_again, asked_hash, request_hash, use_request_of
from seal.stamping import Stamper
from seal.store import Intent, Progress
from seal.trust import TrustSource
from seal.trust.evidence import EvidenceSource
from seal.verifying import MAX_DOCUMENT

LEASE = timedelta(minutes=2)
_RIGHT = "seal.use"


_P = ParamSpec("_P")
_T = TypeVar("_T")


class SealService:
    """Seals documents for callers who may use a seal; safe to share between threads.

    ``judge`` is our own verifier; it must know the trust anchors under which our seals are made. ``trust`` tells which
    certificates are revoked by now: no seal signs with one. With a ``stamper`` every signature of a format that
    carries time stamps gets one. Where nobody stamps, who asked for a level by name is refused; for others the stamp
    is owed, on record and as a job, and ``LateStamps`` has it put in. ``evidence`` gives what the levels b-lt and b-lta
    embed.
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
        self._objects = objects
        self._judge = judge
        self._formats = formats
        self._preparer = Preparer(
            clock=clock,
            register=register,
            stamper=stamper,
            evidence=evidence,
            trust=trust,
            formats=formats,
            max_document=max_document,
        )
        self._recorder = Recorder(db=db, audit=audit, clock=clock, register=register, outbox=outbox, lease=lease)
        self._applier = Applier(vault=vault, judge=judge, evidence=evidence, recorder=self._recorder)

    def seal(self, request: SealRequest, principal: Principal, *, client_address: str | None = None) -> SealedDocument:
        """Seal a document; needs the right ``seal.use:<seal>``, or what else its type takes, and what the policy asks.

        The same Idempotency-Key with the same request gives the same sealing, however often it is asked.
        ``client_address`` is where the call came from, for the ledger.
        """
        principal.require(self._right_for(request.document), request.seal)
        # 1. An answer that exists already is given again.
        earlier = self._earlier(request, principal)
        if earlier and earlier.completion:
            return self._replay(earlier)
        return self._finish(request, principal, earlier, client_address)

    def rehearse(self, request: SealRequest, principal: Principal) -> Task:
        """Prepare a sealing and leave it at that: refuses what could not be sealed now, and leaves no trace."""
        principal.require("seal.use", request.seal)
        return self._preparer.prepare(request, principal, None)

    def seal_all(
        self,
        requests: Sequence[SealRequest],
        principal: Principal,
        *,
        kept: Sequence[str] | None = None,
        client_address: str | None = None,
    ) -> list[SealedDocument | Exception]:
        """Seal documents with one seal, each as ``seal`` does; in place of one that was not sealed stands why.

        Faster than one after another: they are put on record together. All of them are in memory together, too.
        ``kept`` are the keys of documents that were just read from the object store, one each.
        """
        answers: dict[int, SealedDocument | Exception] = {}
        tasks = self._new_tasks(requests, principal, answers)
        tasks = {place: replace(task, client_address=client_address) for place, task in tasks.items()}
        begun = self._begun(tasks, kept)
        answers |= self._ended({place: _caught(self._applier.make, each) for place, each in begun.items()}, begun)
        # Whatever is out of the ordinary goes its way alone: keys that are known, room too small, a race.
        for place, request in enumerate(requests):
            if place not in answers:
                answers[place] = _caught(self.seal, request, principal, client_address=client_address)
        return [answers[place] for place in range(len(requests))]

    def retry(self, sealing: str, principal: Principal) -> SealedDocument:
        """Finish a sealing that failed or was interrupted, under its old serial; needs ``seal.use:<seal>``.

        Nobody need send the document again: it was kept before the intent was recorded.
        """
        earlier = self.progress(sealing, principal)
        principal.require(self._right_of(earlier), earlier.intent.seal)
        if earlier.completion:
            return self._replay(earlier)
        if earlier.running:
            raise SealingInProgress("This sealing is being worked on; ask again in a minute.")
        return self._finish(self._asked(earlier), principal, earlier)

    def _right_for(self, document: bytes) -> str:
        kinds = dict.fromkeys(row.document for row in self._formats.values())
        return next((kind.right for kind in kinds if kind.looks_like(document)), _RIGHT)

    def _right_of(self, progress: Progress) -> str:
        row = self._formats.get(progress.intent.format)
        return row.document.right if row else _RIGHT

    def _asked(self, earlier: Progress) -> SealRequest:
        with self._db.read() as conn:
            asked = store.find_asked(conn, earlier.intent.id)
        intent = earlier.intent
        if asked is None or not self._objects.has(intent.document_before):
            raise SealingNotRetryable("The document of this sealing is not at hand: send the request again.")
        if asked_hash(asked, seal=intent.seal, document_sm3=intent.document_before) != intent.request_hash:
            raise SealingNotRetryable("What was asked for does not stand on record as it was: send the request again.")
        return asked_again(asked, document=self._objects.get(intent.document_before), seal=SealId(intent.seal))

    def _finish(
        self, request: SealRequest, principal: Principal, earlier: Progress | None, address: str | None = None
    ) -> SealedDocument:
        try:
            try:
                return self._carry_out(request, principal, earlier, address)
            except _Short as short:
                # The stamper's token is larger than any before: laid out again with the room it takes, which is known
                # now, it is another attempt of the same sealing, with its own digest on record.
                return self._carry_out(request, principal, short.progress, last=True)
        except Overtaken as overtaken:
            return self._after_the_race(request, principal, overtaken)

    def _carry_out(
        self,
        request: SealRequest,
        principal: Principal,
        earlier: Progress | None,
        address: str | None = None,
        *,
        last: bool = False,
    ) -> SealedDocument:
        # 2. Prepare: lay the document out; refusals here leave no trace because nothing was promised.
        task = replace(self._preparer.prepare(request, principal, earlier), client_address=address)
        if earlier is None:
            # Looked at again with the seal locked; whoever is refused here leaves not even the document.
            self._recorder.require_admitted(task)
        # 3. Intent: the document is kept, serial and digest are on record, before the key is touched.
        begun = self._intend(task, self._objects.put(request.document))
        with self._telling_if_short(begun, last=last), self._noting_failure(begun):
            # 4. Apply, once. 5. Our own verifier accepts it, or nobody receives it.
            made = self._applier.make(begun)
            # 6. Completion: the file create-only under its digest; then result and log entry together.
            key = self._objects.put(made.document)
            return _answer(made, key, self._recorder.complete([made], [key])[0])

    # --- 1 ---

    def _earlier(self, request: SealRequest, principal: Principal) -> Progress | None:
        if request.idempotency_key is None:
            return None
        with self._db.read() as conn:
            earlier = store.find_by_key(conn, principal.subject, request.idempotency_key)
            asked = store.find_asked(conn, earlier.intent.id) if earlier else None
        if earlier is None:
            return None
        # An approval is no part of what was approved: what was sealed by another is another use.
        by = use_request_of(asked) if asked else request.use_request
        if earlier.intent.request_hash != request_hash(request) or by != request.use_request:
            raise IdempotencyMismatch("This Idempotency-Key was used for a different request.")
        if earlier.running:
            raise SealingInProgress("The same request is being worked on; ask again in a minute.")
        return earlier

    def _after_the_race(self, request: SealRequest, principal: Principal, overtaken: Overtaken) -> SealedDocument:
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
        standing = self.standing(progress)
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
            level=completion.level,
            trusted_time=standing.trusted_time,
            stamped_key=standing.stamped_key,
            replayed=True,
        )

    # --- 3 ---

    def _intend(self, task: Task, document: str) -> Begun:
        if task.earlier is None:
            return self._recorder.begin([task], [document])[0]
        return self._recorder.take_up(task, task.earlier)

    # --- many ---

    def _new_tasks(
        self, requests: Sequence[SealRequest], principal: Principal, answers: dict[int, SealedDocument | Exception]
    ) -> dict[int, Task]:
        """Prepare the requests nobody asked before, by their places; refusals are their answers."""
        keys = [request.idempotency_key for request in requests if request.idempotency_key is not None]
        with self._db.read() as conn:
            taken = store.keys_taken(conn, principal.subject, keys)
        tasks: dict[int, Task] = {}
        looked = Looked()
        for place, request in enumerate(requests):
            if request.idempotency_key is None or request.idempotency_key in taken:
                continue
            task = _caught(self._new_task, request, principal, looked)
            if isinstance(task, Exception):
                answers[place] = task
            else:
                tasks[place] = task
        return tasks

    def _new_task(self, request: SealRequest, principal: Principal, looked: Looked) -> Task:
        principal.require(self._right_for(request.document), request.seal)
        return self._preparer.prepare(request, principal, None, looked)

    def _begun(self, tasks: Mapping[int, Task], kept: Sequence[str] | None) -> dict[int, Begun]:
        """Record the intents; none at all where one of them is in the way: each then goes alone."""
        try:
            if kept is None:
                documents = self._objects.put_all([task.request.document for task in tasks.values()])
            else:
                documents = tuple(kept[place] for place in tasks)
            begun = self._recorder.begin(tuple(tasks.values()), documents) if tasks else ()
        except Exception:  # noqa: BLE001 - each has its own answer when it goes alone
            return {}
        return dict(zip(tasks, begun, strict=True))

    def _ended(
        self, outcomes: Mapping[int, Made | Exception], begun: Mapping[int, Begun]
    ) -> dict[int, SealedDocument | Exception]:
        """Complete what was made, and record the failures of the rest."""
        made = {place: each for place, each in outcomes.items() if isinstance(each, Made)}
        failed = {place: each for place, each in outcomes.items() if isinstance(each, Exception)}
        answers: dict[int, SealedDocument | Exception] = {}
        try:
            files = self._objects.put_all([each.document for each in made.values()])
            intents = self._recorder.complete(tuple(made.values()), files) if made else ()
        except Exception as not_kept:  # noqa: BLE001 - of all of them, and theirs alone
            failed |= dict.fromkeys(made, not_kept)
        else:
            for (place, each), key, intent in zip(made.items(), files, intents, strict=True):
                answers[place] = _caught(_answer, each, key, intent)
        for place, failure in failed.items():
            self._recorder.failed(begun[place], failure)
            if not isinstance(failure, RoomTooSmall):
                answers[place] = failure
        return answers

    # --- failing ---

    @contextmanager
    def _telling_if_short(self, begun: Begun, *, last: bool) -> Iterator[None]:
        """Let the caller lay the document out again, with the failure on record; the last attempt's stands."""
        try:
            yield
        except RoomTooSmall as small:
            with self._db.read() as conn:
                progress = None if last else store.find_progress(conn, begun.sealing)
            if progress is None:
                raise
            raise _Short(progress) from small

    @contextmanager
    def _noting_failure(self, begun: Begun) -> Iterator[None]:
        """Put an attempt's failure on record, so that a retry need not wait for its lease to end."""
        try:
            yield
        except Exception as failure:
            self._recorder.failed(begun, failure)
            raise

    # --- asking ---

    def progress(self, sealing: str, principal: Principal) -> Progress:
        """Tell how far a sealing came; only to its caller and to those who may use its seal."""
        with self._db.read() as conn:
            found = store.find_progress(conn, sealing)
        if found is None or not (
            found.intent.caller == principal.subject or principal.may(self._right_of(found), found.intent.seal)
        ):
            raise UnknownSealing("There is no such sealing.")
        return found

    def sealed(self, sealing: str, principal: Principal) -> SealedDocument:
        """Give a completed sealing again, judged anew."""
        return self._replay(self.progress(sealing, principal))

    def standing(self, progress: Progress) -> Standing:
        """Tell how the time of a sealing stands by now, and which files there are of it."""
        if progress.completion is None:
            return Standing()
        with self._db.read() as conn:
            return standing_of(conn, progress.completion)

    def document(self, sealing: str, principal: Principal, version: str = NEWEST) -> tuple[bytes, str]:
        """Give a file of a completed sealing and its media type: the newest, the first, or the one of that SM3."""
        progress = self.progress(sealing, principal)
        if progress.completion is None:
            raise SealingInProgress("This sealing is not completed.")
        key = self.standing(progress).file(version)
        if key is None:
            raise UnknownSealing("This sealing has no such file.")
        return self._objects.get(key), self._formats[progress.intent.format].document.media_type

    def pending(self, limit: int = 100) -> tuple[Progress, ...]:
        """List the oldest sealings that were intended and not completed: under way, failed or interrupted."""
        with self._db.read() as conn:
            return store.list_pending(conn, limit=limit)


class _Short(Exception):
    """The first attempt laid too little room aside for what was to go into the document."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = progress


def _caught(verb: Callable[_P, _T], *args: _P.args, **named: _P.kwargs) -> _T | Exception:
    """Do something for one of many: what goes wrong is its own answer, and keeps no other waiting."""
    try:
        return verb(*args, **named)
    except Exception as failure:  # noqa: BLE001 - whoever asked for many looks at each
        return failure


def _answer(made: Made, key: str, intent: Intent | None) -> SealedDocument:
    if intent is None:
        raise SealingInProgress("This attempt took too long and another took over; ask again.")
    task = made.begun.task
    return SealedDocument(
        id=intent.id,
        serial=intent.serial,
        document=made.document,
        object_key=key,
        seal=task.seal.id,
        format=task.format.name,
        media_type=task.format.document.media_type,
        sealed_at=task.at,
        report=made.report,
        level=made.reached.level,
        trusted_time=made.reached.trusted_time,
    )
