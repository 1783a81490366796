"""The usage ledger: its rows, filters, pages, and who may see which."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from kernel.errors import Forbidden
from kernel.principal import Principal, PrincipalKind
from seal import store
from seal.usage.ledger import LedgerFilter, LedgerFilterRefused, UsageLedger, UseState
from tests.seal.conftest import CLERK, OWNER, SEAL, House, request

AUDITOR = Principal(subject="auditor", kind=PrincipalKind.PERSON, rights=frozenset({"seal.ledger:*"}))


def test_smoke(house: House, ofd: bytes) -> None:
    ledger = UsageLedger(db=house.db, audit=house.audit, clock=house.clock)
    for number in range(5):
        house.clock.advance(timedelta(seconds=1))
        house.service().seal(request(ofd, case_number=f"{number}"), CLERK)
    seen, after = [], None
    while True:
        page = ledger.page(LedgerFilter(), AUDITOR, after=after, limit=2)
        seen += page.rows
        if (after := page.next) is None:
            break
    assert [row.serial for row in seen] == [5, 4, 3, 2, 1]
    assert {row.state for row in seen} == {UseState.COMPLETED}
    for wanted in (
        LedgerFilter(case_number="3"),
        LedgerFilter(document_sm3=seen[1].file_sm3),
        LedgerFilter(since=seen[1].intended_at, until=seen[0].intended_at),
        LedgerFilter(
            case_number="3",
            seal=SEAL,
            organisation=OWNER,
            caller=CLERK.subject,
            format="ofd-ses-v4",
            state=UseState.COMPLETED,
            document_kind=None,
        ),
    ):
        assert [row.serial for row in ledger.page(wanted, CLERK).rows] == [4], wanted
    assert ledger.count(LedgerFilter(document_sm3=seen[0].document_sm3), AUDITOR) == 5
    assert ledger.page(LedgerFilter(state=UseState.FAILED), AUDITOR).rows == ()
