"""The audit log: entries that are only ever added, each bound to the one before by an SM3 hash chain.

An entry's hash covers its canonical JSON (RFC 8785, restricted to ASCII keys and to values without fractions),
which holds the hash of the entry before. The newest hash stands in one head row; whoever appends locks that row,
so two transactions can neither fork the chain nor leave a gap.

Facts are short, factual and free of personal data: the log is kept for decades and shown to auditors. People
appear as opaque subject ids. Keys that name personal data or secrets are refused; values are the caller's duty.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from crypto.digests import sm3
from kernel.db import METADATA, Instant, insert_new, record
from kernel.logs import is_personal

Fact = str | int | bool | None

GENESIS = "0" * 64
_HEAD_ID = 1
_LARGEST_INT = 2**53 - 1
_LONGEST = 200
_LONGEST_FACTS = 8000
_MOST_PROBLEMS = 100
_FACT_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

entries = sa.Table(
    "audit_entries",
    METADATA,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("actor", sa.String(_LONGEST), nullable=False),
    sa.Column("action", sa.String(_LONGEST), nullable=False),
    sa.Column("target", sa.String(_LONGEST), nullable=False, index=True),
    # Canonical JSON as hashed; text, because a database's JSON type may reorder or reformat it.
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("previous", sa.String(64), nullable=False, unique=True),
    sa.Column("hash", sa.String(64), nullable=False),
)
heads = sa.Table(
    "audit_head",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.CheckConstraint(f"id = {_HEAD_ID}", name="single"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry as it is stored; ``facts`` is canonical JSON, ``previous`` the hash of the entry before."""

    seq: int
    at: datetime
    actor: str
    action: str
    target: str
    facts: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest entry: kept outside (printed, mailed, witnessed), it proves later that nothing was cut off."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditProblem:
    """One thing that does not hold, at entry ``seq``."""

    seq: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerdict:
    """What examining the whole chain found; ``problems`` is empty exactly if it holds."""

    entries: int
    head: Head
    problems: tuple[AuditProblem, ...]

    @property
    def holds(self) -> bool:
        """Whether every entry is as it was written, in its place, with none missing."""
        return not self.problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What an entry is to tell: who did what to what, and when."""

    at: datetime
    actor: str
    action: str
    target: str
    facts: Mapping[str, Fact] = field(default_factory=dict)


class AuditLog:
    """Appends to and examines the one audit log of a database.

    Holds no state: every method works inside the caller's transaction, so an entry exists exactly if what it tells
    of was committed.
    """

    def append(  # noqa: PLR0913 - who did what to what, when: the five columns of a log
        self,
        conn: sa.Connection,
        *,
        at: datetime,
        actor: str,
        action: str,
        target: str,
        facts: Mapping[str, Fact] | None = None,
    ) -> int:
        """Add one entry and give its number, counted from 1 without gaps.

        Call it late in the transaction: from here to its end no other transaction can append. Whatever prevents the
        entry raises, so that the deed it tells of is rolled back with it.
        """
        return self.append_all(conn, [Deed(at=at, actor=actor, action=action, target=target, facts=facts or {})])

    def append_all(self, conn: sa.Connection, deeds: Iterable[Deed]) -> int:
        """Add one entry a deed, in their order, and give the newest entry's number; as ``append`` in all else."""
        # 1. Take the head for ourselves.
        head = last = self._lock(conn)
        # 2. The entries, each bound to the one before.
        written = []
        for deed in deeds:
            entry = _bound(deed, last)
            last = Head(seq=entry.seq, hash=entry.hash)
            written.append({name: getattr(entry, name) for name in Entry.__slots__})
        if not written:
            return head.seq
        conn.execute(sa.insert(entries), written)
        # 3. The head moves on from where we found it.
        moved = conn.execute(
            sa.update(heads)
            .where(heads.c.id == _HEAD_ID, heads.c.seq == head.seq, heads.c.hash == head.hash)
            .values(seq=last.seq, hash=last.hash)
        )
        if moved.rowcount != 1:
            raise RuntimeError("the audit log's head moved while it was locked: the transaction must not be committed")
        return last.seq

    def head(self, conn: sa.Connection) -> Head:
        """Give the newest entry's number and hash; number 0 before the first."""
        return _read_head(conn) or Head(seq=0, hash=GENESIS)

    def about(self, conn: sa.Connection, target: str) -> tuple[Entry, ...]:
        """Give the entries about one target, oldest first; one that is not what was hashed is left out."""
        statement = sa.select(entries).where(entries.c.target == target).order_by(entries.c.seq)
        found = (record(Entry, row) for row in conn.execute(statement))
        return tuple(entry for entry in found if _recomputed(entry) == entry.hash)

    def verify(self, conn: sa.Connection, *, witnessed: Iterable[Head] = ()) -> AuditVerdict:
        """Examine every entry: unchanged, in order, none missing, and the head row the last of them.

        ``witnessed`` are heads kept outside this database. Only with one can it be seen that the newest entries were
        cut off together with the head row, or that the whole chain was written anew. At most 100 problems are told.
        """
        outside = {head.seq: head.hash for head in witnessed if head.seq}
        problems: list[AuditProblem] = []
        last = Head(seq=0, hash=GENESIS)
        count = 0
        statement = sa.select(entries).order_by(entries.c.seq).execution_options(yield_per=1000)
        for row in conn.execute(statement):
            entry = record(Entry, row)
            count += 1
            problems.extend(_judge(entry, last, outside.pop(entry.seq, None)))
            last = Head(seq=entry.seq, hash=entry.hash)
            if len(problems) >= _MOST_PROBLEMS:
                break
        else:
            problems.extend(_judge_end(self.head(conn), last, outside))
        return AuditVerdict(entries=count, head=last, problems=tuple(problems[:_MOST_PROBLEMS]))

    def _lock(self, conn: sa.Connection) -> Head:
        """Read the head so that no other transaction can until ours ends (SQLite: ours is the only writer)."""
        head = _read_head(conn, lock=True)
        if head is None:
            _make_head(conn)
            head = _read_head(conn, lock=True)
        if head is None:
            raise RuntimeError("the audit log has no head row and none can be made")
        return head


def canonical(value: Mapping[str, Any]) -> str:
    """Write JSON as RFC 8785 does, for objects with ASCII keys that hold text, whole numbers or such objects."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _bound(deed: Deed, last: Head) -> Entry:
    unbound = Entry(
        seq=last.seq + 1,
        at=_instant(deed.at),
        actor=_plain("actor", deed.actor),
        action=_plain("action", deed.action),
        target=_plain("target", deed.target),
        facts=_facts(deed.facts),
        previous=last.hash,
        hash="",
    )
    return replace(unbound, hash=_hash(unbound))


def _hash(entry: Entry) -> str:
    text = canonical(
        {
            "version": 1,
            "seq": entry.seq,
            "at": entry.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "actor": entry.actor,
            "action": entry.action,
            "target": entry.target,
            "facts": json.loads(entry.facts),
            "previous": entry.previous,
        }
    )
    return sm3(text.encode()).hex()


def _instant(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("an audit entry's instant carries its zone: a naive one would be read as the machine's time")
    return at.astimezone(UTC)


def _plain(column: str, text: str) -> str:
    if not text or len(text) > _LONGEST or _CONTROL.search(text):
        raise ValueError(f"an audit entry's {column} is 1 to {_LONGEST} characters without control characters")
    text.encode()  # a lone surrogate cannot be written down
    return text


def _facts(facts: Mapping[str, Fact]) -> str:
    for name, value in facts.items():
        if not _FACT_NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot name a fact: lower-case letters, digits and _ only")
        if is_personal(name):
            raise ValueError(f"{name!r} names personal data or a secret, which the audit log never holds")
        if not _is_fact(value):
            raise TypeError(f"the fact {name!r} is neither text nor a whole number below 2**53 nor a truth value")
    text = canonical(facts)
    if len(text) > _LONGEST_FACTS:
        raise ValueError(f"the facts of one audit entry take at most {_LONGEST_FACTS} characters")
    return text


def _is_fact(value: object) -> bool:
    if value is None or type(value) in (str, bool):
        return True
    # RFC 8785 3.2.2.3: numbers are doubles; beyond this they would not come back the same.
    return type(value) is int and abs(value) <= _LARGEST_INT


def _judge(entry: Entry, last: Head, witness: str | None) -> Iterator[AuditProblem]:
    def problem(code: str, detail: str) -> AuditProblem:
        return AuditProblem(seq=entry.seq, code=code, detail=detail)

    if entry.seq != last.seq + 1:
        yield problem("entries_missing", f"entries {last.seq + 1} to {entry.seq - 1} are missing")
    if entry.previous != last.hash:
        yield problem("link_broken", "the entry does not follow from the one before it")
    if _recomputed(entry) != entry.hash:
        yield problem("entry_changed", "the entry is not what was hashed when it was written")
    if witness is not None and witness != entry.hash:
        yield problem("witness_differs", "the entry is not the one that was witnessed outside")


def _judge_end(head: Head, last: Head, outside: Mapping[int, str]) -> Iterator[AuditProblem]:
    if head != last:
        detail = f"the head row tells of entry {head.seq}, the last entry is {last.seq}"
        yield AuditProblem(seq=last.seq, code="head_differs", detail=detail)
    for seq in sorted(outside):
        detail = "an entry that was witnessed outside is missing"
        yield AuditProblem(seq=seq, code="witnessed_missing", detail=detail)


def _recomputed(entry: Entry) -> str | None:
    try:
        # The very text is bound: the same facts written in another way are a change too.
        return _hash(entry) if canonical(json.loads(entry.facts)) == entry.facts else None
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def _read_head(conn: sa.Connection, *, lock: bool = False) -> Head | None:
    statement = sa.select(heads.c.seq, heads.c.hash).where(heads.c.id == _HEAD_ID)
    row = conn.execute(statement.with_for_update() if lock else statement).one_or_none()
    return None if row is None else record(Head, row)


def _make_head(conn: sa.Connection) -> None:
    """Start the log, unless another transaction does at this moment."""
    insert_new(conn, heads, [{"id": _HEAD_ID, "seq": 0, "hash": GENESIS}])
