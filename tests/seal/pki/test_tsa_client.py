"""The time-stamp client: what it accepts, what it passes over, and what it says of it."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest

from crypto.digests import SHA256, SM3
from crypto.suites import ES256, SM2_SM3
from crypto.timestamp import parse_token, verify_token
from kernel.clock import ManualClock
from kernel.errors import Reason
from seal.pki.tsa_client import NoTimestamp, TimestampClient, Tsa, TsaFault
from tests.crypto.authority import Authority as Issuer
from tests.sims.tsa import POLICY, Mood, TsaSimulator

VALUE = SHA256.digest(b"a signature value")
FAULTS = {
    Mood.WRONG_NONCE: TsaFault.WRONG_NONCE,
    Mood.NO_NONCE: TsaFault.WRONG_NONCE,
    Mood.WRONG_IMPRINT: TsaFault.WRONG_IMPRINT,
    Mood.WRONG_POLICY: TsaFault.WRONG_POLICY,
    Mood.WRONG_TIME: TsaFault.WRONG_TIME,
    Mood.WRONG_USAGE: TsaFault.NOT_A_TSA,
    Mood.EXPIRED: TsaFault.UNTRUSTED,
    Mood.UNTRUSTED: TsaFault.UNTRUSTED,
    Mood.NO_CERTIFICATE: TsaFault.CERTIFICATE_MISSING,
    Mood.BAD_SIGNATURE: TsaFault.SIGNATURE,
    Mood.REJECTS: TsaFault.NOT_GRANTED,
    Mood.WAITING: TsaFault.NOT_GRANTED,
    Mood.GARBAGE: TsaFault.GARBAGE,
    Mood.TRUNCATED: TsaFault.GARBAGE,
    Mood.EMPTY: TsaFault.GARBAGE,
    Mood.TOO_LARGE: TsaFault.TOO_LARGE,
    Mood.ERROR_500: TsaFault.HTTP,
    Mood.REDIRECT: TsaFault.HTTP,
    Mood.RATE_LIMITED: TsaFault.HTTP,
    Mood.WRONG_TYPE: TsaFault.HTTP,
    Mood.NO_HTTP: TsaFault.HTTP,
    Mood.CLOSES: TsaFault.SILENT,
    Mood.SILENT: TsaFault.SILENT,
    Mood.DRIPS: TsaFault.SILENT,
}


@pytest.fixture(scope="module", params=[SM2_SM3.name, ES256.name])
def issuer(request: pytest.FixtureRequest, issuers: Mapping[str, Issuer]) -> Issuer:
    return issuers[request.param]


WAITED_FOR = (Mood.SILENT, Mood.DRIPS)
PATIENT, IMPATIENT = timedelta(seconds=30), timedelta(seconds=2)
"""A busy machine may be slow to answer: only where an answer is not to be waited for is patience short."""


@pytest.fixture
def first(issuer: Issuer, clock: ManualClock) -> Iterator[TsaSimulator]:
    with TsaSimulator(issuer, clock.now) as running:
        yield running


@pytest.fixture
def second(issuer: Issuer, clock: ManualClock) -> Iterator[TsaSimulator]:
    with TsaSimulator(issuer, clock.now) as running:
        yield running


def client(
    issuer: Issuer, clock: ManualClock, *simulators: TsaSimulator, timeout: timedelta = PATIENT
) -> TimestampClient:
    return TimestampClient(
        [Tsa(name=f"tsa-{at}", url=each.url, policy=POLICY) for at, each in enumerate(simulators, 1)],
        anchors=[issuer.root.certificate],
        clock=clock,
        timeout=timeout,
    )


def test_a_token_that_holds_is_given_out(issuer: Issuer, clock: ManualClock, first: TsaSimulator) -> None:
    stamped = client(issuer, clock, first).stamp(SHA256, VALUE)

    assert (stamped.by, stamped.time, stamped.passed_over) == ("tsa-1", clock.now(), ())
    assert verify_token(parse_token(stamped.token), lambda _: VALUE) == ()


def test_a_digest_of_either_kind_is_stamped(issuer: Issuer, clock: ManualClock, first: TsaSimulator) -> None:
    value = SM3.digest(b"data")

    stamped = client(issuer, clock, first).stamp(SM3, value)

    assert parse_token(stamped.token).imprint_digest is SM3


def test_every_way_to_fail_has_its_test() -> None:
    assert set(FAULTS) == set(Mood) - {Mood.GOOD}


@pytest.mark.parametrize("mood", FAULTS, ids=lambda mood: mood.value)
def test_the_next_authority_is_asked_where_one_fails(
    issuer: Issuer, clock: ManualClock, first: TsaSimulator, second: TsaSimulator, mood: Mood
) -> None:
    first.mood = mood

    timeout = IMPATIENT if mood in WAITED_FOR else PATIENT
    stamped = client(issuer, clock, first, second, timeout=timeout).stamp(SHA256, VALUE)

    assert stamped.by == "tsa-2"
    assert [(each.name, each.fault) for each in stamped.passed_over] == [("tsa-1", FAULTS[mood])]
    assert (first.asked, second.asked) == (1, 1)


def test_where_all_fail_the_error_names_each_cause(
    issuer: Issuer, clock: ManualClock, first: TsaSimulator, second: TsaSimulator
) -> None:
    first.mood, second.mood = Mood.REJECTS, Mood.WRONG_NONCE

    with pytest.raises(NoTimestamp) as refused:
        client(issuer, clock, first, second).stamp(SHA256, VALUE)

    assert refused.value.reason is Reason.UNAVAILABLE
    assert [each.fault for each in refused.value.causes] == [TsaFault.NOT_GRANTED, TsaFault.WRONG_NONCE]
    assert "tsa-1: not_granted (rejection, bad_algorithm, 不受理)" in refused.value.detail
    assert "tsa-2: wrong_nonce" in refused.value.detail


def test_nobody_listening_is_an_unreachable_authority(issuer: Issuer, clock: ManualClock) -> None:
    with TsaSimulator(issuer, clock.now) as gone:
        pass
    for url in (gone.url, "ftp://127.0.0.1/", "http://", "http://127.0.0.1:99999/", "http://user@127.0.0.1/"):
        asking = TimestampClient([Tsa(name="gone", url=url)], anchors=[issuer.root.certificate], clock=clock)
        with pytest.raises(NoTimestamp) as refused:
            asking.stamp(SHA256, VALUE)
        assert [each.fault for each in refused.value.causes] == [TsaFault.UNREACHABLE]


def test_no_authority_at_all_is_said_to_be_so(issuer: Issuer, clock: ManualClock) -> None:
    with pytest.raises(NoTimestamp, match="none is set up"):
        client(issuer, clock).stamp(SHA256, VALUE)


def test_an_authority_that_failed_rests_a_while(
    issuer: Issuer, clock: ManualClock, first: TsaSimulator, second: TsaSimulator
) -> None:
    asking = client(issuer, clock, first, second)
    first.mood = Mood.ERROR_500
    asking.stamp(SHA256, VALUE)
    first.mood = Mood.GOOD

    assert asking.stamp(SHA256, VALUE).by == "tsa-2"
    clock.advance(timedelta(seconds=31))
    assert asking.stamp(SHA256, VALUE).by == "tsa-1"
