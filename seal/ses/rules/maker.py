"""The seal maker's certificate: valid when the seal was made, not revoked when it was used (GM/T 0031-2014 6.1.2)."""

from collections.abc import Iterator
from datetime import datetime

from crypto.x509 import Certificate
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
    made = made_at(case, case.maker)
    if made != case.seal.created:
        yield note(
            "SEAL_MAKER_NOT_VALID_AT_MAKE",
            f"seal made {case.seal.created.isoformat()}, maker's certificate from {made.isoformat()}",
        )
    yield from judge_certificate(
        case.maker,
        others=case.others,
        trust=case.trust,
        at=made,
        role="SEAL_MAKER",
        used_at=case.at,
        proved=case.stamp.time,
    )


def made_at(case: Case, maker: Certificate) -> datetime:
    """Give the time the maker is judged as of: when the seal was made, or when the certificate began (see above)."""
    made, began = case.seal.created, maker.not_before
    return began if case.at is not None and made < began <= case.at else made
