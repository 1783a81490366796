"""Courses: what takes several calls, as generators that ask for calls and pauses and tell what they find."""

from collections.abc import AsyncIterator, Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from xinyin_sdk.calls import Call
from xinyin_sdk.exchange import Pause
from xinyin_sdk.line import AsyncLine, Line

T = TypeVar("T")
_FIRST_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Tell(Generic[T]):
    """Give this to whoever goes along."""

    found: T


Course: TypeAlias = Generator[Call[Any] | Pause | Tell[T], Any, None]


def watched(call: Call[T], over: Callable[[T], bool], *, every: float) -> Course[T]:
    """Ask again and again, and tell what is another than before, until it is over; soon at first, then less often."""
    pause, told = min(_FIRST_LOOK_SECONDS, every), None
    while True:
        found: T = yield call
        if found != told:
            yield Tell(found)
            told = found
        if over(found):
            return
        yield Pause(pause)
        pause = min(pause * 2, every)


def along(line: Line, course: Course[T]) -> Iterator[T]:
    """Go along a course; nothing is asked before it is needed."""
    taken: Any = None
    while True:
        try:
            step = course.send(taken)
        except StopIteration:
            return
        taken = None
        match step:
            case Tell():
                yield step.found
            case Pause():
                line.pause(step.seconds)
            case _:
                taken = line.run(step)


async def async_along(line: AsyncLine, course: Course[T]) -> AsyncIterator[T]:
    """Go along a course in an event loop."""
    taken: Any = None
    while True:
        try:
            step = course.send(taken)
        except StopIteration:
            return
        taken = None
        match step:
            case Tell():
                yield step.found
            case Pause():
                await line.pause(step.seconds)
            case _:
                taken = await line.run(step)
