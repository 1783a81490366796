"""What a network does to a client: answers that are lost, cut or somebody else's, and many callers at once."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.sdk.conftest import Running
from tests.sims.fault_proxy import Fault, FaultProxy, cut, lost, said
from xinyin_sdk import ConnectionFailed, Retries, Unavailable

SEALING = b"/sealings"
Serials = Callable[[], int]


@pytest.fixture
def proxy(running: Running) -> Iterator[FaultProxy]:
    with FaultProxy(running.port) as between:
        yield between


@pytest.fixture
def serials(running: Running, ofd: bytes) -> Serials:
    """Tell how many serials were given since it was asked last: every try to seal that the register knows of."""
    last = [0]

    def since() -> int:
        with running.client() as client:
            now = client.seals.seal(ofd, seal=running.seal).serial
        given, last[0] = now - last[0] - 1, now
        return given

    since()
    return since


@pytest.mark.parametrize(
    "fault",
    [lost, cut, said("503 Service Unavailable", "Retry-After: 0"), said("502 Bad Gateway")],
    ids=["lost", "cut", "503", "502"],
)
def test_an_answer_that_is_lost_after_sealing_is_asked_for_again_and_sealed_once(
    running: Running, proxy: FaultProxy, serials: Serials, ofd: bytes, fault: Fault
) -> None:
    proxy.faults += [(SEALING, fault), (SEALING, fault)]
    with running.client(url=proxy.url) as client:
        sealed = client.seals.seal(ofd, seal=running.seal)
    assert proxy.requests == 2
    assert sealed.replayed
    assert serials() == 1


def test_a_lost_answer_is_asked_for_again_in_an_event_loop_too(
    running: Running, proxy: FaultProxy, serials: Serials, ofd: bytes
) -> None:
    async def seal() -> bool:
        async with running.async_client(url=proxy.url) as client:
            return (await client.seals.seal(ofd, seal=running.seal)).replayed

    proxy.faults.append((SEALING, lost))
    assert asyncio.run(seal())
    assert serials() == 1


def test_a_token_and_a_file_that_are_lost_on_the_way_are_fetched_again(
    running: Running, proxy: FaultProxy, ofd: bytes
) -> None:
    proxy.faults += [(b"/oauth2/token", lost), (b"/document", cut)]
    with running.client(url=proxy.url) as client:
        assert client.seals.seal(ofd, seal=running.seal).document().startswith(b"PK")
    assert proxy.faults == []


def test_whoever_gives_up_is_told_the_key_to_go_on_with(
    running: Running, proxy: FaultProxy, serials: Serials, ofd: bytes
) -> None:
    proxy.faults.append((SEALING, lost))
    once = running.client(url=proxy.url, retries=Retries(attempts=1))
    with once, pytest.raises(ConnectionFailed) as broken:
        once.seals.seal(ofd, seal=running.seal)
    key = broken.value.idempotency_key
    with running.client() as client:
        assert client.seals.seal(ofd, seal=running.seal, idempotency_key=key).replayed
    assert serials() == 1


def test_an_address_that_must_not_be_registered_twice_is_not_asked_for_again(
    running: Running, proxy: FaultProxy
) -> None:
    proxy.faults.append((b"POST /api/seals/v1/webhooks", lost))
    with running.client(url=proxy.url) as client:
        with pytest.raises(ConnectionFailed, match="not known"):
            client.webhooks.register("https://hooks.example.gov.cn/once")
        (made,) = [each for each in client.webhooks.list() if each.url.endswith("/once")]
        proxy.faults.append((b"DELETE", lost))
        client.webhooks.end(made.id)
        assert proxy.faults == []
        assert made.id not in {each.id for each in client.webhooks.list()}
    proxy.faults.append((b"POST /api/seals/v1/webhooks", said("503 Service Unavailable")))
    with running.client(url=proxy.url) as client, pytest.raises(Unavailable):
        client.webhooks.register("https://hooks.example.gov.cn/once")
    with running.client() as client:
        for each in client.webhooks.list():
            client.webhooks.end(each.id)


def test_fifty_at_once_under_one_key_seal_once(running: Running, serials: Serials, ofd: bytes) -> None:
    together = threading.Barrier(50)

    def seal(_: int) -> tuple[str, int]:
        together.wait()
        sealed = client.seals.seal(ofd, seal=running.seal, idempotency_key="fifty")
        return sealed.id, sealed.serial

    patient = Retries(first=0.4, longest=3)
    with running.client(retries=patient) as client, ThreadPoolExecutor(50) as pool:
        assert len(set(pool.map(seal, range(50)))) == 1
    assert serials() == 1
