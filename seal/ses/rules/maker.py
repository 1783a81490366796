"""The seal maker's certificate: valid when the seal was made, not revoked when it was used (GM/T 0031-2014 6.1.2)."""

from collections.abc import Iterator

from seal.model import Finding
from seal.ses.rules.case import Case
from seal.ses.rules.rule import note
from seal.trust import judge_certificate


def check(case: Case) -> Iterator[Finding]:
    """Judge it; that the seal is older than it is a note, if it had begun when the seal signed.

    A tax authority's seals in use are like that, made days before their maker's certificate was renewed.
    """
    if case.maker is None:
        return
    made = case.seal.created
    if made < case.maker.not_before and case.at is not None and case.maker.not_before <= case.at:
        yield note(
            "SEAL_MAKER_NOT_VALID_AT_MAKE",
            f"seal made {made.isoformat()}, maker's certificate from {case.maker.not_before.isoformat()}",
        )
        made = case.maker.not_before
    yield from judge_certificate(
        case.maker,
        others=case.others,
        trust=case.trust,
        at=made,
        role="SEAL_MAKER",
        used_at=case.at,
        proved=case.stamp.time,
    )
