"""The references: every protected file is there, with the digest it had (GB/T 33190 18.2.2)."""

from collections.abc import Iterator, Mapping

from crypto.digests import MD5, SHA1, SHA256, SHA384, SHA512, SM3, DigestAlgorithm
from seal.formats.ofd.package import PackageError
from seal.formats.ofd.rules.case import Case, first
from seal.model import Finding
from seal.ses.rules import invalid, note, undecided

CHECK_METHODS: Mapping[str, DigestAlgorithm] = {
    name: row
    for row in (SM3, SHA256, SHA384, SHA512, SHA1, MD5)
    for name in (row.oid, row.name.replace("-", ""), *row.aliases)
}
DEFAULT_CHECK_METHOD = "MD5"
"""GB/T 33190 table 79: what a missing CheckMethod means."""


def method(case: Case) -> Iterator[Finding]:
    """Ask that the digest algorithm be known, and not one that can be deceived."""
    algorithm = _algorithm(case)
    if algorithm is None:
        yield undecided("ALGORITHM_UNSUPPORTED", f"CheckMethod {case.file.check_method}")
    elif algorithm.weak:
        yield note("WEAK_DIGEST", algorithm.name)


def check(case: Case) -> Iterator[Finding]:
    """Ask that every protected file have its digest; of a thousand faults some are named and the rest counted."""
    yield from first(_faults(case))


def _algorithm(case: Case) -> DigestAlgorithm | None:
    name = case.file.check_method or DEFAULT_CHECK_METHOD
    return CHECK_METHODS.get(name.strip().upper().replace("-", ""))


def _faults(case: Case) -> Iterator[Finding]:
    algorithm = _algorithm(case)
    for reference in case.file.references:
        path = case.package.locate(reference.location, case.file.path)
        if path is None:
            yield invalid("REFERENCE_MISSING", reference.location)
        elif algorithm is not None:
            yield from _fault(case, path, reference.check_value, algorithm)


def _fault(case: Case, path: str, expected: bytes | None, algorithm: DigestAlgorithm) -> Iterator[Finding]:
    key = path, algorithm.name
    try:
        if key not in case.digests:
            case.digests[key] = algorithm.digest(case.package.read(path))
    except PackageError as error:
        yield invalid("PACKAGE_MALFORMED", str(error))
        return
    if case.digests[key] != expected:
        yield invalid("REFERENCE_MISMATCH", path)
