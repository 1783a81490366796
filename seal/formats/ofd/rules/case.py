"""What the rules about a package and about one signature of it look at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from seal.formats.ofd.package import OfdPackage, PackageError
from seal.formats.ofd.structure import (
    Body,
    ListedSignature,
    Page,
    SignatureFile,
    read_pages,
    read_signature,
    read_signature_list,
)
from seal.model import Finding

_NAMES_SHOWN = 4
_FAULTS_SHOWN = 50
"""Faults of one rule that are named one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureList:
    """The list of one document's signatures, as far as it can be read."""

    body: Body
    rows: tuple[ListedSignature, ...] = ()
    fault: str = ""
    """Why it cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The files of one listed signature, each as far as it is there and can be read."""

    row: ListedSignature
    path: str | None
    """Of Signature.xml, as with the others the stored name."""
    file: SignatureFile | None = None
    value: str | None = None
    seal: str | None = None
    octets: bytes | None = None
    """The signature value."""
    seal_octets: bytes | None = None
    fault: str = ""
    """Why one of them cannot be read."""

    @property
    def own(self) -> frozenset[str]:
        """The files that came with this signature."""
        paths = (self.file.path if self.file else None, self.value, self.seal)
        return frozenset(path for path in paths if path is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One signature of a package whose Signature.xml could be read."""

    package: OfdPackage
    body: Body
    files: Files
    file: SignatureFile
    later: frozenset[str]
    """The files of the signatures made after this one."""
    listed: frozenset[str]
    """The signature files that the lists of the package name."""
    apart: frozenset[str]
    """The files of the integrity list (GM/T 0099), if it holds: they came after every signature."""
    pages: tuple[Page, ...]
    pages_fault: str
    """Why the pages are not known."""
    covered: frozenset[str]
    """The files that the signature protects and that are there."""
    uncovered: tuple[str, ...]
    """Those it leaves open, but for what a signature cannot protect by its nature."""
    digests: dict[tuple[str, str], bytes] = field(repr=False)
    """Digests of files by name and algorithm: several signatures protect the same."""

    @property
    def exposed(self) -> tuple[str, ...]:
        """The document's own root and pages that the signature leaves open."""
        shown = (self.body.root, *(page.content for page in self.pages))
        return tuple(path for path in shown if path is not None and path not in self.covered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """How much of a package bears signatures."""

    documents: int
    bare: int
    """Documents without a signature."""
    signatures: int
    faults: int
    """What was found about lists that could not be read."""


def read_list(package: OfdPackage, body: Body) -> SignatureList:
    """Read the list of one document's signatures."""
    if body.signatures is None:
        return SignatureList(body=body)
    try:
        return SignatureList(body=body, rows=read_signature_list(package, body.signatures))
    except PackageError as error:
        return SignatureList(body=body, fault=str(error))


def read_files(package: OfdPackage, row: ListedSignature, listed_in: str) -> Files:
    """Read one signature's files."""
    path = package.locate(row.location, listed_in)
    if path is None:
        return Files(row=row, path=None)
    try:
        file = read_signature(package, path)
    except PackageError as error:
        return Files(row=row, path=path, fault=str(error))
    value = package.locate(file.value_location, path) if file.value_location else None
    seal = package.locate(file.seal_location, path) if file.seal_location else None
    try:
        octets = package.read(value) if value else None
        seal_octets = package.read(seal) if seal else None
    except PackageError as error:
        return Files(row=row, path=path, file=file, value=value, seal=seal, fault=str(error))
    return Files(row=row, path=path, file=file, value=value, seal=seal, octets=octets, seal_octets=seal_octets)


def make_case(  # noqa: PLR0913 - what a case is made of
    package: OfdPackage,
    body: Body,
    files: Files,
    file: SignatureFile,
    *,
    later: frozenset[str],
    listed: frozenset[str],
    apart: frozenset[str],
    digests: dict[tuple[str, str], bytes],
) -> Case:
    """Make the case of one signature: its pages, and what it protects of the package and what not."""
    pages, fault = _pages(package, body)
    located = (package.locate(reference.location, file.path) for reference in file.references)
    covered = frozenset(path for path in located if path is not None)
    by_nature = {body.signatures, *(files.own - {files.seal}), *later}
    return Case(
        package=package,
        body=body,
        files=files,
        file=file,
        later=later,
        listed=listed,
        apart=apart,
        pages=pages,
        pages_fault=fault,
        covered=covered,
        uncovered=tuple(path for path in package.paths if path not in covered and path not in by_nature),
        digests=digests,
    )


def _pages(package: OfdPackage, body: Body) -> tuple[tuple[Page, ...], str]:
    if body.root is None:
        return (), "the document's root is missing"
    try:
        return read_pages(package, body.root), ""
    except PackageError as error:
        return (), str(error)


def names(paths: Sequence[str]) -> str:
    """Name a few of ``paths``, and say how many more there are."""
    rest = len(paths) - _NAMES_SHOWN
    return ", ".join(paths[:_NAMES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def first(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Give some of ``findings`` as they are, and of the rest, for each code, how many there are."""
    yield from islice(findings, _FAULTS_SHOWN)
    rest: dict[str, Finding] = {}
    counts: dict[str, int] = {}
    for finding in findings:
        rest.setdefault(finding.code, finding)
        counts[finding.code] = counts.get(finding.code, 0) + 1
    for code, finding in rest.items():
        yield Finding(code=code, verdict=finding.verdict, detail=f"and {counts[code]} more")
