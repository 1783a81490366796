"""The signature value over TBS_Sign, under the certificate in the structure."""

from collections.abc import Iterator

from seal.model import Finding
from seal.ses.rules.case import Case, value_findings
from seal.ses.rules.rule import invalid


def check(case: Case) -> Iterator[Finding]:
    """Verify it over the octets received, never over others written anew."""
    signature = case.signature
    if case.signer is None:
        yield invalid("SES_FORMAT_ERROR", "the signer's certificate cannot be read")
        return
    yield from value_findings(
        case.signer, signature.signature_oid, signature.tbs, signature.signature, "SIGNATURE_INVALID"
    )
