"""Affairs: proposals, decisions, what they do to a seal, and what is kept of them."""

import json
import re
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from crypto.keys import KeyId
from crypto.suites import ES256, SM2_SM3
from crypto.vaults.soft import SoftVault
from kernel.audit import entries
from kernel.errors import Forbidden, Refusal
from seal.affairs.actions import RULES, Action
from seal.affairs.carrying import Carrier
from seal.affairs.model import (
    AffairClosed,
    AffairRefused,
    Paper,
    SecondPersonNeeded,
    Standing,
    UnknownAffair,
    Verdict,
)
from seal.affairs.officers import Officers
from seal.affairs.service import AffairService
from seal.affairs.warrant import Agreed, Warrant, issue
from seal.errors import SealNotUsable, SealRefused, UnknownSeal
from seal.model import SealId, SealStatus, UsePolicy
from seal.ses import parse_seseal
from tests.seal.affairs.conftest import ALICE, BOB, BOSS, CAROL, DAVE, NEW, Office, person
from tests.seal.conftest import OWNER, SEAL, START, application, failing_inserts

DAY = timedelta(days=1)


def actions(office: Office) -> list[str]:
    with office.db.read() as conn:
        assert office.audit.verify(conn).holds
        return list(conn.execute(sa.select(entries.c.action).order_by(entries.c.seq)).scalars())[3:]


def test_a_seal_goes_through_its_life_and_every_step_is_told(office: Office) -> None:
    office.settle(Action.MAKE, NEW)
    assert office.status(NEW) is SealStatus.MADE
    for action, status in (
        (Action.FILE, SealStatus.FILED),
        (Action.ACTIVATE, SealStatus.ACTIVE),
        (Action.SUSPEND, SealStatus.SUSPENDED),
        (Action.RESUME, SealStatus.ACTIVE),
        (Action.REVOKE, SealStatus.REVOKED),
        (Action.DESTROY, SealStatus.DESTROYED),
    ):
        office.settle(action, NEW)
        assert office.status(NEW) is status
    told = actions(office)
    assert told[:4] == ["seal.affair.proposed", "seal.affair.reviewed", "seal.affair.approved", "seal.made"]
    assert [one for one in told if not one.startswith("seal.affair.")] == [
        "seal.made",
        "seal.filed",
        "seal.activated",
        "seal.suspended",
        "seal.resumed",
        "seal.revoked",
        "seal.destroyed",
    ]
    history = office.register.history(NEW)
    assert all(change.affair for change in history)
    assert [change.actor for change in history] == ["carol", "alice", "carol", "carol", "carol", "carol", "carol"]


def test_a_renewed_seal_has_its_number_new_keys_and_a_new_version(office: Office) -> None:
    before = office.register.find(SEAL)
    old = office.register.credential(before, SM2_SM3)
    office.settle(Action.RENEW, SEAL)
    after = office.register.find(SEAL)
    assert (after.id, after.status, after.version) == (SEAL, SealStatus.ACTIVE, 2)
    assert after.valid_to == START + 700 * DAY
    inside = parse_seseal(after.seseal)
    assert (inside.esid, inside.name) == (SEAL, before.name)
    new = office.register.credential(after, SM2_SM3)
    assert new.key != old.key
    assert new.credential.certificate.raw in inside.certificates
    assert {old.key, new.key} <= {each.key for each in office.register.credentials(after)}
    assert office.register.seseals(after) == (before.seseal, after.seseal)
    with office.db.read() as conn, pytest.raises(SealNotUsable, match="made anew"):
        office.register.still(conn, before, office.clock.now())


def test_of_several_certificates_of_a_suite_the_newest_valid_one_signs(office: Office) -> None:
    both = [*office.authority.keys, *office.new_keys]
    office.registrar.remake(application(office.authority), keys=both, maker=office.authority.ca.maker())
    seal = office.register.find(SEAL)
    assert len(parse_seseal(seal.seseal).certificates) == 2
    held = office.register.credential(seal, ES256)
    newest = max((key for key in both if key.suite is ES256), key=lambda key: key.certificate.not_before)
    assert held.credential.certificate.not_before == newest.certificate.not_before


def test_a_change_keeps_what_is_not_named(office: Office) -> None:
    before = office.register.find(SEAL)
    office.settle(Action.CHANGE, SEAL)
    after = office.register.find(SEAL)
    assert (after.name, after.picture, after.valid_to) == ("改名后的印章", before.picture, before.valid_to)
    assert office.register.credential(after, ES256).key == office.register.credential(before, ES256).key


def test_a_lost_seal_waits_for_nobody_and_comes_back_with_other_keys_alone(office: Office) -> None:
    office.settle(Action.LOSE, SEAL)
    assert office.status(SEAL) is SealStatus.LOST
    same = {name: value for name, value in office.payload(Action.RENEW).items() if name != "keys"}
    with pytest.raises(SealRefused, match="other keys"):
        office.settle(Action.RENEW, SEAL, payload=same)
    assert office.status(SEAL) is SealStatus.LOST
    office.settle(Action.RENEW, SEAL)
    assert office.status(SEAL) is SealStatus.ACTIVE


def test_a_use_policy_is_open_until_two_people_change_it(office: Office) -> None:
    with office.db.read() as conn:
        assert office.register.policy(conn, SEAL) is UsePolicy.OPEN
    office.settle(Action.POLICY, SEAL)
    with office.db.read() as conn:
        assert office.register.policy(conn, SEAL) is UsePolicy.APPROVED


def test_an_exported_seal_is_its_e_seal_and_stays_as_it_was(office: Office) -> None:
    affair = office.settle(Action.EXPORT, SEAL)
    assert affair.outcome is not None
    assert office.objects.get(json.loads(affair.outcome)["seseal"]) == office.register.find(SEAL).seseal
    assert office.status(SEAL) is SealStatus.ACTIVE
    assert actions(office)[-1] == "seal.exported"


def test_keys_the_vault_cannot_destroy_are_left_to_be_destroyed_by_hand(office: Office) -> None:
    office.settle(Action.REVOKE, SEAL)
    affair = office.settle(Action.DESTROY, SEAL)
    keys = tuple(sorted(key.key for key in office.authority.keys))
    assert tuple(json.loads(affair.outcome or "")["keys"]) == keys
    assert "seal.key_destroyed" not in actions(office)
    assert office.affairs.keys_destroyed_by_hand(affair.id, BOSS) == keys
    assert office.affairs.keys_destroyed_by_hand(affair.id, BOSS) == ()
    assert actions(office).count("seal.key_destroyed") == 2


def test_a_vault_that_can_destroy_keys_does(office: Office) -> None:
    class Shredder:
        def __init__(self, vault: SoftVault) -> None:
            self.vault, self.gone = vault, list[KeyId]()

        def __getattr__(self, name: str) -> object:
            return getattr(self.vault, name)

        def destroy(self, key: KeyId) -> None:
            self.gone.append(key)

    vault = Shredder(office.authority.vault)
    carrier = Carrier(register=office.register, objects=office.objects, vault=vault)  # type: ignore[arg-type]
    service = AffairService(
        db=office.db, audit=office.audit, clock=office.clock, objects=office.objects, carrier=carrier
    )
    office = replace(office, affairs=service)
    office.settle(Action.REVOKE, SEAL)
    office.settle(Action.DESTROY, SEAL)
    assert sorted(vault.gone) == sorted(key.key for key in office.authority.keys)
    assert actions(office)[-2:] == ["seal.key_destroyed"] * 2


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": "  "},
        {"reason": "r" * 501},
        {"legal_basis": ""},
        {"payload": {"more": 1}},
        {"papers": (Paper(kind="x", object_key="0" * 64),)},
        {"papers": (Paper(kind="", object_key="0" * 64),)},
        {"lifetime": 31 * DAY},
        {"lifetime": timedelta(0)},
    ],
    ids=str,
)
def test_a_proposal_that_does_not_hold_together_is_refused(office: Office, changes: dict[str, object]) -> None:
    with pytest.raises(AffairRefused):
        office.affairs.propose(office.proposal(Action.REVOKE, SEAL, **changes), ALICE)
    assert actions(office) == []


def test_what_is_wrong_with_a_payload_is_named(office: Office) -> None:
    payload = {**office.payload(Action.MAKE), "owner": "x", "colour": "red"}
    with pytest.raises(AffairRefused, match="colour, owner"):
        office.affairs.propose(office.proposal(Action.MAKE, NEW, payload=payload), ALICE)
    for end in ("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"):
        payload = {**office.payload(Action.GRANT), "valid_to": end}
        with pytest.raises(AffairRefused, match="valid_to"):
            office.affairs.propose(office.proposal(Action.GRANT, SEAL, payload=payload), ALICE)
    with pytest.raises(AffairRefused, match="Papers are missing: application"):
        office.affairs.propose(office.proposal(Action.MAKE, NEW, papers=()), ALICE)


def test_a_body_applies_for_its_own_seals(office: Office) -> None:
    with pytest.raises(Forbidden):
        office.affairs.propose(office.proposal(Action.MAKE, NEW), replace(ALICE, organisation="11440300MB2C92174Q"))
    assert office.affairs.propose(office.proposal(Action.MAKE, NEW), replace(ALICE, organisation=OWNER)).id


def test_no_seal_is_made_with_anothers_key_or_with_a_certificate_for_another_key(office: Office) -> None:
    payload = dict(office.payload(Action.MAKE))
    mine, theirs = payload["keys"][0], office.authority.keys[0]
    for keys, said in (
        ([{**mine, "key": theirs.key}], "not for the key"),
        ([{"key": theirs.key, "certificates": theirs.certificate.pem()}], "another seal's"),
    ):
        with pytest.raises(SealRefused, match=said):
            office.settle(Action.MAKE, NEW, payload={**payload, "keys": keys})
    with pytest.raises(UnknownSeal):
        office.register.find(NEW)


def test_an_approval_that_cannot_be_carried_out_is_not_given_either(office: Office) -> None:
    affair = office.affairs.propose(office.proposal(Action.SUSPEND, SEAL), ALICE)
    with failing_inserts(office.db, "seal_status_changes"), pytest.raises(sa.exc.SQLAlchemyError):
        office.affairs.decide(affair.id, Verdict.APPROVE, CAROL, payload_sm3=affair.payload_sm3)
    found = office.affairs.find(affair.id, CAROL)
    assert (found.decisions, found.standing(office.clock.now())) == ((), Standing.APPROVING)
    assert office.status(SEAL) is SealStatus.ACTIVE
    assert actions(office) == ["seal.affair.proposed"]


def test_of_two_approvals_at_once_one_carries_it_out(office: Office) -> None:
    affair = office.affairs.propose(office.proposal(Action.POLICY, SEAL), ALICE)
    start, said = threading.Barrier(2), list[object]()

    def approve(who: object) -> None:
        start.wait()
        try:
            office.affairs.decide(affair.id, Verdict.APPROVE, who, payload_sm3=affair.payload_sm3)  # type: ignore[arg-type]
            said.append("done")
        except Refusal as refused:
            said.append(type(refused))

    both = [threading.Thread(target=approve, args=(who,)) for who in (CAROL, DAVE)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sorted(map(str, said)) == sorted(["done", str(AffairClosed)])
    assert actions(office).count("seal.policy_changed") == 1


def test_what_waits_for_me_is_what_i_could_decide_now(office: Office) -> None:
    make = office.affairs.propose(office.proposal(Action.MAKE, NEW), ALICE)
    suspend = office.affairs.propose(office.proposal(Action.SUSPEND, SEAL), BOSS)

    def waiting(who: object) -> list[str]:
        return [each.id for each in office.affairs.list(who, waiting=True)]  # type: ignore[arg-type]

    assert (waiting(ALICE), waiting(BOB), waiting(CAROL)) == ([], [make.id], [suspend.id])
    assert (waiting(BOSS), set(waiting(DAVE))) == ([make.id], {make.id, suspend.id})
    office.affairs.decide(make.id, Verdict.REVIEW, DAVE, payload_sm3=make.payload_sm3)
    assert (waiting(BOB), set(waiting(CAROL)), waiting(DAVE)) == ([], {make.id, suspend.id}, [suspend.id])
    office.clock.advance(8 * DAY)
    assert waiting(CAROL) == []
    assert office.affairs.list(person("eve")) == ()
    with pytest.raises(UnknownAffair):
        office.affairs.find(make.id, person("eve"))


def test_affairs_are_listed_in_pages_newest_first(office: Office) -> None:
    made = []
    for _ in range(3):
        made.append(office.affairs.propose(office.proposal(Action.POLICY, SEAL), ALICE).id)
        office.clock.advance(DAY / 24)
    first = office.affairs.list(CAROL, limit=2)
    assert [each.id for each in first] == made[:0:-1]
    assert [each.id for each in office.affairs.list(CAROL, after=first[-1].id)] == made[:1]
    assert office.affairs.list(CAROL, seal=NEW) == ()


def test_a_warrant_is_made_by_affairs_alone_and_never_for_one_person(office: Office) -> None:
    alice, again = Agreed("alice", "alice"), Agreed("alice-at-home", "alice")
    with office.db.begin() as conn:
        parts = {
            "conn": conn,
            "affair": "a",
            "action": Action.SUSPEND,
            "seal": SEAL,
            "reason": "r",
            "legal_basis": "",
            "at": office.clock.now(),
        }
        with pytest.raises(TypeError):
            Warrant(object(), agreed=(alice, Agreed("bob", "bob")), **parts)  # type: ignore[arg-type]
        for agreed in ((), (alice,), (alice, again)):
            with pytest.raises(ValueError, match="different people"):
                issue(agreed=agreed, **parts)  # type: ignore[arg-type]
        other = issue(agreed=(alice, Agreed("bob", "bob")), **parts)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="none to"):
            office.register.set_policy(other, UsePolicy.OPEN)


def test_nobody_but_the_service_makes_warrants_and_nobody_but_development_has_stand_ins() -> None:
    floors = Path(__file__).resolve().parents[3]
    makers, developers = set(), set()
    for floor in ("seal", "license_store", "idp", "admin"):
        for path in (floors / floor).rglob("*.py"):
            text, name = path.read_text("utf-8"), path.relative_to(floors).as_posix()
            if re.search(r"from seal\.affairs\.warrant import [^\n]*\bissue|affairs import warrant", text):
                makers.add(name)
            if "seal.affairs.dev " in text or "affairs import dev" in text:
                developers.add(name)
    assert makers == {"seal/affairs/service.py", "seal/affairs/dev.py"}
    assert developers == {"admin/devworld.py"}


def test_a_seal_seals_in_the_very_second_in_which_it_is_put_into_use(office: Office) -> None:
    office.clock.advance(timedelta(milliseconds=400))
    for action in (Action.MAKE, Action.FILE, Action.ACTIVATE):
        office.settle(action, NEW)
        office.clock.advance(timedelta(milliseconds=100))
    # What a document says of its time has no fractions.
    assert office.register.status_at(NEW, START) is SealStatus.ACTIVE
    office.settle(Action.LOSE, NEW)
    assert office.register.status_at(NEW, START) is SealStatus.ACTIVE
    assert office.register.status_at(NEW, office.clock.now()) is SealStatus.LOST


def test_whoever_has_had_a_part_is_told_that_another_person_decides(office: Office) -> None:
    affair = office.affairs.propose(office.proposal(Action.SUSPEND, SEAL), BOSS)
    with pytest.raises(SecondPersonNeeded):
        office.affairs.decide(affair.id, Verdict.APPROVE, BOSS, payload_sm3=affair.payload_sm3)
    with pytest.raises(Forbidden):
        office.affairs.decide(affair.id, Verdict.WITHDRAW, CAROL, payload_sm3=affair.payload_sm3)


def test_two_accounts_of_one_officer_are_one_person(office: Office) -> None:
    officers = Officers(db=office.db, audit=office.audit, clock=office.clock)
    for account, number in (("zhao-1", "P17"), ("zhao-2", "P17"), ("qian", "P18")):
        officers.appoint(account, ["seal.manage:*", f"seal.approve:{SEAL}"], by="operator", person=number)
    one, two, other = (officers.principal(account) for account in ("zhao-1", "zhao-2", "qian"))
    affair = office.affairs.propose(office.proposal(Action.SUSPEND, SEAL), one)
    with pytest.raises(SecondPersonNeeded):
        office.affairs.decide(affair.id, Verdict.APPROVE, two, payload_sm3=affair.payload_sm3)
    assert office.affairs.list(two, waiting=True) == ()
    assert office.affairs.decide(affair.id, Verdict.APPROVE, other, payload_sm3=affair.payload_sm3).outcome
    officers.appoint("qian", [], by="operator")
    for nobody in ("qian", "sun"):
        with pytest.raises(Forbidden):
            officers.principal(nobody)
    assert actions(office).count("seal.officer_appointed") == 4


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_appointed_anew_an_account_is_nobody_elses(office: Office) -> None:
    officers = Officers(db=office.db, audit=office.audit, clock=office.clock)
    rights = ["seal.manage:*", "seal.approve:*"]
    for account in ("zhao-1", "zhao-2"):
        officers.appoint(account, rights, by="operator", person="P17")
    # Rights change; whose account it is does not, even after the office was over.
    officers.appoint("zhao-1", [], by="operator")
    officers.appoint("zhao-1", [*rights, "seal.lose:*"], by="operator")
    affair = office.affairs.propose(office.proposal(Action.SUSPEND, SEAL), officers.principal("zhao-1"))
    with pytest.raises(SecondPersonNeeded):
        office.affairs.decide(affair.id, Verdict.APPROVE, officers.principal("zhao-2"), payload_sm3=affair.payload_sm3)
    # Whose account it is was told after it had proposed.
    officers.appoint("qian", rights, by="operator")
    affair = office.affairs.propose(office.proposal(Action.SUSPEND, SEAL), officers.principal("qian"))
    officers.appoint("qian", rights, by="operator", person="P18")
    qian = officers.principal("qian")
    assert affair.id in {each.id for each in office.affairs.list(qian)}
    with pytest.raises(SecondPersonNeeded):
        office.affairs.decide(affair.id, Verdict.APPROVE, qian, payload_sm3=affair.payload_sm3)
    assert office.affairs.decide(affair.id, Verdict.WITHDRAW, qian, payload_sm3=affair.payload_sm3).decisions


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_token_that_a_website_has_of_an_officer_opens_nothing(office: Office) -> None:
    affair = office.affairs.propose(office.proposal(Action.REVOKE, SEAL), ALICE)
    token = replace(ALICE, rights=frozenset())
    assert office.affairs.list(token) == ()
    with pytest.raises(UnknownAffair):
        office.affairs.find(affair.id, token)
    with pytest.raises(UnknownAffair):
        office.affairs.decide(affair.id, Verdict.WITHDRAW, token, payload_sm3=affair.payload_sm3)


@pytest.mark.parametrize("right", ["seal.approve", "seal.approve:1", "seal.use_digest:*", ""])
def test_an_officer_has_no_right_that_does_not_exist(office: Office, right: str) -> None:
    officers = Officers(db=office.db, audit=office.audit, clock=office.clock)
    with pytest.raises(AffairRefused):
        officers.appoint("zhao", [right], by="operator")


def test_every_deed_has_rights_of_its_own() -> None:
    for action, rule in RULES.items():
        assert rule.propose not in {rule.approve, rule.review}, action
        assert rule.four_eyes is (action not in {Action.FILE, Action.LOSE})


def test_a_seal_of_any_kind_can_be_asked_for(office: Office) -> None:
    payload = {**office.payload(Action.MAKE), "kind": 4711}
    office.settle(Action.MAKE, NEW, payload=payload)
    assert office.register.find(NEW).kind == 4711
    assert SealId(office.register.find(NEW).id) == NEW
