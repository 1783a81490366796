"""The usage ledger (电子印章使用登记): every use of a seal, the newest first, for those whom it concerns.

Read from the facts of sealing; nothing is kept twice.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from crypto.digests import sm3
from kernel.audit import AuditLog, Fact
from kernel.clock import Clock
from kernel.db import Database
from kernel.errors import Forbidden
from kernel.principal import Principal
from seal.usage.export import ZONE, Gap, archive, filter_words, month_bounds
from seal.usage.model import Cursor, LedgerFilter, LedgerFilterRefused, LedgerPage, LedgerRow, UseState
from seal.usage.rows import Scope, count_rows, newest_first, read_scope, serial_gap
from seal.usage.signing import LedgerSigner, LedgerSignerMissing

__all__ = ["LedgerFilter", "LedgerFilterRefused", "LedgerPage", "LedgerRow", "UsageLedger", "UseState"]
SETTLED = timedelta(minutes=5)
"""How long after an instant a use that was intended before it may still be on its way into the record."""
MOST = 500
"""Rows of a page at most."""


class UsageLedger:
    """Shows uses of seals; safe to share between threads.

    Needs the right ``seal.ledger:<seal>`` or ``seal.ledger:*``; clients of a seal's owner see that seal's uses without.
    Whoever acts for an organisation never sees another organisation's seals, whatever right they have.
    """

    def __init__(self, *, db: Database, audit: AuditLog, clock: Clock, signer: LedgerSigner | None = None) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._signer = signer

    def page(
        self, wanted: LedgerFilter, principal: Principal, *, after: str | None = None, limit: int = 50
    ) -> LedgerPage:
        """Give a page of the uses that ``principal`` may see; Forbidden to those who may see none."""
        cursor = Cursor.parse(after) if after is not None else None
        with self._db.read() as conn:
            scope = _scope(conn, wanted, principal)
            rows, following = newest_first(conn, wanted, scope, after=cursor, limit=max(1, min(limit, MOST)))
        return LedgerPage(rows=tuple(rows), next=following.text if following else None)

    def count(self, wanted: LedgerFilter, principal: Principal, *, most: int = 10_000) -> tuple[int, bool]:
        """Count the uses that ``principal`` may see, as far as that costs little; tell whether these are all."""
        with self._db.read() as conn:
            return count_rows(conn, wanted, _scope(conn, wanted, principal), most=most)

    def export(self, wanted: LedgerFilter, principal: Principal, *, month: str | None = None) -> Iterator[bytes]:
        """Give an archive (ZIP) of the uses that ``principal`` may see, piece by piece; a ``month`` bounds the filter.

        Refuses before the first piece. It holds every use as CSV and as JSON lines, a manifest, and signatures over
        that by a key of ours; that it was made is put on record.
        """
        if self._signer is None:
            raise LedgerSignerMissing("Nobody here signs exports of the ledger.")
        signer, at = self._signer, self._clock.now()
        if month is not None:
            since, until = month_bounds(month)
            wanted = replace(wanted, since=max(since, wanted.since or since), until=min(until, wanted.until or until))
        with self._db.read() as conn:
            _scope(conn, wanted, principal)
            log = self._audit.head(conn)
        signer.sign(b"", at)  # What cannot be signed is not begun.
        head = {
            "month": month,
            "zone": str(ZONE) if month else None,
            "over": wanted.until is not None and wanted.until + SETTLED <= at,
            "filter": filter_words(wanted),
            "made_at": at.isoformat(),
            "made_for": principal.subject,
            "audit": {"seq": log.seq, "hash": log.hash},
        }
        return archive(
            self._pages(wanted, principal),
            head=head,
            gaps=self._gap,
            sign=lambda manifest: signer.sign(manifest, at),
            done=lambda manifest, rows: self._exported(wanted, principal, month, manifest, rows),
        )

    def _pages(self, wanted: LedgerFilter, principal: Principal) -> Iterator[tuple[LedgerRow, ...]]:
        page = self.page(wanted, principal, limit=MOST)
        yield page.rows
        while page.next is not None:
            page = self.page(wanted, principal, after=page.next, limit=MOST)
            yield page.rows

    def _gap(self, seal: str, first: int, last: int, rows: int) -> Gap:
        with self._db.read() as conn:
            return serial_gap(conn, seal, first, last, rows)

    def _exported(
        self, wanted: LedgerFilter, principal: Principal, month: str | None, manifest: bytes, rows: int
    ) -> None:
        facts: dict[str, Fact] = {"rows": rows, "manifest_sm3": sm3(manifest).hex(), "month": month}
        with self._db.begin() as conn:
            self._audit.append(
                conn,
                at=self._clock.now(),
                actor=principal.subject,
                action="seal.ledger.exported",
                target=wanted.seal or "*",
                facts=facts,
            )


def _scope(conn: sa.Connection, wanted: LedgerFilter, principal: Principal) -> Scope:
    scope = read_scope(conn, principal, wanted.seal)
    if scope is None:
        raise Forbidden("This needs the right seal.ledger:<seal>, or to act for the body that owns the seal.")
    return scope
