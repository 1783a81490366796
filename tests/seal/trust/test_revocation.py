"""Revocation as it was at the time of sealing: every code by one fact, and what no fact may bring about."""

import tracemalloc
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import der
from crypto.crl import RevocationList
from crypto.ocsp_answer import OcspTemplate, parse_answer
from crypto.revoked import RevocationReason, Revoked
from crypto.x509 import OCSP_RESPONDER, SIGNER, SUB_CA
from seal.model import Verdict, worst
from seal.trust import Facts, OwnWord, Role, Trust, revoked_at
from seal.trust.carried import decode_trust, encode_trust
from seal.trust.files import read_facts
from tests.crypto.authority import Holder
from tests.seal.trust.making import AT, DAY, HOUR, NOW, World, codes, gone, judged

COMPROMISE = RevocationReason.KEY_COMPROMISE
WORLD = World()
ROLES: list[tuple[Role, Holder]] = [("SIGNER", WORLD.signer), ("SEAL_MAKER", WORLD.maker), ("TSA", WORLD.tsa)]


@pytest.fixture
def world() -> World:
    return WORLD


def test_a_list_without_it_or_a_good_answer_leaves_nothing_to_say(world: World) -> None:
    assert judged(world.signer, world.trust(world.listed())) == ()
    assert judged(world.signer, world.trust(parse_answer(world.answered(world.signer)))) == ()


@pytest.mark.parametrize(("role", "holder"), ROLES, ids=[role for role, _ in ROLES])
def test_revoked_by_then_makes_invalid_and_says_when_why_and_by_whose_word(
    world: World, role: Role, holder: Holder
) -> None:
    trust = world.trust(world.listed(gone(holder, AT - DAY), number=7))
    (finding,) = judged(holder, trust, role=role)
    assert (finding.code, finding.verdict) == (f"{role}_CERT_REVOKED", Verdict.INVALID)
    assert "2026-11-21T08:00:00+00:00, superseded; revocation list 7 of" in finding.detail


@pytest.mark.parametrize(("role", "holder"), ROLES, ids=[role for role, _ in ROLES])
def test_a_later_revocation_is_a_note(world: World, role: Role, holder: Holder) -> None:
    trust = world.trust(world.listed(gone(holder, AT + DAY)))
    (finding,) = judged(holder, trust, role=role)
    assert (finding.code, finding.verdict) == ("REVOKED_SINCE", Verdict.VALID)
    assert "2026-11-23" in finding.detail


@pytest.mark.parametrize(
    ("role", "holder", "verdict"),
    [
        ("SIGNER", WORLD.signer, "invalid"),
        ("SEAL_MAKER", WORLD.maker, "invalid"),
        ("TSA", WORLD.tsa, "indeterminate"),
    ],
)
def test_a_key_compromised_since_condemns_what_only_claims_its_time(
    world: World, role: Role, holder: Holder, verdict: str
) -> None:
    trust = world.trust(world.listed(gone(holder, AT + 9 * DAY, COMPROMISE)))
    assert codes(judged(holder, trust, role=role)) == [(f"{role}_KEY_COMPROMISED", verdict)]
    assert codes(judged(holder, trust, role=role, proved=AT + DAY)) == [("REVOKED_SINCE", "valid")]
    assert codes(judged(holder, trust, role=role, proved=AT + 9 * DAY)) == [(f"{role}_KEY_COMPROMISED", verdict)]


def test_the_date_of_the_compromise_counts_before_that_of_the_revocation(world: World) -> None:
    entry = gone(world.signer, AT + 9 * DAY, COMPROMISE, invalid_since=AT - DAY)
    found = judged(world.signer, world.trust(world.listed(entry)), proved=AT)
    assert codes(found) == [("SIGNER_CERT_REVOKED", "invalid")]
    assert "not to be relied on since 2026-11-21" in found[0].detail


def test_an_authority_above_is_asked_for_too(world: World) -> None:
    def found(entry: Revoked, proved: datetime | None = None) -> list[tuple[str, str]]:
        above = world.listed(entry, issuer=world.root)
        return codes(judged(world.signer, world.trust(world.listed(), above, root=False), proved=proved))

    compromised = RevocationReason.CA_COMPROMISE
    assert found(gone(world.ca, AT - DAY)) == [("CA_CERT_REVOKED", "invalid")]
    assert found(gone(world.ca, AT + DAY)) == [("REVOKED_SINCE", "valid")]
    assert found(gone(world.ca, AT + DAY, compromised)) == [("CA_KEY_COMPROMISED", "invalid")]
    assert found(gone(world.ca, AT + DAY, compromised), AT) == [("REVOKED_SINCE", "valid")]
    nothing = codes(judged(world.signer, world.trust(world.listed(), root=False)))
    assert nothing == [("REVOCATION_UNKNOWN", "indeterminate")]


def test_a_path_that_avoids_a_revoked_authority_is_found(world: World) -> None:
    renewed = world.holder("签发者", SUB_CA, world.root, key=world.ca.signer)  # type: ignore[arg-type]
    above = world.listed(gone(world.ca, AT - DAY), issuer=world.root)
    trust = world.trust(world.listed(), above, root=False)
    both = Trust(
        anchors=trust.anchors,
        intermediates=(world.ca.certificate, renewed.certificate),
        facts=trust.facts,
        now=NOW,
    )
    assert judged(world.signer, both) == ()


@pytest.mark.parametrize(
    ("fact", "why"),
    [
        (lambda w: w.listed(since=AT - 30 * DAY), "the newest word is of 2026-10-23"),
        (lambda w: w.listed(since=NOW + DAY), "from the future"),
        (lambda w: w.listed(gone(w.signer, AT - DAY), issuer=w.impostor), "not signed by the issuer"),
        (lambda w: w.delta, "no list or answer"),
        (lambda w: w.indirect, "no list or answer"),
        (lambda w: parse_answer(w.answered(w.signer, by=w.impostor_responder)), "whom the issuer appointed"),
    ],
    ids=["old", "future", "wrong issuer", "delta", "indirect", "no responder"],
)
def test_facts_that_say_nothing_leave_it_unknown_with_the_cause(
    world: World, fact: object, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Issued for signing, by the same authority: it has a certificate, but was not appointed.
    monkeypatch.setattr(World, "impostor_responder", world.holder("应答者", SIGNER, world.ca), raising=False)
    monkeypatch.setattr(OcspTemplate, "__init__", _unchecked(OcspTemplate.__init__))
    (finding,) = judged(world.signer, world.trust(fact(world)))  # type: ignore[operator]
    assert (finding.code, finding.verdict) == ("REVOCATION_UNKNOWN", Verdict.INDETERMINATE)
    assert why in finding.detail
    assert "http://pki.example/ocsp" in finding.detail


def _unchecked(init: object) -> object:
    """Let a test speak as a responder that nobody appointed."""

    def begin(self: OcspTemplate, responder: object, signer: object, *, issuer: object, **more: object) -> None:
        try:
            init(self, responder, signer, issuer=issuer, **more)  # type: ignore[operator]
        except Exception:  # noqa: BLE001 - refused as it should be: say it under the issuer's name all the same
            init(self, WORLD.ca.certificate, WORLD.ca.signer, issuer=issuer)  # type: ignore[operator]
            self._signer = signer  # type: ignore[assignment]

    return begin


def test_a_delegated_responder_may_answer(world: World) -> None:
    responder = world.holder("应答者", OCSP_RESPONDER, world.ca, offers=False)
    said = parse_answer(world.answered(world.signer, gone(world.signer, AT - DAY), by=responder))
    assert codes(judged(world.signer, world.trust(said))) == [("SIGNER_CERT_REVOKED", "invalid")]


def test_nothing_known_and_nowhere_to_ask_is_a_note(world: World) -> None:
    silent = world.holder("44030000000002", SIGNER, world.ca, offers=False)
    assert codes(judged(silent, world.trust())) == [("REVOCATION_NOT_OFFERED", "valid")]
    assert judged(silent, world.trust(world.listed())) == ()
    revoked = world.trust(world.listed(gone(silent, AT - DAY)))
    assert codes(judged(silent, revoked)) == [("SIGNER_CERT_REVOKED", "invalid")]


def test_a_hold_that_was_over_by_then_does_not_count(world: World) -> None:
    hold = world.listed(gone(world.signer, AT - 9 * DAY, RevocationReason.CERTIFICATE_HOLD), since=AT - 9 * DAY)
    over = world.listed(since=AT - DAY, life=9 * DAY, number=2)
    assert codes(judged(world.signer, world.trust(hold))) == [("SIGNER_CERT_REVOKED", "invalid")]
    assert judged(world.signer, world.trust(hold, over)) == ()
    during = judged(world.signer, world.trust(hold, over), at=AT - 8 * DAY)
    assert codes(during) == [("SIGNER_CERT_REVOKED", "invalid")]


def test_the_maker_had_to_be_valid_when_the_seal_was_made_and_not_revoked_when_it_was_used(world: World) -> None:
    trust = world.trust(world.listed(gone(world.maker, AT - DAY)))
    made = AT - 9 * DAY
    assert codes(judged(world.maker, trust, role="SEAL_MAKER", at=made)) == [("REVOKED_SINCE", "valid")]
    used = judged(world.maker, trust, role="SEAL_MAKER", at=made, used_at=AT)
    assert codes(used) == [("SEAL_MAKER_CERT_REVOKED", "invalid")]


def test_facts_that_come_with_the_document_count(world: World) -> None:
    brought = [world.listed().raw, world.root_list.raw, b"rubbish"]
    assert judged(world.signer, world.trust(root=False), brought=brought) == ()
    revoked = [world.listed(gone(world.signer, AT - DAY)).raw]
    assert codes(judged(world.signer, world.trust(), brought=revoked)) == [("SIGNER_CERT_REVOKED", "invalid")]


def test_old_facts_that_a_document_chose_do_not_clear_a_time_that_is_only_claimed(world: World) -> None:
    brought = [world.listed(since=AT - HOUR).raw, world.root_list.raw]
    (unknown,) = judged(world.signer, world.trust(root=False), brought=brought)
    assert codes([unknown]) == [("REVOCATION_UNKNOWN", "indeterminate")]
    assert "only old facts that came with the document" in unknown.detail
    assert judged(world.signer, world.trust(root=False), brought=brought, proved=AT) == ()
    assert judged(world.signer, world.trust(world.listed()), brought=brought) == ()
    stolen = world.trust(world.listed(gone(world.signer, AT + DAY, COMPROMISE)))
    assert codes(judged(world.signer, stolen, brought=brought)) == [("SIGNER_KEY_COMPROMISED", "invalid")]


def test_a_heap_of_old_facts_brought_along_does_not_hide_ours(world: World) -> None:
    ours = world.trust(world.listed(gone(world.signer, AT - DAY)))
    heap = [world.listed(since=AT - 50 * DAY + day * DAY, number=day + 1).raw for day in range(40)] * 3
    assert codes(judged(world.signer, ours, brought=heap)) == [("SIGNER_CERT_REVOKED", "invalid")]


def test_old_lists_speak_for_certificates_that_left_the_newer_ones(world: World) -> None:
    short = world.holder("短期", SIGNER, world.ca, not_after=AT + DAY)
    entry = gone(short, AT - DAY)
    daily = [world.listed(entry, since=AT - 40 * DAY + day * DAY, number=day + 1) for day in range(39, 42)]
    empty = [world.listed(since=AT + 3 * DAY + day * DAY / 4, number=day + 100) for day in range(100)]
    assert codes(judged(short, world.trust(*empty, *daily))) == [("SIGNER_CERT_REVOKED", "invalid")]


def test_our_own_authoritys_record_counts_before_any_list_is_signed(world: World) -> None:
    def found(entry: Revoked | None) -> list[tuple[str, str]]:
        word = OwnWord(issuer=world.ca.certificate, revoked={} if entry is None else {entry.serial: entry})
        read = Facts.read(crls=[world.listed(since=AT - DAY).raw, world.root_list.raw])
        facts = Facts(crls=read.crls, own=(word,))
        trust = Trust(anchors=(world.root.certificate,), intermediates=(world.ca.certificate,), facts=facts, now=NOW)
        assert decode_trust(encode_trust(trust)).facts == facts
        return codes(judged(world.signer, trust))

    assert found(None) == []
    assert found(gone(world.signer, AT - HOUR)) == [("SIGNER_CERT_REVOKED", "invalid")]
    assert found(gone(world.signer, AT + HOUR)) == [("REVOKED_SINCE", "valid")]
    assert found(gone(world.signer, AT + HOUR, COMPROMISE)) == [("SIGNER_KEY_COMPROMISED", "invalid")]


def test_a_revoked_certificate_may_not_sign(world: World) -> None:
    def forbidden(*facts: RevocationList) -> bool:
        chain = (world.ca.certificate,)
        return revoked_at(world.signer.certificate, others=chain, trust=world.trust(*facts), at=NOW) is not None

    assert not forbidden()
    assert not forbidden(world.listed())
    assert forbidden(world.listed(gone(world.signer, AT)))


# --- what no fact may bring about ------------------------------------------------------------------------------

_REASONS = st.sampled_from(
    [RevocationReason.SUPERSEDED, RevocationReason.UNSPECIFIED, COMPROMISE, RevocationReason.CA_COMPROMISE]
)


@st.composite
def lists(draw: st.DrawFn, *, compromise: bool = True, after: int = -20) -> RevocationList:
    """A list of the authority, or of an impostor, that may hold the signer; no holds: those may end."""
    reason = draw(_REASONS if compromise else st.just(RevocationReason.SUPERSEDED))
    day = draw(st.integers(after, 25))
    entry = gone(WORLD.signer, AT + day * DAY, reason)
    since = AT + draw(st.integers(max(day, after), 29)) * DAY
    issuer = draw(st.sampled_from([WORLD.ca, WORLD.ca, WORLD.impostor]))
    return WORLD.listed(*([entry] if draw(st.booleans()) else []), since=since, issuer=issuer)


def verdict(facts: list[RevocationList]) -> Verdict:
    return worst([Verdict.VALID, *(each.verdict for each in judged(WORLD.signer, WORLD.trust(*facts)))])


@given(st.lists(lists(), max_size=4), lists())
def test_one_more_fact_never_makes_valid_what_was_invalid(known: list[RevocationList], more: RevocationList) -> None:
    if verdict(known) is Verdict.INVALID:
        assert verdict([*known, more]) is Verdict.INVALID


@given(st.integers(1, 25))
def test_a_later_revocation_changes_no_verdict_unless_a_key_was_compromised(days: int) -> None:
    known = [WORLD.listed(since=AT - HOUR)]
    later = WORLD.listed(gone(WORLD.signer, AT + days * DAY), since=AT + days * DAY + HOUR)
    assert verdict(known) is verdict([*known, later]) is Verdict.VALID
    compromised = WORLD.listed(gone(WORLD.signer, AT + days * DAY, COMPROMISE), since=AT + days * DAY + HOUR)
    assert verdict([*known, compromised]) is Verdict.INVALID


# --- size ------------------------------------------------------------------------------------------------------


def list_of(world: World, entries: int) -> bytes:
    date = der.generalized_time(AT - DAY)
    serials = (0x40000000 + each for each in range(entries))
    body = b"".join(der.sequence(der.integer(serial), date) for serial in serials)
    fields = [each.raw for each in der.parse(world.listed().tbs)]
    tbs = der.sequence(*fields[:5], der.sequence(body), *fields[5:])
    algorithm = der.parse(world.listed().raw)[1].raw
    return der.sequence(tbs, algorithm, der.bit_string(world.ca.signer.sign(tbs)))


def test_a_huge_list_is_read_up_to_its_bound_and_refused_beyond_at_no_cost(world: World, tmp_path: Path) -> None:
    (tmp_path / "crls").mkdir()
    (tmp_path / "crls" / "large.crl").write_bytes(list_of(world, 200_000))
    (tmp_path / "crls" / "million.crl").write_bytes(list_of(world, 1_000_000))
    tracemalloc.start()
    facts = read_facts(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * 1024 * 1024
    assert [len(each) for each in facts.crls] == [200_000]
    assert [why.partition(" has ")[0] for why in facts.unread] == ["million.crl"]
    trust = world.trust(*facts.crls)
    assert judged(world.signer, trust) == ()
