"""Forms and queries, read strictly: each field once, in UTF-8, in one line."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request

from kernel.errors import Reason, Refusal

LONGEST = 32 * 1024
_MOST = 100


class FormUnreadable(Refusal):
    """What was sent to the console is no form that it has."""

    reason, code = Reason.BAD_INPUT, "console_form_unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Fields by name, their blanks made single: a reason typed in several lines is kept as one."""

    values: Mapping[str, str]

    def get(self, name: str) -> str:
        """Give a field, empty where it was not sent."""
        return self.values.get(name, "")


def read_form(encoded: bytes) -> Form:
    """Read an application/x-www-form-urlencoded text; FormUnreadable for anything else."""
    if len(encoded) > LONGEST:
        raise FormUnreadable(f"A form has {LONGEST} octets at most.")
    try:
        pairs = parse_qsl(encoded.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST)
    except ValueError as error:
        raise FormUnreadable("What was sent is no form in UTF-8.") from error
    values = {name: " ".join(value.split()) for name, value in pairs}
    if len(values) != len(pairs):
        raise FormUnreadable("A field was sent more than once.")
    if any(character < " " or character == "\x7f" for value in values.values() for character in value):
        raise FormUnreadable("A field holds control characters.")
    return Form(values=values)


async def body_of(request: Request) -> bytes:
    """Read a form's octets: of one that is too long just enough to see it."""
    seen = bytearray()
    async for part in request.stream():
        seen += part
        if len(seen) > LONGEST:
            break
    return bytes(seen)
