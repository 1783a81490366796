"""The built-in certification authority: founded, issuing by policy, revoking, publishing, answering."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from crypto import der
from crypto.chain import ChainProblem, build_chain
from crypto.crl import RevocationList
from crypto.keys import PublicKey, VaultSigner
from crypto.names import ORGANISATION_ID
from crypto.ocsp import CertId, CertStatus, ResponseStatus, make_request
from crypto.ocsp_answer import parse_answer, verify_answer
from crypto.revocation import Revocation
from crypto.revoked import RevocationReason
from crypto.suites import ES256, SM2_SM3, KeyKind
from crypto.vaults.soft import SoftVault
from crypto.x509 import Certificate, algorithm_identifier, make_csr, name
from kernel.clock import ManualClock
from seal.pki.ca import Authority
from seal.pki.errors import (
    AlreadyRevoked,
    AuthorityNotReady,
    CertificateRequestRefused,
    RevocationRefused,
    UnknownCertificate,
)
from seal.pki.founding import Hierarchy
from seal.pki.ledger import Ledger
from seal.pki.policy import INTERMEDIATE, MAKER, RESPONDER, SEAL_SIGNER, TIMESTAMPING
from seal.pki.responder import OcspResponder
from tests.judges import openssl
from tests.seal.pki.conftest import CRL_URL, OCSP_URL, OWNER, new_key, wish

DAY = timedelta(days=1)
COMPROMISED, SUPERSEDED = RevocationReason.KEY_COMPROMISE, RevocationReason.SUPERSEDED


def trusted(certificate: Certificate, hierarchy: Hierarchy, clock: ManualClock) -> tuple[ChainProblem, ...]:
    lists = [each.latest_list() for each in (hierarchy.root, hierarchy.intermediate)]
    return build_chain(
        certificate,
        intermediates=hierarchy.intermediate.chain,
        anchors=[hierarchy.root.certificate],
        at=clock.now(),
        revocation=Revocation(crls=tuple(each for each in lists if each is not None)),
    ).problems


def test_the_twins_are_an_sm2_and_a_p256_hierarchy(twins: dict[KeyKind, Hierarchy], clock: ManualClock) -> None:
    assert set(twins) == {KeyKind.SM2, KeyKind.P256}
    for hierarchy in twins.values():
        assert trusted(hierarchy.intermediate.certificate, hierarchy, clock) == ()
        assert hierarchy.intermediate.chain == (hierarchy.intermediate.certificate,)


def test_a_certificate_is_issued_for_a_request(
    hierarchy: Hierarchy, ca: Authority, applicant: VaultSigner, clock: ManualClock
) -> None:
    made = ca.issue(wish(applicant), SEAL_SIGNER)

    assert made.spki == applicant.public_key.spki
    assert (made.common_name, made.organisation) == ("44030000000001", "某某局")
    assert (made.crl_urls, made.ocsp_urls) == ((CRL_URL,), (OCSP_URL,))
    assert trusted(made, hierarchy, clock) == ()
    assert openssl.accepts_certificate(made, ca.certificate)


def test_the_registrar_may_say_who_it_is(ca: Authority, applicant: VaultSigner) -> None:
    subject = name("44030000000009", "核实过的名称", OWNER)

    assert ca.issue(wish(applicant), SEAL_SIGNER, subject=subject).subject == subject


@pytest.mark.parametrize("policy", [SEAL_SIGNER, MAKER, TIMESTAMPING, RESPONDER], ids=lambda policy: policy.name)
def test_each_policy_makes_its_kind_of_certificate(ca: Authority, applicant: VaultSigner, policy: object) -> None:
    kind = next(each for each in (SEAL_SIGNER, MAKER, TIMESTAMPING, RESPONDER) if each is policy)

    made = ca.issue(wish(applicant), kind)

    assert made.extended_key_usage == frozenset(kind.profile.extended_key_usage)
    assert not made.is_ca
    assert bool(made.crl_urls) == kind.addresses


def test_what_an_authority_does_not_certify_is_refused(
    hierarchy: Hierarchy, ca: Authority, applicant: VaultSigner, vault: SoftVault
) -> None:
    other = new_key(vault, ES256 if ca.suite is SM2_SM3 else SM2_SM3)
    broken = wish(applicant)[:-1] + b"\x00"
    bare = make_csr(name("44030000000001", "某某局"), applicant)
    posing = make_csr(ca.certificate.subject, applicant)

    for request, policy, why in (
        (wish(other), SEAL_SIGNER, "keys"),
        (b"rubbish", SEAL_SIGNER, "request"),
        (broken, SEAL_SIGNER, "signature"),
        (bare, SEAL_SIGNER, ORGANISATION_ID),
        (posing, MAKER, "authority's name"),
        (wish(ca.signer), SEAL_SIGNER, "key is an authority's"),
        (wish(applicant), INTERMEDIATE, "kind sub-ca"),
    ):
        with pytest.raises(CertificateRequestRefused, match=why):
            ca.issue(request, policy)
    with pytest.raises(CertificateRequestRefused, match="kind signer"):
        hierarchy.root.issue(wish(applicant), SEAL_SIGNER)


def test_a_key_belongs_to_one_subject_and_to_none_once_compromised(ca: Authority, applicant: VaultSigner) -> None:
    first = ca.issue(wish(applicant), SEAL_SIGNER)
    renewed = ca.issue(wish(applicant), SEAL_SIGNER)
    assert renewed.serial != first.serial

    with pytest.raises(CertificateRequestRefused, match="another subject"):
        ca.issue(wish(applicant, "44030000000002"), SEAL_SIGNER)
    ca.revoke(first.serial, COMPROMISED, by="ra", why="钥匙丢失")
    with pytest.raises(CertificateRequestRefused, match="compromised"):
        ca.issue(wish(applicant), SEAL_SIGNER)


def test_a_certificate_ends_no_later_than_its_authority(
    ca: Authority, vault: SoftVault, applicant: VaultSigner, clock: ManualClock
) -> None:
    clock.advance(ca.certificate.not_after - clock.now() - 30 * DAY)
    assert ca.issue(wish(applicant), SEAL_SIGNER).not_after == ca.certificate.not_after

    clock.advance(30 * DAY)
    with pytest.raises(AuthorityNotReady, match="within a day"):
        ca.issue(wish(new_key(vault, ca.suite)), SEAL_SIGNER)
    clock.advance(DAY)
    with pytest.raises(AuthorityNotReady, match="not valid"):
        ca.issue(wish(applicant), SEAL_SIGNER)


def test_a_revoked_certificate_is_on_the_next_list(
    hierarchy: Hierarchy, ca: Authority, applicant: VaultSigner, clock: ManualClock
) -> None:
    made = ca.issue(wish(applicant), SEAL_SIGNER)
    clock.advance(timedelta(hours=1))
    revoked = ca.revoke(made.serial, SUPERSEDED, by="ra", why="换发")
    assert trusted(made, hierarchy, clock) == ()

    before = ca.latest_list()
    published = ca.publish()

    assert before is not None
    assert (published.number, before.number) == (2, 1)
    assert published.entry(made.serial) == revoked
    assert ca.latest_list() == published
    assert trusted(made, hierarchy, clock) == (ChainProblem.REVOKED,)


def test_a_revocation_is_final_and_needs_a_reason(ca: Authority, applicant: VaultSigner, clock: ManualClock) -> None:
    made = ca.issue(wish(applicant), SEAL_SIGNER)

    for reason in (RevocationReason.CERTIFICATE_HOLD, RevocationReason.REMOVE_FROM_CRL):
        with pytest.raises(RevocationRefused):
            ca.revoke(made.serial, reason, by="ra", why="")
    with pytest.raises(RevocationRefused, match="to come"):
        ca.revoke(made.serial, COMPROMISED, by="ra", why="", invalid_since=clock.now() + DAY)
    assert ca.status(made.serial) == (CertStatus.GOOD, None)
    ca.revoke(made.serial, COMPROMISED, by="ra", why="", invalid_since=clock.now() - DAY)
    with pytest.raises(AlreadyRevoked):
        ca.revoke(made.serial, SUPERSEDED, by="ra", why="")
    for unknown in (5, -1, 0, 1 << 4000):
        with pytest.raises(UnknownCertificate):
            ca.revoke(unknown, SUPERSEDED, by="ra", why="")
        assert ca.status(unknown) == (CertStatus.UNKNOWN, None)


def test_an_authority_opened_again_knows_what_it_did(
    tmp_path: Path, vault: SoftVault, ca: Authority, applicant: VaultSigner, clock: ManualClock
) -> None:
    made = ca.issue(wish(applicant), SEAL_SIGNER)
    revoked = ca.revoke(made.serial, SUPERSEDED, by="ra", why="换发")

    again = Authority(tmp_path / "ca" / ca.suite.key.value, vault, clock)

    assert again.certificate == ca.certificate
    assert again.status(made.serial) == (CertStatus.REVOKED, revoked)
    assert again.publish().number == 2
    assert ca.publish().number == 3
    assert list(Ledger(tmp_path / "ca" / ca.suite.key.value).certificates()) == [made]


def test_a_folder_has_one_authority(tmp_path: Path, vault: SoftVault, ca: Authority, clock: ManualClock) -> None:
    folder = tmp_path / "ca" / ca.suite.key.value
    keys = vault.keys()
    for make in (Authority.create_root, Authority.request):
        with pytest.raises(FileExistsError):
            make(folder, vault, clock, suite=ca.suite, subject=name("x"))
    assert vault.keys() == keys


def test_an_authority_without_its_certificate_waits_for_it(
    tmp_path: Path, vault: SoftVault, hierarchy: Hierarchy, clock: ManualClock, applicant: VaultSigner
) -> None:
    root = hierarchy.root
    waiting = Authority.request(tmp_path / "new", vault, clock, suite=root.suite, subject=name("新 CA", "某某市"))
    with pytest.raises(AuthorityNotReady, match="waits"):
        waiting.issue(wish(applicant), SEAL_SIGNER)
    with pytest.raises(AuthorityNotReady):
        _ = root.csr

    certificate = root.issue(waiting.csr, INTERMEDIATE)
    for wrong, issuers in (
        (hierarchy.intermediate.certificate, (root.certificate,)),
        (certificate, (hierarchy.intermediate.certificate,)),
    ):
        with pytest.raises(CertificateRequestRefused):
            waiting.install(wrong, issuers)
    waiting.install(certificate, (root.certificate,))

    assert waiting.issue(wish(applicant), SEAL_SIGNER).issued_by(certificate)


def test_a_certificate_that_is_no_authoritys_is_not_installed(
    tmp_path: Path, vault: SoftVault, ca: Authority, clock: ManualClock
) -> None:
    waiting = Authority.request(tmp_path / "new", vault, clock, suite=ca.suite, subject=name("某某", "某某市"))
    with pytest.raises(CertificateRequestRefused, match="signs lists"):
        waiting.install(ca.issue(waiting.csr, MAKER), ())


@pytest.mark.parametrize("delegated", [True, False])
def test_the_responder_says_where_a_certificate_stands(
    ca: Authority, vault: SoftVault, applicant: VaultSigner, clock: ManualClock, *, delegated: bool
) -> None:
    key = new_key(vault, ca.suite)
    appointed = ca.issue(wish(key, "OCSP"), RESPONDER)
    responder = OcspResponder(ca, clock, certificate=appointed, signer=key) if delegated else OcspResponder(ca, clock)
    made, other = ca.issue(wish(applicant), SEAL_SIGNER), ca.issue(wish(new_key(vault, ca.suite), "44"), SEAL_SIGNER)
    revoked = ca.revoke(other.serial, SUPERSEDED, by="ra", why="")
    asked = [CertId.of(serial, ca.certificate) for serial in (made.serial, other.serial, 4711)]

    answer = parse_answer(responder.answer(make_request(asked, nonce=b"n" * 32)))

    for certificate in (made, other):
        held = verify_answer(answer, certificate, issuer=ca.certificate, at=clock.now(), nonce=b"n" * 32)
        assert held == ()
    told = [(each.status, each.revoked) for each in answer.answers]
    assert told == [(CertStatus.GOOD, None), (CertStatus.REVOKED, revoked), (CertStatus.UNKNOWN, None)]


def test_the_responder_refuses_rubbish_and_other_peoples_certificates(
    hierarchy: Hierarchy, ca: Authority, clock: ManualClock
) -> None:
    responder = OcspResponder(ca, clock)
    elsewhere = make_request([CertId.of(1, hierarchy.root.certificate)])

    assert parse_answer(responder.answer(b"rubbish")).status is ResponseStatus.MALFORMED_REQUEST
    assert parse_answer(responder.answer(elsewhere)).status is ResponseStatus.UNAUTHORIZED


def test_openssl_believes_the_p256_twin(twins: dict[KeyKind, Hierarchy], vault: SoftVault) -> None:
    hierarchy = twins[KeyKind.P256]
    made = hierarchy.intermediate.issue(wish(new_key(vault, ES256)), SEAL_SIGNER)
    hierarchy.intermediate.revoke(made.serial, SUPERSEDED, by="ra", why="")
    root_list = hierarchy.root.latest_list()

    assert root_list is not None
    assert openssl.accepts_crl(root_list.pem(), hierarchy.root.certificate)
    assert isinstance(hierarchy.intermediate.publish(), RevocationList)


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00+08:00", "0001-01-01T00:00:00Z", "0900-01-01T00:00:00Z"])
def test_a_time_that_no_list_can_hold_is_refused_and_lists_go_on(
    ca: Authority, applicant: VaultSigner, since: str
) -> None:
    made = ca.issue(wish(applicant), SEAL_SIGNER)

    with pytest.raises(RevocationRefused, match="1970"):
        ca.revoke(made.serial, COMPROMISED, by="ra", why="", invalid_since=datetime.fromisoformat(since))

    assert ca.ledger.revoked(made.serial) is None
    assert len(ca.publish()) == 0


@pytest.mark.parametrize("why", ["two\nlines", "octets \udcff that are no text", "x" * 501])
def test_why_is_one_printable_line(ca: Authority, applicant: VaultSigner, why: str) -> None:
    made = ca.issue(wish(applicant), SEAL_SIGNER)

    with pytest.raises(RevocationRefused, match="line"):
        ca.revoke(made.serial, COMPROMISED, by="ra", why=why)

    assert ca.ledger.revoked(made.serial) is None


def _compressed(key: PublicKey) -> bytes:
    curve = der.sequence(der.oid(ES256.key_oid), der.oid(str(ES256.curve_oid)))
    return der.sequence(curve, der.bit_string(bytes((2 + key.point[-1] % 2,)) + key.point[1:33]))


def _by_curve(key: PublicKey) -> bytes:
    """Write an SM2 key as some authorities do: the curve alone, without id-ecPublicKey."""
    return der.sequence(der.sequence(der.oid(str(SM2_SM3.curve_oid)), der.null()), der.bit_string(key.point))


def _request(signer: VaultSigner, common_name: str) -> bytes:
    odd = _by_curve if signer.suite is SM2_SM3 else _compressed
    wished = der.sequence(der.integer(0), name(common_name, "某某局", OWNER), odd(signer.public_key), der.explicit(0))
    return der.sequence(wished, algorithm_identifier(signer.suite), der.bit_string(signer.sign(wished)))


def test_a_key_in_other_octets_is_the_same_key(ca: Authority, applicant: VaultSigner) -> None:
    made = ca.issue(_request(applicant, "44030000000001"), SEAL_SIGNER)
    assert made.spki == applicant.public_key.spki
    ca.revoke(made.serial, COMPROMISED, by="ra", why="")

    with pytest.raises(CertificateRequestRefused, match="compromised"):
        ca.issue(_request(applicant, "44030000000001"), SEAL_SIGNER)
    with pytest.raises(CertificateRequestRefused, match="another subject"):
        ca.issue(_request(applicant, "44030000000002"), SEAL_SIGNER)
    with pytest.raises(CertificateRequestRefused, match="authority's"):
        ca.issue(_request(ca.signer, "44030000000003"), SEAL_SIGNER)
