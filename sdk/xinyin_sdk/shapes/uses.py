"""Uses of seals: who may, what was asked for, and what was done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class UseDecision:
    """What was decided about a use request."""

    verdict: str
    by: str
    at: datetime
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UseRequest:
    """One use that was asked for.

    It stands ``waiting``, ``approved``, ``rejected``, ``withdrawn``, ``used`` or ``expired``.
    """

    id: str
    seal: str
    standing: str
    caller: str
    organisation: str | None
    document_sm3: str
    pages: int | None
    asked: Mapping[str, Any]
    request_hash: str
    at: datetime
    expires_at: datetime
    decision: UseDecision | None
    sealing: str | None
    document_url: str

    @property
    def is_waiting(self) -> bool:
        """Whether somebody may still decide it."""
        return self.standing == "waiting"

    @property
    def is_approved(self) -> bool:
        """Whether it can be sealed by now. Only this says yes."""
        return self.standing == "approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class UseRequestsPage:
    """Some use requests, the newest first; ``next`` is what to ask after."""

    use_requests: tuple[UseRequest, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One use of a seal, as the ledger has it; None is what was not kept when it happened."""

    sealing: str
    seal: str
    seal_name: str
    serial: int
    caller: str
    caller_kind: str | None
    person: str | None
    organisation: str | None
    client_address: str | None
    document_sm3: str
    file_sm3: str | None
    pages: int | None
    purpose: str
    case_number: str | None
    document_kind: str
    amount: int | None
    """In fen."""
    format: str
    level: str | None
    intended_at: datetime
    sealed_at: datetime | None
    state: str
    failure: str | None
    grant: str | None
    approval: str | None
    """The use request it was approved by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPage:
    """Some uses, the newest first; ``next`` is what to ask after."""

    uses: tuple[Use, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Hours of a week, on the wall of the grant's zone; weekdays from 1, Monday."""

    weekdays: tuple[int, ...]
    begins: str
    ends: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Leave to use a seal; without formats, kinds or windows it holds for all, without a number it has no end."""

    id: str
    seal: str
    subject: str | None
    organisation: str | None
    valid_from: datetime
    valid_to: datetime
    formats: tuple[str, ...]
    document_kinds: tuple[str, ...]
    windows: tuple[Window, ...]
    zone: str
    per_day: int | None
    per_month: int | None
    in_total: int | None
    amount_limit: int | None
    """In fen."""
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grants:
    """The grants of a seal that concern the caller, the newest first, those that have ended too."""

    grants: tuple[Grant, ...]
