"""The usage ledger: its rows, its pages, its filters, and who may see which."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.errors import Forbidden
from kernel.principal import Principal, PrincipalKind
from seal import store
from seal.errors import SealingRejected
from seal.usage import rows as reading
from seal.usage.ledger import LedgerFilter, LedgerFilterRefused, LedgerRow, UsageLedger, UseState
from tests.seal.conftest import CLERK, OWNER, OWNER_NAME, SEAL, START, House, application, request
from tests.seal.usage.conftest import AUDITOR

OTHER_SEAL, OTHER = "44030000000002", "11440300MB2C92000X"


def ledger_of(house: House) -> UsageLedger:
    return UsageLedger(db=house.db, audit=house.audit, clock=house.clock)


def test_a_use_is_told_with_all_that_was_kept_of_it(house: House, ofd: bytes) -> None:
    ledger = ledger_of(house)
    handler = replace(CLERK, person="handler-17")
    asked = request(ofd, document_kind="决定书", amount=1200)
    sealed = house.service().seal(asked, handler, client_address="192.0.2.7")
    broken = house.service(judge=lambda octets: replace(house.judge(octets), signatures=()))
    house.clock.advance(timedelta(seconds=1))
    with pytest.raises(SealingRejected):
        broken.seal(request(ofd), CLERK)
    failed, done = ledger.page(LedgerFilter(), AUDITOR).rows
    assert done == LedgerRow(
        sealing=sealed.id,
        seal=SEAL,
        seal_name=f"{OWNER_NAME}审批专用章",
        serial=1,
        caller=CLERK.subject,
        caller_kind="client",
        person="handler-17",
        organisation=OWNER,
        client_address="192.0.2.7",
        document_sm3=done.document_sm3,
        file_sm3=sealed.object_key,
        pages=2,
        purpose="准予许可",
        case_number="2026-0001",
        document_kind="决定书",
        amount=1200,
        format="ofd-ses-v4",
        level=None,
        intended_at=START,
        sealed_at=START,
        state=UseState.COMPLETED,
        failure=None,
        grant=None,
        approval=None,
    )
    assert (failed.state, failed.failure, failed.file_sm3) == (UseState.FAILED, "sealing_rejected_by_verifier", None)
    # A seal that bears another name later bore this one then.
    house.clock.advance(timedelta(seconds=1))
    renamed = application(house.authority, name="改名后的印章")
    house.registrar.remake(renamed, keys=house.authority.keys, maker=house.authority.ca.maker())
    house.clock.advance(timedelta(seconds=1))
    house.service().seal(request(ofd), CLERK)
    names = [row.seal_name for row in ledger.page(LedgerFilter(), AUDITOR).rows]
    assert names == ["改名后的印章", f"{OWNER_NAME}审批专用章", f"{OWNER_NAME}审批专用章"]


# --- many uses, made up ----------------------------------------------------------------------------------------


def made_up(conn: sa.Connection, count: int) -> list[str]:
    """Put uses on record as if they had been made: two seals of two bodies, three at each instant."""
    first = store.find_seal(conn, SEAL)
    assert first is not None
    columns = {column.name: getattr(first, column.name) for column in store.SEALS.columns}
    store.insert(conn, store.SEALS, **columns | {"id": OTHER_SEAL, "owner": OTHER})
    names = []
    for number in range(count):
        seal = OTHER_SEAL if number % 4 == 3 else SEAL
        at = START + timedelta(seconds=number // 3)
        sealing = f"{number:026}"
        store.insert(
            conn,
            store.SEALINGS,
            id=sealing,
            seal=seal,
            serial=number + 1,
            caller=f"system-{number % 5}",
            organisation=(OWNER, OTHER, None)[number % 3],
            request_hash="0" * 64,
            document_before=f"{number % 7:064}",
            format=("ofd-ses-v4", "pdf-pades-sm2")[number % 2],
            document_kind="决定书" if number % 10 == 0 else "公告",
            case_number=f"案-{number % 6}",
            reason="r",
            intended_at=at,
        )
        attempt = {"sealing": sealing, "number": 1, "owner": "o", "document_digest": "d", "certificate": "c"}
        lease = START.replace(year=2099) if number % 11 == 1 else START.replace(year=2000)
        store.insert(conn, store.ATTEMPTS, **attempt, sealed_at=at, lease_ends=lease)
        if number % 11 == 2:
            store.insert(conn, store.FAILURES, sealing=sealing, number=1, code="x", at=at)
        if number % 11 > 3:
            done = {"object_key": f"{number:064}", "size": 1, "sealed_at": at, "completed_at": at}
            store.insert(conn, store.COMPLETIONS, sealing=sealing, attempt=1, **done)
        names.append(sealing)
    return names


def everything(ledger: UsageLedger, wanted: LedgerFilter, principal: Principal, limit: int) -> Iterator[LedgerRow]:
    after = None
    for _ in range(200):
        page = ledger.page(wanted, principal, after=after, limit=limit)
        assert len(page.rows) <= limit
        yield from page.rows
        if (after := page.next) is None:
            return
    raise AssertionError("the ledger has no end")


WISHES: dict[str, dict[str, Any]] = {
    "all": {},
    "a seal": {"seal": SEAL},
    "a caller": {"caller": "system-1"},
    "a body": {"organisation": OTHER},
    "a case": {"case_number": "案-2"},
    "a document": {"document_sm3": f"{3:064}"},
    "a file": {"document_sm3": f"{16:064}"},
    "a kind": {"document_kind": "决定书"},
    "a format": {"format": "ofd-ses-v4"},
    "what failed": {"state": UseState.FAILED},
    "what runs": {"state": UseState.RUNNING},
    "what was interrupted": {"state": UseState.INTERRUPTED},
    "some time": {"since": START + timedelta(seconds=5), "until": START + timedelta(seconds=9)},
    "many at once": {"seal": SEAL, "case_number": "案-2", "organisation": None, "state": UseState.COMPLETED},
    "nothing": {"seal": SEAL, "caller": "nobody"},
}


def fits(row: LedgerRow, wanted: dict[str, Any]) -> bool:
    """Say again, the plain way, what a filter means."""
    return all(
        value is None
        or (name == "since" and row.intended_at >= value)
        or (name == "until" and row.intended_at < value)
        or (name == "document_sm3" and value in {row.document_sm3, row.file_sm3})
        or getattr(row, name, None) == value
        for name, value in wanted.items()
    )


def test_every_filter_gives_just_what_fits_once_and_the_newest_first(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So few that windows end in the middle of everything.
    monkeypatch.setattr(reading, "SCAN", 7)
    ledger = ledger_of(house)
    with house.db.begin() as conn:
        names = made_up(conn, 40)
    whole = list(everything(ledger, LedgerFilter(), AUDITOR, 500))
    assert [row.sealing for row in whole] == names[::-1]
    for name, wanted in WISHES.items():
        for who, mine in ((AUDITOR, {SEAL, OTHER_SEAL}), (CLERK, {SEAL})):
            if who is CLERK and wanted.get("seal") not in {None, SEAL}:
                continue
            found = list(everything(ledger, LedgerFilter(**wanted), who, 5))
            assert found == [row for row in whole if fits(row, wanted) and row.seal in mine], name
    failed = sum(row.state == "failed" for row in whole)
    assert ledger.count(LedgerFilter(state=UseState.FAILED), AUDITOR) == (failed, True)
    assert ledger.count(LedgerFilter(), AUDITOR, most=10) == (10, False)
    # A count is given up, too: what fits hardly anything does not have the whole ledger read.
    monkeypatch.setattr(reading, "WINDOWS", 2)
    assert ledger.count(LedgerFilter(state=UseState.RUNNING, document_kind="决定书"), AUDITOR)[1] is False


SIGHTS: dict[str, tuple[dict[str, Any], set[str] | None]] = {
    "a right to all": ({"rights": {"seal.ledger:*"}}, {SEAL, OTHER_SEAL}),
    "a right to one": ({"rights": {f"seal.ledger:{OTHER_SEAL}"}}, {OTHER_SEAL}),
    "a right to use": ({"rights": {"seal.use:*"}}, None),
    "the owner's system": ({"organisation": OWNER}, {SEAL}),
    "the other owner's system": ({"organisation": OTHER}, {OTHER_SEAL}),
    "a system with a right to all": ({"rights": {"seal.ledger:*"}, "organisation": OTHER}, {OTHER_SEAL}),
    "a system with a right to another's": ({"rights": {f"seal.ledger:{SEAL}"}, "organisation": OTHER}, {OTHER_SEAL}),
    "another body": ({"rights": {"seal.ledger:*"}, "organisation": "11440300MB2C92999X"}, None),
}


def test_nobody_sees_the_uses_of_anothers_seals(house: House) -> None:
    ledger = ledger_of(house)
    with house.db.begin() as conn:
        made_up(conn, 8)
    for name, (parts, seen) in SIGHTS.items():
        rights = frozenset(parts.get("rights", set()))
        who = Principal(subject="who", kind=PrincipalKind.CLIENT, rights=rights, organisation=parts.get("organisation"))
        for seal in (None, SEAL, OTHER_SEAL):
            allowed = seen if seal is None or seen is None else seen & {seal}
            if not allowed:
                with pytest.raises(Forbidden):
                    ledger.page(LedgerFilter(seal=seal), who)
            else:
                assert {row.seal for row in ledger.page(LedgerFilter(seal=seal), who).rows} == allowed, name


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "text", ["", "x", "20261122T080000.000000Z", "20261122T080000.000000Z' OR 1", "20269922T080000.000000Zx", "Z" * 999]
)
def test_a_cursor_that_is_none_is_refused(house: House, text: str) -> None:
    with pytest.raises(LedgerFilterRefused):
        ledger_of(house).page(LedgerFilter(), AUDITOR, after=text)


@pytest.mark.parametrize(
    "wish",
    [
        {"seal": ""},
        {"caller": "x" * 201},
        {"case_number": "\0"},
        {"since": START.replace(tzinfo=None)},
        {"until": datetime.max.replace(tzinfo=UTC)},
    ],
)
def test_a_filter_that_no_use_could_fit_is_refused(wish: dict[str, Any]) -> None:
    with pytest.raises(LedgerFilterRefused):
        LedgerFilter(**wish)
