"""The digest of what was sealed."""

from collections.abc import Iterator

from seal.model import Finding
from seal.ses.rules.case import Case
from seal.ses.rules.rule import invalid


def check(case: Case) -> Iterator[Finding]:
    """Compare plain SM3 digests, without a Z value (GB/T 38540 7.2)."""
    if case.signature.data_hash != case.digest:
        yield invalid("DATA_HASH_MISMATCH", "the signature is about other octets than these")
