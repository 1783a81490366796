"""The roll of seals: found, filtered, counted and read page by page, by those who may see them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kernel.principal import PrincipalKind
from seal.affairs.actions import Action
from seal.affairs.roll import SOON, SealFilter, SealRoll
from seal.model import SealId, SealStatus
from tests.seal.affairs.conftest import ALICE, NEW, Office, person
from tests.seal.conftest import OWNER, SEAL

OWNERS_SYSTEM = person("owner", kind=PrincipalKind.CLIENT, organisation=OWNER)
NOBODY = person("nobody")
KEEPER = replace(NOBODY, rights=frozenset({f"seal.manage:{SEAL}", "unknown.right:*"}))


@pytest.fixture
def roll(office: Office) -> SealRoll:
    """Two seals: one in use, and a new one that is only made."""
    office.settle(Action.MAKE, NEW)
    return SealRoll(db=office.db, clock=office.clock)


def test_the_roll_is_seen_by_owners_and_officers(roll: SealRoll) -> None:
    def seen(principal: object) -> list[str]:
        return [row.id for row in roll.page(SealFilter(), principal)]  # type: ignore[arg-type]

    assert seen(ALICE) == seen(OWNERS_SYSTEM) == [SEAL, NEW]
    assert seen(KEEPER) == [SEAL]
    assert seen(NOBODY) == []
    assert seen(replace(OWNERS_SYSTEM, organisation="11990100MB0000000P")) == []
    assert roll.count(NOBODY).by_status == {}
    assert roll.count(ALICE).by_status == {SealStatus.ACTIVE: 1, SealStatus.MADE: 1}


def test_seals_are_found_by_what_is_known_of_them(roll: SealRoll, office: Office) -> None:
    office.settle(Action.CHANGE, SealId(SEAL))

    def found(**wanted: object) -> list[str]:
        return [row.id for row in roll.page(SealFilter(**wanted), ALICE)]  # type: ignore[arg-type]

    assert found(text=SEAL[-4:]) == [SEAL]
    assert found(text="改名后") == [SEAL]
    assert found(text=OWNER[:8]) == [SEAL, NEW]
    # What would be a pattern to the database is taken as it is written.
    assert found(text="%") == found(text="_") == []
    assert found(status=SealStatus.MADE) == found(kind=1, status=SealStatus.MADE) == [NEW]
    assert found(owner=OWNER, kind=9) == []
    row = next(iter(roll.page(SealFilter(), ALICE)))
    assert (row.name, row.version, row.status) == ("改名后的印章", 2, SealStatus.ACTIVE)


def test_the_roll_is_read_page_by_page(roll: SealRoll) -> None:
    first = roll.page(SealFilter(), ALICE, limit=1)
    second = roll.page(SealFilter(), ALICE, after=first[-1].id, limit=1)
    assert [row.id for row in (*first, *second)] == [SEAL, NEW]
    assert roll.page(SealFilter(), ALICE, after=second[-1].id) == ()


def test_seals_in_use_that_end_soon_are_counted(roll: SealRoll, office: Office) -> None:
    assert roll.count(ALICE).ending == 0
    office.clock.advance(office.register.find(SEAL).valid_to - office.clock.now() - SOON + timedelta(seconds=1))
    assert roll.count(ALICE).ending == 1
    assert [row.id for row in roll.page(SealFilter(ending=True), ALICE)] == [SEAL]
