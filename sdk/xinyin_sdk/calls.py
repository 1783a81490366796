"""Calls: requests as data. A row says what an operation is, a call what is asked of it; neither touches a network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from xinyin_sdk.documents import Content
from xinyin_sdk.reading import parsed, record, records

T = TypeVar("T")
K = TypeVar("K")
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer that says yes."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reader(Generic[T]):
    """Makes a result of an answer; ``kind`` is the record in it, if it holds one."""

    read: Callable[[Answer], T]
    kind: type | None = None


def one(kind: type[K]) -> Reader[K]:
    """Read a JSON object."""
    return Reader(lambda answer: record(kind, parsed(answer.content)), kind)


def many(kind: type[K]) -> Reader[tuple[K, ...]]:
    """Read a JSON array of objects."""
    return Reader(lambda answer: records(kind, parsed(answer.content)), kind)


OCTETS: Reader[bytes] = Reader(lambda answer: answer.content)
TEXT: Reader[str] = Reader(lambda answer: answer.content.decode("utf-8", "replace"))
JSON: Reader[Any] = Reader(lambda answer: parsed(answer.content))
NOTHING: Reader[None] = Reader(lambda _: None)


@dataclass(frozen=True, slots=True)
class Row(Generic[T]):
    """An operation of the service. ``path`` has its parts in braces, as in the service's own description."""

    method: str
    path: str
    reader: Reader[T]
    public: bool = False
    """Anyone may ask, without a token."""
    repeatable: bool = True
    """Sent twice it does what it does once: by nature, or by its idempotency key."""

    @property
    def name(self) -> str:
        """The operation, as logs and errors call it: never with what stood in the path."""
        return f"{self.method} {self.path}"

    def call(self, *parts: str, **asked: Any) -> "Call[T]":
        """Ask for it; ``parts`` fill the braces of the path in order."""
        return Call(row=self, target=_filled(self.path, parts), **asked)


def _filled(path: str, parts: tuple[str, ...]) -> str:
    for part in parts:
        if part in {"", ".", ".."}:
            raise ValueError("an id is missing")
        head, _, rest = path.partition("{")
        path = head + quote(part, safe="") + rest.partition("}")[2]
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """One request to be made, and how its answer is read."""

    row: Row[T]
    target: str
    query: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = field(default=None, repr=False)
    fields: Mapping[str, str] | None = field(default=None, repr=False)
    """With these the document is sent in a form, and nothing of what is asked stands in an address."""
    document: Content | None = field(default=None, repr=False)
    key: str | None = None
    """The Idempotency-Key."""

    def read(self, answer: Answer) -> T:
        """Make the result."""
        return self.row.reader.read(answer)


def given(**options: Any) -> dict[str, Any]:
    """Leave out what was not given."""
    return {name: value for name, value in options.items() if value is not None}


def texts(**options: str | int | bool | None) -> dict[str, str]:
    """Write options as a form or a query has them, without those that were not given."""
    return {name: _text(value) for name, value in options.items() if value is not None}


def _text(value: str | int | bool) -> str:  # noqa: FBT001 - a value, not a switch
    return str(value).lower() if isinstance(value, bool) else str(value)
