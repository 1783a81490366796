"""Fetching facts: what is kept, what is refused and why, and whom nobody asks."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from crypto.revoked import RevocationReason
from kernel.clock import ManualClock
from seal.trust import TrustFolder
from seal.trust.refresh import Outcome, Refresher, State
from tests.seal.trust.making import DAY, HOUR, NOW, World, codes, gone, judged
from tests.sims.facts import FactsSimulator, Mood

HOST = "127.0.0.1"
PATIENT, IMPATIENT = timedelta(seconds=30), timedelta(seconds=0.3)
"""A busy machine may be slow to answer: only with one that never answers is patience short."""


class Office:
    """A trust folder with a root and an authority in it, and who fetches for it."""

    def __init__(
        self, world: World, place: FactsSimulator, folder: Path, clock: ManualClock, *, hosts: tuple[str, ...] = (HOST,)
    ) -> None:
        self.world, self.place, self.folder = world, place, folder
        self.clock = clock
        (folder / "intermediates").mkdir(parents=True)
        (folder / "root.pem").write_text(world.root.certificate.pem())
        (folder / "intermediates" / "ca.pem").write_text(world.ca.certificate.pem())
        self.trust = TrustFolder(folder)
        self.hosts = hosts
        self.refresher = self._refresher(PATIENT)

    def _refresher(self, timeout: timedelta) -> Refresher:
        return Refresher(
            self.folder,
            trust=self.trust,
            clock=self.clock,
            known=lambda: (self.world.signer.certificate,),
            hosts=self.hosts,
            timeout=timeout,
        )

    def turns(self, mood: Mood) -> None:
        """Let whoever is asked behave so from now on."""
        self.place.mood = mood
        self.refresher = self._refresher(IMPATIENT if mood is Mood.SILENT else PATIENT)

    def outcome(self, path: str, *, only_due: bool = False) -> Outcome:
        (found,) = (each for each in self.refresher.refresh(only_due=only_due) if each.url.endswith(path))
        return found

    def files(self, kind: str) -> set[str]:
        folder = self.folder / kind
        return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    world = World()
    now = ManualClock(NOW)
    place = FactsSimulator(now.now)
    world.origin = place.origin
    place.serves(world.impostor, ca=world.ca, root=world.root)
    place.delta = world.delta.raw
    with place:
        yield Office(world, place, tmp_path / "trust", now)


def test_lists_and_answers_are_kept_and_decide_without_a_restart(office: Office) -> None:
    assert {each.state for each in office.refresher.refresh()} == {State.STORED}
    assert len(office.files("crls")) == 2
    assert judged(office.world.signer, office.trust(), at=NOW) == ()

    office.place.revoked[office.world.signer.certificate.serial] = gone(office.world.signer, NOW)
    office.place.number = 2
    office.clock.advance(2 * HOUR)
    office.refresher.refresh()
    now = office.clock.now()
    assert codes(judged(office.world.signer, office.trust(), at=now)) == [("SIGNER_CERT_REVOKED", "invalid")]
    assert len(office.files("crls")) == 4, "old lists are kept: past times are judged by them"


def test_the_same_list_again_changes_nothing(office: Office) -> None:
    list_ = office.world.listed()
    assert office.refresher.take_list(list_.raw).state is State.STORED
    before = office.files("crls")
    assert office.refresher.take_list(list_.raw).state is State.UNCHANGED
    assert office.files("crls") == before


@pytest.mark.parametrize(
    ("mood", "cause"),
    [
        (Mood.SILENT, "silent: no "),
        (Mood.GARBAGE, "not a revocation list"),
        (Mood.TOO_LARGE, "too_large: more than 16777216 octets"),
        (Mood.ERROR_500, "http: status 500"),
        (Mood.REDIRECT, "http: status 302"),
        (Mood.WRONG_ISSUER, "not signed by CN=签发者"),
        (Mood.OLD, "stale: a newer one was due 2026-11-23"),
        (Mood.FUTURE, "from the future: 2026-12-23"),
        (Mood.DELTA, "not used here: 2.5.29.27"),
    ],
)
def test_a_list_that_does_not_hold_is_not_kept_and_the_cause_is_told(office: Office, mood: Mood, cause: str) -> None:
    office.turns(mood)
    told = office.outcome("/ca.crl")
    assert told.state is State.FAILED
    assert cause in told.detail
    assert office.files("crls") == set()


@pytest.mark.parametrize(
    ("mood", "cause"),
    [
        (Mood.SILENT, "silent"),
        (Mood.GARBAGE, "not an OCSP answer"),
        (Mood.TOO_LARGE, "too_large: more than 262144 octets"),
        (Mood.WRONG_ISSUER, "responder"),
        (Mood.OLD, "stale"),
        (Mood.FUTURE, "not_yet_valid"),
        (Mood.UNKNOWN, "does not know it"),
        (Mood.WRONG_NONCE, "nonce_mismatch"),
        (Mood.TRY_LATER, "not_successful (try_later)"),
    ],
)
def test_an_answer_that_does_not_hold_is_not_kept_and_the_cause_is_told(office: Office, mood: Mood, cause: str) -> None:
    office.turns(mood)
    told = office.outcome("/ocsp")
    assert told.state is State.FAILED
    assert cause in told.detail
    assert office.files("ocsp") == set()


def test_an_answer_without_a_nonce_is_taken_while_it_is_fresh(office: Office) -> None:
    office.place.mood = Mood.NO_NONCE
    assert office.outcome("/ocsp").state is State.STORED


def test_a_list_older_than_the_one_at_hand_is_a_replay(office: Office) -> None:
    office.place.number = 5
    assert office.outcome("/ca.crl").state is State.STORED
    office.place.number = 4
    told = office.outcome("/ca.crl")
    assert told.state is State.FAILED
    assert "4 of 2026-12-22" in told.detail
    assert "older than the one at hand 5" in told.detail


def test_only_what_ends_soon_is_fetched_by_itself(office: Office) -> None:
    office.place.mood = Mood.GOOD
    office.refresher.keep()
    office.place.asked.clear()
    office.refresher.keep()
    assert "/ca.crl" not in office.place.asked
    assert "/ocsp" not in office.place.asked
    office.clock.advance(20 * HOUR)
    office.place.number = 2
    assert office.refresher.keep() == 3
    assert {"/ca.crl", "/ocsp"} <= set(office.place.asked)


def test_a_private_address_is_asked_only_where_the_operator_named_the_host(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    with FactsSimulator(clock.now) as place:
        strict = Office(World(origin=place.origin), place, tmp_path / "one", clock, hosts=())
        assert all("asked only of hosts" in each.detail for each in strict.refresher.refresh())
        usual = Office(World(origin="http://localhost"), place, tmp_path / "two", clock, hosts=())
        told = usual.refresher.refresh()
        assert len(told) == 3
        assert all(each.detail.startswith("forbidden: localhost leads to ") for each in told)
    assert place.asked == []


@pytest.mark.parametrize("origin", ["http://[::1", "http://a b", "http://host:port", "http://x:1:2"])
def test_an_address_that_is_none_fails_by_itself_and_stops_no_other(office: Office, origin: str) -> None:
    odd = World(origin=origin)
    (office.folder / "odd.pem").write_text(odd.root.certificate.pem())
    (office.folder / "intermediates" / "odd.pem").write_text(odd.ca.certificate.pem())
    told = {each.url: each for each in office.refresher.refresh()}
    assert told.pop(f"{origin}/root.crl").state is State.FAILED
    assert {each.state for each in told.values()} == {State.STORED}


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "224.0.0.1", "::1", "::", "fe80::1%eth0",
        "fd00::1", "ff0e::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
        "2002:7f00:1::", "2002:a00:1::1",
    ],
)  # fmt: skip
def test_an_address_that_leads_into_a_house_in_whatever_dress_is_not_public(office: Office, address: str) -> None:
    assert not office.refresher._reachable("ca.example", address)
    assert office.refresher._reachable("127.0.0.1", address), "the operator named this host"


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "64:ff9b::101:101"])
def test_an_address_of_the_open_net_is_public(office: Office, address: str) -> None:
    assert office.refresher._reachable("ca.example", address)


def test_what_cannot_be_kept_is_told(office: Office) -> None:
    (office.folder / "crls").write_text("a file in the folder's place")
    told = office.outcome("/ca.crl")
    assert told.state is State.FAILED
    assert "could not be kept" in told.detail
    assert office.refresher.take_list(office.world.listed().raw).state is State.FAILED


def test_a_list_brought_by_hand_must_be_an_authoritys_that_is_known(office: Office) -> None:
    world = office.world
    stranger = world.listed(issuer=world.impostor)
    assert "no authority" in office.refresher.take_list(stranger.raw).detail
    assert office.refresher.take_list(b"rubbish").state is State.FAILED
    old = world.listed(since=NOW - 30 * DAY)
    assert office.refresher.take_list(old.pem().encode()).state is State.STORED
    assert len(office.files("crls")) == 1


def test_files_that_cannot_be_read_are_named_where_the_answer_is_missing(office: Office) -> None:
    (office.folder / "crls").mkdir()
    (office.folder / "crls" / "broken.crl").write_bytes(b"0")
    finding = judged(office.world.signer, office.trust(), at=NOW)[0]
    assert finding.code == "REVOCATION_UNKNOWN"
    assert "broken.crl cannot be read" in finding.detail


def test_a_certificate_file_that_breaks_keeps_what_was_believed(office: Office) -> None:
    before = office.trust()
    (office.folder / "broken.pem").write_bytes(b"0")
    assert office.trust() == before
    (office.folder / "broken.pem").unlink()
    (office.folder / "root.pem").unlink()
    assert office.trust().anchors == ()


def test_trust_is_the_very_same_as_long_as_nothing_changes(office: Office) -> None:
    assert office.trust() is office.trust()


def test_a_key_compromise_told_by_the_authority_reaches_the_verdict(office: Office) -> None:
    world = office.world
    office.place.revoked[world.signer.certificate.serial] = gone(
        world.signer, NOW - HOUR, RevocationReason.KEY_COMPROMISE
    )
    office.refresher.refresh()
    trust = replace(office.trust(), now=NOW)
    assert codes(judged(world.signer, trust)) == [("SIGNER_KEY_COMPROMISED", "invalid")]
