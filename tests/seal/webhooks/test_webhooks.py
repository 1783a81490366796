"""Webhooks: what is told, to whom, how it is signed, and what happens while nobody hears it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from kernel.db import database_now
from kernel.errors import Forbidden
from kernel.jobs import JOBS, Jobs, Worker
from kernel.outbox import EVENTS
from seal.telling import StatusNews
from seal.webhooks import EventType, WebhookRefused, Webhooks, WebhookUnknown
from seal.webhooks.service import MOST_ENDPOINTS
from seal.webhooks.signing import signature
from tests.seal.conftest import CLERK, OWNER, SEAL, House, failing_inserts, request
from tests.sims.receiver import Received, Receiver

VECTOR = json.loads((Path(__file__).resolve().parents[2] / "vectors/standard_webhooks_v1.json").read_text())
KEY = b"k" * 32
LISTENER = replace(CLERK, rights=CLERK.rights | {"webhook.manage:*"})
OTHER = replace(LISTENER, subject="another-client", organisation="11990100MB0000000P")


def test_signatures_are_those_of_standard_webhooks() -> None:
    made = signature(VECTOR["secret"], VECTOR["id"], VECTOR["timestamp"], VECTOR["body"].encode())
    assert made == VECTOR["signature"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as one:
        yield one


class Post:
    """The webhooks of a house, and who delivers them."""

    def __init__(self, house: House, hosts: tuple[str, ...] = ("127.0.0.1",)) -> None:
        self.house = house
        self.webhooks = Webhooks(
            db=house.db,
            audit=house.audit,
            clock=house.clock,
            key=lambda: KEY,
            hosts=hosts,
            timeout=timedelta(seconds=9),
        )

    def deliver(self) -> int:
        """Do what is due, and what would be later."""
        with self.house.db.begin() as conn:
            conn.execute(sa.update(JOBS).values(due=database_now(conn)))
        return Worker(Jobs(self.house.db), self.webhooks.handlers).drain()

    def seal(self, ofd: bytes) -> str:
        return self.house.service().seal(request(ofd), CLERK).id


@pytest.fixture
def post(house: House) -> Post:
    return Post(house)


def holds(secret: str, one: Received) -> bool:
    signed = signature(secret, one.headers["webhook-id"], int(one.headers["webhook-timestamp"]), one.body)
    return signed in one.headers["webhook-signature"].split()


def test_a_completed_sealing_is_told_signed_and_without_a_name(post: Post, receiver: Receiver, ofd: bytes) -> None:
    _, secret = post.webhooks.register(receiver.url, [], LISTENER)
    sealing = post.seal(ofd)
    assert post.deliver() == 1
    (got,) = receiver.received
    told = json.loads(got.body)
    assert (told["type"], told["data"]["sealing"], told["data"]["state"]) == (
        "sealing.completed",
        sealing,
        "completed",
    )
    assert set(told["data"]) == {"sealing", "seal", "serial", "state", "document_sm3", "file_sm3", "trusted_time"}
    assert got.headers["content-type"] == "application/json"
    assert holds(secret, got)
    assert not holds("whsec_" + "A" * 44, got)
    assert post.deliver() == 0


def test_an_event_is_on_record_exactly_if_what_it_tells_of_is(post: Post, receiver: Receiver, ofd: bytes) -> None:
    post.webhooks.register(receiver.url, [EventType.SEALING_COMPLETED], LISTENER)
    with failing_inserts(post.house.db, "outbox_events"), pytest.raises(sa.exc.DBAPIError):
        post.seal(ofd)
    with post.house.db.read() as conn:
        assert conn.execute(sa.select(EVENTS.c.id)).all() == []
    assert len(post.house.service().pending()) == 1


def test_only_the_caller_is_told_of_its_sealings_and_only_what_it_asked_for(
    post: Post, receiver: Receiver, ofd: bytes
) -> None:
    post.webhooks.register(receiver.url, [], OTHER)
    post.webhooks.register(receiver.url, [EventType.BATCH_COMPLETED], LISTENER)
    post.seal(ofd)
    assert post.deliver() == 0
    assert receiver.received == []


def test_the_clients_of_a_seals_owner_are_told_when_its_status_changes(post: Post, receiver: Receiver) -> None:
    post.house.clock.advance(timedelta(seconds=1))
    post.webhooks.register(receiver.url, [], LISTENER)
    post.webhooks.register(receiver.url, [], OTHER)
    post.house.registrar.suspend(SEAL, "audit")
    news = StatusNews(post.house.db, post.house.outbox, post.house.clock)
    assert news.tell() == 4  # made, filed, active, which was before anybody listened, and suspended
    assert news.tell() == 0
    post.deliver()
    states = [json.loads(one.body)["data"]["state"] for one in receiver.received]
    assert states == ["suspended"]
    assert OWNER not in str(receiver.received)


def test_what_is_not_heard_is_told_again_with_the_same_id_until_it_is(
    post: Post, receiver: Receiver, ofd: bytes
) -> None:
    endpoint, secret = post.webhooks.register(receiver.url, [], LISTENER)
    post.seal(ofd)
    for receiver.status in (500, 302, 503):
        post.deliver()
        post.house.clock.advance(timedelta(minutes=5))
    receiver.status = 200
    assert post.deliver() == 1
    assert post.deliver() == 0
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 1
    assert len({one.headers["webhook-timestamp"] for one in receiver.received}) == 4
    assert all(holds(secret, one) for one in receiver.received)
    ((_, tries),) = post.webhooks.deliveries(endpoint.id, LISTENER)
    assert [each.status for each in tries] == [500, 302, 503, 200]
    assert [each.last for each in tries] == [False, False, False, True]


def test_after_a_day_it_is_given_up_and_can_be_asked_for_again(post: Post, receiver: Receiver, ofd: bytes) -> None:
    endpoint, _ = post.webhooks.register(receiver.url, [], LISTENER)
    post.seal(ofd)
    receiver.status = 500
    post.deliver()
    post.house.clock.advance(timedelta(hours=24))
    post.deliver()
    assert post.deliver() == 0
    receiver.status = 200
    assert post.webhooks.replay(endpoint.id, LISTENER, since=post.house.clock.now()) == 0
    ((event, _),) = post.webhooks.deliveries(endpoint.id, LISTENER)
    assert post.webhooks.replay(endpoint.id, LISTENER, event=event.id) == 1
    assert post.webhooks.replay(endpoint.id, LISTENER) == 0  # it is due already
    assert post.deliver() == 1
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 1


def test_an_endpoint_that_says_gone_is_told_nothing_more(post: Post, receiver: Receiver, ofd: bytes) -> None:
    post.webhooks.register(receiver.url, [], LISTENER)
    post.seal(ofd)
    receiver.status = 410
    post.deliver()
    assert post.webhooks.list(LISTENER) == ()
    post.seal(ofd)
    assert post.deliver() == 0
    assert "seal.webhook.ended" in post.house.actions()


def test_a_renewed_secret_and_the_one_before_both_sign_for_a_day(post: Post, receiver: Receiver, ofd: bytes) -> None:
    endpoint, old = post.webhooks.register(receiver.url, [], LISTENER)
    new = post.webhooks.rotate(endpoint.id, LISTENER)
    assert new != old
    post.seal(ofd)
    post.deliver()
    post.house.clock.advance(timedelta(days=1))
    post.seal(ofd)
    post.deliver()
    both, alone = receiver.received
    assert (holds(old, both), holds(new, both)) == (True, True)
    assert (holds(old, alone), holds(new, alone)) == (False, True)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.gov.cn/",
        "https://hooks.example.gov.cn:8443/",
        "https://user@hooks.example.gov.cn/",
        "https:///hooks",
        "ftp://hooks.example.gov.cn/",
        "https://hooks.example.gov.cn/#part",
        "https://hooks.example.gov.cn/\r\nX: 1",
        "https://[::1/",
        "https://hooks.example.gov.cn/" + "x" * 500,
    ],
)
def test_an_address_that_is_not_of_the_usual_form_is_refused(post: Post, url: str) -> None:
    with pytest.raises(WebhookRefused):
        post.webhooks.register(url, [], LISTENER)


def test_a_name_that_leads_into_the_house_is_not_told(house: House, ofd: bytes) -> None:
    guarded = Post(house, hosts=())
    endpoint, _ = guarded.webhooks.register("https://127.0.0.1/hooks", [], LISTENER)
    guarded.seal(ofd)
    guarded.deliver()
    ((_, (tried,)),) = guarded.webhooks.deliveries(endpoint.id, LISTENER)
    assert tried.status is None
    assert (tried.fault or "").startswith("forbidden")


def test_a_host_that_the_operator_named_no_longer_is_not_told(post: Post, receiver: Receiver, ofd: bytes) -> None:
    endpoint, _ = post.webhooks.register(receiver.url, [], LISTENER)
    post.seal(ofd)
    later = Post(post.house, hosts=())
    later.deliver()
    assert receiver.received == []
    ((_, (tried,)),) = later.webhooks.deliveries(endpoint.id, LISTENER)
    assert (tried.fault or "").startswith("forbidden")


def test_endpoints_are_their_clients_own_and_not_too_many(post: Post, receiver: Receiver) -> None:
    endpoint, _ = post.webhooks.register(receiver.url, [], LISTENER)
    with pytest.raises(Forbidden):
        post.webhooks.register(receiver.url, [], CLERK)
    for verb in (post.webhooks.rotate, post.webhooks.end, post.webhooks.deliveries, post.webhooks.replay):
        with pytest.raises(WebhookUnknown):
            verb(endpoint.id, OTHER)
    for _ in range(MOST_ENDPOINTS - 1):
        post.webhooks.register(receiver.url, [], LISTENER)
    with pytest.raises(WebhookRefused):
        post.webhooks.register(receiver.url, [], LISTENER)
    post.webhooks.end(endpoint.id, LISTENER)
    assert len(post.webhooks.list(LISTENER)) == MOST_ENDPOINTS - 1


def test_no_event_carries_personal_data(house: House) -> None:
    with house.db.begin() as conn, pytest.raises(ValueError, match="personal"):
        house.outbox.add(conn, key="k", kind="sealing.failed", at=house.clock.now(), client="c", data={"phone": "1"})
