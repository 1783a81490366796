"""Telling: the events of sealings and of seals' statuses, for the outbox. Ids, states and digests, never a name."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from kernel.audit import Fact
from kernel.clock import Clock
from kernel.db import Database
from kernel.outbox import EVENTS, Outbox, news
from seal import store
from seal.store import Intent
from seal.webhooks.model import EventType

_AT_ONCE = 200


def tell_completed(
    outbox: Outbox, conn: sa.Connection, completed: Sequence[tuple[Intent, str, str]], *, at: datetime
) -> None:
    """Tell the callers that sealings are complete, each with its file's key and how its time stands."""
    outbox.add_all(
        conn,
        [
            news(
                key=f"sealing:{intent.id}",
                kind=EventType.SEALING_COMPLETED.value,
                at=at,
                client=intent.caller,
                data={
                    **_which(intent),
                    "state": "completed",
                    "document_sm3": intent.document_before,
                    "file_sm3": file,
                    "trusted_time": time,
                },
            )
            for intent, file, time in completed
        ],
    )


def tell_failed(  # noqa: PLR0913 - an event's parts
    outbox: Outbox, conn: sa.Connection, intent: Intent, *, number: int, code: str, at: datetime
) -> None:
    """Tell the caller that an attempt at a sealing failed; another may follow, and complete it."""
    outbox.add(
        conn,
        key=f"sealing:{intent.id}:failed:{number}",
        kind=EventType.SEALING_FAILED.value,
        at=at,
        client=intent.caller,
        data={
            **_which(intent),
            "state": "failed",
            "document_sm3": intent.document_before,
            "attempt": number,
            "failure": code,
        },
    )


def tell_stamped(  # noqa: PLR0913 - an event's parts
    outbox: Outbox,
    conn: sa.Connection,
    intent: Intent,
    *,
    time: str,
    sealed: str,
    facts: Mapping[str, Fact],
    at: datetime,
) -> None:
    """Tell the caller that a stamp that was owed has come, and where the stamped file is, or that none will come."""
    outbox.add(
        conn,
        key=f"sealing:{intent.id}:stamped",
        kind=EventType.SEALING_STAMPED.value,
        at=at,
        client=intent.caller,
        data={
            **_which(intent),
            "trusted_time": time,
            "file_sm3": sealed,
            "stamped_sm3": facts.get("file"),
            "proved_at": facts.get("proved_at"),
            "refusal": facts.get("refusal"),
        },
    )


def _which(intent: Intent) -> dict[str, Fact]:
    """Name the sealing, as each event about it does."""
    return {"sealing": intent.id, "seal": intent.seal, "serial": intent.serial}


class StatusNews:
    """Puts into the outbox each change of a seal's status that is not there yet.

    The change is on record in the register's own transaction; from there it is found, so that whatever changes a
    seal's status need not know of events.
    """

    def __init__(self, db: Database, outbox: Outbox, clock: Clock) -> None:
        self._db = db
        self._outbox = outbox
        self._clock = clock

    def tell(self) -> int:
        """Tell what is new, to the clients of the seal's owner; give how many changes that were."""
        changes, seals = store.STATUS_CHANGES, store.SEALS
        key = sa.literal("seal:") + changes.c.seal + sa.literal(":") + sa.cast(changes.c.number, sa.String)
        query = (
            sa.select(changes.c.seal, changes.c.number, changes.c.status, changes.c.at, seals.c.owner)
            .join(seals, seals.c.id == changes.c.seal)
            .outerjoin(EVENTS, EVENTS.c.key == key)
            .where(EVENTS.c.id.is_(None))
            .order_by(changes.c.at)
            .limit(_AT_ONCE)
        )
        told = 0
        with self._db.read() as conn:
            new = conn.execute(query).all()
        for row in new:
            with self._db.begin() as conn:
                told += self._outbox.add(
                    conn,
                    key=f"seal:{row.seal}:{row.number}",
                    kind=EventType.SEAL_STATUS_CHANGED.value,
                    at=row.at,
                    organisation=row.owner,
                    data={"seal": row.seal, "state": row.status, "number": row.number},
                )
        return told
