"""Grants: who may use a seal whose uses must be granted, for what, when and how often; rules alone, no I/O."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import ClassVar
from zoneinfo import ZoneInfo

from kernel.errors import Reason, Refusal

_DAY, _WEEK = timedelta(days=1), 7
_DECEMBER = 12


class GrantRefused(Refusal):
    """A grant does not allow this use. ``retry_after`` says in how many seconds it would, where time helps."""

    reason, code = Reason.FORBIDDEN, "grant_refused"
    rank: ClassVar[int] = 0
    """How far this use came before it was refused: of several grants the one that is nearest is told of."""

    def __init__(self, detail: str, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class GrantMissing(GrantRefused):
    """The seal's use must be granted, and no grant in force is for this caller."""

    code = "grant_missing"


class GrantFormatRefused(GrantRefused):
    """The grant is not for this format of sealing."""

    code, rank = "grant_format_refused", 1


class GrantKindRefused(GrantRefused):
    """The grant is not for this kind of document."""

    code, rank = "grant_kind_refused", 2


class GrantAmountRefused(GrantRefused):
    """The amount is above the grant's limit, or was not named."""

    code, rank = "grant_amount_refused", 3


class GrantTimeRefused(GrantRefused):
    """The grant has not begun, or its hours are over for now; Retry-After and the detail say when they begin."""

    reason, code, rank = Reason.CONFLICT, "grant_time_refused", 4


class GrantUsedUp(GrantRefused):
    """All uses that the grant gives are taken: for good."""

    code, rank = "grant_used_up", 5


class GrantQuotaReached(GrantRefused):
    """The uses of this day or month are taken; Retry-After and the detail say when the next begin."""

    reason, code, rank = Reason.TOO_MANY, "grant_quota_reached", 6


class GrantUnknown(Refusal):
    """There is no such grant of this seal, or it has ended."""

    reason, code = Reason.NOT_FOUND, "grant_unknown"


class ZoneUnavailable(Refusal):
    """This machine does not know the time zone of a grant: an operator installs the zone database."""

    reason, code = Reason.UNAVAILABLE, "zone_unavailable"


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """Give a zone by its IANA name."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        raise ZoneUnavailable("The time zone is not known here: install the system's zone database.") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Hours of some weekdays, on the clock on the wall. Where they end before they begin, they end the next day."""

    weekdays: frozenset[int]
    """On which they begin; Monday is 1."""
    begins: time
    ends: time
    """00:00 is the end of the day."""

    def open_at(self, local: datetime) -> bool:
        """Tell whether it is open at a time on the wall."""
        now = local.time().replace(tzinfo=None)
        today = local.isoweekday() in self.weekdays
        if self.begins < self.ends:
            return today and self.begins <= now < self.ends
        before = (local - _DAY).isoweekday() in self.weekdays
        return (today and now >= self.begins) or (before and now < self.ends)

    def openings(self, day: date, zone: ZoneInfo) -> Iterator[datetime]:
        """Give when it begins to be open on a day: not at all, once, or twice where the clock is put back."""
        if day.isoweekday() in self.weekdays:
            for fold in (0, 1):
                moment = datetime.combine(day, self.begins.replace(fold=fold), zone).astimezone(UTC)
                # In the hour that the clock leaves out nothing begins.
                if self.open_at(moment.astimezone(zone)):
                    yield moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How many uses at most; None does not bound."""

    per_day: int | None = None
    per_month: int | None = None
    in_total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a grant allows; what is empty or None does not narrow."""

    formats: tuple[str, ...] = ()
    document_kinds: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()
    zone: str
    """IANA name of the zone of windows, days and months."""
    quota: Quota = field(default_factory=Quota)
    amount_limit: int | None = None
    """Of one use, in fen; a use that names no amount is refused then."""

    @classmethod
    def parse(cls, text: str) -> "Terms":
        """Read what an affair wrote down."""
        said = json.loads(text)
        windows = tuple(
            Window(
                weekdays=frozenset(each["weekdays"]),
                begins=time.fromisoformat(each["begins"]),
                ends=time.fromisoformat(each["ends"]),
            )
            for each in said["windows"]
        )
        return cls(
            formats=tuple(said["formats"]),
            document_kinds=tuple(said["document_kinds"]),
            windows=windows,
            zone=said["zone"],
            quota=Quota(per_day=said["per_day"], per_month=said["per_month"], in_total=said["in_total"]),
            amount_limit=said["amount_limit"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Leave to use a seal; its id is that of the affair that gave it."""

    id: str
    seal: str
    subject: str | None
    organisation: str | None
    valid_from: datetime
    valid_to: datetime
    terms: Terms
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What is to be done with a seal, as far as grants look at it."""

    formats: tuple[str, ...]
    document_kind: str
    amount: int | None
    at: datetime


Taken = Callable[[datetime | None, int], int]
"""Counts the uses under the grant since an instant, or ever, no further than a number."""


def check(grant: Grant, use: Use, taken: Taken) -> GrantRefused | None:
    """Give why ``grant`` does not allow ``use``, or None if it does.

    ``taken`` is asked last; where it must be right to the last unit, the caller holds the seal.
    """
    for refusal in (_thing(grant.terms, use), _time(grant, use.at)):
        if refusal is not None:
            return refusal
    return _quota(grant, use.at, taken)


def _thing(terms: Terms, use: Use) -> GrantRefused | None:
    other = [each for each in use.formats if each not in terms.formats]
    if terms.formats and other:
        return GrantFormatRefused(f"The grant is for {', '.join(terms.formats)}, not for {other[0]}.")
    if terms.document_kinds and use.document_kind not in terms.document_kinds:
        return GrantKindRefused(f"The grant is for documents of the kinds {', '.join(terms.document_kinds)}.")
    if terms.amount_limit is not None and use.amount is None:
        return GrantAmountRefused("The grant has a limit: name the amount, in fen.")
    if terms.amount_limit is not None and use.amount is not None and use.amount > terms.amount_limit:
        return GrantAmountRefused(f"The grant is for amounts up to {terms.amount_limit} fen.")
    return None


def _time(grant: Grant, at: datetime) -> GrantRefused | None:
    if at < grant.valid_from:
        return _later("The grant has not begun", at, _opening(grant, grant.valid_from - timedelta(microseconds=1)))
    zone = zone_of(grant.terms.zone)
    local = at.astimezone(zone)
    if grant.terms.windows and not any(window.open_at(local) for window in grant.terms.windows):
        return _later("These are not the hours of the grant", at, _opening(grant, at))
    return None


def _quota(grant: Grant, at: datetime, taken: Taken) -> GrantRefused | None:
    quota = grant.terms.quota
    if quota.in_total is not None and taken(None, quota.in_total) >= quota.in_total:
        return GrantUsedUp(f"The {quota.in_total} uses of the grant are taken.")
    local = at.astimezone(zone_of(grant.terms.zone))
    month = local.date().replace(day=1)
    for most, begin, following, word in (
        (quota.per_month, month, _next_month(month), "month"),
        (quota.per_day, local.date(), local.date() + _DAY, "day"),
    ):
        if most is not None and taken(_midnight(grant, begin), most) >= most:
            again = _opening(grant, _midnight(grant, following) - timedelta(microseconds=1))
            return _later(f"The {most} uses of this {word} are taken", at, again, kind=GrantQuotaReached)
    return None


def _later(
    words: str, at: datetime, again: datetime | None, *, kind: type[GrantRefused] = GrantTimeRefused
) -> GrantRefused:
    if again is None:
        return kind(f"{words}, and it ends before it would allow this again.")
    seconds = -(-(again - at) // timedelta(seconds=1))
    return kind(f"{words}: it allows this again from {again.isoformat(timespec='seconds')}.", seconds)


def _opening(grant: Grant, after: datetime) -> datetime | None:
    """Give the first instant after ``after`` at which the grant's time allows a use; None: before its end none."""
    windows, zone = grant.terms.windows, zone_of(grant.terms.zone)
    moment = max(after + timedelta(microseconds=1), grant.valid_from)
    local = moment.astimezone(zone)
    found: datetime | None = moment
    if windows and not any(window.open_at(local) for window in windows):
        days = [local.date() + number * _DAY for number in range(2 * _WEEK)]
        openings = (each for day in days for window in windows for each in window.openings(day, zone))
        found = min((each for each in openings if each > moment), default=None)
    return found if found is not None and found < grant.valid_to else None


def _midnight(grant: Grant, day: date) -> datetime:
    return datetime.combine(day, time(), zone_of(grant.terms.zone)).astimezone(UTC)


def _next_month(month: date) -> date:
    return (
        month.replace(year=month.year + 1, month=1)
        if month.month == _DECEMBER
        else month.replace(month=month.month + 1)
    )


def nearest(refusals: Mapping[str, GrantRefused]) -> GrantRefused:
    """Choose of what each grant refused the one that is nearest to allowing it, and name the grant."""
    grant, refusal = max(
        refusals.items(), key=lambda item: (item[1].rank, item[1].retry_after is not None, -(item[1].retry_after or 0))
    )
    refusal.detail = f"{refusal.detail} Grant {grant}."
    return refusal
