"""The seal's own validity when it was used."""

from collections.abc import Iterator

from seal.model import Finding
from seal.ses.rules.case import Case
from seal.ses.rules.rule import invalid


def check(case: Case) -> Iterator[Finding]:
    """Ask that the time lie within it, both ends included."""
    seal = case.seal
    if case.at is not None and not seal.valid_at(case.at):
        span = f"{seal.valid_from.isoformat()} to {seal.valid_to.isoformat()}"
        yield invalid("SEAL_NOT_VALID_AT_SIGN_TIME", f"{case.at.isoformat()} is outside {span}")
