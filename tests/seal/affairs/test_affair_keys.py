"""Idempotency-Keys of proposals: a request that is sent again, for whatever reason, proposes once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from seal.affairs.actions import Action
from seal.affairs.store import AFFAIRS, REQUESTS
from seal.errors import IdempotencyMismatch, SealNotUsable
from tests.seal.affairs.conftest import ALICE, Office
from tests.seal.conftest import SEAL, failing_inserts


def count(office: Office, table: sa.Table) -> int:
    with office.db.read() as conn:
        return int(conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def test_of_twenty_at_once_one_proposes_and_all_are_given_it(office: Office) -> None:
    asked = office.proposal(Action.SUSPEND, SEAL)
    with ThreadPoolExecutor(20) as pool:
        made = list(pool.map(lambda _: office.affairs.propose_once(asked, ALICE, "K-1"), range(20)))
    assert len({affair.id for affair, _ in made}) == 1
    assert sorted(replayed for _, replayed in made) == [False] + [True] * 19
    assert (count(office, AFFAIRS), count(office, REQUESTS)) == (1, 1)


def test_the_same_again_shows_the_affair_as_it_stands_by_then(office: Office) -> None:
    asked = office.proposal(Action.LOSE, SEAL)
    first, _ = office.affairs.propose_once(asked, ALICE, "K-1")
    assert first.outcome is not None
    # By now the seal is lost, and to report it lost would be refused.
    again, replayed = office.affairs.propose_once(asked, ALICE, "K-1")
    assert (again, replayed) == (first, True)
    with pytest.raises(SealNotUsable):
        office.affairs.propose_once(asked, ALICE, "K-2")


def test_another_proposal_under_the_key_is_refused_and_anothers_key_is_another(office: Office) -> None:
    asked = office.proposal(Action.SUSPEND, SEAL)
    first, _ = office.affairs.propose_once(asked, ALICE, "K-1")
    for other in (
        office.proposal(Action.REVOKE, SEAL),
        office.proposal(Action.SUSPEND, SEAL, reason="另一个理由"),
    ):
        with pytest.raises(IdempotencyMismatch):
            office.affairs.propose_once(other, ALICE, "K-1")
    second, replayed = office.affairs.propose_once(asked, ALICE, "K-2")
    assert (second.id != first.id, replayed) == (True, False)
    assert count(office, AFFAIRS) == 2


def test_what_was_refused_leaves_its_key_free(office: Office) -> None:
    with pytest.raises(SealNotUsable):
        office.affairs.propose_once(office.proposal(Action.RESUME, SEAL), ALICE, "K-1")
    with failing_inserts(office.db, "seal_affairs"), pytest.raises(sa.exc.DBAPIError):
        office.affairs.propose_once(office.proposal(Action.SUSPEND, SEAL), ALICE, "K-1")
    assert count(office, REQUESTS) == 0
    assert office.affairs.propose_once(office.proposal(Action.SUSPEND, SEAL), ALICE, "K-1")[1] is False
