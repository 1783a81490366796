"""Reading PDF syntax: tokens, objects and streams, each bounded (ISO 32000-2 7.2, 7.3).

Every regular expression is possessive: none can be made to run for longer than its input is long.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from seal.formats.pdf.objects import Name, PdfDict, PdfError, PdfObject, Ref, Stream

MAX_DEPTH = 64
MAX_NUMBER = 8_388_607  # Annex C.2: the largest object number other readers agree on

_WS = rb"\x00\t\n\x0c\r "
_REGULAR = rb"[^\x00\t\n\x0c\r ()<>\[\]{}/%]"
_SKIP = re.compile(rb"[" + _WS + rb"]*+(?:%[^\r\n]*+[" + _WS + rb"]*+)*+")
_TOKEN = re.compile(
    rb"[" + _WS + rb"]*+(?:%[^\r\n]*+[" + _WS + rb"]*+)*+(?:"
    rb"/(?P<name>" + _REGULAR + rb"*+)"
    rb"|(?P<ref>(\d{1,10})[" + _WS + rb"]++(\d{1,5})[" + _WS + rb"]++R(?!" + _REGULAR + rb"))"
    rb"|(?P<integer>[+-]?\d{1,20}+)(?![.\d]|" + _REGULAR + rb")"
    rb"|(?P<real>[+-]?(?:\d{1,40}+\.\d{0,40}+|\.\d{1,40}+))(?!" + _REGULAR + rb")"
    rb"|(?P<open><<)"
    rb"|(?P<close>>>)"
    rb"|<(?P<hex>[0-9A-Fa-f" + _WS + rb"]*+)>"
    rb"|(?P<literal>\()"
    rb"|(?P<array>\[)"
    rb"|(?P<end>\])"
    rb"|(?P<word>" + _REGULAR + rb"++)"
    rb")"
)
_HEADER = re.compile(rb"(\d{1,10})[" + _WS + rb"]++(\d{1,5})[" + _WS + rb"]++obj(?!" + _REGULAR + rb")")
_NAME_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_LITERAL_STOP = re.compile(rb"[()\\]")
_LITERAL_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|(\r\n|\r|\n)|(.))|\r\n?", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_WORDS: dict[bytes, PdfObject] = {b"true": True, b"false": False, b"null": None}
_NAMES: dict[bytes, Name] = {}
_NAMES_KEPT = 4096
_SMALL = 2048
_END = b"endobj"
_BLANKS = b"\x00\t\n\x0c\r "


@dataclass(frozen=True, slots=True)
class Indirect:
    """An indirect object and the octets ``[start, end)`` it takes up, ``endobj`` included."""

    number: int
    generation: int
    value: PdfObject
    start: int
    end: int


class Parser:
    """A position in some octets, and the reading of objects from there on."""

    __slots__ = ("data", "position", "repeated")

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position
        self.repeated: str | None = None
        """A key that some dictionary read so far has twice: readers differ about which of the two counts."""

    def skip(self) -> int:
        """Pass over white space and comments; give the position after them."""
        match = _SKIP.match(self.data, self.position)
        if match:
            self.position = match.end()
        return self.position

    def word(self, expected: bytes) -> bool:
        """Take the keyword ``expected`` if it comes next."""
        match = _TOKEN.match(self.data, self.position)
        if match and match["word"] == expected:
            self.position = match.end()
            return True
        return False

    def integer(self) -> int:
        """Take the integer that comes next."""
        match = _TOKEN.match(self.data, self.position)
        if not match or match["integer"] is None:
            raise self._error("an integer")
        self.position = match.end()
        return int(match["integer"])

    def value(self, depth: int = 0) -> PdfObject:
        """Take one object; a stream is read by ``indirect`` alone."""
        return self._of(self._next(), depth)

    def dictionary(self) -> PdfDict:
        """Take one dictionary."""
        value = self.value()
        if not isinstance(value, dict):
            raise self._error("a dictionary")
        return value

    def spans(self) -> Iterator[tuple[str, PdfObject, int, int]]:
        """Take one dictionary entry by entry, with where in the octets each value stands."""
        if self._next().lastgroup != "open":
            raise self._error("a dictionary")
        while (match := self._next()).lastgroup != "close":
            if match.lastgroup != "name":
                raise self._error("a name")
            start = self.skip()
            value = self.value(1)
            yield _name(match["name"]), value, start, self.position

    def header(self) -> tuple[int, int] | None:
        """Take ``n g obj`` if it comes next."""
        match = _HEADER.match(self.data, self.skip())
        if not match:
            return None
        self.position = match.end()
        return int(match[1]), int(match[2])

    def indirect(self, length_of: Callable[[PdfObject], int]) -> Indirect:
        """Take one indirect object; ``length_of`` turns a stream's /Length into a number."""
        start = self.skip()
        header = self.header()
        if header is None:
            raise self._error("an indirect object")
        value = self.value()
        if isinstance(value, dict) and self.word(b"stream"):
            value = self._stream(value, length_of)
        if not self.word(b"endobj"):
            raise self._error("endobj")
        return Indirect(*header, value, start, self.position)

    def _next(self) -> re.Match[bytes]:
        return self._taken(_TOKEN.match(self.data, self.position))

    def _taken(self, match: re.Match[bytes] | None) -> re.Match[bytes]:
        if match is None:
            raise self._error("an object")
        self.position = match.end()
        return match

    def _of(self, match: re.Match[bytes], depth: int) -> PdfObject:
        kind = match.lastgroup
        if kind == "name":
            return _name(match["name"])
        if kind == "ref":
            return Ref(int(match[3]), int(match[4]))
        if kind == "integer":
            return int(match["integer"])
        if kind in ("open", "array"):
            if depth >= MAX_DEPTH:
                raise PdfError(f"objects are nested deeper than {MAX_DEPTH} levels")
            return self._dict(depth + 1) if kind == "open" else self._list(depth + 1)
        return self._rest(match)

    def _rest(self, match: re.Match[bytes]) -> PdfObject:
        kind = match.lastgroup
        if kind == "real":
            return float(match["real"])
        if kind == "hex":
            digits = match["hex"].translate(None, b"\x00\t\n\x0c\r ")
            return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))
        if kind == "literal":
            return self._literal()
        word = match["word"]
        if word not in _WORDS:
            self.position = match.start()
            raise self._error("an object")
        return _WORDS[word]

    # The two loops below are where reading spends its time: what is met most is taken without a call.

    def _dict(self, depth: int) -> PdfDict:
        entries: PdfDict = {}
        data, scan, names = self.data, _TOKEN.match, _NAMES
        while (match := scan(data, self.position)) and match.lastgroup == "name":
            raw = match["name"]
            key = names.get(raw) or _name(raw)
            self.position = match.end()
            if key in entries:
                self.repeated = key
            match = scan(data, self.position)
            if match and match.lastgroup == "ref":
                self.position = match.end()
                entries[key] = Ref(int(match[3]), int(match[4]))
            else:
                entries[key] = self._of(self._taken(match), depth)
        if self._taken(match).lastgroup != "close":
            raise self._error("a name")
        return entries

    def _list(self, depth: int) -> list[PdfObject]:
        items: list[PdfObject] = []
        data, scan = self.data, _TOKEN.match
        while (match := scan(data, self.position)) and match.lastgroup != "end":
            self.position = match.end()
            if match.lastgroup == "integer":
                items.append(int(match["integer"]))
            else:
                items.append(self._of(match, depth))
        self._taken(match)
        return items

    def _literal(self) -> bytes:
        start = at = self.position
        depth = 1
        while depth:
            match = _LITERAL_STOP.search(self.data, at)
            if not match:
                raise self._error("the end of a string")
            mark = match[0]
            at = match.end() + (mark == b"\\")
            depth += (mark == b"(") - (mark == b")")
        self.position = at
        inside = self.data[start : at - 1]
        return _LITERAL_ESCAPE.sub(_unescape, inside) if b"\\" in inside or b"\r" in inside else inside

    def _stream(self, entries: PdfDict, length_of: Callable[[PdfObject], int]) -> Stream:
        # 7.3.8.1: the keyword is followed by CR LF or LF, never by CR alone.
        if self.data.startswith(b"\r\n", self.position):
            self.position += 2
        elif self.data.startswith(b"\n", self.position):
            self.position += 1
        else:
            raise self._error("a line end after stream")
        length = length_of(entries.get("Length"))
        start, end = self.position, self.position + length
        if length < 0 or end > len(self.data):
            raise PdfError(f"the stream at {start} is longer than the file")
        self.position = end
        if not self.word(b"endstream"):
            raise self._error("endstream")
        return Stream(entries, self.data[start:end])

    def _error(self, wanted: str) -> PdfError:
        return PdfError(f"{wanted} belongs at octet {self.position}")


@dataclass(frozen=True, slots=True)
class Small:
    """A small indirect object, its place in the file left out."""

    header: tuple[int, int]
    value: PdfObject
    written: bytes | None
    """The value's octets, if it is a dictionary that says each thing once and holds no comment."""


def small_object(data: bytes, at: int) -> Small | None:
    """Give the indirect object at ``at`` if it is small and no stream, else None: ``Parser.indirect`` reads them all.

    Documents made from one template share catalog, page tree and pages octet for octet; what was read once is kept.
    Its value must not be changed by whoever gets it.
    """
    end = data.find(_END, at, at + _SMALL)
    # One octet more, which tells whether the keyword ends there.
    return _small_object(data[at : end + len(_END) + 1]) if end > 0 else None


@lru_cache(maxsize=512)
def _small_object(octets: bytes) -> Small | None:
    parser = Parser(octets)
    try:
        found = parser.indirect(_no_stream)
    except PdfError:
        return None
    if found.end < len(octets) - 1 or found.start:
        return None
    plain = isinstance(found.value, dict) and parser.repeated is None and b"%" not in octets
    body = octets[octets.index(b"obj") + 3 : octets.rindex(_END)].strip(_BLANKS)
    return Small((found.number, found.generation), found.value, body if plain else None)


def _no_stream(_: PdfObject) -> int:
    raise PdfError("a stream is not kept")


def _name(raw: bytes) -> Name:
    known = _NAMES.get(raw)
    if known is not None:
        return known
    decoded = _NAME_ESCAPE.sub(lambda match: bytes((int(match[1], 16),)), raw) if b"#" in raw else raw
    name = Name(decoded.decode("latin-1"))
    # The same few names make up most of any file: keep those met first, and no more than that.
    if len(_NAMES) < _NAMES_KEPT:
        _NAMES[raw] = name
    return name


def _unescape(match: re.Match[bytes]) -> bytes:
    octal, line_end, letter = match[1], match[2], match[3]
    if octal:
        return bytes((int(octal, 8) & 0xFF,))
    if line_end:
        return b""
    if letter:
        return _LETTERS.get(letter, letter)
    return b"\n"  # 7.3.4.2: any bare line end inside a string is a line feed
