"""The register of seals."""

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from crypto.keys import VaultSigner
from crypto.suites import SM2_SM3
from crypto.x509 import Certificate, make_csr, name
from seal.errors import SealExists, SealExpired, SealNotUsable, SealRefused, UnknownSeal
from seal.model import SealId, SealStatus
from seal.pki.founding import found
from seal.register import SigningKey
from seal.ses import parse_seseal

from .conftest import OWNER, SEAL, START, Authority, House, application, failing_inserts

DAY = timedelta(days=1)


def test_a_seal_is_made_active_and_signed_by_its_maker(house: House) -> None:
    seal = house.register.find(SEAL)
    assert seal.status is SealStatus.ACTIVE
    assert seal.owner == OWNER
    inside = parse_seseal(seal.seseal)
    assert (inside.esid, inside.name) == (SEAL, seal.name)
    assert inside.maker_certificate == house.authority.ca.maker().certificate.raw
    assert house.actions() == ["seal.made"]


def test_a_number_is_given_to_one_seal_only(house: House, authority: Authority) -> None:
    with pytest.raises(SealExists):
        house.registrar.make(application(authority), keys=authority.keys, maker=authority.ca.maker())
    assert house.actions() == ["seal.made"]


def test_the_next_number_follows_the_highest_of_the_region(house: House) -> None:
    assert house.register.next_id("440300") == "44030000000002"
    assert house.register.next_id("110000") == "11000000000001"


def test_seals_are_listed_by_owner_in_pages(house: House, authority: Authority) -> None:
    second = SealId("44030000000002")
    house.registrar.make(application(authority, id=second), keys=authority.keys, maker=authority.ca.maker())
    assert [seal.id for seal in house.register.list(owner=OWNER, limit=1)] == [SEAL]
    assert [seal.id for seal in house.register.list(owner=OWNER, after=SEAL)] == [second]
    assert house.register.list(owner="11440300MB2C92174Q") == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "4403000000001"},
        {"id": "4403000000000x"},
        {"owner": "11440300MB2C92173"},
        {"valid_to": START},
    ],
)
def test_an_application_that_does_not_hold_together_is_refused(
    house: House, authority: Authority, wrong: dict[str, object]
) -> None:
    with pytest.raises(SealRefused):
        house.registrar.make(application(authority, **wrong), keys=authority.keys, maker=authority.ca.maker())


def test_a_seal_without_an_sm2_key_is_refused(house: House, authority: Authority) -> None:
    with pytest.raises(SealRefused):
        house.registrar.make(
            application(authority, id=SealId("44030000000002")), keys=authority.keys[1:], maker=authority.ca.maker()
        )


def test_status_is_told_for_any_past_time(house: House) -> None:
    house.clock.advance(DAY)
    house.registrar.suspend(SEAL, "custodian on leave")
    house.clock.advance(DAY)
    house.registrar.resume(SEAL, "custodian is back")
    house.clock.advance(DAY)
    house.registrar.revoke(SEAL, "office dissolved")
    hour = timedelta(hours=1)
    held = [house.register.status_at(SEAL, START + days * DAY + hour) for days in (-1, 0, 1, 2, 3)]
    assert held == [None, SealStatus.ACTIVE, SealStatus.SUSPENDED, SealStatus.ACTIVE, SealStatus.REVOKED]
    assert house.actions() == ["seal.made", "seal.suspended", "seal.resumed", "seal.revoked"]


def test_the_status_of_an_unknown_seal_is_unknown(house: House) -> None:
    assert house.register.status_at("99999999999999", START) is None
    with pytest.raises(UnknownSeal):
        house.register.find("99999999999999")


def test_a_revoked_seal_stays_revoked(house: House) -> None:
    house.registrar.revoke(SEAL, "lost")
    for change in (house.registrar.resume, house.registrar.suspend, house.registrar.revoke):
        with pytest.raises(SealNotUsable):
            change(SEAL, "again")
    assert house.actions() == ["seal.made", "seal.revoked"]


def test_history_does_not_run_backwards_when_a_clock_does(house: House) -> None:
    house.registrar.suspend(SEAL, "audit")
    house.clock.advance(-DAY)
    house.registrar.resume(SEAL, "audit over")
    assert house.register.status_at(SEAL, START) is SealStatus.ACTIVE


def test_a_seal_is_usable_within_its_validity_only(house: House) -> None:
    seal = house.register.find(SEAL)
    house.register.usable(seal, seal.valid_from)
    house.register.usable(seal, seal.valid_to)
    for outside in (seal.valid_from - DAY, seal.valid_to + DAY):
        with pytest.raises(SealExpired):
            house.register.usable(seal, outside)


def test_a_change_that_cannot_be_logged_does_not_happen(house: House) -> None:
    with failing_inserts(house.db, "audit_entries"), pytest.raises(sa.exc.SQLAlchemyError):
        house.registrar.revoke(SEAL, "lost")
    assert house.register.find(SEAL).status is SealStatus.ACTIVE


def test_a_holders_encryption_certificate_makes_no_seal(house: House, authority: Authority, tmp_path: Path) -> None:
    twins = found(
        tmp_path / "root",
        tmp_path / "ca",
        root_vault=authority.vault,
        vault=authority.vault,
        clock=house.clock,
        organisation="某某市",
    )
    ca, signer = twins[SM2_SM3.key].intermediate, VaultSigner(authority.vault, authority.vault.generate(SM2_SM3))
    request = make_csr(name("44030000000003", "某某局", OWNER), signer)
    pair = ca.issue_pair(request, encryption=authority.vault)
    wanted = application(authority, id=SealId("44030000000003"))

    def make(certificate: Certificate) -> None:
        key = SigningKey(suite=SM2_SM3, key=signer.key, certificate=certificate, chain=ca.chain)
        house.registrar.make(wanted, keys=[key], maker=authority.ca.maker())

    with pytest.raises(SealRefused, match="not for signing"):
        make(pair.encryption)
    with pytest.raises(UnknownSeal):
        house.register.find("44030000000003")
    make(pair.signing)
