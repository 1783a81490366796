"""Levels: what a signature carries beside itself, and what it is worth years later."""

import pytest

from crypto.revoked import RevocationReason
from seal.levels import Level
from seal.model import Mark, Report, TimeSource, Verdict
from tests.seal.pdf.lasting import YEAR, Desk, LongWorld, Sm2World
from tests.seal.trust.making import AT, DAY, HOUR, gone


@pytest.fixture(scope="module")
def p256_world() -> LongWorld:
    return LongWorld()


@pytest.fixture(scope="module")
def sm2_world() -> Sm2World:
    return Sm2World()


@pytest.fixture(params=["SM2-SM3", "ES256"])
def desk(request: pytest.FixtureRequest, p256_world: LongWorld, sm2_world: Sm2World, mark: Mark) -> Desk:
    return Desk(p256_world if request.param == "ES256" else sm2_world, mark)


@pytest.fixture
def p256_desk(p256_world: LongWorld, mark: Mark) -> Desk:
    return Desk(p256_world, mark)


def codes(report: Report) -> list[list[str]]:
    return [[each.code for each in one.findings] for one in report.signatures]


@pytest.mark.parametrize("level", list(Level))
def test_a_seal_reaches_the_level_it_was_made_at(desk: Desk, licence: bytes, level: Level) -> None:
    report = desk.judge(desk.seal(licence, level))
    assert report.verdict is Verdict.VALID
    assert report.signatures[0].level == level
    assert (report.signatures[0].time_source is TimeSource.TIMESTAMP) is level.stamped
    assert [each.format for each in report.signatures[1:]] == ["doc-timestamp"] * (level is Level.LTA)


def test_what_lasts_is_judged_years_later_by_what_is_in_it(desk: Desk, licence: bytes) -> None:
    sealed = desk.seal(licence, Level.LTA)
    # The signer's certificate has ended, and what is known of today says nothing of then.
    report = desk.ask_later(sealed, 2)
    assert report.verdict is Verdict.VALID, codes(report)
    assert report.signatures[0].level == Level.LTA
    for level in (Level.B, Level.T):
        desk.be_at(0)
        assert desk.ask_later(desk.seal(licence, level), 2).verdict is not Verdict.VALID


def test_renewed_in_time_it_outlives_those_who_stamped_it(desk: Desk, licence: bytes) -> None:
    sealed = desk.seal(licence, Level.LTA)
    desk.be_at(2.5)
    desk.tsa = desk.world.next_tsa
    renewed = desk.renew(sealed)
    report = desk.ask_later(renewed, 5)
    assert report.verdict is Verdict.VALID, codes(report)
    assert [each.level for each in report.signatures] == [Level.LTA, None, None]
    assert desk.ask_later(sealed, 5).verdict is Verdict.INVALID
