"""A department's system signs; what it gives is believed only when it holds."""

import base64
import ssl
from datetime import timedelta

import pytest
import structlog

from crypto.errors import KeyRefused
from crypto.keys import KeyId, VaultSigner
from crypto.sm2 import RAW_SIGNATURE_SIZE
from crypto.suites import ES256, SM2_SM3
from crypto.x509 import SIGNER
from kernel.clock import ManualClock
from seal.docking.errors import (
    UpstreamAnswerUnreadable,
    UpstreamLoginRefused,
    UpstreamRefused,
    UpstreamResting,
    UpstreamUnavailable,
    UpstreamWrongSignature,
)
from seal.docking.upstream.breaker import Breaker
from seal.docking.upstream.login import HmacLogin
from seal.docking.upstream.vault import Upstream, UpstreamVault
from tests.crypto.authority import Authority, Holder
from tests.seal.docking.conftest import SECRET
from tests.sims.upstream import Mood, UpstreamSimulator

SM2_KEY, P256_KEY = KeyId("upstream-dept-seal-01"), KeyId("upstream-dept-seal-02")
Holders = dict[str, Holder]


def vault_of(
    department: UpstreamSimulator,
    holders: Holders,
    clock: ManualClock,
    *,
    secret: bytes = SECRET,
    url: str = "",
    seconds: float = 5,
) -> UpstreamVault:
    upstream = Upstream(
        name="dept",
        url=url or department.url,
        keys={name: holder.certificate for name, holder in holders.items()},
        timeout=timedelta(seconds=seconds),
    )
    return UpstreamVault(upstream, clock=clock, login=HmacLogin(client="xinyin", secret=secret, clock=clock))


@pytest.fixture
def vault(department: UpstreamSimulator, holders: Holders, far_clock: ManualClock) -> UpstreamVault:
    department.mood = Mood.GOOD
    return vault_of(department, holders, far_clock)


def test_both_suites_are_signed_and_raw_values_become_der(vault: UpstreamVault, department: UpstreamSimulator) -> None:
    for key in (SM2_KEY, P256_KEY):
        signer = VaultSigner(vault, key)
        assert signer.public_key.verify(signer.suite, b"m", signer.sign(b"m"))
    department.mood = Mood.RAW
    value = VaultSigner(vault, SM2_KEY).sign(b"m")
    assert value[0] == 0x30
    assert len(value) > RAW_SIGNATURE_SIZE
    assert (vault.suite(SM2_KEY), vault.suite(P256_KEY)) == (SM2_SM3, ES256)


FAILURES = {
    Mood.OTHER_DIGEST: UpstreamWrongSignature,
    Mood.OTHER_KEY: UpstreamWrongSignature,
    Mood.OTHER_CERTIFICATE: UpstreamWrongSignature,
    Mood.OUT_OF_RANGE: UpstreamWrongSignature,
    Mood.NO_CERTIFICATE: UpstreamAnswerUnreadable,
    Mood.GARBAGE: UpstreamAnswerUnreadable,
    Mood.DEEP: UpstreamAnswerUnreadable,
    Mood.NOT_BASE64: UpstreamAnswerUnreadable,
    Mood.TOO_LARGE: UpstreamUnavailable,
    Mood.WRONG_TYPE: UpstreamUnavailable,
    Mood.ERROR_500: UpstreamUnavailable,
    Mood.BUSY: UpstreamUnavailable,
    Mood.CLOSES: UpstreamUnavailable,
    Mood.REDIRECT: UpstreamRefused,
    Mood.REFUSES: UpstreamRefused,
}


@pytest.mark.parametrize("mood", FAILURES, ids=lambda mood: mood.value)
def test_whatever_is_not_a_signature_of_this_key_is_refused_and_asked_for_once(
    vault: UpstreamVault, department: UpstreamSimulator, mood: Mood
) -> None:
    department.mood, before = mood, department.asked
    with structlog.testing.capture_logs() as logs, pytest.raises(UpstreamRefused) as refused:
        vault.sign_digest(SM2_KEY, bytes(range(32)))
    assert type(refused.value) is FAILURES[mood]
    assert department.asked == before + 1
    assert logs[0]["which"] == SM2_KEY
    assert SECRET.decode() not in str(logs) + str(refused.value)
    assert base64.b64encode(bytes(range(32))).decode() not in str(logs)


def test_a_silent_system_is_waited_for_no_longer_than_it_is_given(
    department: UpstreamSimulator, holders: Holders, far_clock: ManualClock
) -> None:
    department.mood = Mood.SILENT
    with pytest.raises(UpstreamUnavailable, match="silent"):
        vault_of(department, holders, far_clock, seconds=0.1).sign_digest(SM2_KEY, bytes(32))


def test_another_secret_a_wrong_clock_and_an_unknown_key_are_told_apart(
    department: UpstreamSimulator, holders: Holders, far_clock: ManualClock
) -> None:
    department.mood = Mood.GOOD
    with pytest.raises(UpstreamLoginRefused):
        vault_of(department, holders, far_clock, secret=bytes(32)).sign_digest(SM2_KEY, bytes(32))
    late = ManualClock(far_clock.now() + timedelta(hours=1))
    with pytest.raises(UpstreamLoginRefused, match="clocks"):
        vault_of(department, holders, late).sign_digest(SM2_KEY, bytes(32))
    strange = vault_of(department, {"seal-09": holders["seal-01"]}, far_clock)
    with pytest.raises(UpstreamRefused, match="404"):
        strange.sign_digest(KeyId("upstream-dept-seal-09"), bytes(32))


def test_a_request_that_is_seen_on_the_way_cannot_be_sent_again(
    vault: UpstreamVault, department: UpstreamSimulator
) -> None:
    vault.sign_digest(SM2_KEY, bytes(32))
    seen = department.server.asked[-1]
    assert department._answer(seen).status == 401
    assert SECRET.decode() not in str(seen)


def test_three_failures_in_a_row_let_it_rest_and_one_call_tries_again(
    vault: UpstreamVault, department: UpstreamSimulator, far_clock: ManualClock
) -> None:
    department.mood = Mood.ERROR_500
    for _ in range(3):
        with pytest.raises(UpstreamUnavailable):
            vault.sign_digest(SM2_KEY, bytes(32))
    department.mood, asked = Mood.GOOD, department.asked
    with pytest.raises(UpstreamResting):
        vault.sign_digest(SM2_KEY, bytes(32))
    assert department.asked == asked
    far_clock.advance(timedelta(seconds=30))
    assert vault.sign_digest(SM2_KEY, bytes(32))
    assert vault.sign_digest(SM2_KEY, bytes(32))


def test_after_the_rest_a_single_call_goes_first(clock: ManualClock) -> None:
    breaker = Breaker(clock, failures=1, rest=timedelta(seconds=9))
    breaker.failed()
    clock.advance(timedelta(seconds=9))
    assert [breaker.admit(), breaker.admit(), breaker.admit()] == [True, False, False]
    breaker.failed()
    assert not breaker.admit()
    clock.advance(timedelta(seconds=9))
    assert breaker.admit()
    breaker.succeeded()
    assert breaker.admit()


def test_refusals_do_not_let_the_others_wait(vault: UpstreamVault, department: UpstreamSimulator) -> None:
    department.mood = Mood.REFUSES
    for _ in range(4):
        with pytest.raises(UpstreamRefused, match="409"):
            vault.sign_digest(SM2_KEY, bytes(32))
    department.mood = Mood.GOOD
    assert vault.sign_digest(SM2_KEY, bytes(32))


@pytest.mark.parametrize("name", ["", "Dept", "a-b", "9a", "x" * 21])
def test_a_system_is_called_by_a_plain_name(name: str, holders: Holders) -> None:
    with pytest.raises(KeyRefused, match="small letters"):
        Upstream(name=name, url="http://127.0.0.1", keys={})
    with pytest.raises(KeyRefused, match="name that is not used"):
        Upstream(name="dept", url="http://127.0.0.1", keys={"a b": holders["seal-01"].certificate})


def test_a_short_secret_and_a_client_outside_ascii_are_refused(clock: ManualClock) -> None:
    for client, secret in (("xinyin", b"short"), ("信印", SECRET), ("a\nb", SECRET)):
        with pytest.raises(KeyRefused):
            HmacLogin(client=client, secret=secret, clock=clock)


def test_a_system_that_tls_does_not_prove_is_not_asked(
    department: UpstreamSimulator, holders: Holders, far_clock: ManualClock
) -> None:
    upstream = Upstream(
        name="dept",
        url=department.url.replace("http:", "https:"),
        keys={"seal-01": holders["seal-01"].certificate},
    )
    before = department.asked
    with pytest.raises(UpstreamUnavailable):
        UpstreamVault(upstream, clock=far_clock, tls=ssl.create_default_context()).sign_digest(SM2_KEY, bytes(32))
    assert department.asked == before


def test_certificates_of_one_key_are_one_key_to_us(
    far_authorities: dict[str, Authority], department: UpstreamSimulator, far_clock: ManualClock
) -> None:
    authority, held = far_authorities[SM2_SM3.name], department.keys["seal-01"][0]
    renewed = authority.issue("换发", SIGNER, authority.sub_ca, key=held).certificate
    vault = vault_of(department, {"seal-01": Holder(renewed, held)}, far_clock)
    department.mood = Mood.GOOD
    assert vault.public_key(SM2_KEY).verify_digest(SM2_SM3, bytes(32), vault.sign_digest(SM2_KEY, bytes(32)))
