"""The signer's certificate: chain and usage, then validity and revocation at the time of sealing."""

from collections.abc import Iterator

from seal.model import Finding
from seal.ses.rules.case import Case
from seal.ses.rules.rule import undecided
from seal.trust import judge_certificate


def check(case: Case) -> Iterator[Finding]:
    """Judge it as of one time: what the standard asks in two steps is one."""
    if case.signer is not None and case.at is not None:
        yield from judge_certificate(
            case.signer, others=case.others, trust=case.trust, at=case.at, role="SIGNER", proved=case.stamp.time
        )


def time(case: Case) -> Iterator[Finding]:
    """Ask for a time: without one nothing can be asked as of it."""
    if case.at is None:
        yield undecided("SIGN_TIME_UNKNOWN", "no time of sealing can be read")
