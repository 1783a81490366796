"""Affairs: what is to be done with seals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper that an affair names."""

    kind: str
    object_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPaper:
    """Where a paper is kept now: name it by ``object_key``."""

    object_key: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A word that was said about an affair."""

    by: str
    verdict: str
    at: datetime
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Affair:
    """What is to be done with a seal, and where it stands."""

    id: str
    action: str
    seal: str
    standing: str
    payload: Mapping[str, Any]
    payload_sm3: str
    papers: tuple[Paper, ...]
    reason: str
    legal_basis: str
    proposed_by: str
    proposed_at: datetime
    expires_at: datetime
    decisions: tuple[Decision, ...]
    outcome: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AffairsPage:
    """Some affairs, the newest first; ``next`` is what to ask after."""

    affairs: tuple[Affair, ...]
    next: str | None
