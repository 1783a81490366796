"""Whether two PDF values are the same for every reader.

Type for type: readers do not take 1 for true, and some not 90.0 for 90. Only in arrays, which hold coordinates, are
whole numbers the same with and without their point: writers that copy a page write its boxes either way.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from seal.formats.pdf.objects import PdfDict, PdfObject, Stream

_END = object()


def identical(left: PdfObject, right: PdfObject) -> bool:
    """Tell whether two values are the same throughout; references are the same if they name the same object."""
    todo = [(left, right)]
    while todo:
        one, other = todo.pop()
        if not same_shape(one, other):
            return False
        todo.extend(unsettled(one, other))
    return True


def unsettled(left: PdfObject, right: PdfObject) -> Iterator[tuple[PdfObject, PdfObject]]:
    """Give the pairs of members, of two values of the same shape, that are still to be compared."""
    pairs = zip(members(left), members(right), strict=True)
    if not isinstance(left, list):
        yield from pairs
    else:
        yield from (pair for pair in pairs if not (_is_number(pair[0]) and _is_number(pair[1]) and pair[0] == pair[1]))


def _is_number(value: PdfObject) -> bool:
    return type(value) in (int, float)


def same_shape(left: PdfObject, right: PdfObject) -> bool:
    """Tell whether two values are the same but for the members they hold."""
    if type(left) is not type(right):
        return False
    if isinstance(left, Stream) and isinstance(right, Stream):
        return left.raw == right.raw and left.entries.keys() == right.entries.keys()
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys()
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right)
    return left == right


def members(value: PdfObject) -> list[PdfObject]:
    """Give what a value directly holds, in an order of its own."""
    if isinstance(value, Stream):
        value = value.entries
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    return value if isinstance(value, list) else []


def differing(before: PdfDict, after: PdfDict, free: AbstractSet[str]) -> Iterator[str]:
    """Give the keys, other than those ``free``, whose values are not the same."""
    for key in sorted((before.keys() | after.keys()) - free):
        if not identical(before.get(key), after.get(key)):
            yield key


def added(before: list[PdfObject], after: list[PdfObject]) -> list[PdfObject] | None:
    """Give what ``after`` has beside the items of ``before`` in their order; None if one of these is gone."""
    rest = iter(before)
    wanted: object = next(rest, _END)
    found = []
    for item in after:
        if wanted is not _END and identical(item, wanted):  # type: ignore[arg-type]
            wanted = next(rest, _END)
        else:
            found.append(item)
    return found if wanted is _END else None
