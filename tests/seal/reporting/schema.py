"""A judge of JSON by a JSON Schema (draft 2020-12): the keywords that our schema uses, and an error for any other."""

import json
import re
from collections.abc import Iterator
from typing import Any

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
}
_SAID = {"$schema", "$id", "$defs", "title", "additionalProperties"}


class Misfit(AssertionError):
    """What does not fit, and where."""


def judge(value: Any, schema: dict[str, Any]) -> None:
    """Raise a Misfit naming the first place where ``value`` does not fit ``schema``."""
    # What reaches a reader is what was written, not what was meant: tuples become arrays, keys become texts.
    for problem in _problems(json.loads(json.dumps(value)), schema, schema, "$"):
        raise Misfit(problem)


def _problems(value: Any, schema: dict[str, Any], root: dict[str, Any], at: str) -> Iterator[str]:
    for keyword, wanted in schema.items():
        if keyword not in _SAID:
            yield from _CHECKS[keyword](value, wanted, schema, root, at)


def _reference(value: Any, wanted: str, _schema: Any, root: dict[str, Any], at: str) -> Iterator[str]:
    yield from _problems(value, root["$defs"][wanted.removeprefix("#/$defs/")], root, at)


def _type(value: Any, wanted: str, _schema: Any, _root: Any, at: str) -> Iterator[str]:
    boolean = isinstance(value, bool) and wanted != "boolean"
    if boolean or not isinstance(value, _TYPES[wanted]):
        yield f"{at} is no {wanted}"


def _members(value: Any, wanted: dict[str, Any], schema: Any, root: Any, at: str) -> Iterator[str]:
    assert schema["additionalProperties"] is False
    for name, member in value.items() if isinstance(value, dict) else ():
        if name not in wanted:
            yield f"{at}.{name} is not known"
        else:
            yield from _problems(member, wanted[name], root, f"{at}.{name}")


def _required(value: Any, wanted: list[str], _schema: Any, _root: Any, at: str) -> Iterator[str]:
    yield from (f"{at}.{name} is missing" for name in wanted if name not in value)


def _items(value: Any, wanted: Any, _schema: Any, root: Any, at: str) -> Iterator[str]:
    for place, item in enumerate(value if isinstance(value, list) else ()):
        yield from _problems(item, wanted, root, f"{at}[{place}]")


def _any(value: Any, wanted: list[Any], _schema: Any, root: Any, at: str) -> Iterator[str]:
    if all(any(True for _ in _problems(value, each, root, at)) for each in wanted):
        yield f"{at} is none of those allowed: {value!r}"


def _plain(holds: Any, said: str) -> Any:
    def check(value: Any, wanted: Any, _schema: Any, _root: Any, at: str) -> Iterator[str]:
        if not holds(value, wanted):
            yield f"{at} {said} {wanted!r}: {value!r}"

    return check


_CHECKS: dict[str, Any] = {
    "$ref": _reference,
    "type": _type,
    "properties": _members,
    "required": _required,
    "items": _items,
    "anyOf": _any,
    "enum": _plain(lambda value, wanted: value in wanted, "is not one of"),
    "const": _plain(lambda value, wanted: value == wanted, "is not"),
    "pattern": _plain(lambda value, wanted: re.search(wanted, value) is not None, "does not match"),
    "minItems": _plain(lambda value, wanted: len(value) >= wanted, "has fewer members than"),
    "maxItems": _plain(lambda value, wanted: len(value) <= wanted, "has more members than"),
}
