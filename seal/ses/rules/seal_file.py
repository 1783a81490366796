"""The seal delivered beside the signature."""

from collections.abc import Iterator

from seal.model import Finding
from seal.ses.rules.case import Case
from seal.ses.rules.rule import invalid


def check(case: Case) -> Iterator[Finding]:
    """Compare it with the one inside, octet for octet."""
    if case.seal_file is not None and case.seal_file != case.seal.raw:
        yield invalid("SEAL_FILE_MISMATCH", "the seal beside the signature is not the one in it")
