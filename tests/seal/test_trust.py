"""Trust: what certificates are worth in their roles, and the development authority that issues ours."""

from datetime import timedelta
from pathlib import Path

import pytest

from crypto.errors import CertificateError
from crypto.keys import VaultSigner
from crypto.suites import ES256, SM2_SM3
from crypto.x509 import (
    OCSP_RESPONDER,
    SIGNER,
    SUB_CA,
    TSA,
    Certificate,
    CertificateProfile,
    make_certificate,
    name,
    random_serial,
)
from kernel.clock import ManualClock
from seal.model import Finding, SealStatus, Verdict
from seal.pki.dev_ca import DevCa, DevelopmentOnly
from seal.trust import Role, Trust, judge_certificate, judge_seal_status

from .conftest import START, Authority

DAY = timedelta(days=1)


def issued(authority: Authority, profile: CertificateProfile, **urls: list[str]) -> Certificate:
    """Issue a certificate of a profile under the P-256 root, for the root's own key."""
    root = authority.ca.root(ES256)
    holder = authority.ca._holders[ES256.name]
    return make_certificate(
        subject=name("A test"),
        public_key=root.public_key,
        issuer=root,
        issuer_key=VaultSigner(authority.vault, holder.key),
        serial=random_serial(),
        not_before=START - DAY,
        not_after=START + DAY,
        profile=profile,
        **urls,
    )


def judged(
    authority: Authority, certificate: Certificate, *, days: int = 0, role: Role = "SIGNER", trust: Trust | None = None
) -> list[tuple[str, Verdict]]:
    trust = trust or authority.ca.trust()
    findings = judge_certificate(certificate, others=(), trust=trust, at=START + days * DAY, role=role)
    return [(finding.code, finding.verdict) for finding in findings]


NOT_OFFERED = ("REVOCATION_NOT_OFFERED", Verdict.VALID)


def test_a_good_certificate_leaves_a_note_on_revocation_only(authority: Authority) -> None:
    assert judged(authority, authority.keys[0].certificate) == [NOT_OFFERED]
    assert judged(authority, authority.ca.maker().certificate, role="SEAL_MAKER") == [NOT_OFFERED]
    assert judged(authority, issued(authority, TSA), role="TSA") == [NOT_OFFERED]


@pytest.mark.parametrize("days", [-2, 2])
@pytest.mark.parametrize(
    ("role", "code"),
    [
        ("SIGNER", "SIGN_TIME_OUTSIDE_CERT"),
        ("SEAL_MAKER", "SEAL_MAKER_CERT_NOT_VALID"),
        ("TSA", "TSA_CERT_NOT_VALID"),
    ],
)
def test_outside_its_dates_a_certificate_makes_invalid_and_nothing_else(
    authority: Authority, days: int, role: Role, code: str
) -> None:
    certificate = issued(authority, TSA if role == "TSA" else SIGNER)
    assert judged(authority, certificate, days=days, role=role) == [(code, Verdict.INVALID), NOT_OFFERED]


@pytest.mark.parametrize("role", ["SIGNER", "SEAL_MAKER", "TSA"])
def test_an_unknown_issuer_makes_indeterminate(authority: Authority, role: Role) -> None:
    certificate = issued(authority, TSA if role == "TSA" else SIGNER)
    found = judged(authority, certificate, role=role, trust=Trust(anchors=(authority.ca.root(SM2_SM3),)))
    assert found == [(f"{role}_CERT_UNTRUSTED", Verdict.INDETERMINATE), NOT_OFFERED]


def test_a_certificate_for_other_uses_makes_invalid(authority: Authority) -> None:
    assert ("SIGNER_CERT_KEY_USAGE", Verdict.INVALID) in judged(authority, issued(authority, SUB_CA))
    assert ("TSA_CERT_KEY_USAGE", Verdict.INVALID) in judged(authority, issued(authority, SIGNER), role="TSA")
    # RFC 5280 4.2.1.12: a machine's certificate, which says what alone it is for, seals nothing.
    for machine in (TSA, OCSP_RESPONDER):
        assert ("SIGNER_CERT_KEY_USAGE", Verdict.INVALID) in judged(authority, issued(authority, machine))


def test_a_revocation_that_could_be_asked_and_was_not_makes_indeterminate(authority: Authority) -> None:
    for urls in ({"crl_urls": ["http://ca.example/crl"]}, {"ocsp_urls": ["http://ca.example/ocsp"]}):
        found = judged(authority, issued(authority, SIGNER, **urls))
        assert found == [("REVOCATION_UNKNOWN", Verdict.INDETERMINATE)]


def test_a_pinned_certificate_is_not_asked_for_its_revocation(authority: Authority) -> None:
    certificate = issued(authority, SIGNER, crl_urls=["http://ca.example/crl"])
    assert judged(authority, certificate, trust=Trust(anchors=(certificate,))) == []


def test_issuers_found_beside_a_certificate_help_and_are_not_believed(authority: Authority) -> None:
    certificate = authority.keys[0].certificate
    findings = judge_certificate(
        certificate, others=(authority.ca.root(SM2_SM3),), trust=Trust(anchors=()), at=START, role="SIGNER"
    )
    assert "SIGNER_CERT_UNTRUSTED" in {finding.code for finding in findings}


@pytest.mark.parametrize(
    ("status", "codes"),
    [
        (SealStatus.ACTIVE, []),
        (SealStatus.MADE, [("SEAL_NOT_ACTIVATED", Verdict.INVALID)]),
        (SealStatus.FILED, [("SEAL_NOT_ACTIVATED", Verdict.INVALID)]),
        (SealStatus.LOST, [("SEAL_LOST", Verdict.INVALID)]),
        (SealStatus.SUSPENDED, [("SEAL_SUSPENDED", Verdict.INVALID)]),
        (SealStatus.REVOKED, [("SEAL_REVOKED", Verdict.INVALID)]),
        (None, [("SEAL_UNKNOWN", Verdict.VALID)]),
    ],
)
def test_the_register_is_asked_for_the_time_of_sealing(
    status: SealStatus | None, codes: list[tuple[str, Verdict]]
) -> None:
    trust = Trust(anchors=(), seal_status=lambda _, at: status if at == START else SealStatus.REVOKED)
    found = judge_seal_status("44030000000001", trust=trust, at=START)
    assert [(finding.code, finding.verdict) for finding in found] == codes


def test_without_a_register_nothing_is_said_of_a_seals_status() -> None:
    nothing: tuple[Finding, ...] = ()
    assert judge_seal_status("44030000000001", trust=Trust(anchors=()), at=START) == nothing


def test_trust_is_read_from_a_folder_of_certificates(authority: Authority, tmp_path: Path) -> None:
    sm2, p256 = authority.ca.root(SM2_SM3), authority.ca.root(ES256)
    (tmp_path / "roots.pem").write_text(sm2.pem() + p256.pem())
    (tmp_path / "maker.cer").write_bytes(authority.ca.maker().certificate.raw)
    (tmp_path / "README.txt").write_text("not a certificate")
    (tmp_path / "intermediates").mkdir()
    (tmp_path / "intermediates" / "one.crt").write_text(authority.keys[1].certificate.pem())
    trust = Trust.load(tmp_path)
    assert {one.raw for one in trust.anchors} == {sm2.raw, p256.raw, authority.ca.maker().certificate.raw}
    assert trust.intermediates == (authority.keys[1].certificate,)


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.cer").write_bytes(b"0")
    with pytest.raises(CertificateError, match=r"broken\.cer"):
        Trust.load(tmp_path)


def test_the_development_authority_is_taken_up_again_and_warns_each_time(authority: Authority, tmp_path: Path) -> None:
    clock = ManualClock(START)
    with pytest.warns(DevelopmentOnly):
        made = DevCa.create(tmp_path, authority.vault, clock)
    with pytest.warns(DevelopmentOnly):
        again = DevCa.open(tmp_path, authority.vault, clock)
    assert again.trust() == made.trust()
    issued_later = again.issue(SM2_SM3, common_name="44030000000009", organisation="某某局")
    assert issued_later.certificate.issued_by(made.root(SM2_SM3))
    keys = authority.vault.keys()
    with pytest.raises(FileExistsError):
        DevCa.create(tmp_path, authority.vault, clock)
    assert authority.vault.keys() == keys
