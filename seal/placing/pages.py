"""Page lists as people write them: "1-3,5", "-1" for the last, "all", "odd", "even"."""

import re
from dataclasses import dataclass

from seal.errors import PlacementRefused

_PART = re.compile(r"(-?[0-9]{1,6})(?:(?:\.\.|-)(-?[0-9]{1,6}))?", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]+", re.ASCII)
_WORDS = {"all": (1, 1), "odd": (1, 2), "even": (2, 2)}
"""First page and step."""
_MOST_PARTS = 200


@dataclass(frozen=True, slots=True)
class PageList:
    """Pages of a document not yet seen, in the words they were given; each page once, in the document's order."""

    text: str

    @classmethod
    def parse(cls, text: str) -> "PageList":
        """Read a list: numbers from 1, or from -1 backwards, and ranges of them, parted by commas.

        PlacementRefused if it is none.
        """
        parts = [part.strip() for part in text.split(",")]
        if len(parts) > _MOST_PARTS:
            raise PlacementRefused(f"A page list has {_MOST_PARTS} parts at most.")
        for part in parts:
            if part in _WORDS:
                continue
            found = _PART.fullmatch(part)
            if found is None or "0" in {number and str(int(number)) for number in found.groups()}:
                raise PlacementRefused(f"{part[:40]!r} is no page: write 3, 1-3, -1 (the last), all, odd or even.")
        return cls(",".join(parts))

    @classmethod
    def single(cls, page: int) -> "PageList":
        """Take one page, counted from 1, or from -1 backwards."""
        return cls.parse(str(page))

    @property
    def alone(self) -> int | None:
        """The number of the page, from 1 or from -1 backwards, if the list is just that: no count is needed then."""
        return int(self.text) if _NUMBER.fullmatch(self.text) else None

    def of(self, count: int) -> tuple[int, ...]:
        """Give the indexes, from 0, in a document of ``count`` pages; PlacementRefused for a page that is not there."""
        found: set[int] = set()
        for part in self.text.split(","):
            found.update(_indexes(part, count))
        if not found:
            raise PlacementRefused(f"The document has no pages {self.text}: it has {count}.")
        return tuple(sorted(found))


def _indexes(part: str, count: int) -> range:
    if part in _WORDS:
        first, step = _WORDS[part]
        return range(first - 1, count, step)
    found = _PART.fullmatch(part)
    if found is None:
        raise PlacementRefused(f"{part[:40]!r} is no page.")
    first = _index(int(found[1]), count)
    last = first if found[2] is None else _index(int(found[2]), count)
    if last < first:
        raise PlacementRefused(f"The pages {part} run backwards in a document of {count}.")
    return range(first, last + 1)


def _index(number: int, count: int) -> int:
    index = number - 1 if number > 0 else count + number
    if not 0 <= index < count:
        raise PlacementRefused(
            f"The document has {count} {'page' if count == 1 else 'pages'}; there is no page {number}."
        )
    return index
