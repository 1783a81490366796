"""Processes that are killed: what they had told before is what must still be true afterwards.

Everything is done in children, preparing and looking too: what is forked off must not have engines, pools or runtimes
of its parent's in it.
"""

import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from time import monotonic, sleep
from typing import Any, NoReturn, TypeAlias

Tell: TypeAlias = Callable[[object], None]
"""Tells the parent something that is now done: JSON, in one write, so that it arrives whole or not at all."""
Work: TypeAlias = Callable[[Tell], None]

_BROKEN = 70


@dataclass
class Child:
    """A process at work."""

    pid: int
    reading: int
    told: bytes = b""
    status: int | None = None
    lines: list[Any] = field(default_factory=list)

    @classmethod
    def start(cls, work: Work) -> "Child":
        """Fork a process that does ``work`` and ends."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _be(work, writing)
        os.close(writing)
        return cls(pid, reading)

    @classmethod
    def run(cls, command: Sequence[str], environment: Mapping[str, str]) -> "Child":
        """Start a program that tells on its standard output."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.dup2(writing, sys.stdout.fileno())
            os.execve(command[0], [*command], {**environment})  # noqa: S606 - a program of ours
        os.close(writing)
        return cls(pid, reading)

    def hear(self) -> bool:
        """Take in what it has told by now, waiting for it; False once it can tell nothing any more."""
        part = os.read(self.reading, 1 << 16)
        self.told += part
        whole, _, rest = self.told.rpartition(b"\n")
        self.lines += [json.loads(line) for line in whole.split(b"\n") if line]
        self.told = rest
        return bool(part)

    def kill(self) -> None:
        """End it now, whatever it is doing: kill -9."""
        os.kill(self.pid, signal.SIGKILL)

    def ended(self) -> list[Any]:
        """Wait for its end and give all it told; AssertionError if it broke by itself."""
        while self.hear():
            pass
        os.close(self.reading)
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if self.status not in (0, -signal.SIGKILL):
            raise AssertionError(self.lines[-1] if self.lines else f"the process ended with {self.status}")
        return self.lines

    @property
    def killed(self) -> bool:
        """Whether it was ended before it was done."""
        return self.status == -signal.SIGKILL


def _be(work: Work, writing: int) -> NoReturn:
    def tell(fact: object) -> None:
        os.write(writing, json.dumps(fact).encode() + b"\n")

    status = _BROKEN
    try:
        work(tell)
        status = 0
    except BaseException:  # noqa: BLE001 - a process edge: the parent is told
        tell(traceback.format_exc())
    finally:
        sys.stdout.flush()
        os._exit(status)


def whole(work: Work) -> list[Any]:
    """Do ``work`` in a process that nobody kills; give what it told."""
    child = Child.start(work)
    told = child.ended()
    assert not child.killed
    return told


def rounds(seconds: float) -> Iterator[int]:
    """Count rounds until the time is over; one at least."""
    until, number = monotonic() + seconds, 0
    while number == 0 or monotonic() < until:
        yield number
        number += 1


def killed_at_random(rng: Random, works: Sequence[Work], *, longest: float) -> list[Child]:
    """Run all works at once and kill each at a moment of its own, ``longest`` seconds after its first word at most."""
    children = [Child.start(work) for work in works]
    for child in children:
        select.select([child.reading], [], [], 60)
    ends = sorted((rng.uniform(0, longest), place) for place in range(len(children)))
    began = monotonic()
    for end, place in ends:
        sleep(max(0.0, began + end - monotonic()))
        children[place].kill()
    for child in children:
        child.ended()
    return children


READY, DONE, OVER = "ready", "done", "over"
"""What a member of a crew says: it can begin, one thing is done, nothing is left to do."""
Start: TypeAlias = Callable[[], Child]
_MOMENT = 0.5
"""Seconds after a word within which a blow falls: longer than most things take, so that it falls anywhere."""


@dataclass
class Toll:
    """What came of a crew whose members were killed."""

    kills: int = 0
    done: int = 0
    longest_pause: float = 0.0
    """Seconds in which nothing got done."""


class Crew:
    """Runs until one of its members says ``OVER``; about once in ``every`` things done, one of them is killed.

    For each that is killed another starts in its place.
    """

    def __init__(self, rng: Random, starts: Sequence[Start], *, every: int) -> None:
        self._rng = rng
        self._starts = starts
        self._every = every
        self._members: list[Child] = []
        self._left = self._drawn()
        self._blow: float | None = None
        self._last = monotonic()
        self.toll = Toll()

    def run(self, *, patience: float) -> Toll:
        """Work; AssertionError if nothing gets done for ``patience`` seconds, or a member breaks."""
        self._members = [start() for start in self._starts]
        self._last = monotonic()
        try:
            while self._listen(patience):
                self._strike()
        finally:
            for child in self._members:
                child.kill()
        for child in self._members:
            child.ended()
        return self.toll

    def _listen(self, patience: float) -> bool:
        """Take in what is said; False once it is over."""
        wait = 0.5 if self._blow is None else max(0.0, self._blow - monotonic())
        heard = select.select([child.reading for child in self._members], [], [], wait)[0]
        pause = monotonic() - self._last
        self.toll.longest_pause = max(self.toll.longest_pause, pause)
        assert pause < patience, f"nothing got done for {patience} seconds"
        for place, child in enumerate(self._members):
            if child.reading not in heard:
                continue
            before = len(child.lines)
            alive = child.hear()
            words = child.lines[before:]
            self._count(words.count(DONE))
            if OVER in words:
                return False
            if not alive:
                child.ended()
                self._members[place] = self._starts[place]()
        return True

    def _count(self, done: int) -> None:
        if done:
            self.toll.done += done
            self._left -= done
            self._last = monotonic()

    def _strike(self) -> None:
        """Kill a member when enough was done since the last, a moment later than the word of it."""
        if self._left > 0:
            return
        if self._blow is None:
            self._blow = monotonic() + self._rng.uniform(0, _MOMENT)
        ready = [child for child in self._members if child.lines]
        if monotonic() >= self._blow and ready:
            self._rng.choice(ready).kill()
            self.toll.kills += 1
            self._blow, self._left = None, self._drawn()

    def _drawn(self) -> int:
        return self._rng.randint(1, 2 * self._every - 1)
