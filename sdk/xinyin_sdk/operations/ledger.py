"""The usage ledger: who used which seal when, for what, and how it ended."""

from datetime import datetime
from typing import Literal, TypedDict, Unpack

from xinyin_sdk.calls import OCTETS, Call, Row, one, texts
from xinyin_sdk.courses import Course, Tell
from xinyin_sdk.shapes import LedgerPage, Use

_V1 = "/api/seals/v1/ledger"
_PAGE = 500
LIST = Row("GET", _V1, one(LedgerPage))
EXPORT = Row("GET", f"{_V1}/exports/{{month}}", OCTETS)


class Filter(TypedDict, total=False):
    """Which uses are meant: those that fit all that is given."""

    seal: str
    organisation: str
    caller: str
    since: datetime
    """From this instant on, with its zone; it is that of the intent."""
    until: datetime
    """Before this instant."""
    document_kind: str
    case_number: str
    format: str
    state: Literal["completed", "running", "failed", "interrupted"]
    document_sm3: str
    """Of the document that was sent, or of the sealed file."""


def uses(*, after: str | None = None, **wanted: Unpack[Filter]) -> Course[Use]:
    """List the uses that the caller may see, the newest first; asks for more as you go on.

    ``wanted`` are the names of ``Filter``.
    """
    query = _query(wanted)
    while True:
        page: LedgerPage = yield LIST.call(query={**query, **texts(after=after, limit=_PAGE)})
        for each in page.uses:
            yield Tell(each)
        if page.next is None:
            return
        after = page.next


def export(month: str, **wanted: Unpack[Filter]) -> Call[bytes]:
    """Fetch the uses of a month, such as 2026-11, as a signed ZIP."""
    return EXPORT.call(month, query=_query(wanted), headers={"Accept": "application/zip"})


def _query(wanted: Filter) -> dict[str, str]:
    if strange := sorted(wanted.keys() - Filter.__annotations__.keys()):
        raise TypeError(f"the ledger has no filter {', '.join(strange)}")
    return {name: _text(name, value) for name, value in wanted.items() if value is not None}


def _text(name: str, value: object) -> str:
    if not isinstance(value, datetime):
        return str(value)
    if value.tzinfo is None:
        raise ValueError(f"{name} is an instant: give it a zone")
    return value.isoformat()
