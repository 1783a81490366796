"""Parameters: a query or form body read strictly, before anything in it is believed."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

LONGEST = 16 * 1024
_MOST = 100


class Unreadable(ValueError):
    """Octets that are no proper application/x-www-form-urlencoded text; the text says why, without quoting them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Names and values as sent; an empty value counts as left out (RFC 6749 3.1)."""

    values: Mapping[str, str]
    repeated: frozenset[str]

    def get(self, name: str) -> str | None:
        """Give a value."""
        return self.values.get(name)

    def words(self, name: str) -> tuple[str, ...]:
        """Give a list written with spaces, each word once, in order."""
        return tuple(dict.fromkeys(self.values.get(name, "").split()))


def read(encoded: bytes) -> Parameters:
    """Read an application/x-www-form-urlencoded text in UTF-8; Unreadable for anything else."""
    if len(encoded) > LONGEST:
        raise Unreadable(f"more than {LONGEST} octets")
    try:
        pairs = parse_qsl(encoded.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST)
    except UnicodeDecodeError as error:
        raise Unreadable("not percent-encoded UTF-8") from error
    except ValueError as error:
        raise Unreadable(f"more than {_MOST} parameters") from error
    if any(_has_control(part) for pair in pairs for part in pair):
        raise Unreadable("control characters")
    counted = Counter(name for name, _ in pairs)
    return Parameters(
        values={name: value for name, value in pairs if value},
        repeated=frozenset(name for name, times in counted.items() if times > 1),
    )


def _has_control(text: str) -> bool:
    return any(character < " " or character == "\x7f" for character in text)
