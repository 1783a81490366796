"""The database's primary is killed and its synchronous standby promoted, while writers seal.

They know one address with both hosts. Whatever they could not be sure of they ask again under the same key.
"""

import select
import tempfile
from contextlib import suppress
from functools import partial
from itertools import count, pairwise
from pathlib import Path
from random import Random
from time import monotonic, sleep
from typing import NamedTuple

import sqlalchemy as sa

from kernel.errors import Refusal
from seal.errors import SealingInProgress
from seal.request import SealRequest
from tests.reliability.bench import Bench, settled
from tests.reliability.cluster import Pair, pair
from tests.reliability.killing import Child, Tell, rounds, whole
from tests.reliability.sealing import document, found
from tests.seal.conftest import CLERK, SEAL

_WRITERS = 3
_SOME = 5
_PATIENCE = 90.0


class Told(NamedTuple):
    """What a writer tells: when which request got its answer, and how often it was asked again."""

    at: float
    key: str
    sealing: str
    again: int


def loop(folder: Path, seconds: float, rng: Random) -> dict[str, object]:
    """Fail over until the time is over; AssertionError if what was acknowledged is lost or stands twice."""
    sealed = unknown = fails = 0
    gap = 0.0
    for number in rounds(seconds):
        place = folder / str(number)
        (place / "objects").mkdir(parents=True)
        with (
            tempfile.TemporaryDirectory(prefix="xinyin-", ignore_cleanup_errors=True) as data,
            pair(Path(data)) as servers,
        ):
            told, pause = _over(servers, place, rng)
            whole(partial(_look, servers.url, place, {each.key: each.sealing for each in told}))
        sealed, fails, gap = sealed + len(told), fails + 1, max(gap, pause)
        unknown += sum(bool(each.again) for each in told)
    return {"primaries killed": fails, "sealings": sealed, "asked again": unknown, "longest gap s": round(gap, 1)}


def _over(servers: Pair, place: Path, rng: Random) -> tuple[list[Told], float]:
    """Let writers seal through a failover; give what they told, and the longest time one of them got nothing done."""
    whole(lambda _: found(place, servers.url))
    stop = place / "stop"
    writers = [Child.start(partial(_seal, servers.url, place, name, stop)) for name in range(_WRITERS)]
    try:
        _each_told(writers, _SOME)
        sleep(rng.random())
        servers.primary.kill()
        began = monotonic()
        servers.standby.run("pg_ctl", "-D", str(servers.standby.folder), "-w", "promote")
        # Whoever had told so many has been asking the one that was promoted.
        _each_told(writers, max(len(writer.lines) for writer in writers) + _SOME)
    finally:
        stop.touch()
    told = [[Told(*words) for words in writer.ended()] for writer in writers]
    gaps = [later.at - earlier.at for own in told for earlier, later in pairwise(own) if earlier.at < began < later.at]
    return [each for own in told for each in own], max(gaps)


def _each_told(writers: list[Child], number: int) -> None:
    """Wait until each has told of so many sealings."""
    until = monotonic() + _PATIENCE
    while any(len(writer.lines) < number for writer in writers):
        assert monotonic() < until, "a writer got nothing done"
        for ready in select.select([writer.reading for writer in writers], [], [], 1)[0]:
            child = next(writer for writer in writers if writer.reading == ready)
            assert child.hear(), child.ended()


def _seal(url: str, folder: Path, name: int, stop: Path, tell: Tell) -> None:
    bench = Bench(url, folder)
    for number in count():
        if stop.exists():
            return
        key, until = f"{name}-{number}", monotonic() + _PATIENCE
        for again in count():
            assert monotonic() < until, "a request never got its answer"
            try:
                made = bench.sealing.seal(SealRequest(document=document(key), seal=SEAL, idempotency_key=key), CLERK)
            except (sa.exc.OperationalError, SealingInProgress):
                sleep(0.1)
                continue
            tell((monotonic(), key, made.id, again))
            break


def _look(url: str, folder: Path, told: dict[str, str], _: Tell) -> None:
    bench = Bench(url, folder)
    for key, sealing in told.items():
        with suppress(Refusal):
            progress = bench.sealing.progress(sealing, CLERK)
            assert progress.completion is not None, "an acknowledged sealing is not completed"
            assert progress.intent.idempotency_key == key
            continue
        raise AssertionError("an acknowledged sealing is lost")
    settled(bench, len(told))
