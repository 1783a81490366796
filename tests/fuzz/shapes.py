"""Mutations that keep a format's outer form, so that what is broken lies deep inside: DER, JSON, CBOR, base64url."""

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

from crypto import cbor
from crypto.errors import CborError
from tests.fuzz.mutators import MAX_INPUT, PLAIN, Mutate, repeated, tokens

_CONSTRUCTED, _OCTETS, _BITS = 0x20, 0x04, 0x03
_TAGS = (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A, 0x0C, 0x13, 0x16, 0x17, 0x18, 0x1E, 0x30, 0x31, 0x80, 0xA0, 0xA1)
_DEEPEST_WALK = 24
_MOST_NODES = 4000


# --- DER -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Tlv:
    start: int
    content: int
    end: int
    parent: int
    """Its place among the nodes; -1 for the outermost."""


def tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


@lru_cache(maxsize=512)
def _nodes(data: bytes) -> tuple[_Tlv, ...]:
    """Find every TLV, those within OCTET and BIT STRINGs too."""
    found: list[_Tlv] = []
    _walk(data, 0, len(data), -1, found, 0)
    return tuple(found)


def _walk(data: bytes, at: int, end: int, parent: int, found: list[_Tlv], depth: int) -> bool:
    """Add the TLVs of a range; False, and nothing added, if it is not filled by TLVs."""
    before = len(found)
    while at < end:
        head = _head(data, at, end)
        if head is None or depth > _DEEPEST_WALK or len(found) > _MOST_NODES:
            del found[before:]
            return False
        content, stop = head
        place = len(found)
        found.append(_Tlv(at, content, stop, parent))
        tag = data[at]
        if tag & _CONSTRUCTED:
            if not _walk(data, content, stop, place, found, depth + 1):
                del found[before:]
                return False
        elif tag == _OCTETS:
            _walk(data, content, stop, place, found, depth + 1)
        elif tag == _BITS and stop > content + 2:
            _walk(data, content + 1, stop, place, found, depth + 1)
        at = stop
    return True


def _head(data: bytes, at: int, end: int) -> tuple[int, int] | None:
    if at + 2 > end or data[at] & 0x1F == 0x1F:
        return None
    first, content = data[at + 1], at + 2
    if first >= 0x80:
        count = first & 0x7F
        if not 1 <= count <= 4 or content + count > end:
            return None
        first, content = int.from_bytes(data[content : content + count], "big"), content + count
    return (content, content + first) if content + first <= end else None


def replaced(data: bytes, place: int, new: bytes) -> bytes:
    """Put ``new`` in the place of a node and make every length around it fit."""
    nodes = _nodes(data)
    node = nodes[place]
    while node.parent >= 0:
        outer = nodes[node.parent]
        new = tlv(data[outer.start], data[outer.content : node.start] + new + data[node.end : outer.end])
        node = outer
    return data[: node.start] + new + data[node.end :]


def _number(rng: Random) -> bytes:
    size = rng.choice((0, 1, 8, 20, 21, 129, 600, 2000, 9000))
    return tlv(0x02, rng.choice((b"\x00", b"\x7f", b"\x80", b"\xff")) * size)


def _deep(rng: Random) -> bytes:
    depth = rng.choice((31, 32, 33, 40, 400, 3000))
    if rng.random() < 0.3:
        return rng.choice((b"\x30\x80", b"\x24\x80", b"\xa0\x80")) * depth
    inner = b""
    for _ in range(min(depth, 400)):
        inner = tlv(rng.choice((0x30, 0x31, 0xA0)) if depth < 50 else 0x30, inner)
    return inner


def _odd(rng: Random) -> bytes:
    return rng.choice(
        (
            tlv(0x06, b"\x80" * rng.choice((1, 30, 127)) + b"\x01"),
            tlv(0x06, b"\x2a" + b"\xff" * 19 + b"\x7f"),
            tlv(0x17, rng.choice((b"991231235959Z", b"000000000000Z", b"260229000000Z", b"2611220800Z", b"\xff" * 13))),
            tlv(0x18, rng.choice((b"99991231235959Z", b"00010101000000+1400", b"20261122080000." + b"9" * 40 + b"Z"))),
            tlv(0x1E, b"\xd8\x00" * 3),
            tlv(0x0C, rng.choice((b"\xed\xa0\x80", b"\x00", "汉".encode() * 400, b"\xe2\x80\xae,+=\\", b"\x0a"))),
            tlv(0x13, "中".encode()),
            tlv(0x03, b"\x08"),
            tlv(0x03, b""),
            tlv(0x01, b""),
            tlv(0x0A, b"\x7f" * 9),
            b"\x05\x00" * rng.choice((1, 5, 4097)),
            tlv(0x30, tlv(0x31, b"") * 3),
        )
    )


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A value that is to be changed, and what may take its place."""

    raw: bytes
    content: bytes
    data: bytes
    seeds: Sequence[bytes]


_CHANGES: tuple[Callable[[Random, _Chosen], bytes], ...] = (
    lambda _, __: b"",
    lambda rng, it: repeated(it.raw, rng.choice((2, 3, 200))),
    lambda rng, it: tlv(rng.choice(_TAGS), it.content),
    lambda rng, it: tlv(it.raw[0], rng.choice(PLAIN)(rng, it.content, it.seeds)),
    lambda rng, _: _number(rng),
    lambda rng, _: _deep(rng),
    lambda rng, _: _odd(rng),
    lambda rng, it: _any_of(rng, it.data),
    lambda rng, it: _any_of(rng, rng.choice(it.seeds)),
    lambda rng, it: tlv(rng.choice((0x30, 0x31, 0xA0, 0xA1, 0xA3, 0x04, 0x24)), it.raw),
    lambda _, it: it.content,
)


def _any_of(rng: Random, data: bytes) -> bytes:
    nodes = _nodes(data)
    node = rng.choice(nodes) if nodes else _Tlv(0, 0, 0, -1)
    return data[node.start : node.end]


def der_node(rng: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """Change one value anywhere within, and make all lengths around it fit again."""
    nodes = _nodes(data)
    if not nodes:
        return rng.choice(PLAIN)(rng, data, seeds)
    place = rng.randrange(len(nodes))
    node = nodes[place]
    chosen = _Chosen(data[node.start : node.end], data[node.content : node.end], data, seeds)
    return replaced(data, place, rng.choice(_CHANGES)(rng, chosen))[:MAX_INPUT]


def der_length(rng: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """Falsify one length and leave all others."""
    nodes = _nodes(data)
    if not nodes:
        return rng.choice(PLAIN)(rng, data, seeds)
    node = rng.choice(nodes)
    size = node.end - node.content
    wrong = rng.choice((size + 1, max(0, size - 1), 0, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF))
    form = rng.randrange(5)
    if form == 0:
        length = b"\x80"
    elif form == 1:
        length = b"\x88" + wrong.to_bytes(8, "big")
    elif form == 2:
        length = b"\x84" + size.to_bytes(4, "big")  # the true one, in a longer form
    else:
        length = b"\x84" + wrong.to_bytes(4, "big") if wrong > 0x7F else bytes((wrong,))
    return data[: node.start + 1] + length + data[node.content :]


DER: tuple[Mutate, ...] = (*PLAIN, *[der_node] * 8, *[der_length] * 2)


# --- values of JSON and CBOR -----------------------------------------------------------------------------------

_STRINGS: tuple[str, ...] = (
    "",
    "\x00",
    "x" * 5000,
    "\u202e",
    "none",
    "HS256",
    "AAAA",
    "=" * 5,
    "../../x",
    "𝟙",
    "é" * 40,
)
_NUMBERS: tuple[int, ...] = (0, 1, -1, 2**31, 2**53 + 1, 2**63, 2**64 - 1, -(2**63), 253402300800)


def _changed(rng: Random, value: Any, fresh: Callable[[Random], Any]) -> Any:
    """Change one member anywhere within."""
    inside = isinstance(value, dict | list) and len(value) > 0 and rng.random() < 0.8
    if isinstance(value, cbor.Tag):
        number = rng.choice((0, 17, 18, 24, 98, 61, 2**64 - 1)) if rng.random() < 0.3 else value.number
        return cbor.Tag(number, _changed(rng, value.value, fresh)) if rng.random() < 0.9 else value.value
    if not inside:
        return fresh(rng)
    if isinstance(value, list):
        at = rng.randrange(len(value))
        members = [*value]
        way = rng.randrange(4)
        if way == 0:
            del members[at]
        elif way == 1:
            members.insert(at, members[at])
        else:
            members[at] = _changed(rng, members[at], fresh)
        return members
    key = rng.choice(list(value))
    changed = dict(value)
    way = rng.randrange(5)
    if way == 0:
        del changed[key]
    elif way == 1:
        changed[fresh_key(rng, key)] = changed.pop(key)
    elif way == 2:
        changed[fresh_key(rng, key)] = fresh(rng)
    else:
        changed[key] = _changed(rng, changed[key], fresh)
    return changed


def fresh_key(rng: Random, like: object) -> Any:
    """Give another key of the same type."""
    if isinstance(like, int):
        return rng.choice((-1, 0, 1, 2, 3, 4, 5, 6, 33, 2**63))
    names = (
        "crit",
        "b64",
        "jwk",
        "jku",
        "x5c",
        "kid",
        "typ",
        "alg",
        "d",
        "k",
        "use",
        "key_ops",
        "next",
        "kdf",
        "\ud800",
    )
    return rng.choice((*names, *_STRINGS))


def _fresh_json(rng: Random) -> Any:
    nested: Any = 1
    for _ in range(rng.choice((1, 20, 90))):
        nested = [nested] if rng.random() < 0.5 else {"a": nested}
    plain: tuple[Any, ...] = (None, True, False, 1.5, -0.0, [], {}, nested, "\ud800", 10**300, 1e308)
    return rng.choice((*plain, *_STRINGS, *_NUMBERS))


def _fresh_cbor(rng: Random) -> Any:
    nested: Any = 1
    for _ in range(rng.choice((1, 8, 13))):
        nested = [nested] if rng.random() < 0.5 else {1: nested}
    plain: tuple[Any, ...] = (None, True, False, [], {}, nested, b"", rng.randbytes(8), b"\xa0", bytes(3000))
    return rng.choice((*plain, *_STRINGS, *_NUMBERS))


_JSON_TOKENS = tokens(
    *(
        b"[" * 200,
        b'{"a":' * 200,
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"9" * 5000,
        b"\\ud800",
        b'"',
        b"\xef\xbb\xbf",
        b"\xff",
    ),
    *(b',"a":1,"a":2', b"//", b"\\", b"1_0", b"0x10", b"\x00", b"[" * 100_000),
)


def json_value(rng: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """Change one member of a JSON text, and write it again."""
    try:
        value = json.loads(data)
        return json.dumps(_changed(rng, value, _fresh_json), ensure_ascii=rng.random() < 0.7).encode(
            "utf-8", "surrogatepass"
        )
    except (ValueError, RecursionError):
        return _JSON_TOKENS(rng, data, seeds)


JSON: tuple[Mutate, ...] = (*PLAIN, *[json_value] * 10, *[_JSON_TOKENS] * 3)

_CBOR_TOKENS = tokens(
    *(
        b"\x1b" + b"\xff" * 8,
        b"\x9b" + b"\xff" * 8,
        b"\xbb\x00\x00\x00\x00\xff\xff\xff\xff",
        b"\x81" * 40,
        b"\xd8\x18" * 30,
    ),
    *(
        b"\xa1\x00" * 30,
        b"\x5f",
        b"\x9f",
        b"\xbf",
        b"\xff",
        b"\xf9\x7e\x00",
        b"\xf8\x14",
        b"\x18\x17",
        b"\x38\x00",
        b"\xd2",
    ),
)


def cbor_value(rng: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """Change one member of a CBOR value, also within octets that hold CBOR themselves, and write it again."""
    try:
        return cbor.encode(_changed(rng, _opened(rng, cbor.decode(data)), _fresh_cbor))
    except CborError:
        return _CBOR_TOKENS(rng, data, seeds)


def _opened(rng: Random, value: Any) -> Any:
    """Now and then change a header of COSE_Sign1 from within."""
    match value:
        case cbor.Tag(number, [bytes(header), *rest]) if rng.random() < 0.5:
            try:
                changed = cbor.encode(_changed(rng, cbor.decode(header), _fresh_cbor))
            except CborError:
                changed = _CBOR_TOKENS(rng, header, (header,))
            return cbor.Tag(number, [changed, *rest])
    return value


CBOR: tuple[Mutate, ...] = (*PLAIN, *[cbor_value] * 6, *[_CBOR_TOKENS] * 3)


# --- text ------------------------------------------------------------------------------------------------------


def compact_part(rng: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """Change the JSON or the octets in one part of a compact token, and write the part again."""
    parts = data.split(b".")
    at = rng.randrange(len(parts))
    try:
        inside = base64.urlsafe_b64decode(parts[at] + b"=" * (-len(parts[at]) % 4))
    except ValueError:
        return rng.choice(PLAIN)(rng, data, seeds)
    inside = rng.choice(JSON if inside[:1] == b"{" else PLAIN)(rng, inside, (inside,))
    parts[at] = base64.urlsafe_b64encode(inside).rstrip(b"=")
    return b".".join(parts)[:MAX_INPUT]


JWT: tuple[Mutate, ...] = (*PLAIN, *[compact_part] * 8, tokens(b".", b"..", b"=", b"-_", b"eyJhbGciOiJub25lIn0", b" "))


def armoured(ways: Sequence[Mutate]) -> Mutate:
    """Make the mutation that changes what a PEM block holds, and armours it again."""

    def change(rng: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
        found = re.search(rb"-----BEGIN ([A-Z ]+)-----\n(.*?)\n-----END", data, re.DOTALL)
        try:
            inside = base64.b64decode(found[2]) if found else b""
        except ValueError:
            inside = b""
        if not found or not inside:
            return rng.choice(PLAIN)(rng, data, seeds)
        inside = rng.choice(ways)(rng, inside, (inside,))
        return data[: found.start(2)] + base64.encodebytes(inside).rstrip(b"\n") + data[found.end(2) :]

    return change


_PEM_TOKENS = tokens(
    b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----\n", b"-----", b"\r\n", b"=", b"\x00", "证".encode()
)
PEM: tuple[Mutate, ...] = (*PLAIN, *[armoured(DER)] * 6, *[_PEM_TOKENS] * 3)


def text(*words: bytes) -> tuple[Mutate, ...]:
    """Give the mutations of a short text with the words that mean something in it."""
    return (*PLAIN, *[tokens(b"\n", b" ", b".", b"+", b"\xc2\xa0", "１".encode(), b"9" * 5000, *words)] * 4)
