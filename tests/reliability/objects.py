"""The object store under writers of the same and of different contents, killed again and again."""

from functools import partial
from pathlib import Path
from random import Random

from crypto.digests import sm3
from kernel.objects import ObjectNotFound, ObjectStore
from tests.reliability.killing import Tell, killed_at_random, rounds, whole

_WRITERS = 3
_SIZE = 200_000


def content(number: int) -> bytes:
    """Give the nth content."""
    return Random(number).randbytes(_SIZE)  # noqa: S311 - the same in every run


def loop(folder: Path, seconds: float, rng: Random) -> dict[str, int]:
    """Kill until the time is over; AssertionError if an acknowledged object is gone or any is damaged."""
    place = folder / "objects"
    place.mkdir()
    kills = kept = 0
    for number in rounds(seconds):
        start = number * 1000
        put = partial(_put, place, start)
        children = killed_at_random(rng, [put] * _WRITERS, longest=0.1)
        kills += sum(child.killed for child in children)
        told = {each for child in children for each in child.lines if each >= 0}
        kept += len(told)
        last = max(told, default=start) + 2
        whole(partial(_look, place, told, range(start, last)))
    return {"kills": kills, "objects": kept}


def _put(place: Path, start: int, tell: Tell) -> None:
    store = ObjectStore.folder(place)
    tell(-1)
    for each in range(start, start + 1000):
        store.put(content(each))
        tell(each)


def _look(place: Path, told: set[int], tried: range, _: Tell) -> None:
    store = ObjectStore.folder(place)
    for each in tried:
        key = sm3(content(each)).hex()
        try:
            assert store.get(key) == content(each)
        except ObjectNotFound:
            assert each not in told, "an acknowledged object is gone"
            assert store.put(content(each)) == key
