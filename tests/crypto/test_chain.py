"""Certificate paths: found, judged at a time, and never at any price."""

from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from crypto import chain
from crypto.chain import ChainProblem, build_chain
from crypto.x509 import ROOT, SIGNER, SUB_CA, Certificate, CertificateProfile
from tests.crypto.authority import NOT_BEFORE, NOW, Authority, Holder

LONG = CertificateProfile(name="sub-ca", key_usage=("key_cert_sign",), ca=True)
NO_CERT_SIGN = CertificateProfile(name="odd-ca", key_usage=("digital_signature",), ca=True)


def problems(leaf: Holder, intermediates: list[Holder], anchors: list[Holder], **at: timedelta) -> set[ChainProblem]:
    result = build_chain(
        leaf.certificate,
        intermediates=[each.certificate for each in intermediates],
        anchors=[each.certificate for each in anchors],
        at=NOW + at.get("after", timedelta()),
    )
    return set(result.problems)


def test_a_good_path_leads_from_leaf_to_anchor(authority: Authority) -> None:
    leaf, sub_ca, root = authority.signer.certificate, authority.sub_ca.certificate, authority.root.certificate

    result = build_chain(leaf, intermediates=[sub_ca], anchors=[root], at=NOW)

    assert result.path == (leaf, sub_ca, root)
    assert result.problems == ()
    assert result.trusted


def test_an_intermediate_may_be_the_anchor(sm2: Authority) -> None:
    result = build_chain(
        sm2.signer.certificate, intermediates=[sm2.root.certificate], anchors=[sm2.sub_ca.certificate], at=NOW
    )

    assert result.path == (sm2.signer.certificate, sm2.sub_ca.certificate)
    assert result.trusted


def test_a_leaf_that_is_pinned_is_its_own_path(sm2: Authority) -> None:
    leaf = sm2.signer.certificate

    assert build_chain(leaf, intermediates=[], anchors=[leaf], at=NOW).path == (leaf,)


def test_without_an_anchor_there_is_no_path(sm2: Authority) -> None:
    result = build_chain(
        sm2.signer.certificate, intermediates=[sm2.sub_ca.certificate, sm2.root.certificate], anchors=[], at=NOW
    )

    assert result.path == ()
    assert result.problems == (ChainProblem.UNTRUSTED,)
    assert not result.trusted


def test_a_missing_intermediate_leaves_the_leaf_untrusted(sm2: Authority) -> None:
    assert problems(sm2.signer, [], [sm2.root]) == {ChainProblem.UNTRUSTED}


def test_an_anchor_of_the_right_name_and_another_key_is_no_issuer(sm2: Authority, p256: Authority) -> None:
    impostor = sm2.issue("根证书 Root", ROOT, None, key=sm2.key("impostor"))

    assert ChainProblem.UNTRUSTED in problems(sm2.sub_ca, [], [impostor])
    assert ChainProblem.UNTRUSTED in problems(sm2.sub_ca, [], [p256.root])


def test_a_forged_certificate_that_names_our_key_is_told_apart(sm2: Authority) -> None:
    raw = sm2.signer.certificate.raw
    forged = Certificate.from_der(raw.replace("某某局".encode(), "财政局".encode()))

    result = build_chain(forged, intermediates=[sm2.sub_ca.certificate], anchors=[sm2.root.certificate], at=NOW)

    assert result.problems == (ChainProblem.UNTRUSTED, ChainProblem.BAD_SIGNATURE)


def test_validity_is_judged_at_the_time_asked_for(sm2: Authority) -> None:
    until = NOT_BEFORE + timedelta(days=365)
    leaf = sm2.issue("短期", SIGNER, sm2.sub_ca, not_after=until)

    def at(moment: timedelta) -> set[ChainProblem]:
        return problems(leaf, [sm2.sub_ca], [sm2.root], after=moment)

    assert at(timedelta()) == set()
    assert at(until - NOW + timedelta(seconds=1)) == {ChainProblem.EXPIRED}
    assert at(NOT_BEFORE - NOW - timedelta(seconds=1)) == {ChainProblem.NOT_YET_VALID}


def test_an_anchors_own_validity_is_not_examined(sm2: Authority) -> None:
    old = sm2.issue("旧根", LONG, None, not_after=NOT_BEFORE + timedelta(days=1))
    leaf = sm2.issue("某某", SIGNER, old)

    assert problems(leaf, [], [old]) == set()


def test_an_expired_intermediate_shows(sm2: Authority) -> None:
    old = sm2.issue("旧 CA", SUB_CA, sm2.root, not_after=NOT_BEFORE + timedelta(days=1))
    leaf = sm2.issue("某某", SIGNER, old)

    assert problems(leaf, [old], [sm2.root]) == {ChainProblem.EXPIRED}


def test_a_signer_does_not_become_a_ca_by_being_used_as_one(sm2: Authority) -> None:
    # The issuing code refuses this, so the usage is taken away from a CA after the fact.
    odd = sm2.issue("怪 CA", NO_CERT_SIGN, sm2.root)
    leaf = sm2.issue("某某", SIGNER, odd)

    assert problems(leaf, [odd], [sm2.root]) == {ChainProblem.KEY_USAGE}


def test_a_path_longer_than_a_ca_allows_shows(sm2: Authority) -> None:
    below = sm2.issue("下级 CA", LONG, sm2.sub_ca)
    leaf = sm2.issue("某某", SIGNER, below)

    assert problems(leaf, [below, sm2.sub_ca], [sm2.root]) == {ChainProblem.PATH_LENGTH}


def test_the_better_of_two_paths_is_taken(sm2: Authority) -> None:
    expired = sm2.issue("签发 CA", SUB_CA, sm2.root, not_after=NOT_BEFORE + timedelta(days=1))

    assert problems(sm2.signer, [expired, sm2.sub_ca], [sm2.root]) == set()


def test_a_cross_certificate_after_a_key_change_is_followed(sm2: Authority) -> None:
    new_root = sm2.issue("根证书 Root", ROOT, None, key=sm2.key("new root"))
    new_with_old = sm2.issue("根证书 Root", LONG, sm2.root, key=sm2.key("new root"))
    leaf = sm2.issue("某某", SIGNER, new_root)

    assert problems(leaf, [new_with_old], [sm2.root]) == set()


def test_a_loop_of_cross_certificates_ends(sm2: Authority) -> None:
    one, other = sm2.issue("甲", LONG, None), sm2.issue("乙", LONG, None)
    one_by_other, other_by_one = sm2.issue("甲", LONG, other), sm2.issue("乙", LONG, one)
    leaf = sm2.issue("某某", SIGNER, one)

    result = problems(leaf, [one_by_other, other_by_one, one, other], [sm2.root])

    assert result == {ChainProblem.UNTRUSTED}


def test_a_heap_of_look_alikes_costs_a_bounded_number_of_signatures(
    sm2: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = [[sm2.key(f"{level}{place}") for place in range(4)] for level in range(3)]
    heap = [
        sm2.issue(
            f"CA {level}", LONG, Holder(sm2.issue(f"CA {level + 1}", LONG, None, key=upper).certificate, upper), key=key
        )
        for level in (0, 1)
        for key, upper in product(levels[level], levels[level + 1])
    ]
    leaf = sm2.issue("某某", SIGNER, heap[0])
    checks = 0
    verify = Certificate.signed_by

    def counted(self: Certificate, spki: bytes) -> bool:
        nonlocal checks
        checks += 1
        return verify(self, spki)

    monkeypatch.setattr(Certificate, "signed_by", counted)

    assert ChainProblem.UNTRUSTED in problems(leaf, heap, [sm2.root])
    assert checks <= chain.MAX_CHECKS


def test_real_chains_are_built(corpus: Path) -> None:
    read = {file.stem: Certificate.from_pem(file.read_bytes()) for file in corpus.glob("ofd/certs/*.pem")}
    roots = [read["gmca_ROOTCA"], read["gmca_Civil_Servant_ROOT"], read["ROOT_cert"]]

    for leaf in ("gmca_TJCA", "gmca_Taier_CA", "gmca_Ant_Financial_Certification_Authority_S1", "sign_cert"):
        at = read[leaf].not_before + timedelta(days=30)
        # ROOT_cert lacks keyCertSign, which does not matter in an anchor.
        assert build_chain(read[leaf], intermediates=read.values(), anchors=roots, at=at).trusted, leaf
