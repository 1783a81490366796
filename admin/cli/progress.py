"""Progress: a bar for whoever sits at the terminal, on the error stream; scripts and files never see it."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

FEWEST = 2
"""Of one file nobody needs to be told how many are done."""


class _Rate(ProgressColumn):
    """How many files a second."""

    def render(self, task: Task) -> Text:
        """Write the rate; nothing while there is none yet."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s", style="progress.data.speed")


class Meter:
    """Counts files as a context manager; shown only for several files and on a terminal."""

    def __init__(self, what: str, total: int) -> None:
        console = Console(stderr=True)
        self._shown = total >= FEWEST and console.is_terminal and not console.is_dumb_terminal
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
        # Standard output may lead elsewhere: taken over, what scripts read would end on the terminal.
        self._bar = Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
        self._task = self._bar.add_task(what, total=total)

    def __enter__(self) -> Self:
        if self._shown:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            self._bar.stop()

    def done(self) -> None:
        """Count one more."""
        self._bar.advance(self._task)

    @contextmanager
    def aside(self, stream: TextIO) -> Iterator[None]:
        """Take the bar off the terminal while the block prints to ``stream``, if that is a terminal, too."""
        hidden = self._shown and stream.isatty()
        if hidden:
            self._bar.stop()
        try:
            yield
        finally:
            stream.flush()
            if hidden:
                self._bar.start()
