"""The time stamps over the signature's value and over the seal's (GB/T 20520)."""

from collections.abc import Iterator
from datetime import timedelta

from seal.model import Finding
from seal.ses.rules.case import Case
from seal.ses.rules.rule import invalid
from seal.stamps import read_stamp

STAMP_LAG = timedelta(minutes=5)
"""How far the signer's clock may run ahead of the time stamper's."""


def signature_stamp(case: Case) -> Iterator[Finding]:
    """Ask that the stamp be true, of someone trusted, and not older than what it stamps."""
    yield from case.stamp.findings
    if case.stamp.time and case.signature.time and case.signature.time > case.stamp.time + STAMP_LAG:
        yield invalid("TIMESTAMP_INVALID", "the time stamp is older than the time the signer claims")


def seal_stamp(case: Case) -> Iterator[Finding]:
    """Judge the stamp that a seal of GM/T 0031-2025 may carry over its maker's value."""
    yield from read_stamp(case.seal.timestamp, covered=case.seal.signature, trust=case.trust).findings
