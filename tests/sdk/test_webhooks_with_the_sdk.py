"""Messages of the service, believed and not, and the addresses they go to."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seal.webhooks.signing import signed_headers
from tests.sdk.conftest import Running
from tests.sims.receiver import Received, Receiver
from xinyin_sdk import Webhook, WebhookRefused, Xinyin

VECTOR = json.loads((Path(__file__).resolve().parents[1] / "vectors/standard_webhooks_v1.json").read_text())
OTHER = "whsec_" + "A" * 44
EVENT = b'{"type":"sealing.completed","timestamp":"2026-11-22T08:00:00+00:00","data":{"serial":7}}'


def signed(body: bytes, at: float, *secrets: str) -> dict[str, str]:
    """Sign as the service does."""
    return dict(signed_headers(secrets or (VECTOR["secret"],), "evt_1", datetime.fromtimestamp(at, UTC), body))


def hook(*secrets: str, now: float = 1000.0) -> Webhook:
    return Webhook(*(secrets or (VECTOR["secret"],)), clock=lambda: now)


def test_the_standards_own_message_bears_a_good_signature() -> None:
    headers = {
        "Webhook-Id": VECTOR["id"],
        "Webhook-Timestamp": str(VECTOR["timestamp"]),
        "Webhook-Signature": VECTOR["signature"],
    }
    # It is signed, and no event of ours.
    with pytest.raises(WebhookRefused, match="no event"):
        hook(now=VECTOR["timestamp"]).verify(headers, VECTOR["body"])


def test_a_genuine_message_is_read() -> None:
    event = hook().verify(signed(EVENT, 1000), EVENT)
    assert (event.id, event.type, event.data) == ("evt_1", "sealing.completed", {"serial": 7})
    assert event.at == datetime(2026, 11, 22, 8, tzinfo=UTC)
    assert hook().verify({k.title(): v for k, v in signed(EVENT, 1000).items()}, EVENT.decode()) == event


def test_of_several_signatures_and_several_secrets_one_must_fit() -> None:
    assert hook().verify(signed(EVENT, 1000, OTHER, VECTOR["secret"]), EVENT).id
    assert hook(OTHER, VECTOR["secret"]).verify(signed(EVENT, 1000), EVENT).id
    headers = signed(EVENT, 1000)
    headers["webhook-signature"] = "v1a,AAAA v2,BBBB " + headers["webhook-signature"]
    assert hook().verify(headers, EVENT).id


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,证"},
        {"webhook-id": "evt_2"},
        {"webhook-id": ""},
        {"webhook-timestamp": "1001"},
        {"webhook-timestamp": "1e3"},
        {"webhook-timestamp": "-1000"},
        {"webhook-timestamp": "９９９"},
        {"webhook-timestamp": ""},
    ],
    ids=str,
)
def test_a_message_whose_headers_were_changed_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(WebhookRefused):
        hook().verify({**signed(EVENT, 1000), **changed}, EVENT)


def test_a_message_of_another_body_scheme_or_secret_is_refused() -> None:
    good = signed(EVENT, 1000)
    other_scheme = {**good, "webhook-signature": good["webhook-signature"].replace("v1,", "v2,")}
    for headers, body in (
        (good, EVENT + b" "),
        (good, EVENT.replace(b"7", b"8")),
        (other_scheme, EVENT),
        (signed(EVENT, 1000, OTHER), EVENT),
        ({}, EVENT),
    ):
        with pytest.raises(WebhookRefused):
            hook().verify(headers, body)


@pytest.mark.parametrize(("now", "fresh"), [(1300, True), (1301, False), (700, True), (699, False)])
def test_a_message_is_believed_for_five_minutes(now: float, *, fresh: bool) -> None:
    headers = signed(EVENT, 1000)
    if fresh:
        assert hook(now=now).verify(headers, EVENT).id
    else:
        with pytest.raises(WebhookRefused, match="clock"):
            hook(now=now).verify(headers, EVENT)
    assert hook(now=now).verify(headers, EVENT, tolerance=600).id


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_***", "证"])
def test_what_is_no_secret_is_told_at_once_and_not_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match="secret") as told:
        Webhook(secret)
    assert "***" not in str(told.value)
    with pytest.raises(ValueError, match="secret"):
        Webhook()
    assert VECTOR["secret"][6:] not in repr(hook())


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as one:
        yield one


def _first(receiver: Receiver) -> Received:
    receiver.heard.wait(30)
    return receiver.received[0]


def test_what_the_service_sends_is_believed_and_sent_again_when_asked(
    office: Xinyin, running: Running, receiver: Receiver, ofd: bytes
) -> None:
    endpoint = office.webhooks.register(receiver.url, events=["sealing.completed"])
    assert [(each.id, each.events) for each in office.webhooks.list()] == [(endpoint.id, ("sealing.completed",))]
    sealed = office.seals.seal(ofd, seal=running.seal)
    message = _first(receiver)
    event = Webhook(endpoint.secret).verify(message.headers, message.body)
    assert (event.type, event.data["sealing"], event.data["serial"]) == ("sealing.completed", sealed.id, sealed.serial)
    receiver.heard.clear()
    renewed = office.webhooks.renew_secret(endpoint.id).secret
    assert office.webhooks.replay(endpoint.id, event=event.id).due == 1
    receiver.heard.wait(30)
    again = receiver.received[-1]
    for secret in (endpoint.secret, renewed):
        assert Webhook(secret).verify(again.headers, again.body) == event
    (delivery,) = office.webhooks.deliveries(endpoint.id)
    assert (delivery.event, delivery.heard) == (event.id, True)
    office.webhooks.end(endpoint.id)
    assert office.webhooks.list() == ()
