"""What an OFD package says of itself: documents, pages, signature lists, signatures (GB/T 33190 chapters 7 and 18)."""

import base64
import re
from dataclasses import dataclass

from lxml import etree

from seal.formats.ofd.numbers import numbers
from seal.formats.ofd.package import (
    ROOT_FILE,
    OfdPackage,
    PackageError,
    child,
    child_text,
    children,
    local_name,
    only_children,
    parse_xml,
)

SIGN_KIND = "Sign"
"""The Type of a plain signature; what is not one is a seal's (GB/T 33190 18.1)."""
MAX_SIGNATURES = 200
MAX_PAGES = 10_000
MAX_REFERENCES = 10_000
MAX_STAMPS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page: the id that stamps refer to, and the stored name of its content if that exists."""

    id: str
    content: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One document of the package. Paths are stored names; None where a location leads nowhere."""

    root: str | None
    signatures_location: str | None
    signatures: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A protected file as the signature names it, and the digest it should have."""

    location: str
    check_value: bytes | None
    """None if it is not Base64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Where a seal's picture stands: box and clip in mm, as written."""

    id: str
    page: str
    boundary: str
    clip: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSignature:
    """A row of Signatures.xml. ``kind`` is Seal when not given (GB/T 33190 18.1)."""

    id: str
    kind: str
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureFile:
    """Signature.xml: what is protected, by which seal, and where the value lies."""

    path: str
    raw: bytes
    method: str | None
    claimed_time: str | None
    check_method: str | None
    references: tuple[Reference, ...]
    stamps: tuple[Stamp, ...]
    seal_location: str | None
    value_location: str | None


def read_bodies(package: OfdPackage) -> tuple[Body, ...]:
    """Read OFD.xml: the documents of the package."""
    path = package.find(ROOT_FILE)
    if path is None:
        raise PackageError("the package has no OFD.xml")
    bodies = []
    for body in children(package.look(path), "DocBody"):
        for name in ("DocRoot", "Signatures"):
            if len(list(children(body, name))) > 1:
                # Readers that take the first and readers that take the last would show two documents.
                raise PackageError(f"OFD.xml names two {name} of one document")
        root, listed = child_text(body, "DocRoot"), child_text(body, "Signatures")
        bodies.append(
            Body(
                root=package.locate(root, path) if root else None,
                signatures_location=listed,
                signatures=package.locate(listed, path) if listed else None,
            )
        )
    if not bodies:
        raise PackageError("OFD.xml names no document")
    return tuple(bodies)


def read_pages(package: OfdPackage, root: str) -> tuple[Page, ...]:
    """Read the pages of the document whose Document.xml is ``root``."""
    document = package.look(root)
    pages = child(document, "Pages")
    found = tuple(
        Page(id=page.get("ID", ""), content=package.locate(page.get("BaseLoc", ""), root))
        for page in (children(pages, "Page") if pages is not None else ())
    )
    if len(found) > MAX_PAGES:
        raise PackageError(f"the document has {len(found)} pages, more than the {MAX_PAGES} allowed")
    return found


def page_box(package: OfdPackage, content: str | None, default: str | None) -> tuple[float, float] | None:
    """Give a page's width and height in mm: its content's own area, else ``default``; None if neither can be read."""
    own = None if content is None else child_text(package.look(content), "Area", "PhysicalBox")
    for area in (own, default):
        box = numbers(area, 4)
        if box is not None:
            return box[2], box[3]
    return None


def page_area(package: OfdPackage, root: str) -> str | None:
    """Give the box that the document whose Document.xml is ``root`` names for pages without one of their own."""
    return child_text(package.look(root), "CommonData", "PageArea", "PhysicalBox")


def read_signature_list(package: OfdPackage, path: str) -> tuple[ListedSignature, ...]:
    """Read Signatures.xml."""
    root = package.look(path)
    only_children(root, path, "MaxSignId", "Signature")
    for row in root:
        only_children(row, path)
    rows = tuple(
        ListedSignature(id=row.get("ID", ""), kind=row.get("Type") or "Seal", location=row.get("BaseLoc", ""))
        for row in children(root, "Signature")
    )
    if len(rows) > MAX_SIGNATURES:
        raise PackageError(f"the package lists {len(rows)} signatures, more than the {MAX_SIGNATURES} allowed")
    return rows


def read_signature(package: OfdPackage, path: str) -> SignatureFile:
    """Read one Signature.xml."""
    raw = package.read(path)
    root = parse_xml(raw, path)
    only_children(root, path, "SignedInfo", "SignedValue")
    signed = child(root, "SignedInfo")
    if signed is None:
        raise PackageError(f"{path} has no SignedInfo")
    references = child(signed, "References")
    rows = tuple(children(references, "Reference")) if references is not None else ()
    if len(rows) > MAX_REFERENCES:
        raise PackageError(f"{path} protects {len(rows)} files, more than the {MAX_REFERENCES} allowed")
    stamps = tuple(_stamp(row) for row in children(signed, "StampAnnot"))
    if len(stamps) > MAX_STAMPS:
        raise PackageError(f"{path} has {len(stamps)} stamps, more than the {MAX_STAMPS} allowed")
    return SignatureFile(
        path=path,
        raw=raw,
        method=child_text(signed, "SignatureMethod"),
        claimed_time=child_text(signed, "SignatureDateTime"),
        check_method=references.get("CheckMethod") if references is not None else None,
        references=tuple(
            Reference(location=row.get("FileRef", ""), check_value=_base64(child_text(row, "CheckValue")))
            for row in rows
        ),
        stamps=stamps,
        seal_location=child_text(signed, "Seal", "BaseLoc"),
        value_location=child_text(root, "SignedValue"),
    )


def is_signature(package: OfdPackage, path: str) -> bool:
    """Tell whether a file is a Signature.xml, by what is in it."""
    if not path.lower().endswith(".xml"):
        return False
    try:
        if package.is_plain(path) and b"SignedInfo" not in package.read(path):
            return False  # seen without reading the XML: names of elements are always written out
        root = package.look(path)
    except PackageError:
        return False
    return local_name(root) == "Signature" and child(root, "SignedInfo") is not None


def id_number(text: str | None) -> int:
    """Give the number in an id ("s001", "1"); 0 if it has none."""
    digits = re.sub(r"\D", "", text or "", flags=re.ASCII)
    return int(digits[:18]) if digits else 0


def _stamp(row: etree._Element) -> Stamp:
    return Stamp(
        id=row.get("ID", ""), page=row.get("PageRef", ""), boundary=row.get("Boundary", ""), clip=row.get("Clip")
    )


def _base64(text: str | None) -> bytes | None:
    try:
        return base64.b64decode("".join((text or "").split()), validate=True)
    except ValueError:  # Not only binascii.Error: letters outside ASCII are a plain ValueError.
        return None
