"""The seal's status in the register when it was used."""

from collections.abc import Iterator

from seal.model import Finding
from seal.ses.rules.case import Case
from seal.trust import judge_seal_status


def check(case: Case) -> Iterator[Finding]:
    """Ask the register, if there is one."""
    if case.at is not None:
        yield from judge_seal_status(case.seal.esid, trust=case.trust, at=case.at)
