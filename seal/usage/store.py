"""What is kept of each use: the call's own facts beside the intent, grants, requests for approval and their answers.

All rows are facts: inserted, never updated, never deleted. Functions take the caller's connection.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kernel.db import METADATA, Instant, record
from seal.affairs.model import Verdict
from seal.store import SEALINGS, SEALS
from seal.usage.approvals import UseDecision, UseRequest
from seal.usage.grants import Grant, Terms

GRANTS = sa.Table(
    "seal_grants",
    METADATA,
    # That of the affair that gave it.
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("seal", sa.ForeignKey(SEALS.c.id), nullable=False),
    # To one caller or to all who act for an organisation: one of the two.
    sa.Column("subject", sa.String(200)),
    sa.Column("organisation", sa.String(18)),
    sa.Column("valid_from", Instant, nullable=False),
    sa.Column("valid_to", Instant, nullable=False),
    # Canonical JSON of the rest, see ``seal.usage.grants.Terms``.
    sa.Column("terms", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Index("ix_seal_grants_seal_valid_to", "seal", "valid_to"),
)
GRANT_ENDS = sa.Table(
    "seal_grant_ends",
    METADATA,
    # One end a grant: what is ended stays so.
    sa.Column("grant", sa.ForeignKey(GRANTS.c.id), primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("affair", sa.String(26), nullable=False),
)
USE_REQUESTS = sa.Table(
    "seal_use_requests",
    METADATA,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("seal", sa.ForeignKey(SEALS.c.id), nullable=False),
    sa.Column("caller", sa.String(200), nullable=False),
    sa.Column("caller_kind", sa.String(20), nullable=False),
    sa.Column("organisation", sa.String(18)),
    # Who is behind the caller, as ``seal.affairs.model.person_of`` tells: not the one who approves.
    sa.Column("person", sa.String(200), nullable=False),
    sa.Column("client_address", sa.String(64)),
    # The document is the object of this key; sealing takes it from there.
    sa.Column("document_sm3", sa.String(64), nullable=False),
    sa.Column("pages", sa.Integer),
    sa.Column("request_hash", sa.String(64), nullable=False),
    sa.Column("asked", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Index("ix_seal_use_requests_seal_at", "seal", "at", "id"),
    sa.Index("ix_seal_use_requests_caller_at", "caller", "at", "id"),
)
USE_DECISIONS = sa.Table(
    "seal_use_decisions",
    METADATA,
    # One answer a request.
    sa.Column("request", sa.ForeignKey(USE_REQUESTS.c.id), primary_key=True),
    sa.Column("verdict", sa.String(10), nullable=False),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("person", sa.String(200), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("note", sa.String(500), nullable=False),
    # The hash of what was shown to whoever decided.
    sa.Column("request_hash", sa.String(64), nullable=False),
)
USAGES = sa.Table(
    "seal_usages",
    METADATA,
    # Written with the intent, in its transaction; sealings of an older version have none.
    sa.Column("sealing", sa.ForeignKey(SEALINGS.c.id), primary_key=True),
    sa.Column("caller_kind", sa.String(20), nullable=False),
    sa.Column("person", sa.String(200)),
    sa.Column("client_address", sa.String(64)),
    sa.Column("pages", sa.Integer),
    # In fen.
    sa.Column("amount", sa.BigInteger),
    sa.Column("grant", sa.ForeignKey(GRANTS.c.id)),
    # An approval is for one sealing; NULLs are distinct on both databases.
    sa.Column("approval", sa.ForeignKey(USE_REQUESTS.c.id), unique=True),
    # The instant at which quotas count it.
    sa.Column("at", Instant, nullable=False),
    sa.Index("ix_seal_usages_grant_at", "grant", "at"),
)


def insert(conn: sa.Connection, table: sa.Table, **values: object) -> None:
    """Record one fact."""
    conn.execute(sa.insert(table).values(values))


# --- grants ----------------------------------------------------------------------------------------------------

_GRANTS = sa.select(GRANTS, GRANT_ENDS.c.at.label("ended_at")).outerjoin(GRANT_ENDS, GRANT_ENDS.c.grant == GRANTS.c.id)


def find_grant(conn: sa.Connection, grant: str) -> Grant | None:
    """Find a grant, ended or not."""
    row = conn.execute(_GRANTS.where(GRANTS.c.id == grant)).first()
    return _grant(row) if row else None


def list_grants(conn: sa.Connection, seal: str) -> tuple[Grant, ...]:
    """List all grants of a seal, the newest first."""
    query = _GRANTS.where(GRANTS.c.seal == seal).order_by(GRANTS.c.at.desc(), GRANTS.c.id)
    return tuple(map(_grant, conn.execute(query)))


def grants_for(
    conn: sa.Connection, seal: str, *, subject: str, organisation: str | None, at: datetime
) -> tuple[Grant, ...]:
    """List the grants of a seal for a caller that have not ended, also those still to begin; the oldest first."""
    whose = GRANTS.c.subject == subject
    if organisation is not None:
        whose = sa.or_(whose, GRANTS.c.organisation == organisation)
    query = _GRANTS.where(GRANTS.c.seal == seal, GRANTS.c.valid_to > at, GRANT_ENDS.c.grant.is_(None), whose)
    return tuple(map(_grant, conn.execute(query.order_by(GRANTS.c.at, GRANTS.c.id))))


def _grant(row: "sa.Row[*tuple[Any, ...]]") -> Grant:
    return record(Grant, {**row._asdict(), "terms": Terms.parse(row.terms)})


def first_uses(conn: sa.Connection, grant: str, since: datetime | None, most: int) -> int:
    """Count the uses under a grant since an instant, no further than ``most``."""
    uses = sa.select(USAGES.c.sealing).where(USAGES.c.grant == grant)
    if since is not None:
        uses = uses.where(USAGES.c.at >= since)
    return conn.execute(sa.select(sa.func.count()).select_from(uses.limit(most).subquery())).scalar_one()


# --- single uses -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a use was let through by."""

    sealing: str
    grant: str | None
    approval: str | None


def find_usage(conn: sa.Connection, sealing: str) -> Usage | None:
    """Find the facts of a use; None for sealings of an older version."""
    row = conn.execute(sa.select(USAGES).where(USAGES.c.sealing == sealing)).first()
    return record(Usage, row) if row else None


_DECIDED = {name: USE_DECISIONS.c[name].label(f"decided_{name}") for name in UseDecision.__slots__}
_USE_REQUESTS = (
    sa.select(USE_REQUESTS, *_DECIDED.values(), USAGES.c.sealing)
    .outerjoin(USE_DECISIONS, USE_DECISIONS.c.request == USE_REQUESTS.c.id)
    .outerjoin(USAGES, USAGES.c.approval == USE_REQUESTS.c.id)
)


def find_use_request(conn: sa.Connection, request: str) -> UseRequest | None:
    """Find a use request with what was decided about it."""
    row = conn.execute(_USE_REQUESTS.where(USE_REQUESTS.c.id == request)).first()
    return _use_request(row) if row else None


def lock_use_request(conn: sa.Connection, request: str) -> UseRequest | None:
    """Find a use request and hold it until the transaction ends, so that deciders take turns."""
    held = sa.select(USE_REQUESTS.c.id).where(USE_REQUESTS.c.id == request).with_for_update(key_share=True)
    # Read after the lock is had: what another decided meanwhile is in it.
    return find_use_request(conn, request) if conn.execute(held).first() else None


def list_use_requests(  # noqa: PLR0913 - its filters
    conn: sa.Connection,
    *,
    caller: str,
    seals: frozenset[str] | None,
    waiting_at: datetime | None,
    after: UseRequest | None,
    limit: int,
) -> tuple[UseRequest, ...]:
    """List the use requests of a caller, and those of ``seals`` (None: all), the newest first.

    With ``waiting_at`` only those that wait for a decision then.
    """
    columns = USE_REQUESTS.c
    query = _USE_REQUESTS.order_by(columns.at.desc(), columns.id.desc()).limit(limit)
    if seals is not None:
        query = query.where(sa.or_(columns.caller == caller, columns.seal.in_(sorted(seals))))
    if waiting_at is not None:
        query = query.where(columns.expires_at > waiting_at, USE_DECISIONS.c.request.is_(None))
    if after is not None:
        place = sa.tuple_(sa.literal(after.at, Instant), sa.literal(after.id))
        query = query.where(sa.tuple_(columns.at, columns.id) < place)
    return tuple(map(_use_request, conn.execute(query)))


def _use_request(row: "sa.Row[*tuple[Any, ...]]") -> UseRequest:
    columns = row._asdict()
    decision = None
    if columns["decided_verdict"] is not None:
        said = {name: columns[label.name] for name, label in _DECIDED.items()}
        decision = record(UseDecision, {**said, "verdict": Verdict(said["verdict"])})
    return record(UseRequest, {**columns, "decision": decision})
