"""OFD packages: files found by location, XML read without trusting it (GB/T 33190 chapter 7)."""

import posixpath
import re
import unicodedata
from collections.abc import Iterator, Mapping

from lxml import etree

from seal.formats.ofd.archive import Archive, ArchiveError, Entry, Limits

MAX_XML = 32 * 1024 * 1024
_KEPT = 1024 * 1024
"""How many octets of XML are kept as trees, which take many times the room."""
ROOT_FILE = "OFD.xml"
_NAME_SHOWN = 50
_BLANKS = rb"[ \t\r\n]"
_DECLARATION = re.compile(
    rb"<\?xml" + _BLANKS + rb"+version" + _BLANKS + rb"*=" + _BLANKS + rb"*([\"'])1\.[0-9]\1"
    rb"(?:" + _BLANKS + rb"+encoding" + _BLANKS + rb"*=" + _BLANKS + rb"*([\"'])(?i:utf-8)\2)?"
    rb"(?:" + _BLANKS + rb"+standalone" + _BLANKS + rb"*=" + _BLANKS + rb"*([\"'])(?:yes|no)\3)?" + _BLANKS + rb"*\?>"
)
"""A declaration as it should be, of UTF-8 or of no encoding: of others, readers differ on what they declare."""
IGNORED = "".join(map(chr, (*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF)))
"""Letters that the file system of macOS (HFS+) does not see in names, and that readers strip from texts."""
_IGNORED = dict.fromkeys(map(ord, IGNORED))
_SHORT = re.compile(r"[^.~]{1,6}~[0-9]+(?:\.[^.]{0,3})?")


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
        self._plain: dict[str, bool] = {}
        self._located: dict[tuple[str, str], str | None] = {}
        self._trees: dict[str, etree._Element] = {}
        self._room = _KEPT

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
        asked = (location, within)
        if asked not in self._located:
            self._located[asked] = self._locate(location, within)
        return self._located[asked]

    def _locate(self, location: str, within: str) -> str | None:
        location = location.strip().replace("\\", "/")
        folder = "" if location.startswith("/") else posixpath.dirname(within)
        for base in dict.fromkeys((folder, "")):
            path = posixpath.normpath(posixpath.join("/", base, location.lstrip("/"))).lstrip("/")
            if found := self.find(path):
                return found
        return None

    def names(self, path: str) -> tuple[str, ...]:
        """Give every name that a reader may take the file of this stored name to have, this one first."""
        return (path, *self._entries[path].other_readings)

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

    def is_plain(self, path: str) -> bool:
        """Tell whether a file, if it is XML, is beyond doubt in UTF-8, so that its octets can be searched.

        Every name and every text of it stands in it literally, unless written by references or CDATA sections.
        """
        if path not in self._plain:
            self._plain[path] = _is_plain(self.read(path))
        return self._plain[path]

    def xml(self, path: str) -> etree._Element:
        """Read a file as XML, afresh each time: the caller may change what it gets."""
        return parse_xml(self.read(path), path)

    def look(self, path: str) -> etree._Element:
        """Read a file as XML, once if it is short: nobody may change what this gives."""
        tree = self._trees.get(path)
        if tree is None:
            tree = self.xml(path)
            size = len(self.read(path))
            if size <= self._room:
                self._room -= size
                self._trees[path] = tree
        return tree


def alias(path: str) -> str:
    """Fold a path as far as any file system does: case, composed characters, final dots and blanks, streams."""
    parts = fold(path).split("/")
    return "/".join(part.partition(":")[0].rstrip(". ") for part in parts)


def fold(text: str) -> str:
    """Fold case, composed characters and what is not to be seen."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", text).casefold().translate(_IGNORED)


def is_short(folded: str) -> bool:
    """Tell whether a path is written with a short name, as Windows gives every file one (DOCUME~1.XML)."""
    return "~" in folded and any(_SHORT.fullmatch(part) for part in folded.split("/"))


def short_key(folded: str) -> str:
    """Give what a path has in common with each of its short names: some of them keep no more than two letters."""
    return "/".join(part[:2] + "." + part.rpartition(".")[2][:3] for part in folded.split("/"))


def _is_plain(data: bytes) -> bool:
    start = data.removeprefix(b"\xef\xbb\xbf")
    if not start.startswith(b"<") or b"\0" in data:
        return False
    if start[:5].lower() == b"<?xml" and not _DECLARATION.match(start):
        return False
    try:
        start.decode()
    except UnicodeDecodeError:
        return False
    return True


def looks_like_ofd(data: bytes) -> bool:
    """Tell whether ``data`` is a ZIP archive with an OFD.xml in it, without inflating anything."""
    try:
        return OfdPackage(data).find(ROOT_FILE) is not None
    except PackageError:
        return False
