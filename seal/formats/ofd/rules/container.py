"""The package, its lists of signatures, and each signature's own files (GB/T 33190 chapters 7 and 18)."""

from collections.abc import Iterator

from seal.formats.ofd.package import PackageError
from seal.formats.ofd.rules.case import Files, Sealed, SignatureList
from seal.formats.ofd.structure import SIGN_KIND
from seal.model import Finding, Verdict
from seal.ses.rules import invalid, undecided


def unreadable(error: PackageError) -> Iterator[Finding]:
    """Say that what was given is no package that can be read, and why."""
    yield invalid("PACKAGE_MALFORMED", str(error))


def signature_list(listed: SignatureList) -> Iterator[Finding]:
    """Ask that a list that is named be there and readable."""
    body = listed.body
    if body.signatures_location is not None and body.signatures is None:
        yield invalid("SIGNATURE_FILE_MISSING", f"{body.signatures_location} is missing")
    if listed.fault:
        yield invalid("PACKAGE_MALFORMED", listed.fault)


def named_once(read: tuple[SignatureList, tuple[Files, ...]]) -> Iterator[Finding]:
    """Ask that a list name each signature once."""
    listed, files = read
    paths = [each.file.path for each in files if each.file]
    values = [each.octets for each in files if each.octets is not None]
    # No two signatures have one value: the same octets in another file are the same signature.
    if len(set(paths)) != len(paths) or len(set(values)) != len(values):
        yield invalid("PACKAGE_MALFORMED", f"{listed.body.signatures} lists one signature twice")


def signature_files(files: Files) -> Iterator[Finding]:
    """Ask that Signature.xml and the signature value be there and readable."""
    if files.path is None:
        yield invalid("SIGNATURE_FILE_MISSING", f"{files.row.location} is missing")
    if files.file is not None and files.value is None:
        yield invalid("SIGNED_VALUE_MISSING", f"{files.file.value_location or 'its location'} is missing")
    if files.fault:
        yield invalid("PACKAGE_MALFORMED", files.fault)


def seal_file(files: Files) -> Iterator[Finding]:
    """Ask that a seal file that is named be there; whether it is the right one is asked of the seal.

    In a plain signature there is no seal: readers would draw one there that the signer need not have.
    """
    if files.file is not None and files.file.seal_location and files.seal is None:
        yield invalid("SEAL_FILE_MISMATCH", f"{files.file.seal_location} is missing")
    elif files.seal is not None and files.row.kind == SIGN_KIND:
        yield invalid("SEAL_FILE_MISMATCH", f"{files.seal} is the seal of no seal's signature")


def sealed(package: Sealed) -> Iterator[Finding]:
    """Ask that all documents be sealed: signatures of one say nothing about another that a reader may show."""
    if package.bare and package.signatures:
        yield undecided(
            "DOCUMENT_WITHOUT_SEAL",
            f"{package.bare} of the package's {package.documents} documents bear no signature",
        )
    elif not package.signatures and not package.faults:
        yield Finding(code="NO_SIGNATURE", verdict=Verdict.UNSIGNED)
