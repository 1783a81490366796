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
from collections.abc import Callable, Iterator, Sequence
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

    def kill(self) -> None:
        """End it now, whatever it is doing: kill -9."""
        os.kill(self.pid, signal.SIGKILL)

    def ended(self) -> list[Any]:
        """Wait for its end and give all it told; AssertionError if it broke by itself."""
        while part := os.read(self.reading, 1 << 16):
            self.told += part
        os.close(self.reading)
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.lines = [json.loads(line) for line in self.told.split(b"\n")[:-1]]
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
