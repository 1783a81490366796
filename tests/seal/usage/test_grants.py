"""Grants at work: what is refused leaves nothing, a unit is taken once, and two never take the last."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from crypto.digests import sm3
from seal import store as seals
from seal.affairs.actions import Action
from seal.affairs.desk import SealDesk
from seal.affairs.model import Verdict
from seal.errors import SealingRejected
from seal.model import UsePolicy
from seal.request import asked_again, asked_hash, asked_text, request_hash
from seal.usage import store
from seal.usage.admission import UsePolicyChanged
from seal.usage.grants import GrantMissing, GrantQuotaReached, GrantRefused, GrantUnknown
from tests.seal.affairs.conftest import ALICE, CAROL, opened
from tests.seal.conftest import CLERK, OWNER, SEAL, START, House, request
from tests.seal.usage.conftest import end, give, give_more, set_policy


def units(house: House, grant: str) -> int:
    with house.db.read() as conn:
        return store.first_uses(conn, grant, None, 100)


def intents(house: House) -> int:
    with house.db.read() as conn:
        return int(conn.execute(sa.select(sa.func.count()).select_from(seals.SEALINGS)).scalar_one())


def test_without_a_grant_nothing_is_sealed_and_nothing_is_left(house: House, ofd: bytes) -> None:
    set_policy(house, UsePolicy.GRANTED)
    give_more(house, subject="another")
    give_more(house, valid_from=START - timedelta(days=9), valid_to=START)
    ended = give_more(house)
    end(house, ended)
    before = house.actions()
    with pytest.raises(GrantMissing):
        house.service().seal(request(ofd), CLERK)
    assert intents(house) == 0
    assert house.actions() == before


def test_a_use_names_the_grant_that_allowed_it(house: House, ofd: bytes) -> None:
    give(house, per_day=1)
    house.clock.advance(timedelta(seconds=1))
    other = give_more(house, organisation=OWNER)
    first = house.service().seal(request(ofd), CLERK)
    second = house.service().seal(request(ofd), CLERK)
    with house.db.read() as conn:
        kept = [store.find_usage(conn, each.id) for each in (first, second)]
    assert [each is not None and each.grant == other for each in kept] == [False, True]
    # Under an open policy grants are not asked, nor are their units taken.
    set_policy(house, UsePolicy.OPEN)
    third = house.service().seal(request(ofd), CLERK)
    with house.db.read() as conn:
        free = store.find_usage(conn, third.id)
    assert free is not None
    assert free.grant is None


def test_calls_at_once_take_no_more_than_there_is(house: House, ofd: bytes) -> None:
    grant = give(house, per_day=2)
    service = house.service()

    def seal(number: int) -> str:
        try:
            service.seal(request(ofd, idempotency_key=f"{number}"), CLERK)
        except GrantQuotaReached as reached:
            return f"{reached.code} {reached.retry_after}"
        return "sealed"

    with ThreadPoolExecutor(4) as pool:
        ends = sorted(pool.map(seal, range(4)))
    assert ends == ["grant_quota_reached 28800", "grant_quota_reached 28800", "sealed", "sealed"]
    assert units(house, grant) == 2
    # What was given already is given again, and takes nothing; in Shanghai the next day begins in eight hours.
    assert sorted(map(seal, range(4))) == ends
    house.clock.advance(timedelta(hours=8))
    assert seal(9) == "sealed"


def test_a_failed_use_keeps_its_unit_and_its_retry_takes_no_second(house: House, ofd: bytes) -> None:
    grant = give(house, in_total=1)
    broken = house.service(judge=lambda octets: replace(house.judge(octets), signatures=()))
    with pytest.raises(SealingRejected):
        broken.seal(request(ofd, idempotency_key="a"), CLERK)
    with pytest.raises(GrantRefused) as refused:
        house.service().seal(request(ofd, idempotency_key="b"), CLERK)
    assert refused.value.code == "grant_used_up"
    # Even when the grant's own time is over: what was begun in it may be ended.
    house.clock.advance(timedelta(days=91))
    assert house.service().seal(request(ofd, idempotency_key="a"), CLERK).serial == 1
    assert units(house, grant) == 1


def test_what_was_begun_is_not_ended_once_its_leave_is_taken_away(house: House, ofd: bytes) -> None:
    grant = give(house)
    broken = house.service(judge=lambda octets: replace(house.judge(octets), signatures=()))
    with pytest.raises(SealingRejected):
        broken.seal(request(ofd, idempotency_key="a"), CLERK)
    end(house, grant)
    with pytest.raises(GrantMissing):
        house.service().seal(request(ofd, idempotency_key="a"), CLERK)
    set_policy(house, UsePolicy.APPROVED)
    with pytest.raises(UsePolicyChanged):
        house.service().seal(request(ofd, idempotency_key="a"), CLERK)
    set_policy(house, UsePolicy.OPEN)
    assert house.service().seal(request(ofd, idempotency_key="a"), CLERK).serial == 1


def test_a_grant_is_given_and_ended_by_two_people(house: House, ofd: bytes, tmp_path: Path) -> None:
    office = opened(house.db, house.clock, house.authority, (), tmp_path)
    set_policy(house, UsePolicy.GRANTED)
    said = {"subject": CLERK.subject, "valid_from": START, "valid_to": START + timedelta(days=1), "in_total": 2}
    asked = office.affairs.propose(office.proposal(Action.GRANT, SEAL, payload=said), ALICE)
    with pytest.raises(GrantMissing):
        house.service().seal(request(ofd), CLERK)
    office.affairs.decide(asked.id, Verdict.APPROVE, CAROL, payload_sm3=asked.payload_sm3)
    house.service().seal(request(ofd), CLERK)
    desk = SealDesk(db=house.db, register=house.register)
    (given,) = desk.grants(SEAL, CLERK)
    assert (given.id, given.terms.quota.in_total, given.ended_at) == (asked.id, 2, None)
    # Who only uses the seal sees what is theirs.
    other = replace(CLERK, subject="other", organisation=None)
    assert desk.grants(SEAL, other) == ()

    office.settle(Action.END_GRANT, SEAL, payload={"grant": asked.id})
    with pytest.raises(GrantMissing):
        house.service().seal(request(ofd), CLERK)
    with pytest.raises(GrantUnknown):
        office.settle(Action.END_GRANT, SEAL, payload={"grant": asked.id})
    assert desk.grants(SEAL, CLERK)[0].ended_at == house.clock.now()


def test_requests_of_before_amounts_are_known_by_the_same_hash() -> None:
    asked = request(b"document")
    assert request_hash(asked) == "95249ccb033952857de0ae4748fc478b29d6eefe73af958b41c225fb0a92c265"
    assert request_hash(request(b"document", use_request="x")) == request_hash(asked)
    assert request_hash(request(b"document", amount=0)) != request_hash(asked)
    assert not {"amount", "use_request"} & set(json.loads(asked_text(asked)))
    rich = request(b"document", amount=5, level="b-t", use_request="x")
    kept = asked_text(rich)
    assert asked_hash(kept, seal=SEAL, document_sm3=sm3(b"document").hex()) == request_hash(rich)
    assert asked_again(kept, document=b"document", seal=SEAL) == rich
