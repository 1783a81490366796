"""The structure of the signature and of the seal in it (GB/T 38540 clauses 6 and 7)."""

from collections.abc import Iterator

from crypto.errors import DerError
from seal.model import Finding
from seal.ses.model import HEADER_ID, V1, V4, V5
from seal.ses.rules.case import Case
from seal.ses.rules.rule import invalid, note


def unreadable(error: DerError) -> Iterator[Finding]:
    """Say that what was given is no SES_Signature, and why."""
    yield invalid("SES_FORMAT_ERROR", str(error))


def version(case: Case) -> Iterator[Finding]:
    """Ask that header, layout and both version numbers tell of one generation."""
    signature, seal = case.signature, case.seal
    if seal.header_id != HEADER_ID:
        yield invalid("SES_VERSION_MISMATCH", f"the seal's header says {seal.header_id!r}")
    # The first generation was written under several numbers; the later ones are known by theirs.
    later = seal.header_version in (V4, V5)
    if signature.version != seal.header_version or (signature.layout == V1) != (seal.layout == V1):
        yield invalid(
            "SES_VERSION_MISMATCH",
            f"signature version {signature.version} around a seal of version {seal.header_version}",
        )
    elif later == (seal.layout == V1):
        yield invalid("SES_VERSION_MISMATCH", f"version {seal.header_version} in the layout of V{seal.layout}")


def extensions(case: Case) -> Iterator[Finding]:
    """Name critical extensions; government seals in use carry those of their vendor, so nothing fails."""
    for extension in (*case.signature.extensions, *case.seal.extensions):
        if extension.critical:
            yield note("UNKNOWN_CRITICAL_EXTENSION", extension.oid)
