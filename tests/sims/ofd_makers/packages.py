"""Makers for the rules about the package: its files, what is protected, and where the seal's picture stands."""

import base64
import re
from collections.abc import Callable, Mapping

from crypto.digests import MD5, sm3
from seal.formats.ofd.archive import write_archive
from tests.sims.ofd_makers.maker import Made, Maker, Names, by_trust
from tests.sims.ofd_workshop import FIRST, Workshop, plain_document, unpacked, with_digest

ROOT, LIST, PAGE, RESOURCES = (
    "OFD.xml",
    "Doc_0/Signs/Signatures.xml",
    "Doc_0/Pages/Page_1/Content.xml",
    "Doc_0/PublicRes.xml",
)
DOCUMENT = "Doc_0/Document.xml"
DOCTYPE = b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"
Edit = Callable[[bytes], bytes]


def unreferenced(path: str) -> Edit:
    """Take one file out of what a signature protects."""

    def change(xml: bytes) -> bytes:
        pattern = rf'<ofd:Reference FileRef="/{re.escape(path)}">.*?</ofd:Reference>'.encode()
        made, count = re.subn(pattern, b"", xml)
        assert count == 1
        return made

    return change


def edited(old: bytes, new: bytes) -> Edit:
    """Replace the one place where ``old`` stands."""

    def change(octets: bytes) -> bytes:
        assert old in octets
        return octets.replace(old, new, 1)

    return change


def damaged(document: bytes, path: str) -> bytes:
    """Spoil what an entry unpacks to, and leave the archive as it is: its CRC is another."""
    files = unpacked(document)
    content = files[path]
    marked = b"~" * len(content)
    files[path] = marked
    spoilt = write_archive(files)
    crc = re.compile(rb"PK\x03\x04.{10}(.{4})", re.DOTALL)
    honest, other = ({m[1] for m in crc.finditer(octets)} for octets in (write_archive(unpacked(document)), spoilt))
    (wrong,) = other - honest
    return spoilt.replace(wrong, bytes(4))


def files(changed: Mapping[str, bytes | None], says: str = "") -> Maker:
    return lambda workshop: by_trust(workshop, workshop.resealed(files=changed), says=says)


def xml(change: Edit, says: str = "") -> Maker:
    return lambda workshop: by_trust(workshop, workshop.resealed(signature_xml=change), says=says)


def _root(edit: Edit) -> Maker:
    """Leave OFD.xml open and change it."""

    def make(workshop: Workshop) -> Made:
        contents = unpacked(workshop.resealed(signature_xml=unreferenced(ROOT)))
        contents[ROOT] = edit(contents[ROOT])
        return by_trust(workshop, write_archive(contents))

    return make


def _named_twice(workshop: Workshop) -> Made:
    contents = unpacked(workshop.document)
    listed = contents[LIST]
    row = listed[listed.index(b"<ofd:Signature ID") : listed.index(b"</ofd:Signatures>")]
    contents[LIST] = listed.replace(row, row * 2)
    return by_trust(workshop, write_archive(contents), says="twice")


def _weak(workshop: Workshop) -> Made:
    seal = workshop.bureau.seal()
    contents = {**unpacked(workshop.document), f"{FIRST}/Seal.esl": seal}

    def digest(match: re.Match[bytes]) -> bytes:
        return match[1] + base64.b64encode(MD5.digest(contents[match[2].decode()])) + b"<"

    def weakened(octets: bytes) -> bytes:
        made = re.sub(rb'(FileRef="/([^"]+)"><ofd:CheckValue>)[^<]*<', digest, octets)
        return re.sub(rb' CheckMethod="[^"]*"', b"", made)

    return by_trust(workshop, workshop.resealed(seal=seal, signature_xml=weakened))


def _open_damaged(workshop: Workshop) -> Made:
    added = workshop.resealed(files={"Doc_0/extra.bin": b"more than nothing"})
    return by_trust(workshop, damaged(added, "Doc_0/extra.bin"), says="Doc_0/extra.bin")


def _awaited(workshop: Workshop) -> Made:
    contents = unpacked(plain_document())
    waiting = b"<ofd:Annotations>Annots/All.xml</ofd:Annotations></ofd:Document>"
    contents[DOCUMENT] = edited(b"</ofd:Document>", waiting)(contents[DOCUMENT])
    sealed = workshop.bureau.sealed(write_archive(contents))
    return by_trust(workshop, write_archive({**unpacked(sealed), "Doc_0/Annots/All.xml": b"<a/>"}))


def _taken_out(workshop: Workshop) -> Made:
    twice = unpacked(workshop.bureau.sealed(workshop.document, mark=workshop.bureau.mark(page=1)))
    rows = twice[LIST].split(b"<ofd:Signature ")
    return by_trust(workshop, write_archive({**twice, LIST: rows[0] + b"<ofd:Signature " + rows[2]}))


def _page_named_twice(workshop: Workshop) -> Made:
    contents = unpacked(workshop.document)
    pages = re.findall(rb'<ofd:Page [^>]*ID="(\d+)"', contents[DOCUMENT])
    one_name = edited(b'ID="' + pages[0] + b'"', b'ID="' + pages[1] + b'"')
    changed = re.sub(rb"(?s)<ofd:Pages>.*?</ofd:Pages>", lambda rows: one_name(rows[0]), contents[DOCUMENT])
    contents[DOCUMENT] = changed
    document = workshop.resealed(
        document=write_archive(contents), signature_xml=lambda xml: with_digest(xml, f"/{DOCUMENT}", sm3(changed))
    )
    return by_trust(workshop, document)


_STAMP = rb'(<ofd:StampAnnot [^>]*?)%s="[^"]*"'
SECOND = b"<ofd:DocBody><ofd:DocRoot>Doc_1/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>"


def stamp(attribute: bytes, value: bytes) -> Edit:
    """Write an attribute of the stamp anew."""
    return lambda octets: re.sub(_STAMP % attribute, rb"\g<1>" + attribute + b'="' + value + b'"', octets)


MAKERS: Mapping[Names, Maker] = {
    ("package", "PACKAGE_MALFORMED"): files({ROOT: None}, "OFD.xml"),
    ("list", "SIGNATURE_FILE_MISSING"): files({LIST: None}, "Signatures.xml"),
    ("list", "PACKAGE_MALFORMED"): files({LIST: DOCTYPE}, "Signatures.xml"),
    ("named once", "PACKAGE_MALFORMED"): _named_twice,
    ("documents", "NO_SIGNATURE"): lambda workshop: by_trust(workshop, plain_document()),
    ("documents", "DOCUMENT_WITHOUT_SEAL"): _root(edited(b"</ofd:OFD>", SECOND)),
    ("files", "SIGNATURE_FILE_MISSING"): files({f"{FIRST}/Signature.xml": None}, "Signature.xml"),
    ("files", "SIGNED_VALUE_MISSING"): files({f"{FIRST}/SignedValue.dat": None}),
    ("files", "PACKAGE_MALFORMED"): files({f"{FIRST}/Signature.xml": b"<Signature/>"}, "SignedInfo"),
    ("seal file there", "SEAL_FILE_MISMATCH"): lambda workshop: by_trust(
        workshop,
        workshop.resealed(signature_xml=unreferenced(f"{FIRST}/Seal.esl"), files={f"{FIRST}/Seal.esl": None}),
        says="missing",
    ),
    ("check method", "ALGORITHM_UNSUPPORTED"): xml(
        lambda octets: re.sub(rb'CheckMethod="[^"]*"', b'CheckMethod="SHA-3"', octets), "CheckMethod"
    ),
    ("check method", "WEAK_DIGEST"): _weak,
    ("references", "REFERENCE_MISMATCH"): files({PAGE: b"<Page/>"}, PAGE),
    ("references", "REFERENCE_MISSING"): files({RESOURCES: None}, RESOURCES),
    ("references", "PACKAGE_MALFORMED"): lambda workshop: by_trust(
        workshop, damaged(workshop.document, RESOURCES), says=RESOURCES
    ),
    ("pages", "PAGES_UNCOVERED"): xml(unreferenced(PAGE), PAGE),
    ("pages", "PACKAGE_MALFORMED"): _root(edited(b"Doc_0/Document.xml", b"Doc_9/Document.xml")),
    ("uncovered", "UNCOVERED_CONTENT"): files({"Doc_0/Attachs/extra.xml": b"<a/>"}, "extra.xml"),
    ("doubles", "PACKAGE_MALFORMED"): files({f"{PAGE}.": b"<Page/>"}, "another name"),
    ("shown", "SHOWN_CONTENT_UNCOVERED"): _awaited,
    ("shown", "PACKAGE_MALFORMED"): _open_damaged,
    ("removed", "SIGNATURE_REMOVED"): _taken_out,
    ("stamps", "STAMP_PAGE_UNKNOWN"): xml(stamp(b"PageRef", b"9999")),
    ("stamps", "STAMP_PAGE_AMBIGUOUS"): _page_named_twice,
    ("stamps", "STAMP_SHOWS_NOTHING"): xml(stamp(b"Boundary", b"300 10 40 40")),
}
