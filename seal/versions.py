"""What is kept of a seal after its making: later versions, filings, use policies, what became of its keys.

Version 1 stands where the seal was registered (``seal.store``); here stand the later ones. All rows are facts.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from kernel.db import METADATA, Instant, record
from seal.store import CREDENTIALS, SEALS, CredentialRow

VERSIONS = sa.Table(
    "seal_versions",
    METADATA,
    sa.Column("seal", sa.ForeignKey(SEALS.c.id), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("owner_name", sa.String(200), nullable=False),
    sa.Column("valid_from", Instant, nullable=False),
    sa.Column("valid_to", Instant, nullable=False),
    sa.Column("png", sa.LargeBinary, nullable=False),
    sa.Column("width_mm", sa.Integer, nullable=False),
    sa.Column("height_mm", sa.Integer, nullable=False),
    sa.Column("seseal", sa.LargeBinary, nullable=False),
    sa.Column("made_at", Instant, nullable=False),
    sa.Column("made_by", sa.String(200), nullable=False),
    sa.Column("affair", sa.String(26), nullable=False),
)
VERSION_CREDENTIALS = sa.Table(
    "seal_version_credentials",
    METADATA,
    sa.Column("seal", sa.String(14), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("suite", sa.String(20), nullable=False),
    sa.Column("key", sa.String(200), nullable=False),
    sa.Column("certificate", sa.LargeBinary, nullable=False),
    sa.Column("chain", sa.LargeBinary, nullable=False),
    sa.ForeignKeyConstraint(["seal", "version"], [VERSIONS.c.seal, VERSIONS.c.number]),
)
FILINGS = sa.Table(
    "seal_filings",
    METADATA,
    sa.Column("seal", sa.ForeignKey(SEALS.c.id), primary_key=True),
    sa.Column("filing_number", sa.String(100), nullable=False),
    sa.Column("body", sa.String(200), nullable=False),
    # The 13 digits that public security gives a seal; apart from the esID, and not every seal has them.
    sa.Column("code", sa.String(13)),
    sa.Column("at", Instant, nullable=False),
    sa.Column("affair", sa.String(26), nullable=False),
)
POLICIES = sa.Table(
    "seal_policies",
    METADATA,
    sa.Column("seal", sa.ForeignKey(SEALS.c.id), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("use", sa.String(20), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("affair", sa.String(26), nullable=False),
)
KEY_ENDS = sa.Table(
    "seal_key_ends",
    METADATA,
    # One end a key: what is destroyed stays so.
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("seal", sa.ForeignKey(SEALS.c.id), nullable=False, index=True),
    sa.Column("how", sa.String(10), nullable=False),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """One later making of a seal: what differs from what was registered first."""

    seal: str
    number: int
    name: str
    owner_name: str
    valid_from: datetime
    valid_to: datetime
    png: bytes
    width_mm: int
    height_mm: int
    seseal: bytes
    made_at: datetime
    made_by: str
    affair: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """How a seal was filed (备案): under which number, with which body, and its public-security code if it has one."""

    seal: str
    filing_number: str
    body: str
    code: str | None
    at: datetime
    affair: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEnd:
    """How a key of a destroyed seal was destroyed: by the vault, or by hand, on whose word."""

    key: str
    seal: str
    how: str
    by: str
    at: datetime


def newest_version(conn: sa.Connection, seal: str) -> VersionRow | None:
    """Find the newest of a seal's later versions."""
    query = sa.select(VERSIONS).where(VERSIONS.c.seal == seal).order_by(VERSIONS.c.number.desc()).limit(1)
    row = conn.execute(query).first()
    return record(VersionRow, row) if row else None


def later_versions(conn: sa.Connection, seal: str) -> tuple[VersionRow, ...]:
    """List a seal's versions after the first, oldest first."""
    query = sa.select(VERSIONS).where(VERSIONS.c.seal == seal).order_by(VERSIONS.c.number)
    return tuple(record(VersionRow, row) for row in conn.execute(query))


def credentials(conn: sa.Connection, seal: str, version: int | None = None) -> tuple[CredentialRow, ...]:
    """List what a seal signs with in one version, or ever signed with in any."""
    first = sa.select(CREDENTIALS).where(CREDENTIALS.c.seal == seal).order_by(CREDENTIALS.c.suite)
    table = VERSION_CREDENTIALS
    later = sa.select(table).where(table.c.seal == seal).order_by(table.c.version, table.c.number)
    if version is not None:
        later = later.where(table.c.version == version)
    rows = [*(conn.execute(first) if version in {None, 1} else ()), *(conn.execute(later) if version != 1 else ())]
    return tuple(record(CredentialRow, row) for row in rows)


def filing(conn: sa.Connection, seal: str) -> Filing | None:
    """Find how a seal was filed."""
    row = conn.execute(sa.select(FILINGS).where(FILINGS.c.seal == seal)).first()
    return record(Filing, row) if row else None


def use_policies(conn: sa.Connection, seal: str) -> tuple[str, ...]:
    """List the use policies a seal had, oldest first."""
    query = sa.select(POLICIES.c.use).where(POLICIES.c.seal == seal).order_by(POLICIES.c.number)
    return tuple(conn.execute(query).scalars())


def key_ends(conn: sa.Connection, seal: str) -> tuple[KeyEnd, ...]:
    """List which of a seal's keys are known to be destroyed."""
    query = sa.select(KEY_ENDS).where(KEY_ENDS.c.seal == seal).order_by(KEY_ENDS.c.at, KEY_ENDS.c.key)
    return tuple(record(KeyEnd, row) for row in conn.execute(query))


def seals_of_key(conn: sa.Connection, key: str) -> tuple[str, ...]:
    """List the seals that sign, or once signed, with a key."""
    tables = (CREDENTIALS, VERSION_CREDENTIALS)
    queries = [sa.select(table.c.seal).where(table.c.key == key) for table in tables]
    return tuple(conn.execute(sa.union(*queries)).scalars())
