"""What happens to seals reaches the national platform once, in order, whatever fails in between."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import pytest
import sqlalchemy as sa

from crypto.keys import VaultSigner
from crypto.suites import SM2_SM3
from kernel.clock import ManualClock
from kernel.errors import Forbidden
from kernel.principal import Principal, PrincipalKind
from seal.docking.errors import DockingDataRefused
from seal.docking.national.model import Event, stamp
from seal.docking.national.platform import NationalPlatform
from seal.docking.reporting import DockingService, due
from seal.docking.store import ATTEMPTS, Progress, State
from seal.errors import UnknownSeal
from seal.model import SealId
from tests.seal.conftest import CLERK, SEAL, START, Authority, House, application, failing_inserts
from tests.seal.docking.test_national_platform import ACCOUNT, account
from tests.sims.national import Mood, NationalSimulator

OPERATOR = Principal(subject="operator", kind=PrincipalKind.OPERATOR, rights=frozenset({"seal.docking:*"}))


@dataclass
class Office:
    """A house whose seals are reported."""

    house: House
    platform: NationalSimulator
    service: DockingService

    def send(self, **given: bool) -> list[tuple[str, State, str]]:
        return [(each.docking.event, each.state, each.code) for each in self.service.report_pending(OPERATOR, **given)]

    def status(self) -> list[Progress]:
        return list(self.service.status(OPERATOR))

    def changes(self) -> list[str]:
        return [call for call in self.platform.calls if call not in ("random", "status")]


@pytest.fixture(scope="session")
def office_key(authority: Authority) -> VaultSigner:
    return VaultSigner(authority.vault, authority.vault.generate(SM2_SM3))


@pytest.fixture
def office(house: House, office_key: VaultSigner, clock: ManualClock) -> Iterator[Office]:
    with NationalSimulator(ACCOUNT, office_key.public_key, clock.now) as simulator:
        client = NationalPlatform(account(simulator.url), signer=office_key, clock=clock, timeout=timedelta(seconds=5))
        service = DockingService(
            db=house.db, audit=house.audit, clock=clock, register=house.register, platform=lambda: client
        )
        yield Office(house, simulator, service)


def test_a_seal_s_life_is_reported_in_its_order_and_once(office: Office) -> None:
    register = office.house.registrar
    register.suspend(SEAL, "盘点")
    register.resume(SEAL, "盘点完毕")
    register.revoke(SEAL, "机构撤销|合并")
    done = State.REPORTED
    assert office.send() == [("release", done, "0"), ("revoked", done, "0")]
    filed = office.platform.seals[SEAL]
    assert (filed.status, filed.why, filed.since, filed.until) == (
        "2",
        "0",
        stamp(START),
        stamp(START + timedelta(365)),
    )
    assert office.send() == []
    assert [each.state for each in office.status()] == [done, done]
    actions = [each for each in office.house.actions() if each.startswith("seal.docking")]
    assert actions == ["seal.docking.intended", "seal.docking.reported"] * 2


def test_a_seal_made_anew_is_renewed_there_by_itself_and_once(office: Office, clock: ManualClock) -> None:
    house, done = office.house, State.REPORTED
    assert office.service.report_due() == 1
    clock.advance(timedelta(days=30))
    longer = application(house.authority, valid_to=START + timedelta(days=400))
    house.registrar.remake(longer, keys=house.authority.keys, maker=house.authority.ca.maker())
    assert office.service.report_due() == 1
    assert office.service.report_due() == 0
    assert [(each.docking.event, each.state) for each in office.status()] == [("release", done), ("renewal", done)]
    assert office.platform.seals[SEAL].until == stamp(START + timedelta(days=400))
    assert office.changes() == ["release", "renewal"]


def test_where_no_platform_is_set_up_nothing_is_sent_by_itself(house: House, clock: ManualClock) -> None:
    service = DockingService(
        db=house.db, audit=house.audit, clock=clock, register=house.register, platform=lambda: None
    )
    assert service.report_due() == 0
    assert service.status(OPERATOR) == ()


def test_what_fails_waits_longer_each_time_and_holds_back_what_comes_after(office: Office, clock: ManualClock) -> None:
    office.house.registrar.revoke(SEAL, "机构撤销")
    office.platform.fail(Mood.ERROR_500, only="random")
    assert office.send() == [("release", State.WAITING, "docking_unavailable")]
    assert office.send() == []
    clock.advance(timedelta(minutes=1))
    assert len(office.send()) == 1
    clock.advance(timedelta(minutes=1))
    assert office.send() == []
    clock.advance(timedelta(minutes=1))
    office.platform.fail(Mood.GOOD)
    assert [event for event, _, _ in office.send()] == ["release", "revoked"]
    assert office.changes() == ["release", "deactivate"]


def test_what_came_through_without_an_answer_is_found_and_not_sent_again(office: Office, clock: ManualClock) -> None:
    office.platform.fail(Mood.DOES_AND_CLOSES, only="release")
    assert office.send() == [("release", State.UNKNOWN, "docking_outcome_unknown")]
    assert SEAL in office.platform.seals
    clock.advance(timedelta(minutes=1))
    assert office.send() == [("release", State.REPORTED, "found")]
    assert office.changes() == ["release"]


def test_what_did_not_come_through_is_sent_again(office: Office, clock: ManualClock) -> None:
    office.platform.fail(Mood.ERROR_500, only="release", times=1)
    assert office.send() == [("release", State.UNKNOWN, "docking_outcome_unknown")]
    clock.advance(timedelta(minutes=1))
    assert office.send() == [("release", State.REPORTED, "0")]
    assert office.changes() == ["release", "release"]


def test_a_silent_platform_and_one_that_refuses_our_account_are_left_alone(office: Office, clock: ManualClock) -> None:
    house = office.house
    for number in range(2, 6):
        more = application(house.authority, id=SealId(f"4403000000000{number}"))
        house.registrar.make(more, keys=house.authority.keys, maker=house.authority.ca.maker())
    office.platform.fail(Mood.ERROR_500, only="random")
    assert [state for _, state, _ in office.send()] == [State.WAITING] * 3
    clock.advance(timedelta(hours=3))
    office.platform.fail(Mood.GOOD)
    office.platform.secret = "changed by the platform"
    assert office.send() == [("release", State.WAITING, "docking_login_refused")]
    office.platform.secret = ACCOUNT.secret
    clock.advance(timedelta(hours=3))
    assert [state for _, state, _ in office.send()] == [State.REPORTED] * 5


def test_a_second_deactivation_is_not_taken_for_done_by_the_first(office: Office, clock: ManualClock) -> None:
    with office.house.db.begin() as conn:
        due(conn, SEAL, Event.RELEASE)
        due(conn, SEAL, Event.LOST, cause="affair:lost")
    assert len(office.send()) == 2
    office.house.registrar.revoke(SEAL, "遗失")
    office.platform.fail(Mood.ERROR_500, only="deactivate", times=1)
    assert office.send() == [("revoked", State.UNKNOWN, "docking_outcome_unknown")]
    clock.advance(timedelta(minutes=1))
    assert office.send() == [("revoked", State.REPORTED, "0")]
    assert office.platform.seals[SEAL].why == "0"


def test_a_refused_report_waits_for_an_operator(office: Office, clock: ManualClock) -> None:
    office.platform.fail(Mood.DECLINES, only="release")
    assert office.send() == [("release", State.REFUSED, "9999")]
    clock.advance(timedelta(days=1))
    assert office.send() == []
    office.platform.fail(Mood.GOOD)
    assert office.send(refused_too=True) == [("release", State.REPORTED, "0")]
    (report,) = office.status()
    assert report.attempts == 2


def test_an_attempt_that_was_cut_off_is_looked_up_when_its_lease_is_over(office: Office) -> None:
    with failing_inserts(office.house.db, "seal_docking_answers"), pytest.raises(sa.exc.SQLAlchemyError):
        office.send()
    assert [each.state for each in office.status()] == [State.SENDING]
    assert office.send() == []
    with office.house.db.begin() as conn:  # The lease runs in the database's time, which no test waits for.
        conn.execute(sa.update(ATTEMPTS).values(lease_ends=START - timedelta(days=400)))
    assert [each.state for each in office.status()] == [State.UNKNOWN]
    assert office.send() == [("release", State.REPORTED, "found")]
    assert office.changes() == ["release"]


def test_several_who_send_at_once_send_each_report_once(office: Office) -> None:
    house = office.house
    for number in range(2, 5):
        more = application(house.authority, id=SealId(f"4403000000000{number}"))
        house.registrar.make(more, keys=house.authority.keys, maker=house.authority.ca.maker())
    with ThreadPoolExecutor(4) as pool:
        sent = [each for one in pool.map(lambda _: office.send(), range(4)) for each in one]
    assert sent == [("release", State.REPORTED, "0")] * 4
    assert office.changes() == ["release"] * 4


def test_a_deed_that_others_call_due_is_reported_once(office: Office) -> None:
    with office.house.db.begin() as conn:
        first = due(conn, SEAL, Event.RELEASE)
        assert due(conn, SEAL, Event.RELEASE) == first
        due(conn, SEAL, Event.RENEWAL, cause="affair:abc")
    with office.house.db.begin() as conn, pytest.raises(UnknownSeal):
        due(conn, "99000000000009", Event.RELEASE)
    assert [event for event, _, _ in office.send()] == ["release", "renewal"]
    assert office.send() == []
    assert office.service.derive() == 0


def test_only_who_has_the_right_reports_and_only_where_a_platform_is_set_up(office: Office) -> None:
    with pytest.raises(Forbidden):
        office.service.report_pending(CLERK)
    with pytest.raises(Forbidden):
        office.service.status(CLERK)
    house = office.house
    alone = DockingService(
        db=house.db, audit=house.audit, clock=house.clock, register=house.register, platform=lambda: None
    )
    with pytest.raises(DockingDataRefused, match="XINYIN_DOCKING_FILE"):
        alone.report_pending(OPERATOR)
    assert office.platform.calls == []
