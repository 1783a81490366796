"""The journal of an authority: what it is about to do stands in the audit log before it, what it did after it.

The authority's ledger and the audit log cannot be written as one. So each act is three steps: an intent entry, the
file in the ledger, a completion entry. A crash leaves an intent without completion; ``unfinished`` finds those, and
whether the file is there tells which way to end them. A file without an intent cannot come about.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from typing import Protocol

import sqlalchemy as sa

from kernel.audit import AuditLog, Fact, entries
from kernel.clock import Clock
from kernel.db import Database

SETTLED_AFTER = timedelta(minutes=1)
"""How old an intent without completion is before another process takes it for cut off."""


class Act(Enum):
    """What an authority does: the audit actions of intent and completion."""

    ISSUE = ("seal.certificate.issue_intended", "seal.certificate.issued")
    REVOKE = ("seal.certificate.revocation_intended", "seal.certificate.revoked")
    PUBLISH = ("seal.revocation_list.intended", "seal.revocation_list.published")
    REQUEST = ("seal.certificate.request_intended", "seal.certificate.requested")
    INSTALL = ("seal.authority.installation_intended", "seal.authority.installed")

    @property
    def intent(self) -> str:
        """The action of the entry before."""
        return self.value[0]

    @property
    def completion(self) -> str:
        """The action of the entry after."""
        return self.value[1]


class Journal(Protocol):
    """Where one authority's acts are recorded; when a method returns, its entry survives a crash."""

    def intend(self, act: Act, what: str, *, by: str, facts: Mapping[str, Fact]) -> None:
        """Record that ``what`` is about to be done."""

    def complete(self, act: Act, what: str, *, by: str, late: bool = False) -> None:
        """Record that it was done; ``late`` if that was found out afterwards."""

    def unfinished(self, act: Act) -> tuple[str, ...]:
        """Give what was intended a minute ago or more, has no completion, and was not given before."""

    def completed(self, act: Act) -> tuple[str, ...]:
        """Give all that was ever recorded as done."""


class NoJournal:
    """For an authority whose ledger alone is its record, as on a machine without the audit log."""

    def intend(self, act: Act, what: str, *, by: str, facts: Mapping[str, Fact]) -> None:
        """Record nothing."""

    def complete(self, act: Act, what: str, *, by: str, late: bool = False) -> None:
        """Record nothing."""

    def completed(self, act: Act) -> tuple[str, ...]:
        """Give nothing."""
        del act
        return ()

    def unfinished(self, act: Act) -> tuple[str, ...]:
        """Give nothing."""
        del act
        return ()


class AuditJournal:
    """The journal of the authority ``name`` in the audit log; entries are about ``ca/NAME/WHAT``."""

    def __init__(self, db: Database, audit: AuditLog, clock: Clock, name: str) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._prefix = f"ca/{name}/"
        self._seen: dict[Act, int] = {}

    def intend(self, act: Act, what: str, *, by: str, facts: Mapping[str, Fact]) -> None:
        """Record that ``what`` is about to be done."""
        self._append(act.intent, what, by, facts)

    def complete(self, act: Act, what: str, *, by: str, late: bool = False) -> None:
        """Record that it was done; ``late`` if that was found out afterwards."""
        self._append(act.completion, what, by, {"late": True} if late else {})

    def unfinished(self, act: Act) -> tuple[str, ...]:
        """Give what was intended a minute ago or more, has no completion, and was not given before."""
        done = entries.alias()
        old = entries.c.at <= self._clock.now() - SETTLED_AFTER
        found = (
            sa.select(entries.c.target)
            .distinct()
            # What was looked at before is not looked at again: the log grows for decades.
            .where(entries.c.seq > self._seen.get(act, 0), old, entries.c.action == act.intent)
            .where(entries.c.target.startswith(self._prefix, autoescape=True))
            .where(~sa.exists().where(done.c.target == entries.c.target, done.c.action == act.completion))
            .order_by(entries.c.target)
        )
        with self._db.read() as conn:
            targets = conn.execute(found).scalars().all()
            self._seen[act] = conn.execute(sa.select(sa.func.max(entries.c.seq)).where(old)).scalar_one() or 0
        return tuple(target.removeprefix(self._prefix) for target in targets)

    def completed(self, act: Act) -> tuple[str, ...]:
        """Give all that was ever recorded as done."""
        found = (
            sa.select(entries.c.target)
            .distinct()
            .where(entries.c.action == act.completion, entries.c.target.startswith(self._prefix, autoescape=True))
            .order_by(entries.c.target)
        )
        with self._db.read() as conn:
            targets = conn.execute(found).scalars().all()
        return tuple(target.removeprefix(self._prefix) for target in targets)

    def _append(self, action: str, what: str, by: str, facts: Mapping[str, Fact]) -> None:
        with self._db.begin() as conn:
            self._audit.append(
                conn, at=self._clock.now(), actor=by, action=action, target=self._prefix + what, facts=facts
            )
