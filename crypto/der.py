"""DER: a reader that keeps the original octets, and a writer of definite-length TLVs (X.690).

Whatever a signature covers is judged over the octets that were received, never over a re-encoding:
every ``Node`` therefore carries ``raw``. Real signers write ``BOOLEAN FALSE`` explicitly and long-form
lengths that DER forbids; both are read, indefinite lengths are not.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from crypto.errors import DerError

MAX_DEPTH = 32
MAX_SIZE = 64 * 1024 * 1024
MAX_MEMBERS = 4096
"""Members of one constructed value: two octets of input make a Node of a hundred times that."""
MAX_OID = 128
"""Octets of an OBJECT IDENTIFIER."""
MAX_INTEGER = 1025
"""Octets of an INTEGER that is read as a number: an RSA modulus of 8192 bits. Python refuses to write out numbers of
more than 4300 digits, so one that is too long would break whatever shows it, far from here."""

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTF8, PRINTABLE, T61, IA5, UTC_TIME, GENERALIZED_TIME, VISIBLE, BMP = 0x0C, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1A, 0x1E
NUMERIC, UNIVERSAL = 0x12, 0x1C
SEQUENCE, SET = 0x30, 0x31
TEXTS = {
    UTF8: "utf-8",
    NUMERIC: "ascii",
    PRINTABLE: "ascii",
    IA5: "ascii",
    VISIBLE: "ascii",
    T61: "latin-1",
    BMP: "utf-16-be",
    UNIVERSAL: "utf-32-be",
}
# [YY]YYMMDDhhmm[ss][.f][zone]. The digits are counted, for strptime would share out too few as it pleases.
_TIME = re.compile(r"((?:[0-9]{2}){5,7})(?:\.([0-9]+))?(?:Z|([+-])([0-9]{2})([0-9]{2}))?")
_SHORT = 0x80
_HIGH_TAG = 0x1F
_CONSTRUCTED = 0x20


def context(number: int, *, constructed: bool = True) -> int:
    """Give the tag octet of context-specific ``[number]``."""
    return 0xA0 + number if constructed else 0x80 + number


# --- writing ---------------------------------------------------------------------------------------------------


def tlv(tag: int, *parts: bytes) -> bytes:
    """Wrap the concatenation of ``parts`` in one tag and definite length."""
    body = parts[0] if len(parts) == 1 else b"".join(parts)
    size = len(body)
    if size < _SHORT:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _SHORT | len(length))) + length + body


def sequence(*parts: bytes) -> bytes:
    """Write a SEQUENCE of already encoded parts."""
    return tlv(SEQUENCE, *parts)


def set_of(parts: Iterable[bytes]) -> bytes:
    """Write a SET OF, its members sorted as DER demands (X.690 11.6)."""
    return tlv(SET, *sorted(parts))


def integer(value: int) -> bytes:
    """Write an INTEGER in the fewest octets."""
    bits = (value if value >= 0 else ~value).bit_length()
    return tlv(INTEGER, value.to_bytes(bits // 8 + 1, "big", signed=True))


def boolean(value: bool) -> bytes:  # noqa: FBT001 - an ASN.1 BOOLEAN is a bool
    """Write a BOOLEAN."""
    return tlv(BOOLEAN, b"\xff" if value else b"\x00")


def null() -> bytes:
    """Write a NULL."""
    return b"\x05\x00"


def oid(dotted: str) -> bytes:
    """Write an OBJECT IDENTIFIER from its dotted form."""
    arcs = [int(arc) for arc in dotted.split(".")]
    body = bytearray()
    for arc in (arcs[0] * 40 + arcs[1], *arcs[2:]):
        octets = [arc & 0x7F]
        while arc := arc >> 7:
            octets.append(arc & 0x7F | 0x80)
        body += bytes(reversed(octets))
    return tlv(OID, bytes(body))


def octet_string(value: bytes) -> bytes:
    """Write an OCTET STRING."""
    return tlv(OCTET_STRING, value)


def bit_string(value: bytes, *, unused: int = 0) -> bytes:
    """Write a BIT STRING of whole octets, the last ``unused`` bits of which do not count."""
    return tlv(BIT_STRING, bytes((unused,)), value)


def utf8(text: str) -> bytes:
    """Write a UTF8String."""
    return tlv(UTF8, text.encode())


def ia5(text: str) -> bytes:
    """Write an IA5String."""
    return tlv(IA5, text.encode("ascii"))


def printable(text: str) -> bytes:
    """Write a PrintableString."""
    return tlv(PRINTABLE, text.encode("ascii"))


def generalized_time(at: datetime) -> bytes:
    """Write a GeneralizedTime in UTC with whole seconds."""
    return tlv(GENERALIZED_TIME, at.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())


def utc_time(at: datetime) -> bytes:
    """Write a UTCTime in UTC with whole seconds; only for 1950 to 2049 (RFC 5280 4.1.2.5)."""
    return tlv(UTC_TIME, at.astimezone(UTC).strftime("%y%m%d%H%M%SZ").encode())


def explicit(number: int, *parts: bytes) -> bytes:
    """Wrap in context tag ``[number] EXPLICIT`` (or ``IMPLICIT`` of a constructed type's contents)."""
    return tlv(context(number), *parts)


def implicit(number: int, body: bytes) -> bytes:
    """Write primitive contents under ``[number] IMPLICIT``."""
    return tlv(context(number, constructed=False), body)


# --- reading ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Node:
    """One TLV: its tag octet, its contents and the very octets it was read from."""

    tag: int
    content: bytes
    raw: bytes
    depth: int = 0

    def __len__(self) -> int:
        return len(self.children())

    def __getitem__(self, index: int) -> "Node":
        """Give child ``index``; too short a structure is a DerError, not an IndexError."""
        children = self.children()
        try:
            return children[index]
        except IndexError:
            raise DerError(f"element {index} is missing: the structure has {len(children)}") from None

    def __iter__(self) -> Iterator["Node"]:
        return iter(self.children())

    def children(self) -> tuple["Node", ...]:
        """Read the members of a constructed value."""
        if not self.tag & _CONSTRUCTED:
            raise DerError(f"tag 0x{self.tag:02x} holds no members")
        if self.depth >= MAX_DEPTH:
            raise DerError(f"nested deeper than {MAX_DEPTH} levels")
        members: list[Node] = []
        at = 0
        while at < len(self.content):
            if len(members) == MAX_MEMBERS:
                raise DerError(f"more than {MAX_MEMBERS} members")
            node = _read(self.content, at, self.depth + 1)
            members.append(node)
            at += len(node.raw)
        return tuple(members)

    def expect(self, *tags: int) -> "Node":
        """Give this node back if it has one of ``tags``."""
        if self.tag not in tags:
            wanted = " or ".join(f"0x{tag:02x}" for tag in tags)
            raise DerError(f"found tag 0x{self.tag:02x} where {wanted} belongs")
        return self

    def find(self, tag: int) -> "Node | None":
        """Give the first member with ``tag``, if any."""
        return next((node for node in self.children() if node.tag == tag), None)

    def inner(self) -> "Node":
        """Give the single member of an EXPLICIT wrapper."""
        children = self.children()
        if len(children) != 1:
            raise DerError(f"an explicit tag wraps one value, not {len(children)}")
        return children[0]

    def as_int(self) -> int:
        """Read an INTEGER (or ENUMERATED)."""
        if self.tag not in (INTEGER, 0x0A) or not self.content:
            raise DerError("not an INTEGER")
        if len(self.content) > MAX_INTEGER:
            raise DerError(f"an INTEGER of more than {MAX_INTEGER} octets")
        return int.from_bytes(self.content, "big", signed=True)

    def as_bool(self) -> bool:
        """Read a BOOLEAN."""
        if len(self.expect(BOOLEAN).content) != 1:
            raise DerError("not a BOOLEAN")
        return self.content != b"\x00"

    def as_oid(self) -> str:
        """Read an OBJECT IDENTIFIER into its dotted form."""
        self.expect(OID)
        return _dotted(self.content)

    def as_octets(self) -> bytes:
        """Read an OCTET STRING."""
        return self.expect(OCTET_STRING).content

    def as_bits(self) -> bytes:
        """Read a BIT STRING; unused bits stay in the last octet."""
        self.expect(BIT_STRING)
        if not self.content or self.content[0] > 7:  # noqa: PLR2004 - a count of bits in an octet
            raise DerError("not a BIT STRING")
        return self.content[1:]

    def as_text(self) -> str:
        """Read any of the character string types."""
        if self.tag not in TEXTS:
            raise DerError(f"tag 0x{self.tag:02x} is not text")
        try:
            return self.content.decode(TEXTS[self.tag])
        except UnicodeDecodeError:
            # Issuers write national characters into ASCII types; show what can be shown rather than refuse, and
            # the rest so that different octets never look the same.
            return self.content.decode("utf-8", "backslashreplace")

    def as_time(self) -> datetime:
        """Read UTCTime or GeneralizedTime into an aware UTC instant."""
        self.expect(UTC_TIME, GENERALIZED_TIME)
        return _instant(self.content, century=self.tag == UTC_TIME)


def parse(data: bytes, *, max_size: int = MAX_SIZE) -> Node:
    """Read ``data`` as exactly one TLV; nothing may follow it."""
    node = parse_prefix(data, max_size=max_size)
    if len(node.raw) != len(data):
        raise DerError(f"{len(data) - len(node.raw)} octets follow the structure")
    return node


def parse_prefix(data: bytes, *, max_size: int = MAX_SIZE) -> Node:
    """Read the TLV that ``data`` begins with; what follows (zero padding in a PDF) is left alone."""
    if len(data) > max_size:
        raise DerError(f"{len(data)} octets are more than the {max_size} allowed")
    return _read(bytes(data), 0, 0)


def parse_at(data: bytes, at: int) -> Node:
    """Read the TLV that begins at ``at``, for whoever walks through very many members without copying the rest."""
    return _read(data, at, 0)


def _read(data: bytes, at: int, depth: int) -> Node:
    try:
        tag, first = data[at], data[at + 1]
    except IndexError:
        raise DerError("the structure ends before its length") from None
    if tag & _HIGH_TAG == _HIGH_TAG:
        raise DerError("tags above 30 are not used in what is read here")
    start = at + 2
    if first < _SHORT:
        size = first
    else:
        count = first & 0x7F
        if not 1 <= count <= 4:  # noqa: PLR2004 - 4 length octets reach 4 GiB; 0 is the indefinite form
            raise DerError("indefinite or oversized length")
        size = int.from_bytes(data[start : start + count], "big")
        start += count
    end = start + size
    if end > len(data):
        raise DerError("the structure is cut short")
    return Node(tag=tag, content=data[start:end], raw=data[at:end], depth=depth)


def _dotted(content: bytes) -> str:
    if not content or content[-1] & 0x80 or len(content) > MAX_OID:
        raise DerError("not an OBJECT IDENTIFIER")
    arcs: list[int] = []
    value = 0
    for octet in content:
        value = value << 7 | octet & 0x7F
        if value.bit_length() > 128:  # noqa: PLR2004 - no registered arc is longer
            raise DerError("an OBJECT IDENTIFIER arc is too long")
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def _instant(content: bytes, *, century: bool) -> datetime:
    found = _TIME.fullmatch(content.decode("ascii", "replace"))
    if found is None:
        raise DerError("not a time")
    digits, fraction, sign, hours, minutes = found.groups(default="")
    if century:
        digits = ("19" if digits[:2] >= "50" else "20") + digits
    if len(digits) == len("YYYYMMDDhhmm"):
        digits += "00"
    if len(digits) != len("YYYYMMDDhhmmss"):
        raise DerError("not a time")
    try:
        ahead = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        zone = timezone(-ahead if sign == "-" else ahead)
        moment = datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=zone)
        return (moment + timedelta(microseconds=int(f"{fraction:0<6}"[:6]))).astimezone(UTC)
    except (ValueError, OverflowError):
        raise DerError("not a time") from None
