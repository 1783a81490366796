"""Revocation at a time, by facts given as data: before and after, holds, stale and false facts, whole paths."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from crypto.chain import ChainProblem, build_chain
from crypto.crl import RevocationList, make_crl
from crypto.ocsp import CertId, CertStatus, ResponseStatus, SingleAnswer
from crypto.ocsp_answer import OcspAnswer, OcspTemplate, parse_answer, refusal
from crypto.revocation import Revocation, RevocationFinding, RevocationJudge, Standing
from crypto.revoked import RevocationReason, Revoked
from crypto.x509 import OCSP_RESPONDER, SIGNER, CertificateProfile
from tests.crypto.authority import NOW, Authority, Holder

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NO_NOCHECK = CertificateProfile(
    name="responder",
    key_usage=OCSP_RESPONDER.key_usage,
    extended_key_usage=OCSP_RESPONDER.extended_key_usage,
)


def revoked(holder: Holder, at: datetime, reason: RevocationReason = RevocationReason.UNSPECIFIED) -> Revoked:
    return Revoked(serial=holder.certificate.serial, at=at, reason=reason)


def listed(issuer: Holder, *entries: Revoked, since: datetime = NOW - HOUR, life: timedelta = DAY) -> RevocationList:
    return make_crl(
        issuer=issuer.certificate,
        issuer_key=issuer.signer,
        number=1,
        this_update=since,
        next_update=since + life,
        revoked=entries,
    )


def answered(  # the issuer's own word, or a responder's
    holder: Holder,
    issuer: Holder,
    entry: Revoked | None = None,
    *,
    since: datetime = NOW - HOUR,
    by: Holder | None = None,
    unknown: bool = False,
) -> OcspAnswer:
    status = CertStatus.UNKNOWN if unknown else CertStatus.GOOD if entry is None else CertStatus.REVOKED
    single = SingleAnswer(
        cert_id=CertId.of(holder.certificate.serial, issuer.certificate),
        status=status,
        revoked=entry,
        this_update=since,
        next_update=since + DAY,
    )
    speaker = by or issuer
    made = OcspTemplate(speaker.certificate, speaker.signer, issuer=issuer.certificate)
    return parse_answer(made.answer([single], produced_at=since))


def stands(
    holder: Holder,
    issuer: Holder,
    *facts: RevocationList | OcspAnswer,
    at: datetime = NOW,
    now: datetime | None = None,
) -> RevocationFinding:
    return RevocationJudge(sorted_out(facts), at=at, now=now or at).finding(holder.certificate, issuer.certificate)


def sorted_out(facts: Iterable[RevocationList | OcspAnswer]) -> Revocation:
    known = tuple(facts)
    return Revocation(
        crls=tuple(each for each in known if isinstance(each, RevocationList)),
        answers=tuple(each for each in known if isinstance(each, OcspAnswer)),
    )


@pytest.fixture
def ca(sm2: Authority) -> Holder:
    return sm2.sub_ca


@pytest.fixture
def leaf(sm2: Authority) -> Holder:
    return sm2.signer


def test_a_list_without_it_and_a_good_answer_each_say_good(leaf: Holder, ca: Holder) -> None:
    for fact in (listed(ca), answered(leaf, ca)):
        finding = stands(leaf, ca, fact)
        assert (finding.standing, finding.fact, finding.revoked) == (Standing.GOOD, fact, None)


def test_a_revocation_counts_from_its_date_on_and_not_before(leaf: Holder, ca: Holder) -> None:
    entry = revoked(leaf, NOW - 5 * HOUR, RevocationReason.SUPERSEDED)
    for fact in (listed(ca, entry), answered(leaf, ca, entry)):
        after = stands(leaf, ca, fact)
        before = stands(leaf, ca, fact, at=NOW - 6 * HOUR, now=NOW)
        assert (after.standing, after.revoked) == (Standing.REVOKED, entry)
        assert (before.standing, before.revoked) == (Standing.GOOD, entry)


def test_a_compromised_key_counts_from_the_compromise(leaf: Holder, ca: Holder) -> None:
    entry = Revoked(serial=leaf.certificate.serial, at=NOW - HOUR, invalid_since=NOW - 9 * HOUR)

    assert stands(leaf, ca, listed(ca, entry), at=NOW - 8 * HOUR, now=NOW).standing is Standing.REVOKED
    assert stands(leaf, ca, listed(ca, entry), at=NOW - 10 * HOUR, now=NOW).standing is Standing.GOOD


def test_one_fact_that_says_revoked_outweighs_any_that_say_good(leaf: Holder, ca: Holder) -> None:
    entry = revoked(leaf, NOW - 2 * DAY)
    old = listed(ca, entry, since=NOW - 2 * DAY)

    assert stands(leaf, ca, old, answered(leaf, ca)).standing is Standing.REVOKED


def test_a_stale_list_still_says_revoked_and_no_longer_good(leaf: Holder, ca: Holder) -> None:
    long_ago = NOW - 30 * DAY

    assert stands(leaf, ca, listed(ca, revoked(leaf, long_ago), since=long_ago)).standing is Standing.REVOKED
    finding = stands(leaf, ca, listed(ca, since=long_ago))
    assert finding.standing is Standing.UNKNOWN
    assert "newest word" in finding.why


def test_a_later_list_says_good_of_an_earlier_time(leaf: Holder, ca: Holder) -> None:
    assert stands(leaf, ca, listed(ca), at=NOW - 30 * DAY, now=NOW).standing is Standing.GOOD


def test_a_later_list_says_nothing_of_a_certificate_long_expired(sm2: Authority, ca: Holder) -> None:
    old = sm2.issue("短期", SIGNER, ca, not_after=NOW - 10 * DAY)

    assert stands(old, ca, listed(ca), at=NOW - 30 * DAY, now=NOW).standing is Standing.UNKNOWN


def test_facts_from_the_future_are_not_used(leaf: Holder, ca: Holder) -> None:
    for fact in (listed(ca, since=NOW + HOUR), answered(leaf, ca, since=NOW + HOUR)):
        finding = stands(leaf, ca, fact)
        assert finding.standing is Standing.UNKNOWN
        assert "future" in finding.why


def test_a_hold_ends_where_newer_word_says_so(leaf: Holder, ca: Holder) -> None:
    hold = listed(ca, revoked(leaf, NOW - 9 * DAY, RevocationReason.CERTIFICATE_HOLD), since=NOW - 9 * DAY)
    released = listed(ca, since=NOW - HOUR)

    assert stands(leaf, ca, hold, released).standing is Standing.GOOD
    assert stands(leaf, ca, hold, released, at=NOW - 8 * DAY, now=NOW).standing is Standing.REVOKED
    assert stands(leaf, ca, hold).standing is Standing.REVOKED


def test_facts_by_the_wrong_hand_say_nothing(sm2: Authority, p256: Authority, leaf: Holder, ca: Holder) -> None:
    impostor = sm2.issue(
        "签发 CA", CertificateProfile(name="ca", key_usage=("crl_sign",), ca=True), None, key=sm2.key("i")
    )
    false_list = listed(impostor, revoked(leaf, NOW - DAY))

    finding = stands(leaf, ca, false_list)
    assert finding.standing is Standing.UNKNOWN
    assert "not signed" in finding.why
    assert stands(leaf, ca, listed(p256.sub_ca)).standing is Standing.UNKNOWN
    assert stands(leaf, ca, answered(leaf, impostor)).why == "no list or answer about it"
    assert stands(leaf, ca, parse_answer(refusal(ResponseStatus.TRY_LATER))).standing is Standing.UNKNOWN


def test_a_responder_that_does_not_know_says_nothing(leaf: Holder, ca: Holder) -> None:
    finding = stands(leaf, ca, answered(leaf, ca, unknown=True))

    assert finding.standing is Standing.UNKNOWN
    assert "does not know" in finding.why


def test_a_responder_is_itself_asked_for_unless_that_is_waived(sm2: Authority, leaf: Holder, ca: Holder) -> None:
    waived = sm2.issue("应答器", OCSP_RESPONDER, ca)
    asked_for = sm2.issue("应答器 2", NO_NOCHECK, ca)

    assert stands(leaf, ca, answered(leaf, ca, by=waived)).standing is Standing.GOOD
    word = answered(leaf, ca, by=asked_for)
    assert stands(leaf, ca, word).standing is Standing.UNKNOWN
    other = sm2.issue("别的 CA 的", SIGNER, sm2.root)
    assert stands(other, sm2.root, word).standing is Standing.UNKNOWN
    users = listed(ca, since=NOW - HOUR)
    assert stands(leaf, ca, word, users).standing is Standing.GOOD
    lost = listed(ca, revoked(asked_for, NOW - DAY), since=NOW - 2 * HOUR, life=timedelta(minutes=1))
    assert stands(leaf, ca, word, lost).standing is Standing.UNKNOWN


def chain(
    authority: Authority, revocation: Revocation | None, *, at: datetime = NOW, now: datetime | None = None
) -> tuple[ChainProblem, ...]:
    return build_chain(
        authority.signer.certificate,
        intermediates=authority.chain,
        anchors=[authority.root.certificate],
        at=at,
        revocation=revocation,
        now=now,
    ).problems


def test_a_path_is_good_when_all_below_the_anchor_is_known_to_be(authority: Authority) -> None:
    leaf, ca, root = authority.signer, authority.sub_ca, authority.root

    assert chain(authority, None) == ()
    assert chain(authority, Revocation(crls=(listed(ca), listed(root)))) == ()
    assert chain(authority, sorted_out((answered(leaf, ca), listed(root)))) == ()
    assert chain(authority, Revocation(crls=(listed(ca),))) == (ChainProblem.REVOCATION_UNKNOWN,)
    assert chain(authority, Revocation()) == (ChainProblem.REVOCATION_UNKNOWN,)


def test_a_path_through_a_revoked_authority_is_revoked(authority: Authority) -> None:
    ca, root = authority.sub_ca, authority.root
    entry = revoked(ca, NOW - 3 * HOUR, RevocationReason.CA_COMPROMISE)
    facts = Revocation(crls=(listed(ca), listed(root, entry)))

    result = build_chain(
        authority.signer.certificate,
        intermediates=authority.chain,
        anchors=[root.certificate],
        at=NOW,
        revocation=facts,
    )

    assert result.problems == (ChainProblem.REVOKED,)
    assert [each.standing for each in result.revocation] == [Standing.GOOD, Standing.REVOKED]
    assert result.revocation[1].revoked == entry
    assert chain(authority, facts, at=NOW - 4 * HOUR, now=NOW) == ()


def test_a_pinned_certificate_is_not_asked_for(sm2: Authority) -> None:
    leaf = sm2.signer.certificate

    result = build_chain(leaf, intermediates=[], anchors=[leaf], at=NOW, revocation=Revocation())

    assert result.trusted
    assert result.revocation == ()


def test_what_cannot_be_read_is_as_if_it_had_not_come(leaf: Holder, ca: Holder) -> None:
    facts = Revocation.read(crls=[b"rubbish", listed(ca).raw], answers=[b"", answered(leaf, ca).raw])

    assert (len(facts.crls), len(facts.answers)) == (1, 1)


def test_a_heap_of_lists_costs_no_more_than_a_few(sm2: Authority, leaf: Holder, ca: Holder) -> None:
    impostor = sm2.issue(
        "签发 CA", CertificateProfile(name="ca", key_usage=("crl_sign",), ca=True), None, key=sm2.key("i")
    )
    false_list = listed(impostor)
    heap = (false_list,) * 200 + (listed(ca),)

    assert stands(leaf, ca, *heap).standing is Standing.UNKNOWN
