"""One Idempotency-Key from many callers at once, to two server processes that are killed: one seal, one answer."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from time import monotonic, sleep

import httpx2
import uvicorn

from tests.reliability.bench import Bench, settled
from tests.reliability.databases import fresh
from tests.reliability.door import SEALINGS, TOKEN, door
from tests.reliability.killing import READY, Child, Tell, rounds, whole
from tests.reliability.sealing import document, found

_SERVERS = 2
_CALLERS = 50
_PATIENCE = 90.0
_LEASE = timedelta(seconds=2)


def loop(engine: str, folder: Path, seconds: float, rng: Random) -> dict[str, object]:
    """Ask until the time is over; AssertionError if one key was sealed for twice, or answered in two ways."""
    (folder / "objects").mkdir()
    asked = replayed = waited = cut = 0
    with fresh(engine) as url, _ports() as ports:
        whole(lambda _: found(folder, url))
        for number in rounds(seconds):
            key, other = f"{number}", f"{number} cut off"
            with _serving(url, folder, ports):
                ((answers, first),) = whole(partial(_ask, ports, key))
                waited, replayed = waited + answers["409"], replayed + answers["201"] - 1
                (seen,) = whole(partial(_once, ports, key, f"{number} of another body"))
                assert seen == [422, "idempotency_mismatch"], f"another body under the same key: {seen}"
                # All servers die while fifty callers wait for one answer.
                callers = Child.start(partial(_ask_in_vain, ports, other))
                assert callers.hear()
                sleep(rng.uniform(0.0, 0.05))
            with _serving(url, folder, ports):
                cut += callers.ended()[-1]
                ((_, again),) = whole(partial(_ask, ports, key))
                assert again == first, "a restart changed the answer"
                whole(partial(_ask, ports, other))
            asked += 4 * _CALLERS
            whole(partial(_look, url, folder, 2 * (number + 1)))
    return {"requests": asked, "told to wait": waited, "given again": replayed, "cut off": cut, "keys": asked // 100}


@contextmanager
def _ports() -> Iterator[list[socket.socket]]:
    """Give sockets that listen whoever serves: what is started again listens where callers know it."""
    listening = [socket.create_server(("127.0.0.1", 0), backlog=256) for _ in range(_SERVERS)]
    for each in listening:
        each.set_inheritable(True)
    try:
        yield listening
    finally:
        for each in listening:
            each.close()


@contextmanager
def _serving(url: str, folder: Path, ports: list[socket.socket]) -> Iterator[None]:
    """Serve in as many processes as there are ports; at the end of the block all are killed."""
    servers = [Child.start(partial(_serve, url, folder, port)) for port in ports]
    try:
        for server in servers:
            assert server.hear(), server.ended()
        yield
    finally:
        for server in servers:
            server.kill()
        for server in servers:
            server.ended()


def _serve(url: str, folder: Path, port: socket.socket, tell: Tell) -> None:
    bench = Bench(url, folder, lease=_LEASE)
    with door(bench, bench.believed) as app:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        tell(READY)
        server.run(sockets=[port])


def _post(ports: list[socket.socket], caller: int, key: str, body: str) -> httpx2.Response:
    address = "http://{}:{}".format(*ports[caller % _SERVERS].getsockname())
    headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": key}
    return httpx2.post(address + SEALINGS, content=document(body), headers=headers, timeout=_PATIENCE)


def _ask(ports: list[socket.socket], key: str, tell: Tell) -> None:
    """Let every caller ask at once, and again until they have their answer: it must be one."""
    codes = {"201": 0, "409": 0}
    until = monotonic() + _PATIENCE

    def ask(caller: int) -> tuple[str, ...]:
        while True:
            answer = _post(ports, caller, key, key)
            told = answer.json()
            assert answer.status_code in (201, 409), f"{answer.status_code} {told}"
            codes[str(answer.status_code)] += 1
            if answer.status_code == 201:
                return tuple(str(told[name]) for name in ("id", "serial", "file_sm3", "sealed_at"))
            assert told["code"] == "sealing_in_progress", told
            assert monotonic() < until, "nobody was ever answered"
            sleep(0.1)

    with ThreadPoolExecutor(_CALLERS) as callers:
        answers = set(callers.map(ask, range(_CALLERS)))
    assert len(answers) == 1, f"{len(answers)} answers to one key"
    tell((codes, *answers))


def _ask_in_vain(ports: list[socket.socket], key: str, tell: Tell) -> None:
    """Let every caller ask once; tell as soon as one has an answer, and at the end how many got none."""

    def ask(caller: int) -> bool:
        try:
            assert _post(ports, caller, key, key).status_code in (201, 409)
        except httpx2.TransportError:
            return True
        tell(READY)
        return False

    with ThreadPoolExecutor(_CALLERS) as callers:
        tell(sum(callers.map(ask, range(_CALLERS))))


def _once(ports: list[socket.socket], key: str, body: str, tell: Tell) -> None:
    answer = _post(ports, 0, key, body)
    tell((answer.status_code, answer.json()["code"]))


def _look(url: str, folder: Path, sealings: int, _: Tell) -> None:
    settled(Bench(url, folder), sealings)
