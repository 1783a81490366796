"""A row of a benchmark: ours against a peer, both measured in turn in one run, and whether the ratio is reached."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Percentiles of what one operation cost; ``p99`` is None where a peer only tells its mean."""

    p50: float
    p99: float | None

    @classmethod
    def of(cls, costs: Sequence[float]) -> "Spread":
        """Give the percentiles of single measurements."""
        ranked = sorted(costs)
        last = len(ranked) - 1
        return cls(p50=ranked[last // 2], p99=ranked[round(last * 0.99)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison. ``reach`` is the least ratio that must hold; None where the row only informs."""

    work: str
    unit: str
    ours: Spread
    peer: str
    theirs: Spread
    reach: float | None = None

    @property
    def ratio(self) -> float:
        """Say how many times cheaper ours is, by medians."""
        return self.theirs.p50 / self.ours.p50

    @property
    def holds(self) -> bool:
        """Say whether the ratio is reached."""
        return self.reach is None or self.ratio >= self.reach

    def as_dict(self) -> dict[str, object]:
        """Give the row as the JSON of ``xinyin bench`` shows it."""
        return {
            "work": self.work,
            "unit": self.unit,
            "ours": _rounded(self.ours),
            "peer": {"name": self.peer, **_rounded(self.theirs)},
            "ratio": float(f"{self.ratio:.3g}"),
            "reach": self.reach,
            "holds": self.holds,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """An operation to be measured, ``times`` times in each round."""

    run: Callable[[], object]
    times: int


def cpu_microseconds(contenders: Sequence[Contender], *, rounds: int) -> tuple[Spread, ...]:
    """Measure the contenders in turn, round by round, each operation by this thread's CPU time in µs.

    What disturbs the machine for a while thus disturbs all of them. One unmeasured run of each comes first.
    """
    costs: list[list[float]] = [[] for _ in contenders]
    for contender in contenders:
        contender.run()
    for _ in range(rounds):
        for contender, measured in zip(contenders, costs, strict=True):
            for _ in range(contender.times):
                began = time.thread_time_ns()
                contender.run()
                measured.append((time.thread_time_ns() - began) / 1000)
    return tuple(Spread.of(measured) for measured in costs)


def _rounded(spread: Spread) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 2) for name, value in asdict(spread).items()}
