"""BER of indefinite length, as some PDF signers write their CMS, turned into definite lengths (X.690 8.1.3.6).

Members that already have definite lengths keep their octets, so what was signed (certificates, signed attributes)
is still judged as received.
"""

from crypto.der import MAX_DEPTH, MAX_SIZE, OCTET_STRING, tlv
from crypto.errors import DerError

_INDEFINITE = 0x80
_CONSTRUCTED = 0x20
_CONSTRUCTED_OCTETS = OCTET_STRING | _CONSTRUCTED
_HIGH_TAG = 0x1F
_MAX_LENGTH_OCTETS = 4


def definite(data: bytes) -> tuple[bytes, int]:
    """Rewrite the value ``data`` begins with; give it and how many octets of ``data`` it took."""
    if len(data) > MAX_SIZE:
        raise DerError(f"{len(data)} octets are more than the {MAX_SIZE} allowed")
    return _value(data, 0, len(data), 0)


def _value(data: bytes, at: int, limit: int, depth: int) -> tuple[bytes, int]:
    """Rewrite one value at ``at``; give it and where the next one starts."""
    if depth > MAX_DEPTH:
        raise DerError(f"nested deeper than {MAX_DEPTH} levels")
    tag, start, size = _header(data, at, limit)
    if size is not None and not tag & _CONSTRUCTED:
        return data[at : start + size], start + size
    if size is None and not tag & _CONSTRUCTED:
        raise DerError("a primitive value has an indefinite length")
    members, end = _members(data, start, limit if size is None else start + size, depth, open_ended=size is None)
    if tag == _CONSTRUCTED_OCTETS:
        return tlv(OCTET_STRING, b"".join(_octets(member) for member in members)), end
    if size is not None and b"".join(members) == data[start:end]:
        return data[at:end], end  # Long-form lengths stay as they were signed.
    return tlv(tag, b"".join(members)), end


def _members(data: bytes, at: int, limit: int, depth: int, *, open_ended: bool) -> tuple[list[bytes], int]:
    members: list[bytes] = []
    while open_ended or at < limit:
        if open_ended and data[at : at + 2] == b"\x00\x00" and at + 2 <= limit:
            return members, at + 2
        member, at = _value(data, at, limit, depth + 1)
        members.append(member)
    return members, at


def _header(data: bytes, at: int, limit: int) -> tuple[int, int, int | None]:
    """Read tag and length; give the tag, where the contents start, and their size (None: indefinite)."""
    if at + 2 > limit:
        raise DerError("the structure ends before its length")
    tag, first = data[at], data[at + 1]
    if tag & _HIGH_TAG == _HIGH_TAG:
        raise DerError("tags above 30 are not used in what is read here")
    start = at + 2
    if first == _INDEFINITE:
        return tag, start, None
    size = first
    if first > _INDEFINITE:
        count = first - _INDEFINITE
        if count > _MAX_LENGTH_OCTETS:
            raise DerError("oversized length")
        size = int.from_bytes(data[start : start + count], "big")
        start += count
    if start + size > limit:
        raise DerError("the structure is cut short")
    return tag, start, size


def _octets(member: bytes) -> bytes:
    tag, start, size = _header(member, 0, len(member))
    if tag != OCTET_STRING or size is None:
        raise DerError("an OCTET STRING is made of something else")
    return member[start:]
