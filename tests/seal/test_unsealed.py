"""Documents that were not sealed: listed with the reason, finished without their caller, or given up on record."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from kernel.db import Database, database_now
from kernel.errors import Forbidden
from kernel.outbox import EVENTS
from kernel.principal import Principal
from seal import store
from seal.errors import (
    IdempotencyMismatch,
    SealingInProgress,
    SealingNotRetryable,
    SealingRejected,
    SealNotUsable,
    UnknownSealing,
)
from seal.model import Verdict
from seal.placing import AtPoint
from seal.request import SealedDocument

from .conftest import CLERK, SEAL, House, request

OVER = timedelta(seconds=-1)
COLLEAGUE = replace(CLERK, subject="colleague")
OTHERS = replace(CLERK, subject="other-office", organisation="11990100MB0000000P")
STRANGER = replace(CLERK, subject="stranger", rights=frozenset())


class Died(BaseException):
    """What a process that is killed looks like from within: nothing is recorded any more."""


def interrupted(house: House, document: bytes, **changes: object) -> str:
    """Leave a sealing with an intent, a lease that is over, and nothing else."""

    def dies(_: bytes) -> None:
        raise Died

    with pytest.raises(Died):
        house.service(judge=dies, lease=OVER).seal(request(document, **changes), CLERK)  # type: ignore[arg-type]
    return [each.intent.id for each in house.service().pending() if each.failure is None][-1]


def failed(house: House, document: bytes, **changes: object) -> str:
    """Leave a sealing that our own verifier did not accept."""
    wary = house.service(judge=lambda octets: replace(house.judge(octets), signatures=()))
    with pytest.raises(SealingRejected):
        wary.seal(request(document, **changes), CLERK)
    return house.service().pending()[-1].intent.id


def test_what_failed_or_was_interrupted_is_listed_oldest_first_and_page_by_page(house: House, ofd: bytes) -> None:
    first = failed(house, ofd)
    house.clock.advance(timedelta(seconds=1))
    house.service().seal(request(ofd), CLERK)
    second = interrupted(house, ofd)
    unsealed = house.unsealed()
    assert [each.intent.id for each in unsealed.list(CLERK)] == [first, second]
    assert [each.failure for each in unsealed.list(CLERK)] == ["sealing_rejected_by_verifier", None]
    (one,) = unsealed.list(CLERK, limit=1)
    assert [each.intent.id for each in unsealed.list(CLERK, after=one.intent.id)] == [second]


def test_the_list_is_for_those_of_the_house_who_may_use_the_seal(house: House, ofd: bytes) -> None:
    sealing = failed(house, ofd)
    assert [each.intent.id for each in house.unsealed().list(COLLEAGUE)] == [sealing]
    assert house.unsealed().list(OTHERS) == ()
    assert house.unsealed().list(STRANGER) == ()


def test_a_failed_sealing_is_finished_without_its_caller_under_its_old_serial(house: House, ofd: bytes) -> None:
    place = AtPoint.on(1, x_mm=20, y_mm=200)
    sealing = failed(house, ofd, placement=place, document_kind="许可决定书", closes=True)
    done = house.service().retry(sealing, COLLEAGUE)
    assert (done.id, done.serial, done.report.verdict) == (sealing, 1, Verdict.VALID)
    assert house.unsealed().list(CLERK) == ()
    again = house.service().retry(sealing, CLERK)
    assert (again.object_key, again.replayed) == (done.object_key, True)


def test_nobody_without_the_right_finishes_it(house: House, ofd: bytes) -> None:
    sealing = failed(house, ofd)
    with pytest.raises(UnknownSealing):
        house.service().retry(sealing, STRANGER)
    with pytest.raises(Forbidden):
        house.service().retry(sealing, replace(CLERK, rights=frozenset()))
    house.registrar.suspend(SEAL, "audit")
    with pytest.raises(SealNotUsable):
        house.service().retry(sealing, CLERK)


def test_a_request_on_record_that_was_altered_is_not_carried_out(house: House, ofd: bytes) -> None:
    sealing = failed(house, ofd)
    with house.db.begin() as conn:
        asked = json.loads(conn.execute(sa.select(store.SOURCES.c.asked)).scalar_one())
        conn.execute(sa.update(store.SOURCES).values(asked=json.dumps(asked | {"reason": "another"})))
    with pytest.raises(SealingNotRetryable):
        house.service().retry(sealing, CLERK)


def test_the_sweeper_finishes_what_can_be_asked_for_again(house: House, ofd: bytes) -> None:
    sealing = interrupted(house, ofd, idempotency_key="k")
    assert house.unsealed().sweep() == 1
    assert house.unsealed().sweep() == 0
    answer = house.service().seal(request(ofd, idempotency_key="k"), CLERK)
    assert (answer.id, answer.replayed) == (sealing, True)
    assert house.actions()[-2:] == ["seal.sealing.retried", "seal.sealing.completed"]


def test_the_sweeper_leaves_alone_what_is_at_work(house: House, ofd: bytes) -> None:
    def dies(_: bytes) -> None:
        raise Died

    with pytest.raises(Died):
        house.service(judge=dies).seal(request(ofd, idempotency_key="k"), CLERK)  # type: ignore[arg-type]
    assert house.unsealed().sweep() == 0
    with pytest.raises(SealingInProgress):
        house.service().retry(house.service().pending()[0].intent.id, CLERK)


@pytest.mark.parametrize(
    ("changes", "most_attempts", "lost", "code"),
    [
        ({}, 5, False, "sealing_interrupted"),
        ({"idempotency_key": "k"}, 1, False, "sealing_given_up"),
        ({"idempotency_key": "k"}, 5, True, "sealing_not_retryable"),
    ],
    ids=["nobody can ask for it", "too often", "document lost"],
)
def test_what_the_sweeper_cannot_finish_fails_with_a_reason_on_record(
    house: House, ofd: bytes, changes: dict[str, object], most_attempts: int, *, lost: bool, code: str
) -> None:
    sealing = interrupted(house, ofd, **changes)
    if lost:
        with house.db.begin() as conn:
            conn.execute(sa.delete(store.SOURCES))
    assert house.unsealed(most_attempts=most_attempts).sweep() == 1
    (row,) = house.unsealed().list(CLERK)
    assert (row.intent.id, row.failure) == (sealing, code)
    assert house.actions()[-1] == "seal.sealing.failed"
    with house.db.read() as conn:
        (event,) = conn.execute(sa.select(EVENTS.c.type, EVENTS.c.data)).all()
    assert (event.type, json.loads(event.data)["failure"]) == ("sealing.failed", code)
    assert house.unsealed().sweep() == 0


# --- idempotency under load ---


def test_one_key_asked_for_fifty_times_at_once_seals_once_and_is_answered_alike_after_a_restart(
    house: House, ofd: bytes
) -> None:
    asked = request(ofd, idempotency_key="k")
    service = house.service()

    def ask(_: int) -> SealedDocument | None:
        try:
            return service.seal(asked, CLERK)
        except SealingInProgress:
            return None

    with ThreadPoolExecutor(16) as pool:
        answers = [one for one in pool.map(ask, range(50)) if one]
    restarted = house.service().seal(asked, CLERK)
    assert {(one.id, one.serial, one.object_key) for one in answers} == {
        (restarted.id, restarted.serial, restarted.object_key)
    }
    assert sum(not one.replayed for one in answers) == 1
    with house.db.read() as conn:
        for table in (store.SEALINGS, store.ATTEMPTS, store.COMPLETIONS):
            assert conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 1
    with pytest.raises(IdempotencyMismatch):
        house.service().seal(replace(asked, reason="another"), CLERK)


# --- what must hold nobody up ---


def test_one_that_cannot_be_swept_keeps_no_other_waiting(house: House, ofd: bytes) -> None:
    poisoned = interrupted(house, ofd, idempotency_key="poisoned")
    house.clock.advance(timedelta(seconds=1))

    class Breaking:
        """Breaks on one sealing, as a bug would."""

        def retry(self, sealing: str, principal: Principal) -> SealedDocument:
            if sealing == poisoned:
                raise RuntimeError("a bug")
            return house.service().retry(sealing, principal)

    second = interrupted(house, ofd, idempotency_key="sound")
    assert house.unsealed(sealing=Breaking()).sweep() == 1
    assert [each.intent.id for each in house.unsealed().list(CLERK)] == [poisoned]
    assert house.service().progress(second, CLERK).completion is not None


def test_an_attempt_from_before_the_clock_was_set_back_is_over(house: House, ofd: bytes) -> None:
    sealing = interrupted(house, ofd, idempotency_key="k")
    with house.db.begin() as conn:
        conn.execute(sa.update(store.ATTEMPTS).values(lease_ends=database_now(conn) + timedelta(hours=1)))
    assert [each.intent.id for each in house.unsealed().list(CLERK)] == [sealing]
    assert house.unsealed().sweep() == 1
    assert house.service().progress(sealing, CLERK).completion is not None


class AnswerLost(Database):
    """A database that goes away in the moment in which it commits a completion: it is kept, nobody is told."""

    def __init__(self, real: Database) -> None:
        super().__init__(real.url)
        self.lost = False

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        with super().begin() as conn:
            before = conn.execute(sa.select(sa.func.count()).select_from(store.COMPLETIONS)).scalar_one()
            yield conn
            after = conn.execute(sa.select(sa.func.count()).select_from(store.COMPLETIONS)).scalar_one()
        if after != before:
            self.lost = True
            raise sa.exc.OperationalError("COMMIT", None, ConnectionError("gone"))


def test_a_completion_whose_commit_was_never_answered_is_not_put_on_record_as_failed(house: House, ofd: bytes) -> None:
    gone = AnswerLost(house.db)
    asked = request(ofd, idempotency_key="k")
    with pytest.raises(sa.exc.OperationalError):
        replace(house, db=gone).service().seal(asked, CLERK)
    gone.dispose()
    assert gone.lost
    assert house.actions()[-1] == "seal.sealing.completed"
    with house.db.read() as conn:
        assert conn.execute(sa.select(store.FAILURES)).all() == []
    assert house.service().seal(asked, CLERK).replayed
