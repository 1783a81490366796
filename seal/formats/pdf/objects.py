"""PDF objects as Python values, and the writing of them (ISO 32000-2 7.3).

null is None, a name is a ``Name``, both kinds of string are ``bytes``, an array is a ``list``, a dictionary a
``dict``; references and streams have classes of their own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias, Union

from seal.errors import DocumentRefused


class PdfError(DocumentRefused):
    """The octets are not a PDF that can be read safely; the text says what was met."""


class PdfEncrypted(PdfError):
    """The document is encrypted, so what would be sealed or judged cannot be read."""

    code = "document_encrypted"


class Name(str):
    """A PDF name without its slash; each character stands for one octet."""

    __slots__ = ()


class Ref(NamedTuple):
    """An indirect reference."""

    number: int
    generation: int


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream: its dictionary and its octets as they stand in the file, still filtered."""

    entries: "PdfDict"
    raw: bytes = field(repr=False)


PdfObject: TypeAlias = Union[bool, int, float, Name, bytes, Ref, "PdfArray", "PdfDict", Stream, None]
PdfArray: TypeAlias = list["PdfObject"]
PdfDict: TypeAlias = dict[str, "PdfObject"]

_PLAIN_NAME = frozenset("!\"$&'*+,-.:;=?@\\^_`|~") | {chr(code) for code in range(33, 127) if chr(code).isalnum()}
_ESCAPES = str.maketrans({"\\": r"\\", "(": r"\(", ")": r"\)", "\r": r"\r", "\n": r"\n"})


def write(value: PdfObject) -> bytes:
    """Write ``value`` as it stands in a file; a stream with its octets as they are."""
    if isinstance(value, Stream):
        entries = write({**value.entries, "Length": len(value.raw)})
        return b"".join((entries, b"\nstream\n", value.raw, b"\nendstream"))
    return _text(value).encode("latin-1")


@lru_cache(maxsize=1024)
def _name(name: str) -> str:
    return "/" + "".join(char if char in _PLAIN_NAME else f"#{ord(char):02X}" for char in name)


def _text(value: PdfObject) -> str:
    writer = _WRITERS.get(type(value))
    if writer is None:
        raise TypeError(f"{type(value).__name__} stands nowhere inside a PDF object")
    return writer(value)


def _dictionary(value: PdfDict) -> str:
    return "<<" + "".join([f"{_name(key)} {_text(item)}" for key, item in value.items()]) + ">>"


_WRITERS: Mapping[type, Callable[[Any], str]] = {
    dict: _dictionary,
    list: lambda value: "[" + " ".join(map(_text, value)) + "]",
    Ref: lambda value: f"{value[0]} {value[1]} R",
    Name: _name,
    int: str,
    # Exactly and with its point: a reader may refuse a real number where an integer belongs, and the other way round.
    float: lambda value: format(Decimal(repr(value)), "f"),
    bytes: lambda value: "(" + value.decode("latin-1").translate(_ESCAPES) + ")",
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
}


def text_string(text: str) -> bytes:
    """Give ``text`` as a PDF text string: ASCII where that will do, else UTF-16 with its mark (7.9.2.2)."""
    return text.encode() if text.isascii() else b"\xfe\xff" + text.encode("utf-16-be")


def date_string(at: datetime) -> bytes:
    """Give ``at`` as a PDF date in UTC (7.9.4)."""
    return at.astimezone(UTC).strftime("D:%Y%m%d%H%M%SZ").encode()
