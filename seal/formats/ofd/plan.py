"""Where a new signature goes in an OFD package: names, numbers, and whether the earlier ones let it in."""

import posixpath
from dataclasses import dataclass
from itertools import count

from lxml import etree

from seal.errors import DocumentRefused, DocumentTooLarge, FurtherSealingForbidden, UnsupportedDocument
from seal.formats.ofd.archive import ArchiveTooLarge
from seal.formats.ofd.package import ROOT_FILE, OfdPackage, PackageError, children
from seal.formats.ofd.structure import Body, id_number, read_bodies, read_signature, read_signature_list

INTEGRITY_LIST = "OFDEntries.xml"
"""GM/T 0099: a signed list of every file of the package; a package that has one takes no new files."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Where the new signature goes and how it is numbered."""

    signatures: str
    """Signatures.xml, present or to be made."""
    new_list: bool
    folder: str
    number: int
    namespace: str

    @property
    def signature(self) -> str:
        """Signature.xml."""
        return f"{self.folder}/Signature.xml"

    @property
    def value(self) -> str:
        """The signature value."""
        return f"{self.folder}/SignedValue.dat"

    @property
    def seal(self) -> str:
        """The seal, where there is one."""
        return f"{self.folder}/Seal.esl"


def open_package(document: bytes) -> OfdPackage:
    """Open a document to be signed; DocumentTooLarge beyond the limits, PackageError for what is no package."""
    try:
        return OfdPackage(document)
    except PackageError as error:
        if isinstance(error.__cause__, ArchiveTooLarge):
            raise DocumentTooLarge(f"The OFD document is too large: {error}.") from error
        raise


def only_body(package: OfdPackage) -> Body:
    """Give the package's one document; refuses several, and a package whose files are listed and closed."""
    bodies = read_bodies(package)
    if len(bodies) != 1:
        raise UnsupportedDocument("A package of several documents is not sealed: seal each by itself.")
    if package.find(INTEGRITY_LIST) is not None:
        raise UnsupportedDocument("The package carries an integrity list (GM/T 0099) that a seal would break.")
    if bodies[0].signatures_location and bodies[0].signatures is None:
        raise DocumentRefused("OFD.xml names a signature list that is not in the package.")
    return bodies[0]


def plan_signature(package: OfdPackage, body: Body) -> Plan:
    """Choose names and numbers; refuse where a signature protects the list itself (GB/T 33190 18.1, whole mode)."""
    if body.root is None:
        raise PackageError("OFD.xml names no document root")
    folder = posixpath.join(posixpath.dirname(body.root), "Signs")
    if not folder.isascii():
        # GB/T 38540 7.1: the signature names its own file in an IA5String.
        folder = "Signs"
    numbers = [0]
    namespace = etree.QName(package.xml(root_file(package))).namespace or ""
    if body.signatures is not None:
        listed = package.xml(body.signatures)
        numbers += [id_number(element.text) for element in children(listed, "MaxSignId")]
        for row in read_signature_list(package, body.signatures):
            path = package.locate(row.location, body.signatures)
            if path is None:
                raise DocumentRefused(f"The signature {row.id} is listed but not in the package.")
            existing = read_signature(package, path)
            numbers += [id_number(row.id), *(id_number(stamp.id) for stamp in existing.stamps)]
            protected = {package.locate(reference.location, path) for reference in existing.references}
            if body.signatures in protected:
                raise FurtherSealingForbidden("An earlier signature closes the document against any later one.")
    prefix = f"{folder}/Sign_".casefold()
    taken = {path.casefold()[len(prefix) :].partition("/")[0] for path in package.paths if _begins(path, prefix)}
    index = next(number for number in count() if str(number) not in taken)
    return Plan(
        signatures=body.signatures or f"{folder}/Signatures.xml",
        new_list=body.signatures is None,
        folder=f"{folder}/Sign_{index}",
        number=max(numbers) + 1,
        namespace=namespace,
    )


def _begins(path: str, prefix: str) -> bool:
    return path.casefold().startswith(prefix)


def root_file(package: OfdPackage) -> str:
    """Give the stored name of OFD.xml."""
    path = package.find(ROOT_FILE)
    if path is None:
        raise PackageError("the package has no OFD.xml")
    return path
