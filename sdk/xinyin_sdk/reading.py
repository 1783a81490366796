"""Reading: JSON becomes the records of ``shapes``, by their fields alone.

Members that a record does not have are passed over, for newer services tell more. What is missing or of another kind
is ``AnswerUnreadable``: nothing half read leaves this module.
"""

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from xinyin_sdk.errors import AnswerUnreadable

T = TypeVar("T")
_UNREADABLE = "The service's answer cannot be read: is the address right, and this version new enough?"


def parsed(content: bytes) -> Any:
    """Give the value of a JSON text."""
    try:
        return json.loads(content)
    except ValueError as error:
        raise AnswerUnreadable(_UNREADABLE) from error


def record(kind: type[T], value: object) -> T:
    """Make a record of ``kind`` from a JSON object."""
    try:
        made: T = _record(kind, value)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise AnswerUnreadable(f"{_UNREADABLE} No {kind.__name__}: {error}") from error
    return made


def records(kind: type[T], value: object) -> tuple[T, ...]:
    """Make records of ``kind`` from a JSON array."""
    if not isinstance(value, list):
        raise AnswerUnreadable(f"{_UNREADABLE} No list of {kind.__name__}.")
    return tuple(record(kind, each) for each in value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """How a field is read, and what it is where the answer lacks it; MISSING: then the answer cannot be read."""

    name: str
    read: Callable[[Any], Any]
    absent: object


@cache
def _fields(kind: Any) -> tuple[_Field, ...]:
    hints = get_type_hints(kind)
    return tuple(
        _Field(name=each.name, read=_reader(hints[each.name]), absent=_absent(each.default, hints[each.name]))
        for each in fields(kind)
    )


def _absent(default: object, hint: Any) -> object:
    return None if default is MISSING and type(None) in get_args(hint) else default


def _record(kind: Any, value: object) -> Any:
    members: dict[str, Any] = _typed(dict, value)
    given = {}
    for each in _fields(kind):
        given[each.name] = each.read(members[each.name]) if each.name in members else each.absent
        if given[each.name] is MISSING:
            raise KeyError(each.name)
    return kind(**given)


def _reader(hint: Any) -> Callable[[Any], Any]:
    if get_origin(hint) is types.UnionType:
        (kind,) = (each for each in get_args(hint) if each is not type(None))
        inner = _reader(kind)
        return lambda value: None if value is None else inner(value)
    if get_origin(hint) is tuple:
        element = _reader(get_args(hint)[0])
        return lambda value: tuple(element(each) for each in _typed(list, value))
    if get_origin(hint) is Mapping:
        return lambda value: _typed(dict, value)
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda value: _record(hint, value)
    return _PLAIN[hint]


def _typed(kind: type[T], value: object) -> T:
    if type(value) is not kind:
        raise TypeError(f"not a {kind.__name__}")
    return value


_PLAIN: Mapping[Any, Callable[[Any], Any]] = {
    str: lambda value: _typed(str, value),
    int: lambda value: _typed(int, value),
    bool: lambda value: _typed(bool, value),
    datetime: lambda value: _instant(_typed(str, value)),
    date: lambda value: date.fromisoformat(_typed(str, value)),
}


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("a time without its zone")
    return instant
