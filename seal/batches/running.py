"""Running a batch: the handler of the job that seals items, each once, whatever became of earlier tries."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import sqlalchemy as sa
import structlog

from crypto.errors import CryptoError
from kernel.audit import AuditLog, Fact
from kernel.clock import Clock
from kernel.db import Database
from kernel.errors import Forbidden, Reason, Refusal
from kernel.jobs import Job, Jobs, delay
from kernel.outbox import Outbox
from kernel.principal import Principal
from seal import store as seal_store
from seal.batches import store
from seal.batches.model import FILES, ITEM, Batch, BatchState, Step
from seal.batches.service import BatchService
from seal.batches.store import Wanted
from seal.errors import SealingInProgress, SealingRejected
from seal.model import SealId
from seal.request import SealedDocument, SealRequest, asked_again
from seal.sealing import SealService
from seal.usage.grants import GrantRefused
from seal.webhooks.model import EventType

_log = structlog.get_logger("xinyin.batches")
MOST_ATTEMPTS = 20
TOGETHER = 32
"""Most items that one worker takes in hand at once."""
ROOM = 16 * 1024 * 1024
"""How many octets of documents may be in hand before no further one is loaded."""
GIVEN_UP = "batch_item_given_up"
"""Failure of an item that was begun again and again and came to no end."""
_PASSING = frozenset({Reason.UNAVAILABLE, Reason.TOO_MANY})
_SOON = timedelta(seconds=5)
_WORKER = "worker"


class BatchRunner:
    """Seals items through the sealing service, under a key made of batch and position.

    ``examine`` refuses documents that must not be sealed. ``standing`` tells whether a caller is still admitted, who
    was when the batch was made.
    """

    def __init__(  # noqa: PLR0913 - its dependencies
        self,
        *,
        db: Database,
        audit: AuditLog,
        clock: Clock,
        batches: BatchService,
        sealing: SealService,
        outbox: Outbox,
        examine: Callable[[bytes], None],
        standing: Callable[[Principal], bool] = lambda _: True,
        jobs: Jobs | None = None,
        together: int = TOGETHER,
    ) -> None:
        self._db = db
        self._jobs = jobs or Jobs(db)
        self._at_once = together
        self._audit = audit
        self._clock = clock
        self._batches = batches
        self._sealing = sealing
        self._outbox = outbox
        self._examine = examine
        self._standing = standing
        self.handlers = {ITEM: self.work}

    def work(self, job: Job) -> timedelta | None:
        """Seal one item and, with it, others of its batch that nobody began; or say after how long to try again."""
        name = job.key.partition(":")[0]
        with self._db.read() as conn:
            batch = store.find(conn, name)
        if batch is None:
            return None
        if batch.state is not BatchState.RUNNING:
            return self._leave(job, batch)
        beside: tuple[Job, ...] = ()
        # Where the first failure is to end it, as little as possible is begun.
        if job.attempt == 1 and not batch.stop_on_error and self._at_once > 1:
            beside = self._jobs.claim_beside(job, self._at_once - 1)
        jobs = {int(each.key.partition(":")[2]): each for each in (job, *beside)}
        self._together(batch, dict(sorted(jobs.items())))
        return None

    def _together(self, batch: Batch, jobs: Mapping[int, Job]) -> None:
        with self._db.read() as conn:
            items = {item.position: item for item in store.wanted(conn, batch, tuple(jobs))}
            examined = store.examined(conn, [item.content for item in items.values()]) if batch.source == FILES else ()
        ends: dict[int, _End] = {
            position: _GIVEN_UP for position, job in jobs.items() if job.attempt > MOST_ATTEMPTS and position in items
        }
        open_items = {at: item for at, item in items.items() if at not in ends}
        asked, later = self._loaded(batch, open_items, examined)
        if self._cancelled(batch):
            # While we were reading; what a pause finds in hand is finished.
            asked, later = {}, tuple(open_items)
        requests = {place: each for place, each in asked.items() if isinstance(each, SealRequest)}
        kept = [items[place].content for place in requests] if batch.source == FILES else None
        sealed = self._sealing.seal_all(
            tuple(requests.values()), batch.principal, kept=kept, client_address=batch.client_address
        )
        outcomes: dict[int, SealedDocument | Exception] = dict(zip(requests, sealed, strict=True))
        outcomes |= {place: each for place, each in asked.items() if isinstance(each, Exception)}
        again = {jobs[place].id: timedelta(0) for place in later}
        for place, outcome in outcomes.items():
            end = _end(outcome, jobs[place].attempt)
            if isinstance(end, timedelta):
                again[jobs[place].id] = end
            else:
                ends[place] = end
        self._settle(batch, jobs, ends, again)

    def _cancelled(self, batch: Batch) -> bool:
        with self._db.read() as conn:
            now = store.find(conn, batch.id)
        return now is not None and now.state is BatchState.CANCELLED

    def _loaded(
        self, batch: Batch, items: Mapping[int, Wanted], examined: Container[str]
    ) -> tuple[dict[int, SealRequest | Exception], tuple[int, ...]]:
        """Give the requests, or why there is none, and the places of those for which there is no room beside others."""
        requests: dict[int, SealRequest | Exception] = {}
        room, admitted = ROOM, self._standing(batch.principal)
        for place, item in items.items():
            if room < 0:
                break
            try:
                request = self._request(batch, item, admitted=admitted, known=item.content in examined)
            except Exception as failure:  # noqa: BLE001 - one of many: each has its own end
                requests[place] = failure
            else:
                requests[place] = request
                room -= len(request.document)
        return requests, tuple(place for place in items if place not in requests)

    def _request(self, batch: Batch, item: Wanted, *, admitted: bool, known: bool) -> SealRequest:
        if not admitted:
            raise Forbidden("The caller who made this batch is not admitted any more.")
        document = self._batches.sources[batch.source].document(item.content)
        if not known:
            self._examine(document)
        asked = asked_again(item.asked, document=document, seal=SealId(batch.seal))
        return replace(asked, idempotency_key=_key(batch, item.position))

    def _leave(self, job: Job, batch: Batch) -> timedelta | None:
        """Strike the job out if the batch still does not want it; resuming notes it anew."""
        with self._db.begin() as conn:
            store.lock(conn, batch.id)
            now = store.find(conn, batch.id)
            if now is not None and now.state is BatchState.RUNNING:
                return timedelta(0)
            Jobs.done(conn, job)
        return None

    def _settle(
        self, batch: Batch, jobs: Mapping[int, Job], ends: Mapping[int, "_End"], again: Mapping[str, timedelta]
    ) -> None:
        """Put on record what became of items, and what follows from it for the batch, in one transaction."""
        with self._db.begin() as conn:
            store.lock(conn, batch.id)
            Jobs.settle(conn, tuple(jobs.values()), again)
            # Another worker may have been given an item when our lease was over.
            over = store.ended(conn, batch.id, tuple(ends))
            new = {place: ends[place] for place in ends if place not in over}
            now = self._clock.now()
            rows = [
                {
                    "batch": batch.id,
                    "position": place,
                    "sealing": end.sealing or self._begun(conn, batch, place),
                    "failure": end.failure,
                    "detail": end.detail[:500] if end.detail else None,
                    "at": now,
                }
                for place, end in new.items()
            ]
            if rows:
                store.insert(conn, store.OUTCOMES, *rows)
            # Also where nothing is new: whoever put it on record saw our job, and left the end of the batch to us.
            self._follow(conn, batch, failed=any(end.failure is not None for end in new.values()))

    @staticmethod
    def _begun(conn: sa.Connection, batch: Batch, position: int) -> str | None:
        begun = seal_store.find_by_key(conn, batch.caller, _key(batch, position))
        return begun.intent.id if begun else None

    def _follow(self, conn: sa.Connection, batch: Batch, *, failed: bool) -> None:
        now = store.find(conn, batch.id)
        state = now.state if now else batch.state
        if state in (BatchState.CANCELLED, BatchState.COMPLETED):
            return
        if Jobs.any_of(conn, batch.id) or store.open_positions(conn, batch.id):
            if failed and batch.stop_on_error and state is BatchState.RUNNING:
                store.add_step(conn, batch.id, Step.STOPPED, self._clock.now(), _WORKER)
                Jobs.drop(conn, batch.id)
                self._log(conn, "seal.batch.stopped", batch, {})
            return
        tally = store.tally(conn, batch)
        facts: dict[str, Fact] = {"items": tally.total, "sealed": tally.sealed, "failed": tally.failed}
        store.add_step(conn, batch.id, Step.COMPLETED, self._clock.now(), _WORKER)
        self._outbox.add(
            conn,
            key=f"batch:{batch.id}",
            kind=EventType.BATCH_COMPLETED.value,
            at=self._clock.now(),
            client=batch.caller,
            data={"batch": batch.id, "seal": batch.seal, "state": "completed", **facts},
        )
        self._log(conn, "seal.batch.completed", batch, facts)

    def _log(self, conn: sa.Connection, action: str, batch: Batch, facts: dict[str, Fact]) -> None:
        self._audit.append(
            conn,
            at=self._clock.now(),
            actor=_WORKER,
            action=action,
            target=batch.id,
            facts={"seal": batch.seal, **facts},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """What became of an item: a sealing, or a failure's code and words."""

    sealing: str | None = None
    failure: str | None = None
    detail: str | None = None


_GIVEN_UP = _End(failure=GIVEN_UP, detail="Tried too often without an end.")


def _end(outcome: SealedDocument | Exception, attempt: int) -> _End | timedelta:
    """Give an item's end, or after how long it is to be begun again."""
    if isinstance(outcome, SealedDocument):
        return _End(sealing=outcome.id)
    if isinstance(outcome, SealingInProgress):
        return _SOON  # by a worker that may have died: its lease will end
    if not isinstance(outcome, Refusal | CryptoError):
        _log.error("batch_item_failed", attempt=attempt, exc_info=outcome)
        return delay(attempt)
    if _passes(outcome) and attempt < MOST_ATTEMPTS:
        return delay(attempt)
    # What keys and engines say is for the operator.
    return _End(failure=outcome.code, detail=outcome.detail if isinstance(outcome, Refusal) else None)


def _key(batch: Batch, position: int) -> str:
    return f"batch:{batch.id}:{position}"


def _passes(refused: Refusal | CryptoError) -> bool:
    """Tell whether a refusal may be another a moment later; what our own verifier refuses stays refused.

    A quota that is reached is another tomorrow at the earliest: somebody decides whether the item is sealed then.
    """
    last = isinstance(refused, SealingRejected | GrantRefused)
    return isinstance(refused, Refusal) and refused.reason in _PASSING and not last
