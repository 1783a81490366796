"""Approvals of single uses: by another person, for just this document, once, in time, under the policy of now."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.errors import Forbidden, Refusal
from kernel.principal import PrincipalKind
from seal.affairs.model import SecondPersonNeeded, Verdict
from seal.errors import IdempotencyMismatch, SealingRejected
from seal.model import UsePolicy
from seal.usage import store
from seal.usage.admission import UseApprovalNeeded
from seal.usage.approvals import (
    LIFETIME,
    UseRequest,
    UseRequestClosed,
    UseRequestNotApproved,
    UseRequestRefused,
    UseRequestStale,
    UseRequestUnknown,
    UseRequestUsed,
)
from seal.usage.grants import GrantMissing
from tests.seal.conftest import CLERK, SEAL, House, request
from tests.seal.usage.conftest import OFFICER, give, set_policy, uses_of


def asked(house: House, ofd: bytes, **changes: Any) -> UseRequest:
    set_policy(house, UsePolicy.APPROVED)
    return uses_of(house).ask(request(ofd, **changes), CLERK, client_address="192.0.2.7")


def approve(house: House, found: UseRequest) -> UseRequest:
    return uses_of(house).decide(found.id, Verdict.APPROVE, OFFICER, request_hash=found.request_hash)


def test_a_use_is_asked_for_approved_and_made_once(house: House, ofd: bytes) -> None:
    uses = uses_of(house)
    set_policy(house, UsePolicy.APPROVED)
    with pytest.raises(UseApprovalNeeded):
        house.service().seal(request(ofd), CLERK)
    found = asked(house, ofd)
    assert (found.pages, uses.document(found.id, OFFICER)) == (2, ofd)
    assert [each.id for each in uses.list(OFFICER, waiting=True)] == [found.id]
    with pytest.raises(UseRequestNotApproved):
        uses.seal(found.id, CLERK)
    assert uses.standing(approve(house, found)) == "approved"
    assert uses.list(OFFICER, waiting=True) == ()
    sealed = uses.seal(found.id, CLERK, client_address="192.0.2.8")
    assert sealed.report.verdict == "valid"
    # Asked again, it is the same; the approval makes no second one.
    assert uses.seal(found.id, CLERK).id == sealed.id
    with pytest.raises(UseRequestUsed):
        house.service().seal(request(ofd, use_request=found.id), CLERK)
    with pytest.raises(UseRequestClosed):
        uses.decide(found.id, Verdict.REJECT, OFFICER, request_hash=found.request_hash)
    used = uses.find(found.id, OFFICER)
    assert (uses.standing(used), used.sealing) == ("used", sealed.id)
    told = [action for action in house.actions() if action.startswith("seal.use.")]
    assert told == ["seal.use.requested", "seal.use.approved"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_key_of_one_use_does_not_answer_for_another(house: House, ofd: bytes) -> None:
    uses = uses_of(house)
    first, second = (approve(house, asked(house, ofd)) for _ in range(2))
    sealed = uses.seal(first.id, CLERK, idempotency_key="K")
    assert uses.seal(first.id, CLERK, idempotency_key="K").id == sealed.id
    with pytest.raises(IdempotencyMismatch):
        uses.seal(second.id, CLERK, idempotency_key="K")
    assert uses.seal(second.id, CLERK).id != sealed.id


BOTH = replace(OFFICER, rights=OFFICER.rights | CLERK.rights)
DECIDERS: dict[str, tuple[Any, type[Refusal]]] = {
    "who asked": (replace(CLERK, kind=PrincipalKind.PERSON, rights=OFFICER.rights), SecondPersonNeeded),
    "a system": (replace(OFFICER, kind=PrincipalKind.CLIENT), SecondPersonNeeded),
    "another account of who asked": (replace(OFFICER, person=CLERK.subject), SecondPersonNeeded),
    "who acted through the system": (replace(OFFICER, subject="handler-17", person="P17"), SecondPersonNeeded),
    "an officer of another seal": (replace(OFFICER, rights=frozenset({"seal.use.approve:1"})), UseRequestUnknown),
    "who may use the seal": (replace(OFFICER, rights=CLERK.rights), UseRequestUnknown),
}


def test_nobody_else_decides(house: House, ofd: bytes) -> None:
    set_policy(house, UsePolicy.APPROVED)
    found = uses_of(house).ask(request(ofd), replace(CLERK, person="handler-17"))
    for name, (who, refused) in DECIDERS.items():
        with pytest.raises(refused):
            uses_of(house).decide(found.id, Verdict.APPROVE, who, request_hash=found.request_hash)
        with house.db.read() as conn:
            assert conn.execute(sa.select(store.USE_DECISIONS)).all() == [], name
    with pytest.raises(UseRequestStale):
        uses_of(house).decide(found.id, Verdict.APPROVE, OFFICER, request_hash="0" * 64)
    with pytest.raises(UseRequestRefused):
        uses_of(house).decide(found.id, Verdict.REVIEW, OFFICER, request_hash=found.request_hash)
    with pytest.raises(SecondPersonNeeded):
        uses_of(house).decide(found.id, Verdict.WITHDRAW, OFFICER, request_hash=found.request_hash)


def _late(house: House, _: UseRequest) -> None:
    house.clock.advance(LIFETIME)


def _tampered(house: House, found: UseRequest) -> None:
    with house.db.begin() as conn:
        of_it = store.USE_DECISIONS.c.request == found.id
        conn.execute(sa.update(store.USE_DECISIONS).where(of_it).values(request_hash="0" * 64))


def _granted(house: House, _: UseRequest) -> None:
    set_policy(house, UsePolicy.GRANTED)


Change = Callable[[House, UseRequest], None]


def _nothing(house: House, found: UseRequest) -> None:
    del house, found


# Which database it is matters to the queries, and these are those of the test above.
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("changes", "change", "caller", "refused"),
    [
        pytest.param({"document": "other"}, _nothing, CLERK, UseRequestStale, id="another document"),
        pytest.param({"reason": "another"}, _nothing, CLERK, UseRequestStale, id="other words"),
        pytest.param({"amount": 1}, _nothing, CLERK, UseRequestStale, id="an amount"),
        pytest.param({}, _late, CLERK, UseRequestNotApproved, id="too late"),
        pytest.param({}, _tampered, CLERK, UseRequestStale, id="another thing was approved"),
        pytest.param({}, _granted, CLERK, GrantMissing, id="the policy asks for a grant by now"),
        pytest.param({}, _nothing, replace(CLERK, subject="other"), UseRequestUnknown, id="another caller"),
        pytest.param({"use_request": "x" * 26}, _nothing, CLERK, UseRequestUnknown, id="no use request"),
        pytest.param({}, _nothing, replace(CLERK, rights=frozenset()), Forbidden, id="without the right by now"),
    ],
)
def test_an_approval_is_good_for_just_that(
    house: House, ofd: bytes, pdf: bytes, changes: dict[str, Any], change: Change, caller: Any, refused: type[Refusal]
) -> None:
    found = approve(house, asked(house, ofd))
    change(house, found)
    if "document" in changes:
        changes = {**changes, "document": pdf}
    with pytest.raises(refused):
        house.service().seal(request(**{"document": ofd, "use_request": found.id, **changes}), caller)
    with house.db.read() as conn:
        assert conn.execute(sa.select(store.USAGES)).all() == []


def test_what_was_rejected_or_withdrawn_is_not_sealed(house: House, ofd: bytes) -> None:
    uses = uses_of(house)
    first, second = asked(house, ofd), asked(house, ofd)
    uses.decide(first.id, Verdict.REJECT, OFFICER, request_hash=first.request_hash, note="缺附件")
    uses.decide(second.id, Verdict.WITHDRAW, CLERK, request_hash=second.request_hash)
    for each, standing in ((first, "rejected"), (second, "withdrawn")):
        assert uses.standing(uses.find(each.id, CLERK)) == standing
        with pytest.raises(UseRequestNotApproved):
            uses.seal(each.id, CLERK)


def test_a_failed_sealing_is_ended_under_its_approval(house: House, ofd: bytes) -> None:
    found = approve(house, asked(house, ofd))
    broken = uses_of(house, judge=lambda octets: replace(house.judge(octets), signatures=()))
    with pytest.raises(SealingRejected):
        broken.seal(found.id, CLERK)
    house.clock.advance(LIFETIME)
    sealed = uses_of(house).seal(found.id, CLERK)
    assert sealed.serial == 1


def test_under_a_grant_an_approval_is_asked_for_beside_it(house: House, ofd: bytes) -> None:
    found = approve(house, asked(house, ofd))
    grant = give(house)
    sealed = house.service().seal(request(ofd, use_request=found.id), CLERK)
    with house.db.read() as conn:
        kept = store.find_usage(conn, sealed.id)
    assert kept is not None
    assert (kept.grant, kept.approval) == (grant, found.id)


def test_what_cannot_be_sealed_is_not_asked_for(house: House, ofd: bytes) -> None:
    for changes in ({"level": "b-t"}, {"use_request": "x"}, {"seal": "44030000000002"}):
        with pytest.raises(Refusal):
            uses_of(house).ask(request(ofd, **changes), replace(CLERK, rights=frozenset({"seal.use:*"})))
    with pytest.raises(UseRequestRefused):
        uses_of(house).ask(request(ofd), CLERK, lifetime=timedelta(days=31))
    with pytest.raises(Forbidden):
        uses_of(house).ask(request(ofd), replace(CLERK, rights=frozenset({f"seal.use.approve:{SEAL}"})))
    with house.db.read() as conn:
        assert conn.execute(sa.select(store.USE_REQUESTS)).all() == []
