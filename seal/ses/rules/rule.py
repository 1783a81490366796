"""What a rule of judging is: a check over a case, its place in the order, and the codes it may give."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Generic, TypeVar

from seal.model import Finding, Verdict

C = TypeVar("C")
Placed = tuple[int, Finding]
"""A finding and the step it belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Generic[C]):
    """One row of a table of rules. ``check`` reads its case and nothing else, and never raises."""

    name: str
    step: int
    """Which step of judging it belongs to, in the order of GM/T 0031-2014 6.2.3 (``STEPS``)."""
    asks: str
    codes: tuple[str, ...]
    """Every code it may give."""
    check: Callable[[C], Iterable[Finding]]

    def placed(self, case: C) -> list[Placed]:
        """Give its findings about ``case``."""
        return [(self.step, finding) for finding in self.check(case)]


STEPS = {
    1: "the package and its files",
    2: "the structures",
    3: "the signature value",
    4: "the signer's certificate at the time of sealing",
    5: "the time of sealing",
    6: "what was sealed",
    7: "the seal",
    8: "the time stamps",
}


def apply(rules: Iterable[Rule[C]], case: C) -> list[Placed]:
    """Give the findings of all ``rules`` about ``case``: none of them stops another."""
    return [placed for rule in rules for placed in rule.placed(case)]


def in_order(placed: Iterable[Placed]) -> tuple[Finding, ...]:
    """Give the findings in the order of the steps, within a step as they came."""
    return tuple(finding for _, finding in sorted(placed, key=itemgetter(0)))


def invalid(code: str, detail: str = "") -> Finding:
    """Make a finding that proves something wrong."""
    return Finding(code=code, verdict=Verdict.INVALID, detail=detail)


def undecided(code: str, detail: str = "") -> Finding:
    """Make a finding about what cannot be known now."""
    return Finding(code=code, verdict=Verdict.INDETERMINATE, detail=detail)


def note(code: str, detail: str = "") -> Finding:
    """Make a finding that is said and changes nothing."""
    return Finding(code=code, verdict=Verdict.VALID, detail=detail)
