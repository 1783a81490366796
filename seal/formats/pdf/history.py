"""Later revisions, octet by octet: every one must belong to an object its own cross-reference section lists.

This is what catches objects smuggled in for readers that rebuild broken files (incremental saving attacks). For the
same reason a later revision must give no reader cause to rebuild it, or to read it otherwise than we do.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from seal.formats.pdf.objects import Name, PdfError, PdfObject, Ref, Stream
from seal.formats.pdf.parser import Parser
from seal.formats.pdf.reader import Document, Revision, View
from seal.formats.pdf.xref import FREE, PACKED, Section, startxref_at

_BLANK = rb"(?:[\x00\t\n\x0c\r ]|%[^\r\n]*+[\r\n])"
# What a reader that rebuilds a file looks for, wherever it stands: in strings, streams and comments too.
_OBJECT = re.compile(rb"\d" + _BLANK + rb"++\d++" + _BLANK + rb"++obj")
_TRAILER = re.compile(rb"trailer" + _BLANK + rb"*+<<")
_STARTXREF = re.compile(rb"startxref" + _BLANK + rb"++\d")


@dataclass(slots=True)
class _Found:
    """The objects that stand in a revision: number to octet, and the object streams among them."""

    places: dict[int, int] = field(default_factory=dict)
    containers: list[int] = field(default_factory=list)


def stray(document: Document, index: int) -> Iterator[str]:
    """Say what in revision ``index``, not the first, is not as a plain incremental update would have it."""
    revision = document.revisions[index]
    if len(revision.sections) != 1:
        yield "a later revision has more than one cross-reference section"
        return
    section = revision.sections[0]
    view = document.view(index)
    try:
        found = _walk(document, revision, section, view)
        yield from _unlisted(document, index, section, view, found)
        yield from _misleading(document, index, section, found)
    except PdfError as error:
        yield f"revision {index + 1}: {error.detail}"


def tail(document: Document) -> Iterator[str]:
    """Say what follows the last revision."""
    rest = len(document.data) - document.revisions[-1].end
    if rest:
        yield f"{rest} octets follow the last revision"


def _walk(document: Document, revision: Revision, section: Section, view: View) -> _Found:
    found = _Found()
    parser = Parser(document.data, revision.start)
    table = None if section.is_stream else _exact(document, section.start)
    while True:
        at = _skip(parser)
        if at == table:
            parser.position = section.end
        elif parser.header() is not None:
            parser.position = at
            item = parser.indirect(view.length)
            if item.number in found.places:
                raise PdfError(f"object {item.number} stands there twice")
            found.places[item.number] = at
            if _is(item.value, "ObjStm"):
                found.containers.append(item.number)
            _check_kind(view, item.number, item.value)
        else:
            raise PdfError(f"the octets at {at} belong to no object")
        repeated = parser.repeated or section.repeated
        if repeated:
            raise PdfError(f"a dictionary says /{repeated} twice")
        if parser.position == section.end:
            _skip(parser)
            match = startxref_at(document.data, parser.position)
            if match is None or match.end() != revision.eof:
                raise PdfError("octets stand between the cross-reference section and its startxref")
            return found


def _skip(parser: Parser) -> int:
    """Pass over white space and comments; one that a rebuilding reader could take for more than that is refused."""
    start = parser.position
    at = parser.skip()
    passed = parser.data[start:at]
    # Some readers count offsets from the last header they find.
    if b"obj" in passed or b"%PDF-" in passed:
        raise PdfError(f"a comment at {start} looks like an object or a header")
    return at


def _exact(document: Document, at: int) -> int:
    """Give what octet ``at`` points to: white space before it is common, a comment makes some readers rebuild."""
    target = Parser(document.data, at).skip()
    if b"%" in document.data[at:target]:
        raise PdfError(f"a comment at {at} stands where an object or a cross-reference section should")
    return target


def _is(value: PdfObject, kind: str) -> bool:
    return isinstance(value, Stream) and value.entries.get("Type") == Name(kind)


def _unlisted(document: Document, index: int, section: Section, view: View, found: _Found) -> Iterator[str]:
    before = document.view(index - 1)
    listed: set[int] = set()
    packed: set[int] = set()
    for number in set(section.numbers()):
        entry = section.lookup(number)
        if entry is None or entry.kind == FREE:
            continue
        if entry.kind == PACKED and entry.where in found.places:
            packed.add(number)
            view.packed_member(entry, number)
        elif number in found.places and _exact(document, entry.where) == found.places[number]:
            listed.add(number)
        elif before.place(number) != view.place(number):
            yield f"revision {index + 1} lists object {number} outside itself"
    for number, at in found.places.items():
        if number not in listed and at != section.start:
            yield f"revision {index + 1} holds object {number} unlisted"
    yield from _in_containers(view, found, packed)


def _in_containers(view: View, found: _Found, listed: set[int]) -> Iterator[str]:
    for container in found.containers:
        if set(view.members(container)) - listed:
            yield f"unlisted objects stand in stream {container}"
        if view.repeated(container):
            yield f"a dictionary in stream {container} says /{view.repeated(container)} twice"
    for number in listed:
        _check_kind(view, number, view.load(Ref(number, 0)))


def _check_kind(view: View, number: int, value: PdfObject) -> None:
    """Refuse what a reader that rebuilds the file would start from: another catalog, another trailer."""
    entries = value.entries if isinstance(value, Stream) else value
    kind = view.resolve(entries.get("Type")) if isinstance(entries, dict) else None
    # Some writers copy an older cross-reference stream along as if it were content: it leads to the same catalog.
    if isinstance(entries, dict) and kind == Name("XRef") and entries.get("Root", view.root) != view.root:
        raise PdfError(f"object {number} is a trailer with another catalog")
    if kind == Name("Catalog") and number != view.root.number:
        raise PdfError(f"object {number} is a second catalog")


def _misleading(document: Document, index: int, section: Section, found: _Found) -> Iterator[str]:
    """Say what would make other readers see another revision than this one."""
    octets = document.data[document.revisions[index].start : document.revisions[index].end]
    if (
        len(_OBJECT.findall(octets)) != len(found.places)
        or octets.count(b"endobj") != len(found.places)
        or len(_TRAILER.findall(octets)) != (not section.is_stream)
        or len(_STARTXREF.findall(octets)) != 1
    ):
        yield f"revision {index + 1} holds octets that look like an object or a trailer"
    if "XRefStm" in section.trailer:
        yield f"revision {index + 1} hides entries from some readers"
    numbers = list(section.numbers())
    if len(numbers) != len(set(numbers)):
        yield f"revision {index + 1} lists an object twice"
    # 7.5.5: what is numbered from /Size on is missing; the newest trailer's is the one that counts.
    newest = index == len(document.revisions) - 1
    size = section.trailer.get("Size")
    if not isinstance(size, int) or size < max(each.limit() for each in (document.sections if newest else (section,))):
        yield f"revision {index + 1} has a /Size that leaves objects out"
