"""Running a batch: the handler of the job that seals one item, once, whatever became of earlier tries."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

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
from seal.batches.model import ITEM, Batch, BatchState, Item, Step
from seal.batches.service import BatchService
from seal.errors import SealingInProgress, SealingRejected
from seal.model import SealId
from seal.request import asked_again
from seal.sealing import SealService
from seal.usage.grants import GrantRefused
from seal.webhooks.model import EventType

MOST_ATTEMPTS = 20
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
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._batches = batches
        self._sealing = sealing
        self._outbox = outbox
        self._examine = examine
        self._standing = standing
        self.handlers = {ITEM: self.work}

    def work(self, job: Job) -> timedelta | None:
        """Seal one item, or say after how long to try again."""
        name, _, place = job.key.partition(":")
        position = int(place)
        with self._db.read() as conn:
            batch = store.find(conn, name)
            found = store.items(conn, batch, after=position - 1, limit=1) if batch else ()
        if batch is None or not found:
            return None
        if batch.state is not BatchState.RUNNING:
            return self._leave(job, batch)
        if job.attempt > MOST_ATTEMPTS:
            self._settle(job, batch, position, failure=GIVEN_UP, detail="Tried too often without an end.")
            return None
        return self._try(job, batch, found[0])

    def _try(self, job: Job, batch: Batch, item: Item) -> timedelta | None:
        position = item.position
        try:
            sealing = self._seal(batch, item)
        except SealingInProgress:
            return _SOON  # by a worker that may have died: its lease will end
        except (Refusal, CryptoError) as refused:
            if _passes(refused) and job.attempt < MOST_ATTEMPTS:
                return delay(job.attempt)
            self._settle(job, batch, position, failure=refused.code, detail=_told(refused))
        else:
            self._settle(job, batch, position, sealing=sealing)
        return None

    def _seal(self, batch: Batch, item: Item) -> str:
        if not self._standing(batch.principal):
            raise Forbidden("The caller who made this batch is not admitted any more.")
        document = self._batches.sources[batch.source].document(item.content)
        self._examine(document)
        asked = asked_again(item.asked, document=document, seal=SealId(batch.seal))
        request = replace(asked, idempotency_key=_key(batch, item.position))
        return self._sealing.seal(request, batch.principal, client_address=batch.client_address).id

    def _leave(self, job: Job, batch: Batch) -> timedelta | None:
        """Strike the job out if the batch still does not want it; resuming notes it anew."""
        with self._db.begin() as conn:
            store.lock(conn, batch.id)
            now = store.find(conn, batch.id)
            if now is not None and now.state is BatchState.RUNNING:
                return timedelta(0)
            Jobs.done(conn, job)
        return None

    def _settle(  # noqa: PLR0913 - an outcome's parts
        self,
        job: Job,
        batch: Batch,
        position: int,
        *,
        sealing: str | None = None,
        failure: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Put on record what became of an item, and what follows from it for the batch, in one transaction."""
        with self._db.begin() as conn:
            store.lock(conn, batch.id)
            Jobs.done(conn, job)
            if store.has_outcome(conn, batch.id, position):
                return  # Another worker was given the item when our lease was over.
            if sealing is None:
                begun = seal_store.find_by_key(conn, batch.caller, _key(batch, position))
                sealing = begun.intent.id if begun else None
            outcome = {
                "batch": batch.id,
                "position": position,
                "sealing": sealing,
                "failure": failure,
                "detail": detail[:500] if detail else None,
                "at": self._clock.now(),
            }
            store.insert(conn, store.OUTCOMES, outcome)
            self._follow(conn, batch, failed=failure is not None)

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


def _key(batch: Batch, position: int) -> str:
    return f"batch:{batch.id}:{position}"


def _passes(refused: Refusal | CryptoError) -> bool:
    """Tell whether a refusal may be another a moment later; what our own verifier refuses stays refused.

    A quota that is reached is another tomorrow at the earliest: somebody decides whether the item is sealed then.
    """
    return (
        isinstance(refused, Refusal)
        and refused.reason in _PASSING
        and not isinstance(refused, SealingRejected | GrantRefused)
    )


def _told(refused: Refusal | CryptoError) -> str | None:
    # What keys and engines say is for the operator.
    return refused.detail if isinstance(refused, Refusal) else None
