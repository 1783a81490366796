"""The maker's signature over the seal."""

from collections.abc import Iterator

from seal.model import Finding
from seal.ses.rules.case import Case, value_findings
from seal.ses.rules.rule import invalid


def check(case: Case) -> Iterator[Finding]:
    """Verify it over what the maker signed, which differs by generation: ``SesSeal.signed`` knows."""
    seal = case.seal
    if case.maker is None:
        yield invalid("SEAL_SIGNATURE_INVALID", "the seal maker's certificate cannot be read")
        return
    yield from value_findings(case.maker, seal.signature_oid, seal.signed, seal.signature, "SEAL_SIGNATURE_INVALID")
