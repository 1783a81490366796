"""Later revisions, octet by octet: every one must belong to an object its own cross-reference section lists.

This is what catches objects smuggled in for readers that rebuild broken files (incremental saving attacks).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from seal.formats.pdf.objects import Name, PdfError, PdfObject, Stream
from seal.formats.pdf.parser import Parser
from seal.formats.pdf.reader import Document, Revision, View
from seal.formats.pdf.xref import FREE, PACKED, Section, startxref_at


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
    table = None if section.is_stream else Parser(document.data, section.start).skip()
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
        else:
            raise PdfError(f"the octets at {at} belong to no object")
        if parser.position == section.end:
            _skip(parser)
            match = startxref_at(document.data, parser.position)
            if match is None or match.end() != revision.eof:
                raise PdfError("octets stand between the cross-reference section and its startxref")
            return found


def _skip(parser: Parser) -> int:
    """Pass over white space and comments; a comment that a rebuilding reader could take for an object is refused."""
    start = parser.position
    at = parser.skip()
    if b"obj" in parser.data[start:at]:
        raise PdfError(f"a comment at {start} looks like an object")
    return at


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
        elif number in found.places and Parser(document.data, entry.where).skip() == found.places[number]:
            listed.add(number)
        elif before.place(number) != view.place(number):
            yield f"revision {index + 1} lists object {number} outside itself"
    sections = {section.start} | ({section.hidden.start} if section.hidden else set())
    for number, at in found.places.items():
        if number not in listed and at not in sections:
            yield f"revision {index + 1} holds object {number} unlisted"
    for container in found.containers:
        if set(view.members(container)) - packed:
            yield f"revision {index + 1} holds unlisted objects in stream {container}"
