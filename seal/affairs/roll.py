"""The roll of seals: those a caller may see, searched, filtered, counted and read page by page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from kernel.clock import Clock
from kernel.db import Database, record
from kernel.principal import Principal
from seal.affairs.desk import RIGHTS
from seal.model import SealStatus
from seal.store import SEALS, STATUS_CHANGES
from seal.versions import VERSIONS

SOON = timedelta(days=60)
"""A seal that is in use and ends within this time is counted as ending."""
_MOST_LISTED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SealFilter:
    """Which seals are looked for; what is left out does not matter."""

    text: str = ""
    """A part of the number, the name, or the owner's name or code."""
    status: SealStatus | None = None
    kind: int | None = None
    owner: str | None = None
    ending: bool = False
    """Only those in use that end soon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollRow:
    """A seal as it stands now, without its picture."""

    id: str
    kind: int
    name: str
    owner: str
    owner_name: str
    status: SealStatus
    status_since: datetime
    valid_from: datetime
    valid_to: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RollCount:
    """How many seals a caller may see: by status, and those in use that end soon."""

    by_status: Mapping[SealStatus, int]
    ending: int


class SealRoll:
    """Lists seals to their owners' systems and to whoever has a right to them, as ``SealDesk`` shows single ones."""

    def __init__(self, *, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def page(
        self, wanted: SealFilter, principal: Principal, *, after: str = "", limit: int = 50
    ) -> tuple[RollRow, ...]:
        """List seals by number, from the one after ``after`` on."""
        query = self._query(wanted, principal).where(SEALS.c.id > after).order_by(SEALS.c.id)
        with self._db.read() as conn:
            rows = conn.execute(query.limit(min(limit, _MOST_LISTED))).all()
        return tuple(record(RollRow, {**row._asdict(), "status": SealStatus(row.status)}) for row in rows)

    def count(self, principal: Principal) -> RollCount:
        """Count the seals a caller may see."""
        every = self._query(SealFilter(), principal).subquery()
        ending = self._query(SealFilter(ending=True), principal).subquery()
        with self._db.read() as conn:
            rows = conn.execute(sa.select(every.c.status, sa.func.count()).group_by(every.c.status)).all()
            soon = conn.execute(sa.select(sa.func.count()).select_from(ending)).scalar_one()
        return RollCount(by_status={SealStatus(status): number for status, number in rows}, ending=soon)

    def _query(self, wanted: SealFilter, principal: Principal) -> "sa.Select[tuple[object, ...]]":
        found = [_visible(principal), *_conditions(wanted)]
        if wanted.ending:
            end = sa.func.coalesce(VERSIONS.c.valid_to, SEALS.c.valid_to, type_=SEALS.c.valid_to.type)
            found += [STATUS_CHANGES.c.status == SealStatus.ACTIVE.value, end <= self._clock.now() + SOON]
        return _ROLL.where(*found)


def _of_version(column: str) -> "sa.Label[object]":
    return sa.func.coalesce(VERSIONS.c[column], SEALS.c[column], type_=SEALS.c[column].type).label(column)


_NEWEST, _LAST = VERSIONS.alias("newest"), STATUS_CHANGES.alias("last")
_ROLL = (
    sa.select(
        SEALS.c.id,
        SEALS.c.kind,
        SEALS.c.owner,
        _of_version("name"),
        _of_version("owner_name"),
        _of_version("valid_from"),
        _of_version("valid_to"),
        sa.func.coalesce(VERSIONS.c.number, 1).label("version"),
        STATUS_CHANGES.c.status,
        STATUS_CHANGES.c.at.label("status_since"),
    )
    .select_from(SEALS)
    .join(
        STATUS_CHANGES,
        sa.and_(
            STATUS_CHANGES.c.seal == SEALS.c.id,
            STATUS_CHANGES.c.number
            == sa.select(sa.func.max(_LAST.c.number)).where(_LAST.c.seal == SEALS.c.id).scalar_subquery(),
        ),
    )
    .outerjoin(
        VERSIONS,
        sa.and_(
            VERSIONS.c.seal == SEALS.c.id,
            VERSIONS.c.number
            == sa.select(sa.func.max(_NEWEST.c.number)).where(_NEWEST.c.seal == SEALS.c.id).scalar_subquery(),
        ),
    )
)


def _conditions(wanted: SealFilter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.status is not None:
        found.append(STATUS_CHANGES.c.status == wanted.status.value)
    if wanted.kind is not None:
        found.append(SEALS.c.kind == wanted.kind)
    if wanted.owner:
        found.append(SEALS.c.owner == wanted.owner)
    if wanted.text:
        name = sa.func.coalesce(VERSIONS.c.name, SEALS.c.name)
        owner_name = sa.func.coalesce(VERSIONS.c.owner_name, SEALS.c.owner_name)
        places = (SEALS.c.id, name, SEALS.c.owner, owner_name)
        found.append(sa.or_(*(place.contains(wanted.text, autoescape=True) for place in places)))
    return found


def _visible(principal: Principal) -> sa.ColumnElement[bool]:
    """Say as a condition whose files ``SealDesk`` shows to a caller."""
    held = [right.partition(":") for right in principal.rights]
    seals = {target for name, _, target in held if name in RIGHTS}
    if "*" in seals:
        return sa.true()
    mine = SEALS.c.id.in_(sorted(seals))
    return mine if principal.organisation is None else sa.or_(mine, SEALS.c.owner == principal.organisation)
