"""A late time stamp of an OFD signature: the file of its value is written anew, which only a later signature covers."""

from seal.errors import DocumentRefused
from seal.formats.late import Unstamped, unstamped_value
from seal.formats.ofd.package import OfdPackage, PackageError, child_text
from seal.formats.ofd.plan import INTEGRITY_LIST, open_package
from seal.formats.ofd.structure import read_bodies, read_signature, read_signature_list


def unstamped_ofd(document: bytes) -> Unstamped:
    """Find the newest signature: that of the list of files (GM/T 0099), where there is one, else the last listed."""
    try:
        package = open_package(document)
        path = _newest_value(package)
        value, put = unstamped_value(package.read(path))
    except PackageError as error:
        raise DocumentRefused(f"The OFD document cannot be read: {error}.") from error
    return Unstamped(value, lambda token: package.archive.rewritten({path: put(token)}))


def _newest_value(package: OfdPackage) -> str:
    listed = package.find(INTEGRITY_LIST)
    if listed is not None:
        return _located(package, child_text(package.look(listed), "SignedValueLoc"), listed)
    (*_, body) = read_bodies(package)
    rows = read_signature_list(package, body.signatures) if body.signatures else ()
    if not rows or body.signatures is None:
        raise PackageError("no signature is listed")
    signature = _located(package, rows[-1].location, body.signatures)
    return _located(package, read_signature(package, signature).value_location, signature)


def _located(package: OfdPackage, location: str | None, within: str) -> str:
    path = package.locate(location, within) if location else None
    if path is None:
        raise PackageError("the newest signature's file is missing")
    return path
