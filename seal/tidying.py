"""Tidying: uploads whose time is over and sources of sealings long completed are let go, once nobody needs them.

The store names objects by their content, so that one object may be an upload, a source and a licence at once, and a
sealing that begins at this moment may count on it. Therefore nothing is deleted at sight. What nobody on record needs
is set aside, from where it comes back by itself for whoever asks; and only what nobody on record needs a week later
still is destroyed. A call that puts or finds an object and records its need within that week loses nothing.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta

import sqlalchemy as sa

from kernel.audit import AuditLog
from kernel.clock import Clock
from kernel.db import METADATA, Database, Instant, insert_new
from kernel.objects import ObjectStore
from seal.affairs.store import AFFAIRS, PAPERS
from seal.batches.model import Step
from seal.batches.store import ITEMS, OUTCOMES, STEPS, UPLOADS
from seal.renewing import RENEWALS
from seal.store import COMPLETIONS, SEALINGS
from seal.usage.store import USAGES, USE_REQUESTS

KEPT_ASIDE = timedelta(days=7)
"""Longer than any call takes to record what it needs, and than a paper is likely to wait for its affair."""
_AT_ONCE = 200
_ACTOR = "sweeper"

RELEASED = sa.Table(
    "seal_sources_released",
    METADATA,
    # The document that this sealing was asked for is not kept for its sake any more.
    sa.Column("sealing", sa.ForeignKey(SEALINGS.c.id), primary_key=True),
    sa.Column("at", Instant, nullable=False),
)
ASIDE = sa.Table(
    "seal_objects_aside",
    METADATA,
    # A list of what is to be done, no fact: a row goes when its object is destroyed or needed again.
    sa.Column("object_key", sa.String(64), primary_key=True),
    sa.Column("at", Instant, nullable=False, index=True),
)

InUse = Callable[[sa.Connection, Collection[str]], set[str]]
"""Tells which of some objects are needed by what is on record."""


class Tidying:
    """Lets go of what was kept for a while. Several may run at once.

    ``keep`` is how long the document of a completed sealing is kept after it. ``others`` tell what floors above need.
    """

    def __init__(  # noqa: PLR0913 - its dependencies
        self,
        *,
        db: Database,
        audit: AuditLog,
        clock: Clock,
        objects: ObjectStore,
        keep: timedelta,
        others: Sequence[InUse] = (),
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._objects = objects
        self._keep = keep
        self._others = tuple(others)

    def tidy(self) -> int:
        """Do what is due, some of it at a time; tell how many objects were set aside or destroyed."""
        uploads, released, fresh = self._release()
        for key in fresh:
            self._objects.set_aside(key)
        destroyed, restored = self._destroy()
        if uploads or released or destroyed or restored:
            facts = {
                "uploads": uploads,
                "sources": released,
                "aside": len(fresh),
                "destroyed": destroyed,
                "restored": restored,
            }
            with self._db.begin() as conn:
                self._audit.append(
                    conn,
                    at=self._clock.now(),
                    actor=_ACTOR,
                    action="seal.objects.tidied",
                    target="objects",
                    facts=dict(facts),
                )
        return len(fresh) + destroyed

    def _release(self) -> tuple[int, int, tuple[str, ...]]:
        """Strike out expired uploads and note sources let go; give those objects that nobody needs any more."""
        with self._db.begin() as conn:
            uploads = self._expired(conn)
            sources = self._outlived(conn)
            keys = {*uploads.values(), *sources.values()}
            if uploads:
                conn.execute(sa.delete(UPLOADS).where(UPLOADS.c.id.in_(tuple(uploads))))
            at = self._clock.now()
            if sources:
                insert_new(conn, RELEASED, [{"sealing": sealing, "at": at} for sealing in sources])
            free = sorted(keys - self._in_use(conn, keys))
            if free:
                insert_new(conn, ASIDE, [{"object_key": key, "at": at} for key in free])
        return len(uploads), len(sources), tuple(free)

    def _destroy(self) -> tuple[int, int]:
        """Destroy what was set aside long enough, and bring back what somebody needs after all."""
        with self._db.read() as conn:
            over = ASIDE.c.at <= self._clock.now() - KEPT_ASIDE
            query = sa.select(ASIDE.c.object_key).where(over).order_by(ASIDE.c.at).limit(_AT_ONCE)
            keys = set(conn.execute(query).scalars())
            needed = self._in_use(conn, keys)
        if not keys:
            return 0, 0
        restored = sum(self._objects.restore(key) for key in sorted(needed))
        destroyed = {key for key in sorted(keys - needed) if self._objects.destroy_aside(key)}
        # Somebody asked for it, and has put no need of it on record: another week.
        again = {key for key in sorted(keys - needed - destroyed) if self._objects.set_aside(key)}
        with self._db.begin() as conn:
            conn.execute(sa.delete(ASIDE).where(ASIDE.c.object_key.in_(tuple(keys - again))))
            renewed = sa.update(ASIDE).where(ASIDE.c.object_key.in_(tuple(again)))
            conn.execute(renewed.values(at=self._clock.now()))
        return len(destroyed), restored

    def _expired(self, conn: sa.Connection) -> dict[str, str]:
        query = sa.select(UPLOADS.c.id, UPLOADS.c.sm3).where(UPLOADS.c.expires_at <= self._clock.now())
        return {row.id: row.sm3 for row in conn.execute(query.order_by(UPLOADS.c.expires_at).limit(_AT_ONCE))}

    def _outlived(self, conn: sa.Connection) -> dict[str, str]:
        if not self._keep:
            return {}
        query = (
            sa.select(SEALINGS.c.id, SEALINGS.c.document_before)
            .join(COMPLETIONS, COMPLETIONS.c.sealing == SEALINGS.c.id)
            .outerjoin(RELEASED, RELEASED.c.sealing == SEALINGS.c.id)
            .where(COMPLETIONS.c.completed_at <= self._clock.now() - self._keep, RELEASED.c.sealing.is_(None))
            .order_by(SEALINGS.c.intended_at)
            .limit(_AT_ONCE)
        )
        return {row.id: row.document_before for row in conn.execute(query)}

    def _in_use(self, conn: sa.Connection, keys: Collection[str]) -> set[str]:
        if not keys:
            return set()
        return set().union(*(ask(conn, keys) for ask in (in_use, *self._others)))


def in_use(conn: sa.Connection, keys: Collection[str]) -> set[str]:
    """Tell which objects this floor needs: results, sources, what a use is asked for, uploads, papers."""
    some = tuple(keys)
    # Whatever has no completion may be taken up again, and a source is kept until its time is over.
    source = (
        sa.select(SEALINGS.c.document_before)
        .outerjoin(RELEASED, RELEASED.c.sealing == SEALINGS.c.id)
        .where(SEALINGS.c.document_before.in_(some), RELEASED.c.sealing.is_(None))
    )
    ended = sa.select(STEPS.c.batch).where(STEPS.c.batch == ITEMS.c.batch, STEPS.c.step == Step.CANCELLED.value)
    item = (
        sa.select(ITEMS.c.content)
        .outerjoin(OUTCOMES, sa.and_(OUTCOMES.c.batch == ITEMS.c.batch, OUTCOMES.c.position == ITEMS.c.position))
        .where(ITEMS.c.content.in_(some), OUTCOMES.c.batch.is_(None), ~ended.exists())
    )
    # What somebody was asked to approve is there to be read, and to be sealed; then it is the sealing's source.
    asked = (
        sa.select(USE_REQUESTS.c.document_sm3)
        .outerjoin(USAGES, USAGES.c.approval == USE_REQUESTS.c.id)
        .where(USE_REQUESTS.c.document_sm3.in_(some), USAGES.c.sealing.is_(None))
    )
    whole = (
        asked,
        sa.select(COMPLETIONS.c.object_key).where(COMPLETIONS.c.object_key.in_(some)),
        sa.select(UPLOADS.c.sm3).where(UPLOADS.c.sm3.in_(some)),
        sa.select(PAPERS.c.object_key).where(PAPERS.c.object_key.in_(some)),
        sa.select(RENEWALS.c.object_key).where(RENEWALS.c.object_key.in_(some)),
    )
    found = {key for query in (source, item, *whole) for key in conn.execute(query).scalars()}
    # A picture is named within what was proposed.
    for key in set(some) - found:
        if conn.execute(sa.select(AFFAIRS.c.id).where(AFFAIRS.c.payload.contains(key)).limit(1)).first():
            found.add(key)
    return found
