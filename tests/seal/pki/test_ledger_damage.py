"""A ledger that somebody was at: what it says instead never makes a revoked or a foreign certificate good."""

from datetime import timedelta
from pathlib import Path

import pytest

from crypto import der
from crypto.crl import RevocationList
from crypto.keys import VaultSigner
from crypto.ocsp import CertId, CertStatus, ResponseStatus, make_request
from crypto.ocsp_answer import parse_answer
from crypto.revoked import RevocationReason
from crypto.suites import SM2_SM3
from crypto.vaults.soft import SoftVault
from crypto.x509 import Certificate, algorithm_identifier
from kernel.clock import ManualClock
from seal.pki.authorities import Authorities
from seal.pki.ca import LIST_LIFE
from seal.pki.errors import AuthorityNotReady, CertificateRequestRefused, LedgerDamaged
from seal.pki.policy import SEAL_SIGNER
from seal.trust import OwnLedgers
from tests.seal.pki.conftest import OWNER, Installed, new_key, wish

COMPROMISED = RevocationReason.KEY_COMPROMISE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "installed" / "sm2"


@pytest.fixture
def revoked(founded: Authorities, vault: SoftVault) -> Certificate:
    ca = founded.get("sm2")
    made = ca.issue(wish(new_key(vault, SM2_SM3)), SEAL_SIGNER)
    ca.revoke(made.serial, COMPROMISED, by="ra", why="")
    ca.publish()
    return made


def answered(made: Authorities, certificate: Certificate) -> ResponseStatus:
    asked = make_request([CertId.of(certificate.serial, made.get("sm2").certificate)])
    return parse_answer(made.responder("sm2").answer(asked)).status


def test_a_revocation_whose_file_is_gone_stays_one(folder: Path, revoked: Certificate, authorities: Installed) -> None:
    (folder / "revoked" / f"{revoked.serial:x}.json").unlink()
    made = authorities()

    status, found = made.get("sm2").status(revoked.serial)

    assert (status, found and found.reason) == (CertStatus.REVOKED, COMPROMISED)
    assert made.get("sm2").publish().entry(revoked.serial) is not None
    assert any(revoked.serial in word.revoked for word in OwnLedgers(folder.parent).words())


@pytest.mark.parametrize("rubbish", [b"", b"{}", b"[]", b'{"at": 1, "reason": "X", "invalid_since": null}', b"\xff"])
def test_a_revocation_that_cannot_be_read_is_no_good_word(
    folder: Path, revoked: Certificate, authorities: Installed, rubbish: bytes
) -> None:
    (folder / "revoked" / f"{revoked.serial:x}.json").write_bytes(rubbish)
    made = authorities()

    assert answered(made, revoked) is ResponseStatus.TRY_LATER
    with pytest.raises(LedgerDamaged):
        made.get("sm2").publish()
    made.keep()


def test_a_file_beside_those_of_the_ledger_is_passed_over(folder: Path, founded: Authorities) -> None:
    for name in ("revoked/notes.json", "lists/README.crl", "above/old.crl"):
        (folder / name).write_bytes(b"notes")

    assert len(founded.get("sm2").publish()) == 0
    assert founded.list_of("root-sm2").number == 1


def test_a_certificate_under_anothers_serial_or_of_nobody_here_is_not_good(
    folder: Path, revoked: Certificate, authorities: Installed
) -> None:
    (folder / "issued" / "abc.der").write_bytes(revoked.raw)
    stranger = Certificate.from_pem((folder.parent / "p256" / "certificate.pem").read_bytes())
    (folder / "issued" / f"{stranger.serial:x}.der").write_bytes(stranger.raw)
    ca = authorities().get("sm2")

    for serial in (0xABC, stranger.serial):
        with pytest.raises(LedgerDamaged):
            ca.status(serial)


def test_an_older_list_in_the_newest_ones_place_is_noticed(
    folder: Path, revoked: Certificate, authorities: Installed
) -> None:
    (folder / "lists" / "2.crl").write_bytes((folder / "lists" / "1.crl").read_bytes())
    (folder / "revoked" / f"{revoked.serial:x}.json").unlink()

    with pytest.raises(LedgerDamaged):
        authorities().get("sm2").status(revoked.serial)


def test_lists_and_officers_from_a_time_to_come_are_followed_by_others(
    founded: Authorities, clock: ManualClock
) -> None:
    clock.advance(timedelta(days=400))
    founded.keep()
    clock.advance(-timedelta(days=400))
    assert not founded.list_of("sm2").current_at(clock.now())

    founded.keep()

    assert founded.list_of("sm2").current_at(clock.now())
    stamped = founded.get("sm2").ledger.office("ocsp")
    assert stamped is not None
    certificate = founded.get("sm2").ledger.certificate(stamped.serial)
    assert certificate is not None
    assert certificate.valid_at(clock.now())
    assert founded.keep() == 0
    clock.advance(LIST_LIFE)


def test_a_revoked_officer_does_nothing_before_a_successor_is_there(founded: Authorities) -> None:
    ca = founded.get("sm2")
    office = ca.ledger.office("tsa")
    assert office is not None

    ca.revoke(office.serial, COMPROMISED, by="ra", why="")

    with pytest.raises(AuthorityNotReady):
        founded.stamper("sm2")
    founded.keep()
    founded.stamper("sm2")


def test_roots_are_not_founded_within_the_authorities_own_folder(
    tmp_path: Path, authorities: Installed, vault: SoftVault
) -> None:
    made = authorities()
    for place in ("installed", "installed/roots", "."):
        with pytest.raises(CertificateRequestRefused, match="apart"):
            made.found(tmp_path / place, vault, "某某市")
    assert (made.names, list(tmp_path.glob("installed/*/authority.json"))) == ((), [])


def _part(oid: str, text: str) -> bytes:
    return der.set_of((der.sequence(der.oid(oid), der.utf8(text)),))


def _subject(*more: tuple[str, str], name: str = "44030000000001") -> bytes:
    parts = (("2.5.4.10", "某某局"), ("2.5.4.97", OWNER), *more, ("2.5.4.3", name))
    return der.sequence(*(_part(oid, text) for oid, text in parts))


def _asking(signer: VaultSigner, subject: bytes) -> bytes:
    wished = der.sequence(der.integer(0), subject, signer.public_key.spki, der.explicit(0))
    return der.sequence(wished, algorithm_identifier(signer.suite), der.bit_string(signer.sign(wished)))


@pytest.mark.parametrize(
    ("subject", "why"),
    [
        (_subject(("2.5.4.3", "another name")), "twice"),
        (_subject(("2.5.4.97", "11990100MB0000000P")), "twice"),
        (_subject(name=" "), "2.5.4.3"),
        (_subject(name="x" * 65), "64"),
        (_subject(name="4403\u202e0001"), "not seen"),
        (_subject(("2.5.4.11", "a\0b")), "not seen"),
        (_subject(*(("2.5.4.11", f"unit {each}") for each in range(14))), "16"),
    ],
    ids=["two names", "two codes", "blank", "long", "turning", "a zero", "many"],
)
def test_a_subject_that_reads_in_two_ways_is_refused(
    founded: Authorities, vault: SoftVault, subject: bytes, why: str
) -> None:
    with pytest.raises(CertificateRequestRefused, match=why):
        founded.get("sm2").issue(_asking(new_key(vault, SM2_SM3), subject), SEAL_SIGNER)


def test_a_list_is_read_once_as_long_as_it_is_the_newest(founded: Authorities) -> None:
    ledger = founded.get("sm2").ledger
    assert ledger.last_list() is ledger.last_list()
    newer = founded.get("sm2").publish()
    found = ledger.last_list()
    assert isinstance(found, RevocationList)
    assert found == newer
