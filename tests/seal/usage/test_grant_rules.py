"""The rules of grants, one by one, with no database: what, when and how often."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from seal.affairs.payloads import GrantPart
from seal.usage.grants import GrantRefused, Use, check, nearest
from tests.seal.conftest import START
from tests.seal.usage.conftest import a_grant

# START is Sunday, 22 November 2026, 16:00 in Shanghai.
MONDAY_NINE = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
OFFICE = {"weekdays": [1, 2, 3, 4, 5], "begins": "08:30", "ends": "18:00"}
NIGHT = {"weekdays": [5], "begins": "22:00", "ends": "06:00"}
ANY_DAY = [1, 2, 3, 4, 5, 6, 7]


def taken(*at: datetime) -> Callable[[datetime | None, int], int]:
    """Count as a store does, of uses at these instants."""
    return lambda since, most: min(most, sum(since is None or moment >= since for moment in at))


def use(**changes: Any) -> Use:
    return replace(Use(formats=("ofd-ses-v4",), document_kind="决定书", amount=None, at=MONDAY_NINE), **changes)


def refusal(said: dict[str, Any], asked: Use, *before: datetime) -> GrantRefused | None:
    return check(a_grant(**said), asked, taken(*before))


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ({}, use()),
        ({"formats": ["ofd-ses-v4", "pdf-pades-sm2"]}, use(formats=("pdf-pades-sm2",))),
        ({"document_kinds": ["决定书"]}, use()),
        ({"amount_limit": 100}, use(amount=100)),
        ({"amount_limit": 0}, use(amount=0)),
        ({"windows": [OFFICE]}, use()),
        ({"valid_from": MONDAY_NINE}, use()),
    ],
)
def test_what_a_grant_says_is_allowed(said: dict[str, Any], asked: Use) -> None:
    assert refusal(said, asked) is None


@pytest.mark.parametrize(
    ("said", "asked", "code"),
    [
        ({"formats": ["pdf-pades-sm2"]}, use(), "grant_format_refused"),
        # Of two signatures in one sealing both must be granted.
        ({"formats": ["pdf-pades-sm2"]}, use(formats=("pdf-pades-sm2", "pdf-pades-p256")), "grant_format_refused"),
        ({"document_kinds": ["公告"]}, use(), "grant_kind_refused"),
        ({"amount_limit": 100}, use(amount=101), "grant_amount_refused"),
        ({"amount_limit": 100}, use(), "grant_amount_refused"),
        ({"valid_from": MONDAY_NINE + timedelta(seconds=1)}, use(), "grant_time_refused"),
        ({"windows": [OFFICE]}, use(at=START), "grant_time_refused"),
        ({"in_total": 1}, use(), "grant_used_up"),
        ({"per_month": 1}, use(), "grant_quota_reached"),
        ({"per_day": 1}, use(), "grant_quota_reached"),
    ],
)
def test_what_breaks_one_rule_is_refused_by_its_name(said: dict[str, Any], asked: Use, code: str) -> None:
    refused = refusal(said, asked, MONDAY_NINE)
    assert refused is not None
    assert refused.code == code


@pytest.mark.parametrize(
    ("local", "open_"),
    [
        # Friday, 27 November: the night begins; it ends on Saturday morning, and on no other morning.
        ("2026-11-27T21:59:59", False),
        ("2026-11-27T22:00:00", True),
        ("2026-11-28T00:00:00", True),
        ("2026-11-28T05:59:59", True),
        ("2026-11-28T06:00:00", False),
        ("2026-11-28T22:00:00", False),
        ("2026-11-27T05:00:00", False),
    ],
)
def test_hours_across_midnight_belong_to_the_day_on_which_they_begin(local: str, *, open_: bool) -> None:
    at = datetime.fromisoformat(f"{local}+08:00")
    assert (refusal({"windows": [NIGHT]}, use(at=at)) is None) is open_


@pytest.mark.parametrize(
    ("window", "zone", "at", "again"),
    [
        # The next office hours, over a weekend.
        (OFFICE, "Asia/Shanghai", "2026-11-27T18:00:00+08:00", "2026-11-30T08:30:00+08:00"),
        (NIGHT, "Asia/Shanghai", "2026-11-28T06:00:00+08:00", "2026-12-04T22:00:00+08:00"),
        # Nine on the wall is another hour after the clock was put back.
        (
            {"weekdays": ANY_DAY, "begins": "09:00", "ends": "17:00"},
            "Europe/Berlin",
            "2027-03-27T18:00:00+01:00",
            "2027-03-28T09:00:00+02:00",
        ),
        # 02:30 is left out on 28 March: nothing begins in that hour, and the next day it does.
        (
            {"weekdays": ANY_DAY, "begins": "02:15", "ends": "02:45"},
            "Europe/Berlin",
            "2027-03-27T03:00:00+01:00",
            "2027-03-29T02:15:00+02:00",
        ),
        # 02:15 comes twice on 25 October: open, closed, and open once more.
        (
            {"weekdays": ANY_DAY, "begins": "02:15", "ends": "02:45"},
            "Europe/Berlin",
            "2026-10-25T02:50:00+02:00",
            "2026-10-25T02:15:00+01:00",
        ),
    ],
)
def test_a_refusal_says_when_the_hours_begin_again(window: dict[str, Any], zone: str, at: str, again: str) -> None:
    moment, opening = datetime.fromisoformat(at), datetime.fromisoformat(again)
    said = {
        "windows": [window],
        "zone": zone,
        "valid_from": START - timedelta(days=90),
        "valid_to": START + timedelta(days=365),
    }
    refused = refusal(said, use(at=moment))
    assert refused is not None
    assert refused.retry_after == (opening - moment).total_seconds()
    assert opening.astimezone(UTC).isoformat(timespec="seconds") in refused.detail
    assert refusal(said, use(at=moment + timedelta(seconds=refused.retry_after or 0))) is None
    assert refusal(said, use(at=moment + timedelta(seconds=(refused.retry_after or 0) - 1))) is not None


@pytest.mark.parametrize(
    ("said", "at", "before", "again"),
    [
        # A day is the zone's own: 23:59 and 00:00 in Shanghai are one minute and two days.
        ({"per_day": 1}, "2026-11-23T23:59:00+08:00", "2026-11-23T00:00:00+08:00", "2026-11-24T00:00:00+08:00"),
        ({"per_day": 1}, "2026-11-24T00:00:00+08:00", "2026-11-23T23:59:59+08:00", None),
        ({"per_month": 1}, "2026-12-31T09:00:00+08:00", "2026-12-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00"),
        ({"per_month": 1}, "2026-12-01T00:00:00+08:00", "2026-11-30T23:59:59+08:00", None),
        # Tomorrow's first unit is had in tomorrow's hours.
        (
            {"per_day": 1, "windows": [OFFICE]},
            "2026-11-27T10:00:00+08:00",
            "2026-11-27T09:00:00+08:00",
            "2026-11-30T08:30:00+08:00",
        ),
        # A day of 23 hours.
        (
            {"per_day": 1, "zone": "Europe/Berlin", "valid_to": START + timedelta(days=365)},
            "2027-03-28T00:00:00+01:00",
            "2027-03-28T00:00:00+01:00",
            "2027-03-29T00:00:00+02:00",
        ),
    ],
)
def test_days_and_months_of_a_quota_are_those_of_the_zone(
    said: dict[str, Any], at: str, before: str, again: str | None
) -> None:
    moment = datetime.fromisoformat(at)
    refused = refusal(said, use(at=moment), datetime.fromisoformat(before))
    if again is None:
        assert refused is None
    else:
        assert refused is not None
        assert refused.retry_after == (datetime.fromisoformat(again) - moment).total_seconds()


def test_no_time_is_named_at_which_the_grant_is_over() -> None:
    said = {"per_month": 1, "valid_to": MONDAY_NINE + timedelta(days=3)}
    refused = refusal(said, use(), MONDAY_NINE)
    assert refused is not None
    assert (refused.code, refused.retry_after) == ("grant_quota_reached", None)


def test_of_several_grants_the_one_that_is_nearest_is_told_of() -> None:
    said: dict[str, dict[str, Any]] = {
        "far": {"formats": ["pdf-pades-sm2"]},
        "late": {"per_month": 1},
        "soon": {"per_day": 1},
    }
    refusals = {name: check(a_grant(**each), use(), taken(MONDAY_NINE)) for name, each in said.items()}
    told = nearest({name: each for name, each in refusals.items() if each is not None})
    assert "Grant soon." in told.detail


@pytest.mark.parametrize(
    "said",
    [
        {"organisation": None, "subject": None},
        {"organisation": "11440300MB2C92173P", "subject": "portal"},
        {"valid_to": START},
        {"zone": "Asia/Nowhere"},
        {"zone": "../../etc/passwd"},
        {"windows": [{"weekdays": [8], "begins": "08:00", "ends": "09:00"}]},
        {"windows": [{"weekdays": [], "begins": "08:00", "ends": "09:00"}]},
        {"windows": [{"weekdays": [1], "begins": "08:00:30", "ends": "09:00"}]},
        {"windows": [{"weekdays": [1], "begins": "08:00+08:00", "ends": "09:00"}]},
        {"per_day": 0},
        {"amount_limit": -1},
        {"formats": [""]},
        {"colour": "red"},
    ],
)
def test_a_grant_that_makes_no_sense_is_not_proposed(said: dict[str, Any]) -> None:
    whole = {"subject": "portal", "valid_from": START, "valid_to": START + timedelta(days=1), **said}
    with pytest.raises(ValidationError):
        GrantPart.model_validate(whole)
