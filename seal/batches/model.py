"""Batches and their items: what was asked for, and the states that follow from what is on record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from kernel.errors import Reason, Refusal
from kernel.principal import Principal, PrincipalKind
from seal.placing import Placement
from seal.request import SealRequest

ITEM = "seal.batch_item"
"""The kind of job that seals one item; its key is batch and position, with a colon between."""
FILES = "files"
"""The source of items that are files uploaded before."""


class BatchUnknown(Refusal):
    """No such batch, or not one of this caller's organisation."""

    reason, code = Reason.NOT_FOUND, "batch_unknown"


class UploadUnknown(Refusal):
    """No file of this digest was uploaded by this caller's organisation, or its time is over."""

    reason, code = Reason.NOT_FOUND, "upload_unknown"


class BatchRefused(Refusal):
    """A batch cannot be made, or its state not changed, as asked."""

    reason, code = Reason.CONFLICT, "batch_refused"


class BatchInvalid(Refusal):
    """A batch cannot be made like this: too many items, none, or one that makes no sense."""

    reason, code = Reason.BAD_INPUT, "batch_invalid"


class BatchState(StrEnum):
    """How a batch stands."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    COMPLETED = "completed"


class Step(StrEnum):
    """What happened to a batch; its last step tells its state."""

    CREATED = "created"
    PAUSED = "paused"
    RESUMED = "resumed"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    COMPLETED = "completed"

    @property
    def state(self) -> BatchState:
        """The state that this step leads to."""
        return BatchState.RUNNING if self in (Step.CREATED, Step.RESUMED) else BatchState(self.value)


FROM: dict[Step, frozenset[BatchState]] = {
    Step.PAUSED: frozenset({BatchState.RUNNING}),
    Step.RESUMED: frozenset({BatchState.PAUSED, BatchState.STOPPED}),
    Step.CANCELLED: frozenset({BatchState.RUNNING, BatchState.PAUSED, BatchState.STOPPED}),
}
"""From which states a caller may ask for a step."""


class ItemState(StrEnum):
    """How an item stands."""

    WAITING = "waiting"
    RUNNING = "running"
    SEALED = "sealed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that may be named in batches until it expires."""

    sm3: str
    size: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemWish:
    """One document to be sealed: what its source makes it from, and how (``request`` without document or key)."""

    content: str
    request: SealRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchWish:
    """What a caller wants: ``items`` in the order in which they are begun."""

    seal: str
    items: Sequence[ItemWish]
    source: str = FILES
    stop_on_error: bool = False
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch as it was asked for, and its state."""

    id: str
    seal: str
    caller: str
    caller_kind: str
    organisation: str | None
    source: str
    stop_on_error: bool
    total: int
    idempotency_key: str | None
    request_hash: str
    created_at: datetime
    client_address: str | None
    person: str | None
    state: BatchState
    state_since: datetime

    @property
    def principal(self) -> Principal:
        """Whom its items are sealed for, with no more rights than they need."""
        return Principal(
            subject=self.caller,
            kind=PrincipalKind(self.caller_kind),
            rights=frozenset({f"seal.use:{self.seal}"}),
            organisation=self.organisation,
            person=self.person,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item and what became of it."""

    batch: str
    position: int
    content: str
    asked: str
    state: ItemState
    sealing: str | None
    file: str | None
    """SM3 of the sealed file."""
    format: str | None
    failure: str | None
    detail: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many items stand how."""

    total: int
    sealed: int
    failed: int

    @property
    def open(self) -> int:
        """Items that came to no end."""
        return self.total - self.sealed - self.failed


class ItemSource(Protocol):
    """Makes the documents of a batch's items, such as one page for each row of data.

    Floors above give theirs to ``BatchService`` under a name. The same content must always make the same octets:
    an item that is begun again after a crash is the same request only if its document is. Refuses (Refusal) a
    content that makes no document.
    """

    def check(self, contents: Sequence[str], principal: Principal) -> None:
        """Refuse contents that this caller may not use, or that make no document, before a batch is made of them."""

    def document(self, content: str) -> bytes:
        """Give the document of one item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowContent:
    """What a row of data becomes: an item's content, and where the seal goes if the caller does not say."""

    content: str
    placement: Placement | None


@runtime_checkable
class RowSource(ItemSource, Protocol):
    """A source of documents that are made from a template and rows of data, a document for each row."""

    def contents(
        self,
        template: str,
        version: int,
        rows: Sequence[Mapping[str, str]],
        principal: Principal,
        *,
        named_by: str | None = None,
    ) -> Sequence[RowContent]:
        """Give the contents of rows, in order; refuses a template that the caller may not use.

        The same rows always give the same contents. They are not judged here: ``check`` is for that. ``named_by`` is
        the field whose value ``file_name`` shall give.
        """

    def file_name(self, content: str) -> str | None:
        """Give the text that the sealed file is to be named by, as the caller wrote it; None: by its position."""


def item_key(batch: str, position: int) -> str:
    """Name an item's job, and, with a word before it, the request that seals it."""
    return f"{batch}:{position}"
