"""Writing a signature's own files: its row in Signatures.xml and Signature.xml (GB/T 33190 chapter 18)."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from crypto.digests import SM3
from crypto.suites import Suite
from seal.formats.ofd.package import OfdPackage, PackageError, child, children
from seal.formats.ofd.plan import Plan, root_file
from seal.placing import Box

PROVIDER = {"ProviderName": "Xinyin", "Version": "2026.11", "Company": "Xinyin"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedStamp:
    """One appearance of the seal's picture, on the page of that id."""

    page_id: str
    box: Box
    clip: Box | None = None


def protected_list(package: OfdPackage, plan: Plan, *, kind: str, stamps: int) -> dict[str, bytes]:
    """Write Signatures.xml with the new row, and name the list in OFD.xml if no signature has been made before.

    ``kind`` is Seal or Sign; ``stamps`` is how many numbers its stamps take. Gives the changed files by name.
    """
    changes = {}
    if plan.new_list:
        path = root_file(package)
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
    namespace = etree.QName(listed).namespace or ""
    for old in list(children(listed, "MaxSignId")):
        listed.remove(old)
    highest = etree.Element(_tag(namespace, "MaxSignId"))
    # The signature and its stamps take their numbers from the same counter.
    highest.text = str(plan.number + stamps)
    listed.insert(0, highest)
    row = _add(listed, namespace, "Signature")
    row.set("ID", _id(plan.number))
    row.set("Type", kind)
    row.set("BaseLoc", f"/{plan.signature}")
    changes[plan.signatures] = _serialised(listed)
    return changes


def signature_xml(  # noqa: PLR0913 - what the file says
    plan: Plan,
    references: Iterable[tuple[str, bytes]],
    *,
    suite: Suite,
    at: datetime,
    stamps: Sequence[PlacedStamp] = (),
    sealed: bool,
) -> bytes:
    """Write Signature.xml: the protected files with their SM3, the stamps, and where the seal and the value lie."""
    namespace = plan.namespace
    root = etree.Element(_tag(namespace, "Signature"), nsmap={"ofd": namespace} if namespace else None)
    signed = _add(root, namespace, "SignedInfo")
    provider = _add(signed, namespace, "Provider")
    for attribute, text in PROVIDER.items():
        provider.set(attribute, text)
    _add(signed, namespace, "SignatureMethod").text = suite.signature_oid
    _add(signed, namespace, "SignatureDateTime").text = at.strftime("%Y%m%d%H%M%SZ")
    protected = _add(signed, namespace, "References")
    protected.set("CheckMethod", SM3.oid)
    for path, digest in references:
        row = _add(protected, namespace, "Reference")
        row.set("FileRef", f"/{path}")
        _add(row, namespace, "CheckValue").text = base64.b64encode(digest).decode()
    for number, placed in enumerate(stamps, plan.number + 1):
        stamp = _add(signed, namespace, "StampAnnot")
        stamp.set("ID", _id(number))
        stamp.set("PageRef", placed.page_id)
        stamp.set("Boundary", _box(placed.box))
        if placed.clip is not None:
            stamp.set("Clip", _box(placed.clip))
    if sealed:
        _add(_add(signed, namespace, "Seal"), namespace, "BaseLoc").text = f"/{plan.seal}"
    _add(root, namespace, "SignedValue").text = f"/{plan.value}"
    return _serialised(root)


def _box(box: Box) -> str:
    return " ".join(f"{round(number, 3) + 0:g}" for number in (box.x, box.y, box.width, box.height))


def _id(number: int) -> str:
    """Write an id as the standard recommends: "s" and the number."""
    return f"s{number:03d}"


def _tag(namespace: str, name: str) -> str:
    return f"{{{namespace}}}{name}" if namespace else name


def _add(parent: etree._Element, namespace: str, name: str) -> etree._Element:
    return etree.SubElement(parent, _tag(namespace, name))


def _serialised(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
