"""Ticks: one line a step while the story runs, and the report that remains."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console


@dataclass(slots=True, kw_only=True)
class Step:
    """One step of the story and what was seen in it."""

    name: str
    ok: bool = False
    seconds: float = 0.0
    facts: dict[str, str] = field(default_factory=dict)
    error: str | None = None


class StoryBroken(Exception):
    """A step did not show what it must; the text says what was seen instead."""


class Ticks:
    """Runs steps in order; the first broken one ends the story, and the report says where."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.steps: list[Step] = []

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Run one step; whatever it notes in ``facts`` is shown and reported."""
        step = Step(name=name)
        self.steps.append(step)
        started = time.perf_counter()
        try:
            with self._console.status(f"  {name}"):
                yield step
            step.ok = True
        except BaseException as error:
            step.error = f"{type(error).__name__}: {error}"
            raise
        finally:
            step.seconds = round(time.perf_counter() - started, 3)
            self._show(step)

    @property
    def held(self) -> bool:
        """Whether every step so far held."""
        return bool(self.steps) and all(step.ok for step in self.steps)

    def write(self, file: Path) -> None:
        """Write the report: whether the story held, and every step with its facts."""
        report = {"held": self.held, "steps": [asdict(step) for step in self.steps]}
        file.write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n")

    def _show(self, step: Step) -> None:
        mark = "[bold green]✓[/]" if step.ok else "[bold red]✗[/]"
        self._console.print(f" {mark} {step.name} [dim]{step.seconds:.1f} s[/]", highlight=False, soft_wrap=True)
        for name, value in step.facts.items():
            self._console.print(f"     [dim]{name}[/] {value}", highlight=False, soft_wrap=True)
        if step.error:
            self._console.print(f"     [red]{step.error}[/]", highlight=False, soft_wrap=True)


def expect(holds: bool, saw: str) -> None:  # noqa: FBT001 - reads as the sentence it is
    """Break the story unless ``holds``; ``saw`` says what was seen instead."""
    if not holds:
        raise StoryBroken(saw)
