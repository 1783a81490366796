"""The nouns of the usage ledger: what is asked of it, its rows, and the place in it from where to go on."""

from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from enum import StrEnum

from kernel.errors import Reason, Refusal

_LONGEST = 200


class LedgerFilterRefused(Refusal):
    """A filter of the ledger, or a cursor, is not of the form it should be."""

    reason, code = Reason.BAD_INPUT, "ledger_filter_refused"


class UseState(StrEnum):
    """How far a use came."""

    COMPLETED = "completed"
    RUNNING = "running"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFilter:
    """Which uses are wanted; what is None does not narrow.

    ``organisation`` is the one the caller acted for, ``since`` and ``until`` bound the intent (from, and before).
    ``document_sm3`` finds the document that was sent, and the sealed file, too.
    """

    seal: str | None = None
    organisation: str | None = None
    caller: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    document_kind: str | None = None
    case_number: str | None = None
    format: str | None = None
    state: UseState | None = None
    document_sm3: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no use could have."""
        if any(moment is not None and moment.tzinfo is None for moment in (self.since, self.until)):
            raise LedgerFilterRefused("An instant carries its zone.")
        if any(moment is not None and not MINYEAR < moment.year < MAXYEAR for moment in (self.since, self.until)):
            raise LedgerFilterRefused("An instant lies in a year between 2 and 9998.")
        texts = (value for value in (getattr(self, name) for name in self.__slots__) if isinstance(value, str))
        if any(not text or len(text) > _LONGEST or "\0" in text for text in texts):
            raise LedgerFilterRefused(f"A filter has 1 to {_LONGEST} characters.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One use of a seal. What was not kept when it happened is None."""

    sealing: str
    seal: str
    seal_name: str
    """As it was called then."""
    serial: int
    caller: str
    """The authenticated system, or the account of a person."""
    caller_kind: str | None
    """client, person or operator."""
    person: str | None
    """Who acted through it, where that is known."""
    organisation: str | None
    client_address: str | None
    document_sm3: str
    file_sm3: str | None
    pages: int | None
    """Of the document that was sent."""
    purpose: str
    case_number: str | None
    document_kind: str
    amount: int | None
    """In fen."""
    format: str
    level: str | None
    intended_at: datetime
    sealed_at: datetime | None
    state: UseState
    failure: str | None
    grant: str | None
    """The grant it was allowed by."""
    approval: str | None
    """The use request it was approved by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPage:
    """Some rows, the newest first. ``next`` is the cursor of what follows, None at the end.

    There may be fewer rows than asked for although there are more: go on as long as there is a cursor.
    """

    rows: tuple[LedgerRow, ...]
    next: str | None


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the ledger: the last row that was seen."""

    at: datetime
    sealing: str

    @property
    def text(self) -> str:
        """As callers keep it."""
        return f"{self.at.astimezone(UTC):%Y%m%dT%H%M%S.%f}Z{self.sealing}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Read what ``text`` wrote; LedgerFilterRefused if it is none."""
        moment, _, sealing = text.partition("Z")
        try:
            at = datetime.strptime(moment, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
        except ValueError as error:
            raise LedgerFilterRefused("This is no cursor: give `next` of the page before.") from error
        if not sealing.isalnum() or not sealing.isascii() or len(sealing) > _LONGEST:
            raise LedgerFilterRefused("This is no cursor: give `next` of the page before.")
        return cls(at, sealing)
