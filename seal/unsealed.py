"""Unsealed documents: sealings without completion are listed, taken up again, or given up on record."""

import sqlalchemy as sa
import structlog

from crypto.errors import CryptoError
from kernel.audit import AuditLog
from kernel.clock import Clock
from kernel.db import Database
from kernel.errors import Refusal
from kernel.outbox import Outbox
from kernel.principal import Principal, PrincipalKind
from seal import store
from seal.errors import SealingInProgress, SealingNotRetryable
from seal.later.model import Waiting
from seal.later.store import list_waiting
from seal.sealing import SealService
from seal.store import Progress
from seal.telling import tell_failed

_log = structlog.get_logger("xinyin.unsealed")
INTERRUPTED = "sealing_interrupted"
"""Failure of a sealing that was cut off and that nobody but its caller can ask for again."""
GIVEN_UP = "sealing_given_up"
"""Failure of a sealing that was cut off again and again."""
MOST_ATTEMPTS = 5
_AT_ONCE = 100
_SWEEPER = "sweeper"


class Unsealed:
    """Looks after sealings that did not come to their end."""

    def __init__(  # noqa: PLR0913 - its dependencies
        self,
        *,
        db: Database,
        audit: AuditLog,
        clock: Clock,
        sealing: SealService,
        outbox: Outbox | None = None,
        most_attempts: int = MOST_ATTEMPTS,
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._sealing = sealing
        self._outbox = outbox
        self._most_attempts = most_attempts

    def list(self, principal: Principal, *, after: str | None = None, limit: int = 50) -> tuple[Progress, ...]:
        """List what failed or was interrupted, oldest first: the caller's own, and of seals they may use.

        Whoever acts for an organisation sees that organisation's alone.
        """
        with self._db.read() as conn:
            return store.list_unsealed(conn, _visible(principal), after=after, limit=limit)

    def unstamped(self, principal: Principal, *, after: str | None = None, limit: int = 50) -> tuple[Waiting, ...]:
        """List what was sealed and waits for its time stamp, longest first; to whom ``list`` would show it."""
        with self._db.read() as conn:
            return list_waiting(conn, _visible(principal), after=after, limit=limit)

    def sweep(self) -> int:
        """Bring each stuck sealing to an end; tell how many."""
        with self._db.read() as conn:
            stuck = store.list_stuck(conn, limit=_AT_ONCE)
        return sum(map(self._swept, stuck))

    def _swept(self, progress: Progress) -> bool:
        try:
            return self._settle(progress)
        except Exception:  # noqa: BLE001 - whatever is wrong with one must not keep the others waiting
            _log.exception("sealing_not_swept", sealing=progress.intent.id)
            return False

    def _settle(self, progress: Progress) -> bool:
        intent = progress.intent
        # Without a key nobody can ask for the answer again, and whoever got none has sent the document anew: finished
        # behind their back, it would be sealed twice.
        if intent.idempotency_key is None:
            return self._fail(progress, INTERRUPTED)
        if progress.attempt.number >= self._most_attempts:
            return self._fail(progress, GIVEN_UP)
        rights = frozenset({f"seal.use:{intent.seal}", f"seal.use_digest:{intent.seal}"})
        sweeper = Principal(subject=_SWEEPER, kind=PrincipalKind.OPERATOR, rights=rights)
        try:
            self._sealing.retry(intent.id, sweeper)
        except SealingInProgress:
            return False  # Somebody took it up at this moment.
        except SealingNotRetryable as refused:
            return self._fail(progress, refused.code)
        except (Refusal, CryptoError) as refused:
            # A refusal of the preparation has left no trace; one of a later step is on record already.
            _log.warning("sealing_not_finished", sealing=intent.id, problem=refused.code)
            return self._fail(progress, refused.code)
        return True

    def _fail(self, progress: Progress, code: str) -> bool:
        """Put on record that the attempt failed, unless somebody else has settled it."""
        with self._db.begin() as conn:
            store.lock_sealing(conn, progress.intent.id)
            now = store.find_progress(conn, progress.intent.id)
            if now is None or now.completion or now.failure or now.attempt.number != progress.attempt.number:
                return False
            number, at = now.attempt.number, self._clock.now()
            store.insert(conn, store.FAILURES, sealing=now.intent.id, number=number, code=code, at=at)
            if self._outbox:
                tell_failed(self._outbox, conn, now.intent, number=number, code=code, at=at)
            self._audit.append(
                conn,
                at=at,
                actor=_SWEEPER,
                action="seal.sealing.failed",
                target=now.intent.id,
                facts={"seal": now.intent.seal, "attempt": number, "code": code},
            )
        return True


def _visible(principal: Principal) -> sa.ColumnElement[bool]:
    columns = store.SEALINGS.c
    seals = [right.partition(":")[2] for right in principal.rights if right.startswith("seal.use:")]
    whose = sa.or_(columns.caller == principal.subject, *([sa.true()] if "*" in seals else [columns.seal.in_(seals)]))
    if principal.organisation is None:
        return whose
    return sa.and_(whose, columns.organisation == principal.organisation)
