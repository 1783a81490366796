"""The time-stamp authority: what it stamps, what it refuses, and when it stays silent."""

from datetime import timedelta

import pytest

from crypto import der
from crypto.digests import SHA1, SHA256, SHA512, SM3, DigestAlgorithm
from crypto.errors import KeyRefused
from crypto.keys import VaultSigner
from crypto.timestamp import verify_token
from crypto.timestamp_build import Imprint
from crypto.timestamp_exchange import Failure, TimestampResponse, make_request, parse_response
from crypto.vaults.soft import SoftVault
from kernel.clock import ManualClock
from seal.pki.ca import Authority
from seal.pki.policy import TIMESTAMPING
from seal.pki.tsa import TimestampAuthority
from tests.seal.pki.conftest import new_key, wish

DATA, POLICY = b"some data", "1.2.156.10197.99.1"


@pytest.fixture
def key(vault: SoftVault, ca: Authority) -> VaultSigner:
    return new_key(vault, ca.suite)


@pytest.fixture
def tsa(ca: Authority, key: VaultSigner, clock: ManualClock) -> TimestampAuthority:
    certificate = ca.issue(wish(key, "时间戳"), TIMESTAMPING)
    return TimestampAuthority(certificate, ca.chain, key, clock, policy=POLICY)


def imprint(digest: DigestAlgorithm = SM3, value: bytes | None = None) -> Imprint:
    return Imprint.of(digest.oid, digest.digest(DATA) if value is None else value)


def ask(tsa: TimestampAuthority, request: bytes) -> TimestampResponse:
    return parse_response(tsa.answer(request))


@pytest.mark.parametrize("digest", [SM3, SHA256, SHA512], ids=lambda each: each.name)
def test_a_digest_is_stamped_with_the_time(
    tsa: TimestampAuthority, clock: ManualClock, digest: DigestAlgorithm
) -> None:
    token = ask(tsa, make_request(imprint(digest), nonce=77, policy=POLICY)).token

    assert token is not None
    assert verify_token(token, lambda algorithm: algorithm.digest(DATA)) == ()
    assert (token.gen_time, token.nonce, token.policy) == (clock.now(), 77, POLICY)


def test_no_two_tokens_have_one_serial(tsa: TimestampAuthority) -> None:
    tokens = [ask(tsa, make_request(imprint())).token for _ in range(20)]

    assert len({each.serial for each in tokens if each is not None}) == 20


@pytest.mark.parametrize(
    ("request_der", "failure"),
    [
        (b"rubbish", Failure.BAD_DATA_FORMAT),
        (make_request(imprint(SHA1)), Failure.BAD_ALGORITHM),
        (make_request(Imprint.of("1.2.3", bytes(32))), Failure.BAD_ALGORITHM),
        (make_request(imprint(value=bytes(31))), Failure.BAD_DATA_FORMAT),
        (make_request(imprint(), policy="1.2.3"), Failure.UNACCEPTED_POLICY),
        (
            der.sequence(der.integer(1), imprint().der(), der.explicit(0, der.sequence())),
            Failure.UNACCEPTED_EXTENSION,
        ),
    ],
)
def test_what_is_not_stamped_is_refused_with_its_reason(
    tsa: TimestampAuthority, request_der: bytes, failure: Failure
) -> None:
    assert ask(tsa, request_der).failures == {failure}


def test_a_clock_that_goes_back_stops_the_stamping(tsa: TimestampAuthority, clock: ManualClock) -> None:
    assert ask(tsa, make_request(imprint())).token is not None
    clock.advance(timedelta(minutes=-1))
    assert ask(tsa, make_request(imprint())).failures == {Failure.TIME_NOT_AVAILABLE}
    clock.advance(timedelta(minutes=2))
    assert ask(tsa, make_request(imprint())).token is not None


def test_outside_its_certificates_validity_it_stamps_nothing(tsa: TimestampAuthority, clock: ManualClock) -> None:
    clock.advance(timedelta(days=6 * 365))
    assert ask(tsa, make_request(imprint())).failures == {Failure.TIME_NOT_AVAILABLE}


class _Gone(VaultSigner):
    """A key whose vault no longer answers."""

    def sign(self, message: bytes) -> bytes:
        raise KeyRefused(f"no answer to {len(message)} octets")


def test_a_vault_that_does_not_answer_is_said_to_the_asker(ca: Authority, key: VaultSigner, clock: ManualClock) -> None:
    certificate = ca.issue(wish(key, "时间戳"), TIMESTAMPING)
    broken = TimestampAuthority(certificate, ca.chain, _Gone(key.vault, key.key), clock, policy=POLICY)

    assert ask(broken, make_request(imprint())).failures == {Failure.SYSTEM_FAILURE}
