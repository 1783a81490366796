"""The disk is full: of the database, then of the object store. What is refused is refused with a code, nothing is lost.

Each is put on a small file system of its own, which only root can mount, and filled up to the brim while documents
are sealed one by one over HTTP and a batch is worked on.
"""

import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from threading import Event, Thread
from time import monotonic, sleep

import httpx2
import sqlalchemy as sa

from kernel.audit import AuditLog
from kernel.errors import Reason
from kernel.problem import STATUS
from seal import store
from seal.batches.model import BatchState, BatchWish, ItemWish
from seal.request import SealRequest
from tests.inprocess import browser
from tests.reliability.bench import Bench, settled
from tests.reliability.cluster import node
from tests.reliability.databases import create
from tests.reliability.door import SEALINGS, TOKEN, door
from tests.reliability.killing import Tell, whole
from tests.reliability.sealing import document, found
from tests.seal.conftest import CLERK, SEAL

_SMALL_MIB = {"objects": 16, "sqlite": 24, "postgresql": 48}
_BEFORE, _REFUSED, _AFTER = 5, 20, 5
_IN_BATCH = 6
_PATIENCE = 90.0
CODES = {"database_unavailable", "objects_unavailable"}


def loop(engine: str, folder: Path, _: float, __: Random) -> dict[str, object]:
    """Fill each disk; AssertionError if a refusal has no code, or something acknowledged is lost."""
    assert os.geteuid() == 0, "only root can mount a small file system"
    told: Counter[str] = Counter()
    for place in ("database", "objects"):
        here = folder / place
        (here / "objects").mkdir(parents=True)
        with _mounted(_SMALL_MIB[engine if place == "database" else "objects"]) as small:
            if place == "objects":
                (here / "objects").rmdir()
                (here / "objects").symlink_to(small)
            with _database(engine, here, small if place == "database" else None) as url:
                whole(lambda _, url=url, here=here: found(here, url))  # type: ignore[misc]
                (seen,) = whole(partial(_fill, url, here, small))
                told.update({f"{place}: {what}": number for what, number in seen.items()})
    return dict(told)


@contextmanager
def _mounted(mebibytes: int) -> Iterator[Path]:
    """Give a small file system, where every user may come."""
    with tempfile.TemporaryDirectory(prefix="xinyin-small-") as folder:
        place = Path(folder) / "small"
        place.mkdir()
        place.parent.chmod(0o755)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", place], check=True)
        try:
            yield place
        finally:
            subprocess.run(["umount", "--lazy", place], check=True)


@contextmanager
def _database(engine: str, folder: Path, small: Path | None) -> Iterator[str]:
    """Give an empty database, its tables in ``small`` if that is given; PostgreSQL's log of changes is elsewhere."""
    if engine == "sqlite":
        url = f"sqlite:///{small or folder}/database.db"
        whole(lambda _: create(url))
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="xinyin-", ignore_cleanup_errors=True) as data, node(Path(data)) as server:
        url = server.database("loop", small)
        whole(lambda _: create(url))
        yield url


def _fill(url: str, folder: Path, small: Path, tell: Tell) -> None:
    bench = Bench(url, folder)
    batch = _batch(bench)
    with door(bench, bench.believed) as app:
        http = browser(app, "https://seal.test", headers={"Authorization": f"Bearer {TOKEN}"})
        ask = partial(_ask, http)
        acknowledged = {f"before {each}": ask(f"before {each}").json()["id"] for each in range(_BEFORE)}
        with _ballast(small), _working(bench):
            refused = Counter(_refused(ask, acknowledged))
            with bench.db.read() as conn:
                assert AuditLog().verify(conn).holds, "the audit log does not hold while the disk is full"
        # What was refused is asked for again, under the same keys; then it goes on.
        again = [f"full {each}" for each in range(_REFUSED)] + [f"after {each}" for each in range(_AFTER)]
        for key in again:
            answer = _patiently(ask, key)
            assert acknowledged.setdefault(key, answer) == answer, "a request was answered in two ways"
    with _working(bench):
        until = monotonic() + _PATIENCE
        while bench.batches.find(batch, CLERK).state is not BatchState.COMPLETED:
            assert monotonic() < until, "the batch did not come to its end"
            sleep(0.2)
    settled(bench, len(acknowledged) + _IN_BATCH)
    with bench.db.read() as conn:
        have = set(conn.execute(sa.select(store.COMPLETIONS.c.sealing)).scalars())
    assert set(acknowledged.values()) <= have
    tell({"sealed": len(have), **refused})


def _batch(bench: Bench) -> str:
    contents = [bench.batches.upload(document(f"batch {each}"), CLERK).sm3 for each in range(_IN_BATCH)]
    items = [ItemWish(content=each, request=SealRequest(document=b"", seal=SEAL)) for each in contents]
    return bench.batches.create(BatchWish(seal=SEAL, items=items), CLERK).id


def _ask(http: httpx2.Client, key: str) -> httpx2.Response:
    return http.post(SEALINGS, content=document(key), headers={"Idempotency-Key": key})


def _refused(ask: Callable[[str], httpx2.Response], acknowledged: dict[str, str]) -> Iterator[str]:
    """Ask until so many were refused; what is still sealed is acknowledged, the last of the room was for it."""
    codes = []
    for number in range(_REFUSED):
        answer = ask(f"full {number}")
        told = answer.json()
        if answer.status_code == 201:
            acknowledged[f"full {number}"] = told["id"]
            continue
        assert answer.status_code == STATUS[Reason.UNAVAILABLE], f"{answer.status_code} {told}"
        assert told["code"] in CODES, told
        codes.append(f"refused {told['code']}")
    assert codes, "the disk was never full"
    yield from codes


def _patiently(ask: Callable[[str], httpx2.Response], key: str) -> str:
    until = monotonic() + _PATIENCE
    while (answer := ask(key)).status_code != 201:
        # Taken for under way until its lease is over, or the database is still getting up.
        assert answer.status_code in (409, 503), answer.text
        assert monotonic() < until, f"a request is never answered: {answer.text}"
        sleep(0.2)
    return str(answer.json()["id"])


@contextmanager
def _ballast(small: Path) -> Iterator[None]:
    """Fill a file system while the block runs: every octet that is left."""
    file = small / "ballast"
    with file.open("wb", buffering=0) as ballast:
        for size in (1 << 16, 1 << 12, 1 << 6, 1):
            try:
                while ballast.write(bytes(size)) == size:
                    continue
            except OSError:
                continue
    try:
        yield
    finally:
        file.unlink()


@contextmanager
def _working(bench: Bench) -> Iterator[None]:
    """Work on jobs while the block runs."""
    stop = Event()
    thread = Thread(target=bench.worker.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
