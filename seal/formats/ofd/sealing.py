"""Sealing OFD packages: GB/T 38540 V4 signatures that leave room for later ones (GB/T 33190 chapter 18)."""

import base64
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lxml import etree

from crypto.digests import SM3
from crypto.errors import DerError
from crypto.suites import SM2_SM3
from crypto.x509 import Certificate
from seal.errors import (
    DocumentRefused,
    DocumentTooLarge,
    FurtherSealingForbidden,
    PlacementRefused,
    SealExpired,
    SealNotUsable,
    UnsupportedDocument,
)
from seal.formats.ofd.archive import ArchiveTooLarge
from seal.formats.ofd.package import ROOT_FILE, OfdPackage, PackageError, child, children
from seal.formats.ofd.structure import (
    Body,
    Page,
    id_number,
    page_box,
    read_bodies,
    read_pages,
    read_signature,
    read_signature_list,
)
from seal.model import Credential, Mark, PreparedDocument, SignMessage
from seal.ses import SesSeal, make_ses_signature, make_tbs, parse_seseal

INTEGRITY_LIST = "OFDEntries.xml"
"""GM/T 0099: a signed list of every file of the package; a package that has one takes no new files."""
PROVIDER = {"ProviderName": "Xinyin", "Version": "2026.11", "Company": "Xinyin"}
_OVERHANG_MM = 0.5
"""How far a picture may reach over the page's edge by rounding."""


class OfdSes:
    """The ``SealFormat`` of OFD: an SM2 signature in a SESeal V4, continue mode, any number one after another."""

    name = "ofd-ses-v4"
    media_type = "application/ofd"

    def prepare(self, document: bytes, mark: Mark, credential: Credential, at: datetime) -> PreparedDocument:
        """Lay ``document`` out for sealing at ``at``.

        Refuses a credential that is not SM2 with a seal that lists it and is valid at ``at``, a package that cannot
        be read or whose signatures forbid later ones, and a place outside the page. A page below zero counts from
        the end: -1 is the last.
        """
        # 1. The seal may be used by this certificate now.
        # 2. The package takes one more signature.
        # 3. The picture's place is on a page.
        # 4. Everything but the signature's own two files is written.
        # 5. All of that is digested into Signature.xml.
        at = at.astimezone(UTC).replace(microsecond=0)
        seal = _usable_seal(credential, at)
        try:
            # 2.
            package = _open(document)
            body = _only_body(package)
            plan = _plan(package, body)
            # 3.
            page = _page(package, body, mark)
            # 4.
            changes = _listed(package, plan, seal.raw)
        except PackageError as error:
            raise DocumentRefused(f"The OFD document cannot be read: {error}.") from error
        # 5.
        files = {path: changes.get(path) for path in (*package.paths, *(set(changes) - set(package.paths)))}
        references = [
            (path, SM3.digest(package.read(path) if content is None else content))
            for path, content in sorted(files.items())
            if path != plan.signatures
        ]
        signature_xml = _signature_xml(plan, references, _Shown(page=page, mark=mark), at)
        return _PreparedOfd(
            package=package,
            changes={**changes, plan.signature: signature_xml},
            plan=plan,
            seal=seal,
            certificate=credential.certificate,
            at=at,
            document_digest=SM3.digest(signature_xml),
        )


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """Where the new signature goes and how it is numbered."""

    signatures: str
    """Signatures.xml, present or to be made."""
    new_list: bool
    folder: str
    number: int
    namespace: str

    @property
    def signature(self) -> str:
        return f"{self.folder}/Signature.xml"

    @property
    def value(self) -> str:
        return f"{self.folder}/SignedValue.dat"

    @property
    def seal(self) -> str:
        return f"{self.folder}/Seal.esl"


@dataclass(frozen=True, kw_only=True)
class _Shown:
    page: Page
    mark: Mark


@dataclass(kw_only=True)
class _PreparedOfd:
    """A package with everything in it but the signature value."""

    package: OfdPackage
    changes: Mapping[str, bytes]
    plan: _Plan
    seal: SesSeal
    certificate: Certificate
    at: datetime
    document_digest: bytes
    _used: bool = field(default=False, init=False)

    def apply(self, sign: SignMessage) -> bytes:
        """Sign and embed; a second call is a bug of the caller."""
        if self._used:
            raise RuntimeError("a prepared document is for one signature")
        self._used = True
        tbs = make_tbs(
            seseal=self.seal.raw,
            at=self.at,
            data_hash=self.document_digest,
            property_info=f"/{self.plan.signature}",
        )
        value = make_ses_signature(tbs=tbs, certificate=self.certificate, signature=sign(tbs))
        return self.package.archive.rewritten({**self.changes, self.plan.value: value})


# --- 1. the seal -----------------------------------------------------------------------------------------------


def _usable_seal(credential: Credential, at: datetime) -> SesSeal:
    if credential.suite is not SM2_SM3 or credential.seseal is None:
        raise SealNotUsable("An OFD document is sealed with an SM2 certificate and an electronic seal made for it.")
    try:
        seal = parse_seseal(credential.seseal)
    except DerError as error:
        raise SealNotUsable(f"The electronic seal cannot be read: {error}.") from error
    if not seal.lists(credential.certificate.raw):
        raise SealNotUsable("The seal does not list this certificate: have the seal made again for it.")
    if not seal.valid_at(at):
        raise SealExpired("The seal is outside its validity.")
    if not credential.certificate.not_before <= at <= credential.certificate.not_after:
        raise SealExpired("The seal's certificate is outside its validity.")
    return seal


# --- 2. the package --------------------------------------------------------------------------------------------


def _open(document: bytes) -> OfdPackage:
    try:
        return OfdPackage(document)
    except PackageError as error:
        if isinstance(error.__cause__, ArchiveTooLarge):
            raise DocumentTooLarge(f"The OFD document is too large: {error}.") from error
        raise


def _only_body(package: OfdPackage) -> Body:
    bodies = read_bodies(package)
    if len(bodies) != 1:
        raise UnsupportedDocument("A package of several documents is not sealed: seal each by itself.")
    if package.find(INTEGRITY_LIST) is not None:
        raise UnsupportedDocument("The package carries an integrity list (GM/T 0099) that a seal would break.")
    if bodies[0].signatures_location and bodies[0].signatures is None:
        raise DocumentRefused("OFD.xml names a signature list that is not in the package.")
    return bodies[0]


def _plan(package: OfdPackage, body: Body) -> _Plan:
    """Choose names and numbers; refuse where a signature protects the list itself (GB/T 33190 18.1, whole mode)."""
    if body.root is None:
        raise PackageError("OFD.xml names no document root")
    folder = posixpath.join(posixpath.dirname(body.root), "Signs")
    numbers = [0]
    namespace = etree.QName(package.xml(_root_file(package))).namespace or ""
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
    taken = {path.casefold() for path in package.paths}
    index = 0
    while any(path.startswith(f"{folder}/Sign_{index}/".casefold()) for path in taken):
        index += 1
    return _Plan(
        signatures=body.signatures or f"{folder}/Signatures.xml",
        new_list=body.signatures is None,
        folder=f"{folder}/Sign_{index}",
        number=max(numbers) + 1,
        namespace=namespace,
    )


def _root_file(package: OfdPackage) -> str:
    path = package.find(ROOT_FILE)
    if path is None:
        raise PackageError("the package has no OFD.xml")
    return path


# --- 3. the place ----------------------------------------------------------------------------------------------


def _page(package: OfdPackage, body: Body, mark: Mark) -> Page:
    pages = read_pages(package, body.root) if body.root else ()
    place = mark.placement
    index = place.page - 1 if place.page > 0 else len(pages) + place.page
    if place.page == 0 or not 0 <= index < len(pages):
        raise PlacementRefused(f"The document has {len(pages)} pages; there is no page {place.page}.")
    page = pages[index]
    box = page_box(package, body.root or "", page)
    if box is None:
        raise PackageError("the page has no size")
    right, bottom = place.x_mm + mark.picture.width_mm, place.y_mm + mark.picture.height_mm
    gaps = (place.x_mm, place.y_mm, box[0] - right, box[1] - bottom)
    if not all(gap >= -_OVERHANG_MM for gap in gaps):
        raise PlacementRefused(
            f"The page is {box[0]:g} by {box[1]:g} mm: the picture would not lie on it whole "
            f"(from {place.x_mm:g}, {place.y_mm:g} to {right:g}, {bottom:g})."
        )
    return page


# --- 4. and 5. the files ---------------------------------------------------------------------------------------


def _listed(package: OfdPackage, plan: _Plan, seseal: bytes) -> dict[str, bytes]:
    """Write the seal file and the list, and name the list in OFD.xml if no signature has been made before."""
    changes = {}
    if plan.new_list:
        path = _root_file(package)
        root = package.xml(path)
        body = child(root, "DocBody")
        if body is None:
            raise PackageError("OFD.xml names no document")
        _add(body, plan.namespace, "Signatures").text = f"/{plan.signatures}"
        changes[path] = _serialised(root)
        listed = etree.Element(
            _tag(plan.namespace, "Signatures"), nsmap={"ofd": plan.namespace} if plan.namespace else None
        )
    else:
        listed = package.xml(plan.signatures)
    changes[plan.signatures] = _serialised(_with_row(listed, plan))
    changes[plan.seal] = seseal
    return changes


def _with_row(listed: etree._Element, plan: _Plan) -> etree._Element:
    namespace = etree.QName(listed).namespace or ""
    for old in list(children(listed, "MaxSignId")):
        listed.remove(old)
    highest = etree.Element(_tag(namespace, "MaxSignId"))
    # The signature and its one stamp take a number each from the same counter.
    highest.text = str(plan.number + 1)
    listed.insert(0, highest)
    row = _add(listed, namespace, "Signature")
    row.set("ID", _id(plan.number))
    row.set("Type", "Seal")
    row.set("BaseLoc", f"/{plan.signature}")
    return listed


def _signature_xml(plan: _Plan, references: Iterable[tuple[str, bytes]], shown: _Shown, at: datetime) -> bytes:
    namespace, mark = plan.namespace, shown.mark
    root = etree.Element(_tag(namespace, "Signature"), nsmap={"ofd": namespace} if namespace else None)
    signed = _add(root, namespace, "SignedInfo")
    provider = _add(signed, namespace, "Provider")
    for attribute, text in PROVIDER.items():
        provider.set(attribute, text)
    _add(signed, namespace, "SignatureMethod").text = SM2_SM3.signature_oid
    _add(signed, namespace, "SignatureDateTime").text = at.strftime("%Y%m%d%H%M%SZ")
    protected = _add(signed, namespace, "References")
    protected.set("CheckMethod", SM3.oid)
    for path, digest in references:
        row = _add(protected, namespace, "Reference")
        row.set("FileRef", f"/{path}")
        _add(row, namespace, "CheckValue").text = base64.b64encode(digest).decode()
    stamp = _add(signed, namespace, "StampAnnot")
    stamp.set("ID", _id(plan.number + 1))
    stamp.set("PageRef", shown.page.id)
    box = (mark.placement.x_mm, mark.placement.y_mm, mark.picture.width_mm, mark.picture.height_mm)
    stamp.set("Boundary", " ".join(f"{round(number, 3):g}" for number in box))
    _add(_add(signed, namespace, "Seal"), namespace, "BaseLoc").text = f"/{plan.seal}"
    _add(root, namespace, "SignedValue").text = f"/{plan.value}"
    return _serialised(root)


def _id(number: int) -> str:
    """Write an id as the standard recommends: "s" and the number."""
    return f"s{number:03d}"


def _tag(namespace: str, name: str) -> str:
    return f"{{{namespace}}}{name}" if namespace else name


def _add(parent: etree._Element, namespace: str, name: str) -> etree._Element:
    return etree.SubElement(parent, _tag(namespace, name))


def _serialised(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


OFD_SES = OfdSes()
