"""CBOR in its deterministic form only: one value, one spelling (RFC 8949 4.2.1).

Integers, octets, text, arrays, maps, tags, true, false and null. Floats and other simple values are not used in what
is signed here, so they are neither written nor read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from crypto.errors import CborError

Key: TypeAlias = int | str | bytes
Value: TypeAlias = "int | str | bytes | list[Value] | dict[Key, Value] | Tag | None"
"""What ``decode`` gives; a bool is an int to the type checker."""

MAX_SIZE: Final = 64 * 1024
MAX_DEPTH: Final = 16
_UNSIGNED, _NEGATIVE, _OCTETS, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_FALSE, _TRUE, _NULL = 20, 21, 22
_DIRECT: Final = 24
"""Arguments below this stand in the first octet itself."""
_LONGEST: Final = 27
_LIMIT: Final = 1 << 64
# The least argument that needs 1, 2, 4 or 8 octets of its own.
_LEAST: Final = (_DIRECT, 1 << 8, 1 << 16, 1 << 32)


@dataclass(frozen=True, slots=True)
class Tag:
    """A value with its tag number."""

    number: int
    value: "Value"


def encode(value: object) -> bytes:
    """Write ``value``; CborError for types, numbers and depths that are not written here."""
    return _write(value, 0)


def decode(data: bytes, *, max_size: int = MAX_SIZE) -> Value:
    """Read ``data`` as exactly one value in its deterministic form; CborError for any other octets."""
    if len(data) > max_size:
        raise CborError(f"{len(data)} octets are more than the {max_size} allowed")
    reader = _Reader(bytes(data))
    value = reader.value(0)
    if reader.at != len(data):
        raise CborError(f"{len(data) - reader.at} octets follow the value")
    return value


# --- writing ---------------------------------------------------------------------------------------------------


def _write(value: object, depth: int) -> bytes:
    if depth > MAX_DEPTH:
        raise CborError(f"nested deeper than {MAX_DEPTH} levels")
    match value:
        case bool() | None:
            written = bytes((_SIMPLE << 5 | {False: _FALSE, True: _TRUE, None: _NULL}[value],))
        case int():
            written = _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
        case bytes():
            written = _head(_OCTETS, len(value)) + value
        case str():
            written = _write_text(value)
        case Tag():
            written = _head(_TAG, value.number) + _write(value.value, depth + 1)
        case Mapping():
            written = _write_map(value, depth)
        case Sequence():
            written = _head(_ARRAY, len(value)) + b"".join(_write(member, depth + 1) for member in value)
        case _:
            raise CborError(f"a {type(value).__name__} is not written as CBOR here")
    return written


def _write_text(text: str) -> bytes:
    try:
        octets = text.encode()
    except UnicodeEncodeError as error:
        raise CborError("half a surrogate pair is no text") from error
    return _head(_TEXT, len(octets)) + octets


def _write_map(value: Mapping[object, object], depth: int) -> bytes:
    if not all(isinstance(key, Key) and not isinstance(key, bool) for key in value):
        raise CborError("keys of a map are integers, text or octets")
    # RFC 8949 4.2.1: sorted by the octets of the written keys.
    pairs = sorted((_write(key, depth + 1), _write(member, depth + 1)) for key, member in value.items())
    return _head(_MAP, len(pairs)) + b"".join(key + member for key, member in pairs)


def _head(major: int, argument: int) -> bytes:
    if argument < _DIRECT:
        if argument < 0:
            raise CborError("a tag number is not negative")
        return bytes((major << 5 | argument,))
    if argument >= _LIMIT:
        raise CborError("an integer beyond 64 bits is not written here")
    power = sum(argument >= least for least in _LEAST[1:])
    return bytes((major << 5 | _DIRECT + power,)) + argument.to_bytes(1 << power, "big")


# --- reading ---------------------------------------------------------------------------------------------------


class _Reader:
    """Reads values off ``data`` from ``at`` on."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def value(self, depth: int) -> Value:
        if depth > MAX_DEPTH:
            raise CborError(f"nested deeper than {MAX_DEPTH} levels")
        major, argument = self._head()
        found: Value
        match major:
            case 0:
                found = argument
            case 1:
                found = -1 - argument
            case 2:
                found = self._take(argument)
            case 3:
                found = self._text(argument)
            case 4:
                found = self._array(argument, depth + 1)
            case 5:
                found = self._map(argument, depth + 1)
            case 6:
                found = Tag(argument, self.value(depth + 1))
            case _:
                found = _simple(argument)
        return found

    def _head(self) -> tuple[int, int]:
        if self.at >= len(self._data):
            raise CborError("the value is cut short")
        first = self._data[self.at]
        self.at += 1
        major, argument = first >> 5, first & 0x1F
        if argument < _DIRECT:
            return major, argument
        if argument > _LONGEST or major == _SIMPLE:
            raise CborError("indefinite lengths, floats and unassigned values are not read")
        power = argument - _DIRECT
        argument = int.from_bytes(self._take(1 << power), "big")
        if argument < _LEAST[power]:
            raise CborError("a number is not written in the fewest octets")
        return major, argument

    def _take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self._data):
            raise CborError("the value is cut short")
        taken = self._data[self.at : end]
        self.at = end
        return taken

    def _text(self, size: int) -> str:
        try:
            return self._take(size).decode("utf-8")
        except UnicodeDecodeError as error:
            raise CborError("text that is not UTF-8") from error

    def _array(self, size: int, depth: int) -> list[Value]:
        self._expect(size)
        return [self.value(depth) for _ in range(size)]

    def _map(self, size: int, depth: int) -> dict[Key, Value]:
        self._expect(2 * size)
        found: dict[Key, Value] = {}
        last = b""
        for _ in range(size):
            began = self.at
            key = self.value(depth)
            written = self._data[began : self.at]
            if written <= last:
                raise CborError("keys of a map are out of order, or one is repeated")
            if isinstance(key, bool) or not isinstance(key, Key):
                raise CborError("keys of a map are integers, text or octets")
            last = written
            found[key] = self.value(depth)
        return found

    def _expect(self, members: int) -> None:
        """Refuse counts that cannot be true before anything is made for them: each member has an octet at least."""
        if members > len(self._data) - self.at:
            raise CborError("the value is cut short")


def _simple(argument: int) -> bool | None:
    match argument:
        case 20:
            return False
        case 21:
            return True
        case 22:
            return None
    raise CborError("simple values other than true, false and null are not read")
