"""Calls to the national platform: signed, answered, and refused in each way they can go wrong."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta

import pytest
import structlog

from crypto.keys import KeyVault, VaultSigner
from crypto.suites import ES256, SM2_SM3
from kernel.clock import ManualClock
from seal.docking.errors import (
    DockingAnswerUnreadable,
    DockingDataRefused,
    DockingDeclined,
    DockingLoginRefused,
    DockingOutcomeUnknown,
    DockingRefused,
    DockingSignatureRefused,
    DockingUnavailable,
)
from seal.docking.national.model import Account, Deactivation, InvalidType, Release, Renewal, Standing, stamp
from seal.docking.national.platform import NationalPlatform
from tests.crypto.authority import NOW
from tests.sims.national import Filed, Mood, NationalSimulator

CODE, NAME = "44030000000001", "某某局审批专用章"
MOMENT = stamp(NOW)
ACCOUNT = Account(
    url="",
    client="province-44",
    secret="client-secret-of-tests",
    user="seal-office",
    password="password of the tests",
    salt="pepper-and-salt",
    identity="44000000",
)


def account(url: str, **changes: str) -> Account:
    return Account(**({each.name: getattr(ACCOUNT, each.name) for each in fields(Account)} | {"url": url} | changes))


@pytest.fixture(scope="module")
def signer(far_vault: KeyVault) -> VaultSigner:
    return VaultSigner(far_vault, far_vault.generate(SM2_SM3))


@pytest.fixture
def platform(signer: VaultSigner, clock: ManualClock) -> Iterator[NationalSimulator]:
    with NationalSimulator(ACCOUNT, signer.public_key, clock.now) as simulator:
        yield simulator


@pytest.fixture
def client(platform: NationalSimulator, signer: VaultSigner, clock: ManualClock) -> NationalPlatform:
    return client_of(platform, signer, clock)


def client_of(
    platform: NationalSimulator, signer: VaultSigner, clock: ManualClock, *, seconds: float = 5, **changes: str
) -> NationalPlatform:
    return NationalPlatform(
        account(platform.url, **changes), signer=signer, clock=clock, timeout=timedelta(seconds=seconds)
    )


def release(**changes: str) -> Release:
    given = {
        "sealCode": CODE,
        "sealName": NAME,
        "useUnitCode": "11440300MB2C92173P",
        "sealZone": "440300",
        "validStart": MOMENT,
        "validEnd": MOMENT,
        "parentSealCode": "",
        "createTime": MOMENT,
        "creater": "某某制章中心",
        "legalType": "1",
        "signature": "AAAA",
        "certStart": MOMENT,
        "certEnd": MOMENT,
        "signCert": "BBBB",
        "requestParam": 'a"b,{}',
    }
    return Release.model_validate(given | changes)


DEACTIVATION = Deactivation(
    sealName=NAME,
    cancelReason="遗失",
    cancelDescribe="",
    applyDate=MOMENT,
    signature="AAAA",
    invalidType="2",
    invalidEffectTime=MOMENT,
)


def test_a_seal_is_filed_renewed_and_put_out_of_force(client: NationalPlatform, platform: NationalSimulator) -> None:
    assert client.seal_status(CODE, NAME) is None
    assert client.release(release()).code == "0"
    assert client.seal_status(CODE, NAME) is Standing.VALID
    later = stamp(NOW + timedelta(days=400))
    client.renew(Renewal(sealCode=CODE, sealName=NAME, validEndTime=later, signature="AAAA", signCert="BBBB"))
    assert platform.seals[CODE].until == later
    assert client.deactivate(DEACTIVATION).request_id
    assert client.seal_status(CODE, NAME) is Standing.INVALID
    (gone,) = client.revoked(NOW - timedelta(days=1))
    assert (gone.code, gone.why, gone.since) == (CODE, InvalidType.LOST, NOW)
    assert client.release(release()).code == "2002"  # there already: as good as done
    assert len(platform.tokens) == 1


def test_the_list_of_revoked_seals_is_read_page_by_page_to_its_end(
    client: NationalPlatform, platform: NationalSimulator
) -> None:
    for number in range(7):
        platform.seals[str(number)] = Filed(str(number), NAME, MOMENT, "", "2", "0", MOMENT)
    assert [seal.code for seal in client.revoked(NOW, size=3)] == list("0123456")
    assert platform.calls == ["revoked"] * 3
    platform.fail(Mood.ENDLESS)
    with pytest.raises(DockingAnswerUnreadable, match="does not end"):
        list(client.revoked(NOW, size=7, most_pages=4))


def test_another_key_another_identity_and_a_used_challenge_are_refused_by_a_platform_that_looks(
    platform: NationalSimulator, far_vault: KeyVault, signer: VaultSigner, clock: ManualClock
) -> None:
    other = VaultSigner(far_vault, far_vault.generate(SM2_SM3))
    for client in (client_of(platform, other, clock), client_of(platform, signer, clock, identity="44000001")):
        with pytest.raises(DockingSignatureRefused):
            client.release(release())
    client_of(platform, signer, clock).release(release())
    assert platform._answer(platform.server.asked[-1]).body.count(b'"1005"') == 1
    assert platform.refused == ["1004", "1004", "1005"]


@pytest.mark.parametrize("changes", [{"password": "x"}, {"secret": "y"}, {"salt": "z"}, {"user": "u"}])
def test_a_wrong_account_is_told_as_such(
    platform: NationalSimulator, signer: VaultSigner, clock: ManualClock, changes: dict[str, str]
) -> None:
    with pytest.raises(DockingLoginRefused, match="docking file"):
        NationalPlatform(account(platform.url, **changes), signer=signer, clock=clock).random()


def test_a_token_that_is_over_is_had_anew_by_our_clock_and_by_the_platform_s_word(
    client: NationalPlatform, platform: NationalSimulator, clock: ManualClock
) -> None:
    client.random()
    clock.advance(timedelta(hours=3))
    client.random()
    assert len(platform.tokens) == 2
    platform.tokens.clear()
    client.release(release())
    assert platform.refused == ["1001"]
    platform.fail(Mood.TOKEN_EXPIRED)
    with pytest.raises(DockingLoginRefused, match="clocks"):
        client.random()


def test_a_used_challenge_is_replaced_once(client: NationalPlatform, platform: NationalSimulator) -> None:
    platform.fail(Mood.RANDOM_REPLAYED, only="random", times=1)
    assert client.release(release()).code == "0"
    platform.fail(Mood.RANDOM_REPLAYED, only="random")
    platform.calls.clear()
    with pytest.raises(DockingSignatureRefused):
        client.deactivate(DEACTIVATION)
    assert platform.calls == ["random", "deactivate"] * 2


QUESTION_FAILS = {
    Mood.ERROR_500: (DockingUnavailable, 3),
    Mood.WRONG_TYPE: (DockingUnavailable, 3),
    Mood.TOO_LARGE: (DockingUnavailable, 3),
    Mood.DOES_AND_CLOSES: (DockingUnavailable, 3),
    Mood.MALFORMED: (DockingAnswerUnreadable, 1),
    Mood.NO_CODE: (DockingAnswerUnreadable, 1),
    Mood.WRONG_DATA: (DockingAnswerUnreadable, 1),
    Mood.DECLINES: (DockingDeclined, 1),
}
CHANGE_FAILS: dict[Mood, type[DockingRefused]] = {
    Mood.ERROR_500: DockingOutcomeUnknown,
    Mood.WRONG_TYPE: DockingOutcomeUnknown,
    Mood.TOO_LARGE: DockingOutcomeUnknown,
    Mood.DOES_AND_CLOSES: DockingOutcomeUnknown,
    Mood.MALFORMED: DockingOutcomeUnknown,
    Mood.NO_CODE: DockingOutcomeUnknown,
    Mood.WRONG_SIGNATURE: DockingSignatureRefused,
    Mood.DECLINES: DockingDeclined,
}


@pytest.mark.parametrize("mood", QUESTION_FAILS, ids=lambda mood: mood.value)
def test_questions_are_asked_again_where_the_way_failed(
    client: NationalPlatform, platform: NationalSimulator, mood: Mood
) -> None:
    platform.seals[CODE] = Filed(CODE, NAME, MOMENT, "")
    platform.fail(mood)
    kind, times = QUESTION_FAILS[mood]
    with pytest.raises(kind):
        client.seal_status(CODE, NAME)
    assert platform.calls == ["status"] * times


@pytest.mark.parametrize("mood", CHANGE_FAILS, ids=lambda mood: mood.value)
def test_changes_are_sent_once_and_nothing_secret_is_told(
    client: NationalPlatform, platform: NationalSimulator, mood: Mood
) -> None:
    platform.fail(mood, only="release")
    with structlog.testing.capture_logs() as logs, pytest.raises(CHANGE_FAILS[mood]) as refused:
        client.release(release())
    assert platform.calls == ["random", "release"]
    said = f"{logs} {refused.value!r} {refused.value.__cause__!r} {client._account!r}"
    hidden = (ACCOUNT.secret, ACCOUNT.password, ACCOUNT.salt, "张三", NAME, *platform.tokens)
    assert not [each for each in hidden if each in said]


def test_a_slow_platform_is_waited_for_no_longer_than_it_is_given(
    platform: NationalSimulator, signer: VaultSigner, clock: ManualClock
) -> None:
    client = client_of(platform, signer, clock, seconds=0.2)
    platform.fail(Mood.SLOW, only="release")
    with pytest.raises(DockingOutcomeUnknown, match="silent"):
        client.release(release())


def test_a_new_secret_is_had_and_the_old_one_is_over(
    client: NationalPlatform, platform: NationalSimulator, signer: VaultSigner, clock: ManualClock
) -> None:
    secret = client.refresh_secret()
    with pytest.raises(DockingLoginRefused):
        client.random()
    assert client_of(platform, signer, clock, secret=secret).random()


def test_what_does_not_fit_the_form_is_never_sent(
    platform: NationalSimulator, far_vault: KeyVault, signer: VaultSigner, clock: ManualClock
) -> None:
    with pytest.raises(DockingDataRefused, match="identity"):
        client_of(platform, signer, clock, identity="a||b").release(release())
    with pytest.raises(DockingDataRefused, match="requestParam"):
        client_of(platform, signer, clock).release(release(requestParam="a|b"))
    with pytest.raises(DockingDataRefused, match="SM2"):
        client_of(platform, VaultSigner(far_vault, far_vault.generate(ES256)), clock)
    assert "release" not in platform.calls
