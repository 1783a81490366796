"""Rows of the ledger, read so that a page costs the same however long the ledger is.

A wish becomes one or several strands, each of which one index gives from the newest on: (case number, time), (seal,
time), … What an index does not decide is looked at within a window of ``SCAN`` intents a strand, so that a filter that
fits hardly anything gives a short page and a cursor, not a long wait.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from kernel.db import Instant, database_now
from kernel.principal import Principal
from seal.store import ATTEMPTS, COMPLETIONS, FAILURES, SEALINGS, SEALS
from seal.usage.export import Gap
from seal.usage.model import Cursor, LedgerFilter, LedgerRow, UseState
from seal.usage.store import USAGES
from seal.versions import VERSIONS

SCAN = 2000
"""Intents that are looked at for one page of one strand."""
WINDOWS = 10
"""In how many windows rows are counted before it is left at that."""
RIGHT = "seal.ledger"
_MOST_ABSENT = 100
_Clause = sa.ColumnElement[bool]
_Row: TypeAlias = "sa.Row[*tuple[Any, ...]]"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which seals' uses a caller may see: these, or, without any named, all."""

    seals: frozenset[str] | None


def read_scope(conn: sa.Connection, principal: Principal, seal: str | None) -> Scope | None:
    """Tell what ``principal`` may see, of one seal if one is named; None: nothing."""
    held = [right.removeprefix(f"{RIGHT}:") for right in principal.rights if right.startswith(f"{RIGHT}:")]
    if principal.organisation is None:
        if "*" in held:
            return Scope(None if seal is None else frozenset({seal}))
        return _scope(set(held), seal)
    # Whoever acts for an organisation sees its own seals' uses, and no other's.
    own = sa.select(SEALS.c.id).where(SEALS.c.owner == principal.organisation)
    if seal is not None:
        own = own.where(SEALS.c.id == seal)
    return _scope(set(conn.execute(own).scalars()), seal)


def _scope(seals: set[str], seal: str | None) -> Scope | None:
    seen = seals if seal is None else seals & {seal}
    return Scope(frozenset(seen)) if seen else None


def newest_first(
    conn: sa.Connection, wanted: LedgerFilter, scope: Scope, *, after: Cursor | None, limit: int
) -> tuple[list[LedgerRow], Cursor | None]:
    """Give up to ``limit`` rows after ``after``, and from where to go on, if there may be more."""
    now = database_now(conn)
    strands = [_read(conn, each, wanted, now, after=after, limit=limit) for each in _strands(wanted, scope)]
    # What lies beyond the end of any window is not known yet, and waits for the next page.
    known_to = max((end for _, end in strands if end), default=None)
    merged = heapq.merge(*(rows for rows, _ in strands), key=_place, reverse=True)
    rows = list(islice(_known(_single(merged), known_to), limit + 1))
    if len(rows) > limit:
        following: Cursor | None = _place(rows[limit - 1])
    else:
        following = known_to
    return _told(conn, rows[:limit]), following


def count_rows(conn: sa.Connection, wanted: LedgerFilter, scope: Scope, *, most: int) -> tuple[int, bool]:
    """Count the rows, no further than ``most``, in so many windows at most; tell whether these are all."""
    counted = 0
    after: Cursor | None = None
    for _ in range(WINDOWS):
        rows, after = newest_first(conn, wanted, scope, after=after, limit=min(SCAN, most - counted))
        counted += len(rows)
        if after is None or counted >= most:
            break
    return counted, after is None


def serial_gap(conn: sa.Connection, seal: str, first: int, last: int, rows: int) -> Gap:
    """Explain what of the serials from ``first`` to ``last`` is not among ``rows`` rows."""
    between = sa.and_(SEALINGS.c.seal == seal, SEALINGS.c.serial.between(first, last))
    kept = conn.execute(sa.select(sa.func.count()).select_from(SEALINGS).where(between)).scalar_one()
    absent: list[int] = []
    if kept < last - first + 1:
        before = sa.func.lag(SEALINGS.c.serial).over(order_by=SEALINGS.c.serial).label("before")
        steps = sa.select(SEALINGS.c.serial, before).where(between).subquery()
        jumps = sa.select(steps).where(steps.c.serial > steps.c.before + 1).order_by(steps.c.serial).limit(_MOST_ABSENT)
        for row in conn.execute(jumps):
            absent += range(row.before + 1, min(row.serial, row.before + 1 + _MOST_ABSENT))
    return Gap(not_selected=kept - rows, absent=tuple(absent[:_MOST_ABSENT]))


def _place(row: _Row) -> Cursor:
    return Cursor(row.intended_at, row.id)


def _single(rows: Iterable[_Row]) -> Iterator[_Row]:
    """Leave out what another strand gave already."""
    last = None
    for row in rows:
        if row.id != last:
            yield row
        last = row.id


def _known(rows: Iterable[_Row], end: Cursor | None) -> Iterator[_Row]:
    return (row for row in rows if end is None or _place(row) >= end)


# --- strands: what an index gives ------------------------------------------------------------------------------

_Match = tuple[str, str | frozenset[str]]
"""A column of the intent, and the value or values wanted in it."""


@dataclass(frozen=True, slots=True)
class _Strand:
    """Uses in the order of one index; ``rest`` is what that index does not decide."""

    index: tuple[_Clause, ...]
    rest: tuple[_Match, ...] = ()


def _strands(wanted: LedgerFilter, scope: Scope) -> tuple[_Strand, ...]:
    """Choose the index by the part of the wish that fits the fewest."""
    given = [(name, value) for name in _INDEXED if (value := getattr(wanted, name)) is not None]
    other = [(name, value) for name in _BARE if (value := getattr(wanted, name)) is not None]
    if scope.seals is not None:
        other.append(("seal", scope.seals))
    if wanted.document_sm3 is not None:
        sent = SEALINGS.c.document_before == wanted.document_sm3
        made = sa.select(COMPLETIONS.c.sealing).where(COMPLETIONS.c.object_key == wanted.document_sm3)
        rest = (*given, *other)
        return (_Strand((sent,), rest), _Strand((SEALINGS.c.id.in_(made),), rest))
    if given:
        first, *others = given
        if first[0] == "seal" and scope.seals is not None:
            other.pop()  # Its right is looked at already.
        return (_Strand((_matches(SEALINGS.c, first),), (*others, *other)),)
    if scope.seals is None:
        return (_Strand((), tuple(other)),)
    return tuple(_Strand((SEALINGS.c.seal == seal,), tuple(other[:-1])) for seal in sorted(scope.seals))


_INDEXED = ("case_number", "seal", "caller", "organisation")
_BARE = ("document_kind", "format")


def _matches(columns: "sa.ColumnCollection[str, sa.Column[Any]] | Any", match: _Match) -> _Clause:
    name, value = match
    column: sa.ColumnElement[str] = columns[name]
    return column.in_(sorted(value)) if isinstance(value, frozenset) else column == value


def _read(  # noqa: PLR0913 - a strand, a wish and a place
    conn: sa.Connection, strand: _Strand, wanted: LedgerFilter, now: datetime, *, after: Cursor | None, limit: int
) -> tuple[Sequence[_Row], Cursor | None]:
    """Read a strand from ``after`` on; give the rows, and how far it was looked at if that is not its end."""
    exact = not strand.rest and wanted.state is None
    window = limit + 1 if exact else SCAN
    looked_at = _bounded(strand, wanted, after).limit(window)
    seen = looked_at.subquery("seen")
    query = _rows(seen, now).where(*(_matches(seen.c, each) for each in strand.rest))
    if wanted.state is not None:
        query = query.where(_state(now) == wanted.state.value)
    rows = conn.execute(query.limit(limit + 1)).all()
    if len(rows) > limit:
        return rows, _place(rows[-1])
    end = None if exact else conn.execute(looked_at.offset(window - 1).limit(1)).first()
    return rows, _place(end) if end else None


def _bounded(strand: _Strand, wanted: LedgerFilter, after: Cursor | None) -> "sa.Select[Any]":
    columns = SEALINGS.c
    bounds = list(strand.index)
    if wanted.since is not None:
        bounds.append(columns.intended_at >= wanted.since)
    if wanted.until is not None:
        bounds.append(columns.intended_at < wanted.until)
    if after is not None:
        place = sa.tuple_(sa.literal(after.at, Instant), sa.literal(after.sealing))
        bounds.append(sa.tuple_(columns.intended_at, columns.id) < place)
    return sa.select(SEALINGS).where(*bounds).order_by(columns.intended_at.desc(), columns.id.desc())


_LATER = aliased(ATTEMPTS, name="later")


def _state(now: datetime) -> sa.ColumnElement[str]:
    return sa.case(
        (COMPLETIONS.c.sealing.is_not(None), UseState.COMPLETED.value),
        (FAILURES.c.sealing.is_not(None), UseState.FAILED.value),
        (ATTEMPTS.c.lease_ends > now, UseState.RUNNING.value),
        else_=UseState.INTERRUPTED.value,
    )


def _rows(seen: sa.Subquery, now: datetime) -> "sa.Select[Any]":
    """Give the intents of ``seen`` with what became of them."""
    uses = (USAGES.c[name] for name in ("caller_kind", "person", "client_address", "pages", "amount", "grant"))
    return (
        sa.select(
            seen,
            *uses,
            USAGES.c.approval,
            COMPLETIONS.c.object_key,
            COMPLETIONS.c.sealed_at,
            COMPLETIONS.c.level,
            FAILURES.c.code.label("failure"),
            _state(now).label("state"),
        )
        .select_from(seen)
        .join(ATTEMPTS, ATTEMPTS.c.sealing == seen.c.id)
        .outerjoin(_LATER, sa.and_(_LATER.c.sealing == ATTEMPTS.c.sealing, _LATER.c.number > ATTEMPTS.c.number))
        .outerjoin(FAILURES, sa.and_(FAILURES.c.sealing == ATTEMPTS.c.sealing, FAILURES.c.number == ATTEMPTS.c.number))
        .outerjoin(COMPLETIONS, COMPLETIONS.c.sealing == seen.c.id)
        .outerjoin(USAGES, USAGES.c.sealing == seen.c.id)
        .where(_LATER.c.sealing.is_(None))
        .order_by(seen.c.intended_at.desc(), seen.c.id.desc())
    )


# --- telling ---------------------------------------------------------------------------------------------------


def _told(conn: sa.Connection, rows: Sequence[_Row]) -> list[LedgerRow]:
    names = _names(conn, {row.seal for row in rows})
    return [_row(row, names[row.seal]) for row in rows]


def _names(conn: sa.Connection, seals: set[str]) -> dict[str, list[tuple[datetime, str]]]:
    """Give each seal's names, the newest first, with since when it bore them."""
    names: dict[str, list[tuple[datetime, str]]] = {seal: [] for seal in seals}
    for table, key in ((SEALS, SEALS.c.id), (VERSIONS, VERSIONS.c.seal)):
        query = sa.select(key.label("seal"), table.c.name, table.c.made_at).where(key.in_(sorted(seals)))
        for row in conn.execute(query):
            names[row.seal].append((row.made_at, row.name))
    return {seal: sorted(each, reverse=True) for seal, each in names.items()}


def _row(row: _Row, names: Sequence[tuple[datetime, str]]) -> LedgerRow:
    columns = row._mapping  # noqa: SLF001 - its public name, only with an underscore
    return LedgerRow(
        sealing=row.id,
        seal=row.seal,
        seal_name=next((name for since, name in names if since <= row.intended_at), names[-1][1]),
        serial=row.serial,
        caller=row.caller,
        caller_kind=row.caller_kind,
        person=row.person,
        organisation=row.organisation,
        client_address=row.client_address,
        document_sm3=row.document_before,
        file_sm3=row.object_key,
        pages=row.pages,
        purpose=row.reason,
        case_number=row.case_number,
        document_kind=row.document_kind,
        amount=row.amount,
        format=row.format,
        level=row.level,
        intended_at=row.intended_at,
        sealed_at=row.sealed_at,
        state=UseState(row.state),
        failure=None if row.object_key else row.failure,
        grant=columns["grant"],
        approval=row.approval,
    )
