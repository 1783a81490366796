"""Batches and their items."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that can be named in batches until it expires."""

    sm3: str
    size: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch and how far it came."""

    id: str
    seal: str
    source: str
    state: str
    state_since: datetime
    created_at: datetime
    stop_on_error: bool
    total: int
    sealed: int
    failed: int
    open: int
    items_url: str
    results_url: str

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens by itself. One that ``stopped`` at an error can be resumed."""
        return self.state in {"completed", "cancelled", "stopped"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchesPage:
    """Some batches, the newest first; ``next`` is what to ask after."""

    batches: tuple[Batch, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item of a batch and what became of it."""

    position: int
    row: int | None
    state: str
    document_sm3: str | None
    case_number: str | None
    sealing: str | None
    format: str | None
    file_sm3: str | None
    failure: str | None
    detail: str | None
    document_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemsPage:
    """Some items in order; ``next`` is the position to ask after."""

    items: tuple[Item, ...]
    next: int | None
