"""What is kept of each use: the call's own facts beside the intent, grants, requests for approval and their answers.

All rows are facts: inserted, never updated, never deleted. Functions take the caller's connection.
"""

from datetime import datetime

import sqlalchemy as sa

from kernel.db import METADATA, Instant
from seal.store import SEALINGS, SEALS

GRANTS = sa.Table(
    "seal_grants",
    METADATA,
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
    sa.Column("affair", sa.String(26), nullable=False, unique=True),
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


def first_uses(conn: sa.Connection, grant: str, since: datetime | None, most: int) -> int:
    """Count the uses under a grant since an instant, no further than ``most``."""
    uses = sa.select(USAGES.c.sealing).where(USAGES.c.grant == grant)
    if since is not None:
        uses = uses.where(USAGES.c.at >= since)
    return conn.execute(sa.select(sa.func.count()).select_from(uses.limit(most).subquery())).scalar_one()
