"""Officers: natural persons with rights over seals, by their subject id; the newest appointment counts."""

import json
import re
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from kernel.audit import AuditLog
from kernel.clock import Clock
from kernel.db import METADATA, Database, Instant
from kernel.errors import Forbidden
from kernel.principal import Principal, PrincipalKind
from seal.affairs.actions import RULES
from seal.affairs.model import AffairRefused

OFFICERS = sa.Table(
    "seal_officers",
    METADATA,
    sa.Column("subject", sa.String(200), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    # Two accounts with the same are one person's.
    sa.Column("person", sa.String(200), nullable=False),
    # A JSON array; an empty one ends the office.
    sa.Column("rights", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("by", sa.String(200), nullable=False),
)
_OF_AFFAIRS: frozenset[str] = frozenset().union(*({rule.propose, rule.review, rule.approve} for rule in RULES.values()))
RIGHTS = (_OF_AFFAIRS | {"seal.use", "seal.use.approve", "seal.ledger"}) - {""}
"""The rights an officer can have, each on one seal or on all; ``seal.use`` to see to batches and retries."""
_PERSON_MAX = 100
_TARGET = re.compile(r"\*|[0-9]{14}")


class Officers:
    """Keeps who may propose, review and approve; nothing here tells whether somebody is who they say."""

    def __init__(self, *, db: Database, audit: AuditLog, clock: Clock) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock

    def appoint(self, subject: str, rights: Iterable[str], *, by: str, person: str | None = None) -> frozenset[str]:
        """Give an account these rights and no others; none at all ends the office.

        ``person`` is what tells people apart, such as a personnel number: whoever has two accounts has it twice. Where
        it is not given, it stays what it was; where it never was, the account stands for a person.
        """
        given = sorted(set(rights))
        if person is not None and not 0 < len(person) <= _PERSON_MAX:
            raise AffairRefused(f"A person is told by 1 to {_PERSON_MAX} characters.")
        for right in given:
            name, _, target = right.partition(":")
            if name not in RIGHTS or not _TARGET.fullmatch(target):
                raise AffairRefused(f"A right is one of {', '.join(sorted(RIGHTS))} with :* or :<seal>.")
        now = self._clock.now()
        with self._db.begin() as conn:
            last = _newest(conn, subject)
            columns = {
                "number": last.number + 1 if last else 1,
                "person": person or (last.person if last else subject),
                "rights": json.dumps(given),
                "at": now,
                "by": by,
            }
            conn.execute(sa.insert(OFFICERS).values(subject=subject, **columns))
            facts = {"rights": " ".join(given)}
            action = "seal.officer_appointed"
            self._audit.append(conn, at=now, actor=by, action=action, target=subject, facts=facts)
        return frozenset(given)

    def principal(self, subject: str) -> Principal:
        """Give the principal of a person who has proved to be ``subject``; Forbidden to whoever holds no office."""
        with self._db.read() as conn:
            row = _newest(conn, subject)
        held = frozenset(json.loads(row.rights)) if row else frozenset()
        if row is None or not held:
            raise Forbidden("This person holds no office over seals: an operator appoints them first.")
        return Principal(subject=subject, kind=PrincipalKind.PERSON, rights=held, person=row.person)


def _newest(conn: sa.Connection, subject: str) -> "sa.Row[*tuple[Any, ...]] | None":
    query = sa.select(OFFICERS).where(OFFICERS.c.subject == subject)
    return conn.execute(query.order_by(OFFICERS.c.number.desc()).limit(1)).first()
