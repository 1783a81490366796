"""Four eyes, everywhere: every action from every status by every cast of people, against a table of its own."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from kernel.audit import canonical
from kernel.clock import ManualClock
from kernel.db import Database
from kernel.errors import Refusal
from kernel.principal import PrincipalKind
from seal import store as seals
from seal.affairs import store
from seal.affairs.actions import Action
from seal.affairs.model import LIFETIME, Affair, Verdict
from seal.affairs.payloads import GrantPart
from seal.model import SealId, SealStatus
from seal.register import SigningKey
from seal.usage import store as uses
from tests.seal.affairs.conftest import ALICE, BOB, BOSS, CAROL, DAVE, NEW, Office, grant_of, opened, person
from tests.seal.conftest import START, Authority, application

# What the law and the design say, written down a second time: action -> from -> to.
M, F, A, S, L, R, D = SealStatus
TABLE: Mapping[str, Mapping[SealStatus | None, SealStatus]] = {
    "make": {None: M},
    "file": {M: F},
    "activate": {F: A},
    "suspend": {A: S},
    "resume": {S: A},
    "change": {M: M, A: A, S: S},
    "renew": {A: A, S: S, L: A},
    "lose": {M: L, F: L, A: L, S: L},
    "revoke": {M: R, F: R, A: R, S: R, L: R},
    "destroy": {R: D},
    "export": {M: M, F: F, A: A, S: S, L: L, R: R},
    "policy": {M: M, F: F, A: A, S: S},
    "grant": {M: M, F: F, A: A, S: S},
    "end_grant": {M: M, F: F, A: A, S: S, L: L},
}
ALONE = {"file", "lose"}
PATHS: Mapping[SealStatus, tuple[Action, ...]] = {
    M: (),
    F: (Action.FILE,),
    A: (Action.FILE, Action.ACTIVATE),
    S: (Action.FILE, Action.ACTIVATE, Action.SUSPEND),
    L: (Action.LOSE,),
    R: (Action.REVOKE,),
    D: (Action.REVOKE, Action.DESTROY),
}
OTHER_ACCOUNT = replace(BOSS, subject="boss-at-home", person="boss")
SYSTEM = replace(BOSS, subject="system", kind=PrincipalKind.CLIENT)


@dataclass
class OneTransaction:
    """A database whose transactions are savepoints of one, so that a case is forgotten when it ends."""

    conn: sa.Connection

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        with self.conn.begin_nested():
            yield self.conn

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        yield self.conn

    @contextmanager
    def forgotten(self) -> Iterator[None]:
        point = self.conn.begin_nested()
        try:
            yield
        finally:
            point.rollback()


@dataclass(frozen=True)
class Case:
    """One action on one seal, and the doors to try it by."""

    office: Office
    action: Action
    seal: SealId

    def proposed(self, by: Any = BOSS, **changes: Any) -> Affair:
        return self.office.affairs.propose(self.office.proposal(self.action, self.seal, **changes), by)

    def decide(self, affair: Affair, verdict: Verdict, by: Any, shown: str | None = None) -> Affair:
        return self.office.affairs.decide(affair.id, verdict, by, payload_sm3=shown or affair.payload_sm3)

    def reviewed(self, by: Any = BOB, proposer: Any = BOSS) -> Affair:
        affair = self.proposed(proposer)
        if self.action is Action.MAKE:
            self.decide(affair, Verdict.REVIEW, by)
        return affair

    def tamper(self, affair: Affair, **columns: object) -> None:
        with self.office.db.begin() as conn:
            conn.execute(sa.update(store.AFFAIRS).where(store.AFFAIRS.c.id == affair.id).values(**columns))


Cast = Callable[[Case], object]


def _replayed(case: Case) -> None:
    affair = case.reviewed()
    case.decide(affair, Verdict.APPROVE, CAROL)
    before = case.office.register.history(case.seal)
    try:
        case.decide(affair, Verdict.APPROVE, DAVE)
    except Refusal:
        assert case.office.register.history(case.seal) == before
        raise
    raise AssertionError("an approval was used twice")


def _of_another(case: Case) -> None:
    affair, twin = case.reviewed(), case.reviewed()
    assert affair.payload == twin.payload
    case.decide(affair, Verdict.APPROVE, CAROL, twin.payload_sm3)


def _changed(case: Case) -> None:
    affair = case.reviewed()
    case.tamper(affair, reason="another reason")
    case.decide(affair, Verdict.APPROVE, CAROL)


def _changed_with_its_hash(case: Case) -> None:
    affair = case.reviewed()
    other = replace(affair, payload=affair.payload.replace("{", '{"more":1,', 1))
    case.tamper(affair, payload=other.payload, payload_sm3=other.statement_hash())
    case.decide(affair, Verdict.APPROVE, CAROL)


def _late(case: Case) -> None:
    affair, clock = case.reviewed(), case.office.clock
    clock.advance(LIFETIME)
    try:
        case.decide(affair, Verdict.APPROVE, CAROL)
    finally:
        clock.advance(-LIFETIME)


def _after(verdict: Verdict, by: Any) -> Cast:
    def cast(case: Case) -> None:
        affair = case.reviewed()
        case.decide(affair, verdict, by)
        case.decide(affair, Verdict.APPROVE, CAROL)

    return cast


def _approved_by(someone: Any) -> Cast:
    return lambda case: case.decide(case.reviewed(), Verdict.APPROVE, someone)


# Who tries, and whether the deed may be done: "agreed" by enough people, by the "proposer" alone, or by "nobody".
CASTS: Mapping[str, tuple[str, Cast]] = {
    "three people": ("agreed", lambda case: case.decide(case.reviewed(proposer=ALICE), Verdict.APPROVE, CAROL)),
    "a system proposes": ("agreed", lambda case: case.decide(case.reviewed(proposer=SYSTEM), Verdict.APPROVE, CAROL)),
    "the proposer only": ("proposer", lambda case: case.proposed(ALICE)),
    "the approver only": ("nobody", lambda case: case.proposed(CAROL)),
    "the reviewer only": ("nobody", lambda case: case.proposed(BOB)),
    "one person in both parts": ("nobody", _approved_by(BOSS)),
    "another account of the proposer": ("nobody", _approved_by(OTHER_ACCOUNT)),
    "a client system approves": ("nobody", _approved_by(SYSTEM)),
    "the proposer's colleague approves": ("nobody", _approved_by(ALICE)),
    "the reviewer approves": ("nobody", lambda case: case.decide(case.reviewed(DAVE), Verdict.APPROVE, DAVE)),
    "a right to another seal": (
        "nobody",
        _approved_by(replace(CAROL, rights=frozenset({"seal.approve:1", "seal.make:1"}))),
    ),
    "somebody with no right": ("nobody", _approved_by(person("eve"))),
    "too late": ("nobody", _late),
    "after a rejection": ("nobody", _after(Verdict.REJECT, DAVE)),
    "after a withdrawal": ("nobody", _after(Verdict.WITHDRAW, BOSS)),
    "approved twice": ("replay", _replayed),
    "the hash of another affair": ("nobody", _of_another),
    "changed after it was shown": ("nobody", _changed),
    "changed, and its hash with it": ("nobody", _changed_with_its_hash),
    "the right person who was shown nothing": (
        "nobody",
        lambda case: case.decide(case.reviewed(), Verdict.APPROVE, CAROL, "0" * 64),
    ),
}
# Only making has a review; elsewhere a reviewer who approves is just another approver.
REVIEW = {"the reviewer approves"}


def expected(action: Action, status: SealStatus | None, means: str, cast: str) -> SealStatus | None:
    """Give the status that a case must end in."""
    end = TABLE[action.value].get(status)
    if end is None:
        return status
    if action.value in ALONE:
        # Done when it is proposed, by whoever may propose.
        return status if cast in {"the approver only", "the reviewer only"} else end
    if means in {"agreed", "replay"} or (cast in REVIEW and action is not Action.MAKE):
        return end
    return status


def attempt(case: Case, cast: Cast) -> None:
    try:
        cast(case)
    except Refusal:
        return


def found(conn: sa.Connection, seal: str) -> SealStatus | None:
    history = seals.status_history(conn, seal)
    return SealStatus(history[-1].status) if history else None


def test_nothing_is_done_but_what_the_table_says_by_enough_people(
    database: Database, clock: ManualClock, authority: Authority, new_keys: tuple[SigningKey, ...], tmp_path: Path
) -> None:
    wrong: list[str] = []
    done = tried = 0
    with database.begin() as conn:
        one = OneTransaction(conn)
        office = opened(one, clock, authority, new_keys, tmp_path)  # type: ignore[arg-type]
        places = standing_everywhere(office)
        for action in Action:
            for status, seal in _statuses(places, action, database.dialect):
                for name, (means, cast) in CASTS.items():
                    with one.forgotten():
                        before = outcomes(conn)
                        attempt(Case(office, action, seal), cast)
                        ends, happened = found(conn, seal), outcomes(conn) - before
                        must = expected(action, status, means, name)
                        allowed = must is not status or may_stay(action, status, means, name)
                        tried, done = tried + 1, done + happened
                        if ends is not must or bool(happened) is not allowed:
                            wrong.append(f"{action} of a seal that is {status}, {name}: {ends}, {happened} done")
    assert wrong == []
    assert tried == len(Action) * len(CASTS) * (8 if database.dialect == "sqlite" else 1)
    assert done >= len(Action)


def _statuses(
    places: Mapping[SealStatus | None, SealId], action: Action, dialect: str
) -> tuple[tuple[SealStatus | None, SealId], ...]:
    """Give every status on one database; on the other, where only the SQL can differ, the first the action is for."""
    if dialect == "sqlite":
        return tuple(places.items())
    first = next(iter(TABLE[action.value]))
    return ((first, places[first]),)


def may_stay(action: Action, status: SealStatus | None, means: str, cast: str) -> bool:
    """Tell whether a case that leaves the status as it was must have done its deed all the same."""
    stays = TABLE[action.value].get(status) is status and status is not None
    return stays and (means in {"agreed", "replay"} or cast in REVIEW)


def outcomes(conn: sa.Connection) -> int:
    return int(conn.execute(sa.select(sa.func.count()).select_from(store.OUTCOMES)).scalar_one())


def standing_everywhere(office: Office) -> dict[SealStatus | None, SealId]:
    """Make a seal in every status; under None a number that is not given yet."""
    places: dict[SealStatus | None, SealId] = {None: NEW}
    for number, (status, path) in enumerate(PATHS.items(), 1):
        seal = SealId(f"440300{number:08}")
        made = application(office.authority, id=seal, valid_to=START + timedelta(days=300))
        office.registrar.only_make(made, keys=office.authority.keys, maker=office.authority.ca.maker())
        with office.db.begin() as conn:
            terms = GrantPart.model_validate(office.payload(Action.GRANT, seal)).model_dump(mode="json")
            given = {"subject": "portal", "valid_from": START, "valid_to": START, "at": START}
            uses.insert(conn, uses.GRANTS, id=grant_of(seal), seal=seal, terms=canonical(terms), **given)
        for action in path:
            office.registrar.move(action, seal)
        places[status] = seal
    return places
