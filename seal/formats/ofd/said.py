"""What the files of an OFD package say: which of the names asked for stand in them, however they are written."""

import posixpath
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import unquote

from lxml import etree

from seal.formats.ofd.package import IGNORED, ROOT_FILE, OfdPackage, PackageError, alias, fold

_FEW = 20
_MOST_LETTERS = 100
"""What more and longer names than these cost to rule out is better spent on reading the XML."""
_ASCII = bytes(range(128))
_UNMARKED = bytes(octet for octet in _ASCII if octet not in b"<>!?")
_UNKNOWN_REFERENCE = re.compile(rb"&(?!(?:lt|gt|amp|quot|apos);)")
_BETWEEN = "\0"
"""No XML holds it."""
_BLANK = b" \t\r\n\0\xef\xbb\xbf\xfe\xff"
"""What may stand before the first mark of an XML file, in the encodings that are not ASCII too."""
_BOM = b"\xef\xbb\xbf"
_EBCDIC = "<?xm".encode("cp037")
_ESCAPED = re.compile(rb"%[0-9A-Fa-f]{2}")
_SUFFIX = re.compile("[?#].*", re.DOTALL)
"""What a reader that takes a location for a URL does not look for."""
_UNSEEN = re.compile(f"[{IGNORED}]")
_LONGEST = 4096
"""No location is of more letters than this; what has more is the body of a file."""


def names_in(package: OfdPackage, paths: Iterable[str], wanted: frozenset[str]) -> frozenset[str]:
    """Give those of ``wanted`` (last parts of paths, folded) that one of the files says as, or as the end of, a text.

    Files that are not XML say nothing. One that looks like XML and cannot be read here may say anything to readers
    that can, but the name of OFD.xml, which no other file leads to.
    """
    found: set[str] = set()
    rare = _rare(wanted)
    for path in paths:
        if (
            rare is not None
            and package.is_plain(path)
            and rare.missing(package.read(path))
            and _resolves(package, path)
        ):
            continue
        texts = _texts(package, path)
        if texts is None:
            return (wanted - {alias(ROOT_FILE)}) | (wanted & found)
        said = fold(texts.replace("\\", "/"))
        if "%" in said:
            said += _BETWEEN + fold(unquote(said, errors="ignore"))
        # Most files name nothing that is wanted, and to see that is quick.
        if len(wanted) > _FEW or any(name in said for name in wanted):
            for text in said.split(_BETWEEN):
                found.update((_last_part(text.strip()), _last_part(_SUFFIX.sub("", text).strip())))
    return wanted & found


class _Rare:
    """Names of plain letters, ruled out by the octets of a file, without reading its XML.

    A text is put together of what stands before and after marks. So a name in it stands in the octets whole, or a
    mark is followed at once by the name's end.
    """

    def __init__(self, names: frozenset[str]) -> None:
        self._names = tuple(name.encode() for name in sorted(names))
        self._letters = frozenset(b"".join(self._names))
        ends = sorted({name[at:] for name in self._names for at in range(1, len(name))})
        self._after_mark = re.compile(b">(?:" + b"|".join(map(re.escape, ends)) + b")") if ends else None

    def missing(self, data: bytes) -> bool:
        """Tell that an XML file, beyond doubt UTF-8, says none of the names; False where that is not certain."""
        marks = data.translate(None, _UNMARKED)
        if not _is_simple(data, marks):
            return False
        # Neither composing nor folding makes of other letters the names' own, but for those whose parts they are.
        rest = marks.removeprefix(_BOM).translate(None, _ASCII).decode()
        if rest:
            folded = (rest + unicodedata.normalize("NFKD", rest)).casefold().encode("ascii", "ignore")
            if _UNSEEN.search(rest) or not self._letters.isdisjoint(folded):
                return False
        lower = data.lower()
        if any(name in lower for name in self._names):
            return False
        return self._after_mark is None or not self._after_mark.search(lower) or not self._before_mark(lower)

    def _before_mark(self, lower: bytes) -> bool:
        """Tell whether a mark follows at once on the beginning of a name."""
        return any(name[:at] + b"<" in lower for name in self._names for at in range(1, len(name)))


def _is_simple(data: bytes, marks: bytes) -> bool:
    """Tell whether all that a file says stands in it literally, between marks."""
    if marks.count(b"<") != marks.count(b">") or (b"&" in data and _UNKNOWN_REFERENCE.search(data)):
        return False
    if b"%" in data and _ESCAPED.search(data):
        return False
    # Of declarations, CDATA sections and comments, and of instructions after the first, nothing is certain.
    if b"<!" in marks and b"<!" in data:
        return False
    return not (b"<?" in marks.partition(b"<")[2] and b"<?" in data.partition(b"<")[2])


@lru_cache(maxsize=16)
def _rare(wanted: frozenset[str]) -> _Rare | None:
    letters = "".join(wanted)
    simple = all(wanted) and re.fullmatch(r"[a-z0-9._-]*", letters)
    return _Rare(wanted) if simple and len(wanted) <= _FEW and len(letters) <= _MOST_LETTERS else None


def _resolves(package: OfdPackage, path: str) -> bool:
    """Tell whether a file has no references, or can be read: what a reader makes of one in a broken file is open."""
    if b"&" not in package.read(path):
        return True
    try:
        package.look(path)
    except PackageError:
        return False
    return True


def _texts(package: OfdPackage, path: str) -> str | None:
    """Give all that a file says and that may be a path; None if it looks like XML and cannot be read."""
    data = package.read(path)
    if b"<" not in data.lstrip(_BLANK)[:64] and not data.startswith(_EBCDIC):
        return ""
    if data.startswith(_BOM) and not package.is_plain(path):
        return None  # some readers go by the mark and some by the declaration
    try:
        root = package.look(path)
    except PackageError:
        return None
    texts: list[str] = []
    for element in root.iter(etree.Element):
        texts += map(str, element.attrib.values())
        if len(element):
            texts.append("".join((element.text or "", *(within.tail or "" for within in element))))
        elif element.text:
            texts.append(str(element.text))
    texts += _mixed(root)
    return _BETWEEN.join(texts)


def _mixed(root: etree._Element) -> Iterator[str]:
    """Give, of every element that holds others, its text with that of what is within it: the end of it, if long."""
    above: list[str] = []
    for event, node in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event == "start":
            above.append(node.text or "")
            continue
        within = above.pop() if event == "end" else ""
        if event == "end" and len(node):
            yield within
        if above:
            above[-1] = _end(above[-1] + within + (node.tail or ""))


def _end(text: str) -> str:
    return text if len(text) <= _LONGEST else "".join(text.split())[-_LONGEST:]


def _last_part(folded: str) -> str:
    return posixpath.normpath(folded).rpartition("/")[2].partition(":")[0].rstrip(". ")
