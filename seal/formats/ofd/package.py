"""OFD packages: files found by location, XML read without trusting it (GB/T 33190 chapter 7)."""

import posixpath
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from lxml import etree

from seal.formats.ofd.archive import Archive, ArchiveError, Entry, Limits

MAX_XML = 32 * 1024 * 1024
ROOT_FILE = "OFD.xml"
_FEW = 20
_NAME_SHOWN = 50
_TAG = re.compile(r"<[^<>]*>")
_LONG_DECLARATION = re.compile(rb"<\?xml(?![^>]{0,200}\?>)")
_ENCODING = re.compile(rb"^[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]*)")
_BETWEEN = "\0"
"""No XML holds it."""
_BLANK = b" \t\r\n\0\xef\xbb\xbf\xfe\xff"
"""What may stand before the first mark of an XML file, in the encodings that are not ASCII too."""
_MOST_PARTS = 200


class PackageError(Exception):
    """The package is not what an OFD document must be; the text says where in one sentence."""


def parse_xml(data: bytes, path: str) -> etree._Element:
    """Read one XML file. Document type declarations, entities and network access are refused outright."""
    if len(data) > MAX_XML:
        raise PackageError(f"{path} has {len(data)} octets, more than the {MAX_XML} allowed for XML")
    if b"<!DOCTYPE" in data:
        raise PackageError(f"{path} declares a document type")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise PackageError(f"{path} is not well-formed XML") from error
    if getattr(root.getroottree().docinfo, "doctype", None):
        # The search above does not see one written in UTF-16.
        raise PackageError(f"{path} declares a document type")
    return root


def local_name(element: etree._Element) -> str:
    """Give an element's name without its namespace: real files use two namespaces and any prefix."""
    # Comments and processing instructions have no name.
    return "" if callable(element.tag) else etree.QName(element).localname


def children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """Give the direct members called ``name``, in any namespace."""
    return (child for child in element if local_name(child) == name)


def child(element: etree._Element, *names: str) -> etree._Element | None:
    """Follow ``names`` downwards, the first of each; None where one is missing."""
    for name in names:
        found = next(children(element, name), None)
        if found is None:
            return None
        element = found
    return element


def child_text(element: etree._Element, *names: str) -> str | None:
    """Give the stripped text of a descendant; None where it is missing or empty."""
    found = child(element, *names)
    text = "".join(str(part) for part in found.itertext()).strip() if found is not None else ""
    return text or None


def only_children(element: etree._Element, path: str, *names: str) -> None:
    """Refuse members that are not called one of ``names``, of an element in the file ``path``.

    What is open to change must be one thing only: a list that is a drawing as well is shown where a reader expects
    a drawing.
    """
    for within in element:
        name = local_name(within)
        if name and name not in names:
            raise PackageError(f"{path} has an element that does not belong there: {name[:_NAME_SHOWN]}")


class OfdPackage:
    """An OFD package in memory. Each file is inflated once, when first asked for."""

    def __init__(self, data: bytes, limits: Limits | None = None) -> None:
        try:
            self.archive = Archive(data, limits)
        except ArchiveError as error:
            raise PackageError(str(error)) from error
        self._entries: Mapping[str, Entry] = {
            entry.path: entry for entry in self.archive.entries if not entry.is_folder
        }
        folded: dict[str, str | None] = {}
        for path in self._entries:
            # Two names that differ by case only are both reachable by their exact names alone.
            folded[path.casefold()] = None if path.casefold() in folded else path
        self._folded = folded
        self._contents: dict[str, bytes] = {}

    @property
    def paths(self) -> tuple[str, ...]:
        """The files, as the archive lists them."""
        return tuple(self._entries)

    def find(self, path: str) -> str | None:
        """Give the stored name of the file meant by ``path`` (from the root), wrong case tolerated."""
        return path if path in self._entries else self._folded.get(path.casefold())

    def locate(self, location: str, within: str) -> str | None:
        """Give the stored name of what ``location``, written in file ``within``, means; None if there is none.

        A leading slash means the root; else the file's own folder, and failing that the root, which is what
        writers mean that forget the slash.
        """
        location = location.strip().replace("\\", "/")
        folder = "" if location.startswith("/") else posixpath.dirname(within)
        for base in dict.fromkeys((folder, "")):
            path = posixpath.normpath(posixpath.join("/", base, location.lstrip("/"))).lstrip("/")
            if found := self.find(path):
                return found
        return None

    def read(self, path: str) -> bytes:
        """Give a file's content by its stored name."""
        if path not in self._contents:
            entry = self._entries.get(path)
            if entry is None:
                raise PackageError(f"{path} is missing")
            try:
                self._contents[path] = self.archive.read(entry)
            except ArchiveError as error:
                raise PackageError(str(error)) from error
        return self._contents[path]

    def xml(self, path: str) -> etree._Element:
        """Read a file as XML, afresh each time: the caller may change what it gets."""
        return parse_xml(self.read(path), path)


def alias(path: str) -> str:
    """Fold a path as far as any file system does: case, composed characters, final dots and blanks, streams."""
    parts = unicodedata.normalize("NFKC", path).casefold().split("/")
    return "/".join(part.partition(":")[0].rstrip(". ") for part in parts)


def plain_text(data: bytes) -> str | None:
    """Give the octets of an XML file as text, where they are beyond doubt UTF-8; else None.

    Every name and every text of the file stands in it literally, unless written by references or CDATA sections.
    """
    start = data.removeprefix(b"\xef\xbb\xbf")
    declared = _ENCODING.match(start)
    if (
        not start.startswith(b"<")
        or _LONG_DECLARATION.match(start)
        or b"\0" in data
        or (declared and declared[1].lower() != b"utf-8")
    ):
        return None
    try:
        return start.decode()
    except UnicodeDecodeError:
        return None


def names_in(package: OfdPackage, paths: Iterable[str], wanted: frozenset[str]) -> frozenset[str]:
    """Give those of ``wanted`` (last parts of paths, folded) that one of the files says as, or as the end of, a text.

    Files that are not XML say nothing. One that looks like XML and cannot be read here may say anything to readers
    that can, but the name of OFD.xml, which no other file leads to.
    """
    found: set[str] = set()
    for path in paths:
        if _cannot_say(package.read(path), wanted):
            continue
        texts = _texts(package, path)
        if texts is None:
            return (wanted - {alias(ROOT_FILE)}) | (wanted & found)
        said = texts.replace("\\", "/")
        said = unicodedata.normalize("NFKC", said).casefold()
        # Most files name nothing that is wanted, and to see that is quick.
        if len(wanted) > _FEW or any(name in said for name in wanted):
            found.update(_last_part(text.strip()) for text in said.split(_BETWEEN))
    return wanted & found


def _cannot_say(data: bytes, wanted: frozenset[str]) -> bool:
    """Tell, without reading the XML, that it says none of ``wanted``; False where that is not certain.

    What is wanted is taken for certain if it is ASCII without blanks: neither composing characters nor folding blanks
    in attributes can then make of the file's octets what is not in them.
    """
    if len(wanted) > _FEW or not all(name.isascii() and not re.search(r"\s", name) for name in wanted):
        return False
    text = plain_text(data)
    # Each tag has one mark at either end, and no other mark counts: without tags the texts of members run together.
    if text is None or "&" in text or "<!" in text or "<?" in text[1:] or text.count("<") != text.count(">"):
        return False
    said = unicodedata.normalize("NFKC", text + _BETWEEN + _TAG.sub("", text)).casefold()
    return not any(name in said for name in wanted)


def _texts(package: OfdPackage, path: str) -> str | None:
    """Give all that a file says and that may be a path; None if it looks like XML and cannot be read."""
    if b"<" not in package.read(path).lstrip(_BLANK)[:64]:
        return ""
    try:
        root = package.xml(path)
    except PackageError:
        return None
    texts: list[str] = []
    for element in root.iter(etree.Element):
        texts += map(str, element.attrib.values())
        if len(element):
            texts += _mixed(element)
        elif element.text:
            texts.append(str(element.text))
    return _BETWEEN.join(texts)


def _mixed(element: etree._Element) -> Iterator[str]:
    """Give an element's own text, whatever comments stand in it, and with that of what is within it."""
    yield "".join((element.text or "", *(within.tail or "" for within in element)))
    walk = etree.iterwalk(element, events=("start", "end", "comment", "pi"))
    # No location is of more parts than this; what has more is the body of a file.
    steps = list(islice(walk, _MOST_PARTS))
    if len(steps) < _MOST_PARTS:
        yield "".join(
            (node.text if event == "start" else node.tail if node is not element else "") or "" for event, node in steps
        )


def _last_part(folded: str) -> str:
    return posixpath.normpath(folded).rpartition("/")[2].partition(":")[0].rstrip(". ")


def looks_like_ofd(data: bytes) -> bool:
    """Tell whether ``data`` is a ZIP archive with an OFD.xml in it, without inflating anything."""
    try:
        return OfdPackage(data).find(ROOT_FILE) is not None
    except PackageError:
        return False
