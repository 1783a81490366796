"""Whom the seal allows to sign with it."""

from collections.abc import Iterator

from seal.model import Finding
from seal.ses.rules.case import Case
from seal.ses.rules.rule import invalid


def check(case: Case) -> Iterator[Finding]:
    """Look for the same octets, or their plain SM3; names of certificates, as one V1 vendor lists, allow nobody."""
    if not case.seal.lists(case.signature.certificate):
        yield invalid("SIGNER_NOT_IN_SEAL", "the seal does not allow this certificate to sign with it")
