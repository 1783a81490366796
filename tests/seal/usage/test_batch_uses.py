"""Batches obey the rules of use, item by item, and the ledger tells of each who asked for it, and from where."""

from dataclasses import replace

import pytest

from seal.usage.ledger import LedgerFilter, UsageLedger
from tests.seal.batches.conftest import Desk
from tests.seal.conftest import CLERK, OWNER, House
from tests.seal.usage.conftest import give


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_item_beyond_the_quota_fails_for_good_and_the_others_are_sealed(house: House) -> None:
    desk = Desk(house, {})
    give(house, organisation=OWNER, per_day=2)
    handler = replace(CLERK, person="handler-17")
    batch = desk.batches.create(desk.wish(3), handler, client_address="192.0.2.9")
    desk.worker().drain()
    items = desk.batches.items(batch.id, CLERK)
    assert [item.failure for item in items] == [None, None, "grant_quota_reached"]
    assert desk.state(batch) == "completed"
    ledger = UsageLedger(db=house.db, audit=house.audit, clock=house.clock)
    uses = ledger.page(LedgerFilter(), CLERK).rows
    assert [(use.client_address, use.person) for use in uses] == [("192.0.2.9", "handler-17")] * 2
