"""Offices, pairs and certificates from outside: who holds a key for what, and for how long."""

from datetime import timedelta

import pytest

from crypto import sm2_encryption
from crypto.keys import VaultSigner
from crypto.revoked import RevocationReason
from crypto.suites import ES256, SM2_SM3, KeyKind
from crypto.vaults.soft import SoftVault
from crypto.x509 import Certificate, name
from kernel.clock import ManualClock
from seal.pki.authorities import Authorities
from seal.pki.ca import Authority
from seal.pki.errors import CertificateRequestRefused, CertificateUnfit, UnknownAuthority, UnknownCertificateRequest
from seal.pki.founding import Hierarchy
from seal.pki.outside import Purpose
from seal.pki.policy import ENCIPHERMENT, MAKER, RESPONDER, SEAL_SIGNER, TIMESTAMPING
from seal.pki.usage import encrypt_to, require_encryption, require_signing
from seal.trust import Trust, judge_certificate
from tests.seal.pki.conftest import OWNER, Installed, new_key, wish

DAY = timedelta(days=1)


def holders(made: Authorities, policy: object) -> list[Certificate]:
    kinds = {RESPONDER: "OCSP", TIMESTAMPING: "TSA"}
    words = kinds[policy]  # type: ignore[index]
    found = made.get("sm2").ledger.certificates()
    return sorted(
        (each for each in found if f" {words} " in (each.common_name or "")), key=lambda each: each.not_before
    )


def test_offices_are_filled_and_renewed_before_they_end(founded: Authorities, clock: ManualClock) -> None:
    assert [len(holders(founded, each)) for each in (RESPONDER, TIMESTAMPING)] == [1, 1]
    first = founded.responder("sm2")
    assert founded.keep() == 0

    clock.advance(RESPONDER.validity * 2 / 3 + DAY)
    founded.keep()

    before, after = holders(founded, RESPONDER)
    assert before.valid_at(clock.now())
    assert after.spki != before.spki
    assert founded.responder("sm2") is not first
    assert founded.responder("sm2") is founded.responder("sm2")
    assert len(holders(founded, TIMESTAMPING)) == 1


def test_a_revoked_officer_is_followed_by_another(founded: Authorities) -> None:
    (stamping,) = holders(founded, TIMESTAMPING)
    founded.get("sm2").revoke(stamping.serial, RevocationReason.KEY_COMPROMISE, by="ra", why="")

    founded.keep()

    assert len(holders(founded, TIMESTAMPING)) == 2


def test_at_its_authoritys_end_an_office_is_not_given_again_and_again(founded: Authorities, clock: ManualClock) -> None:
    clock.advance(founded.get("sm2").certificate.not_after - clock.now() - 20 * DAY)
    founded.keep()
    many = len(holders(founded, RESPONDER))

    clock.advance(DAY)
    founded.keep()

    assert len(holders(founded, RESPONDER)) == many


def test_lists_are_published_before_the_last_one_ends(founded: Authorities, clock: ManualClock) -> None:
    assert founded.list_of("sm2").number == 1
    clock.advance(3 * DAY)
    founded.keep()
    assert founded.list_of("sm2").number == 1
    clock.advance(DAY)
    founded.keep()
    assert (founded.list_of("sm2").number, founded.list_of("p256").number) == (2, 2)


def test_another_process_uses_what_this_one_appointed(founded: Authorities, authorities: Installed) -> None:
    beside = authorities()

    assert beside.names == ("sm2", "p256")
    assert beside.keep() == 0
    (revoked,) = holders(founded, RESPONDER)
    before = beside.responder("sm2")
    founded.get("sm2").revoke(revoked.serial, RevocationReason.SUPERSEDED, by="ra", why="")
    founded.keep()
    assert beside.responder("sm2") is not before


def test_without_an_authority_there_is_nothing_to_offer(authorities: Installed) -> None:
    made = authorities()

    assert (made.names, tuple(made.paths()), made.keep()) == ((), (), 0)
    for ask in (made.get, made.list_of, made.responder, made.stamper):
        with pytest.raises(UnknownAuthority):
            ask("sm2")


# --- pairs -------------------------------------------------------------------------------------------------------


def test_a_pair_is_one_subject_and_two_keys(twins: dict[KeyKind, Hierarchy], vault: SoftVault) -> None:
    ca = twins[KeyKind.SM2].intermediate
    pair = ca.issue_pair(wish(new_key(vault, SM2_SM3)), encryption=vault)

    assert pair.signing.subject == pair.encryption.subject
    assert pair.signing.key_usage == frozenset({"digital_signature", "content_commitment"})
    assert pair.encryption.key_usage == frozenset({"key_encipherment", "data_encipherment", "key_agreement"})
    assert pair.encryption_key is not None
    assert vault.public_key(pair.encryption_key).spki == pair.encryption.spki
    assert ca.ledger.paired(pair.signing.serial) == (pair.encryption.serial, pair.encryption_key)
    sealed = sm2_encryption.Sm2Ciphertext.from_der(encrypt_to(pair.encryption, b"message"))
    assert vault.decrypt(pair.encryption_key, sealed) == b"message"


def test_no_key_is_made_for_encryption_that_would_not_decrypt(
    twins: dict[KeyKind, Hierarchy], vault: SoftVault
) -> None:
    ca = twins[KeyKind.P256].intermediate
    before = vault.keys(), vault.encryption_keys()

    with pytest.raises(CertificateRequestRefused, match="decrypts"):
        ca.issue_pair(wish(new_key(vault, ES256)), encryption=vault)

    assert not list(ca.ledger.certificates())
    assert (len(vault.keys()), vault.encryption_keys()) == (len(before[0]) + 1, before[1])


def test_a_holder_may_make_both_keys_but_not_one_for_both(
    ca: Authority, applicant: VaultSigner, vault: SoftVault
) -> None:
    other = new_key(vault, ca.suite)

    pair = ca.issue_pair(wish(applicant), encryption=wish(other))

    assert (pair.encryption.spki, pair.encryption_key) == (other.public_key.spki, None)
    fresh = new_key(vault, ca.suite)
    with pytest.raises(CertificateRequestRefused, match="both"):
        ca.issue_pair(wish(fresh, "44030000000003"), encryption=wish(fresh, "44030000000003"))
    with pytest.raises(CertificateRequestRefused, match="both"):
        ca.issue(wish(applicant), ENCIPHERMENT)
    with pytest.raises(CertificateRequestRefused, match="both"):
        ca.issue(wish(other), SEAL_SIGNER)


def test_a_bad_second_request_leaves_no_half_of_a_pair(ca: Authority, applicant: VaultSigner) -> None:
    before = set(ca.ledger.certificates())

    with pytest.raises(CertificateRequestRefused):
        ca.issue_pair(wish(applicant), encryption=b"rubbish")

    assert set(ca.ledger.certificates()) == before


def test_each_of_a_pair_is_refused_for_the_others_work(
    ca: Authority, applicant: VaultSigner, vault: SoftVault, clock: ManualClock
) -> None:
    pair = ca.issue_pair(wish(applicant), encryption=wish(new_key(vault, ca.suite)))
    trust = Trust(anchors=(ca.certificate,))

    require_signing(pair.signing)
    require_encryption(pair.encryption)
    with pytest.raises(CertificateUnfit):
        require_signing(pair.encryption)
    with pytest.raises(CertificateUnfit):
        encrypt_to(pair.signing, b"message")
    for role in ("SIGNER", "SEAL_MAKER"):
        found = judge_certificate(pair.encryption, others=(), trust=trust, at=clock.now(), role=role)
        assert f"{role}_CERT_KEY_USAGE" in {each.code for each in found}
        found = judge_certificate(pair.signing, others=(), trust=trust, at=clock.now(), role=role)
        assert f"{role}_CERT_KEY_USAGE" not in {each.code for each in found}
    if ca.suite.key is KeyKind.SM2:
        sealed = sm2_encryption.Sm2Ciphertext.from_der(encrypt_to(pair.encryption, b"message"))
        assert len(sealed.body) == len(b"message")
    else:
        with pytest.raises(CertificateUnfit, match="SM2"):
            encrypt_to(pair.encryption, b"message")


# --- from outside ------------------------------------------------------------------------------------------------


def test_a_stampers_certificate_from_outside_takes_the_place_of_ours(
    founded: Authorities, ca: Authority, clock: ManualClock
) -> None:
    kind = ca.suite.key.value
    asked = founded.outside.ask(Purpose.TSA, ca.suite, name("外部时间戳", "某某局"), by="operator")
    ours = founded.stamper(kind)
    clock.advance(DAY)

    founded.install((ca.issue(asked.csr, TIMESTAMPING), *ca.path), by="operator")

    assert founded.stamper(kind) is not ours
    assert founded.stamper(kind) is founded.stamper(kind)
    # Bought time has an end; ours then stamps again.
    clock.advance(TIMESTAMPING.validity + DAY)
    founded.keep()
    own = founded.get(kind).ledger.office("tsa")
    assert own is not None
    assert founded.stamper(kind) is founded._offices[kind].stamper()


def test_a_seals_certificate_from_outside_makes_a_signing_key(founded: Authorities, ca: Authority) -> None:
    subject = name("44030000000001", "某某局", OWNER)
    asked = founded.outside.ask(Purpose.SEAL, ca.suite, subject, by="operator")
    with pytest.raises(CertificateRequestRefused, match="waits"):
        founded.outside.signing_key(asked)

    made = ca.issue(asked.csr, SEAL_SIGNER)
    founded.install((made, *ca.path), by="operator")

    key = founded.outside.signing_key(founded.outside.get(asked.id))
    assert (key.certificate, key.chain, key.key) == (made, ca.chain, asked.key)


def test_what_does_not_answer_the_request_is_not_installed(
    founded: Authorities, ca: Authority, vault: SoftVault
) -> None:
    asked = founded.outside.ask(Purpose.TSA, ca.suite, name("外部时间戳", "某某局"), by="operator")
    maker = ca.issue(asked.csr, MAKER)
    stranger = ca.issue(wish(new_key(vault, ca.suite)), SEAL_SIGNER)

    with pytest.raises(CertificateRequestRefused, match="time-stamping alone"):
        founded.install((maker, *ca.path), by="operator")
    with pytest.raises(CertificateRequestRefused, match="not issued by"):
        founded.install((ca.issue(asked.csr, TIMESTAMPING), stranger), by="operator")
    with pytest.raises(CertificateRequestRefused, match="another key"):
        founded.outside.install(asked, stranger, (), by="operator")
    with pytest.raises(CertificateRequestRefused, match="already"):
        founded.install((stranger,), by="operator")
    for unknown in ("0123456789abcdef", "../roots", ""):
        with pytest.raises(UnknownCertificateRequest):
            founded.outside.get(unknown)
    assert founded.outside.newest(Purpose.TSA, ca.suite, ca.certificate.not_before) is None


def test_a_list_of_somebody_else_is_not_offered_as_the_roots(founded: Authorities) -> None:
    own = founded.get("sm2")

    with pytest.raises(CertificateRequestRefused):
        own.take_list_above(own.publish())
    assert own.suite is SM2_SM3
