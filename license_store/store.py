"""What the licence store keeps: licences as they were issued, every status change, every finished document.

All rows are facts: inserted, never updated, never deleted. A licence without a status change is a draft. Functions
take the caller's connection and neither begin nor commit.
"""

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from kernel.db import METADATA, Instant
from license_store.model import (
    FaceData,
    Holder,
    HolderCodeType,
    License,
    LicenseFile,
    LicenseStatus,
    PublicId,
    StatusChange,
    Validity,
)

LICENSES = sa.Table(
    "license_licenses",
    METADATA,
    sa.Column("public_id", sa.String(26), primary_key=True),
    sa.Column("identifier", sa.String(200), nullable=False, unique=True),
    sa.Column("number", sa.String(128), nullable=False),
    sa.Column("type_code", sa.String(21), nullable=False),
    sa.Column("type_version", sa.Integer, nullable=False),
    sa.Column("issuer_code", sa.String(18), nullable=False),
    sa.Column("issuer_name", sa.String(200), nullable=False),
    sa.Column("seal", sa.String(14), nullable=False),
    sa.Column("holder_name", sa.String(200), nullable=False),
    sa.Column("holder_code", sa.String(40), nullable=False, index=True),
    sa.Column("holder_code_type", sa.String(3), nullable=False),
    sa.Column("face", sa.JSON, nullable=False),
    sa.Column("valid_first", sa.Date, nullable=False),
    sa.Column("valid_last", sa.Date),
    sa.Column("issued_at", Instant, nullable=False),
    # Who asked, under which key, for what: the same again is the same licence, something else is refused.
    sa.Column("asked_by", sa.String(200), nullable=False),
    sa.Column("idempotency_key", sa.String(200), nullable=False),
    sa.Column("request_digest", sa.String(64), nullable=False),
    sa.UniqueConstraint("asked_by", "idempotency_key"),
)
STATUS_CHANGES = sa.Table(
    "license_status_changes",
    METADATA,
    # The pair is the key, so of two changes at once the database admits one.
    sa.Column("license", sa.ForeignKey(LICENSES.c.public_id), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("legal_basis", sa.String(200), nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
)
FILES = sa.Table(
    "license_files",
    METADATA,
    sa.Column("license", sa.ForeignKey(LICENSES.c.public_id), primary_key=True),
    sa.Column("kind", sa.String(20), primary_key=True),
    sa.Column("media_type", sa.String(80), nullable=False),
    sa.Column("object_key", sa.String(64), nullable=False),
    sa.Column("sealing", sa.String(40)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who asked for a licence and for what, as a key and a digest."""

    asked_by: str
    idempotency_key: str
    digest: str


def insert_draft(conn: sa.Connection, licence: License, request: Request) -> None:
    """Store a licence that nobody sees yet; the database refuses a second one for the same key."""
    conn.execute(
        LICENSES.insert().values(
            public_id=licence.public_id,
            identifier=licence.identifier,
            number=licence.number,
            type_code=licence.type_code,
            type_version=licence.type_version,
            issuer_code=licence.issuer_code,
            issuer_name=licence.issuer_name,
            seal=licence.seal,
            holder_name=licence.holder.name,
            holder_code=licence.holder.code,
            holder_code_type=licence.holder.code_type.value,
            face=dict(licence.face),
            valid_first=licence.validity.first,
            valid_last=licence.validity.last,
            issued_at=licence.issued_at,
            asked_by=request.asked_by,
            idempotency_key=request.idempotency_key,
            request_digest=request.digest,
        )
    )


def insert_change(conn: sa.Connection, public_id: PublicId, change: StatusChange) -> None:
    """Store one step of a licence's life; a step with this number that is there already raises IntegrityError."""
    conn.execute(
        STATUS_CHANGES.insert().values(
            license=public_id,
            number=change.number,
            status=change.status.value,
            at=change.at,
            actor=change.actor,
            legal_basis=change.legal_basis,
            reason=change.reason,
        )
    )


def insert_file(conn: sa.Connection, public_id: PublicId, file: LicenseFile) -> None:
    """Store where a finished document of a licence is."""
    conn.execute(
        FILES.insert().values(
            license=public_id,
            kind=file.kind,
            media_type=file.media_type,
            object_key=file.object_key,
            sealing=file.sealing,
        )
    )


def find(conn: sa.Connection, public_id: str) -> License | None:
    """Find a licence, or a draft, by its public id."""
    row = conn.execute(sa.select(LICENSES).where(LICENSES.c.public_id == public_id)).one_or_none()
    return None if row is None else _license(conn, row)


def find_request(conn: sa.Connection, request: Request) -> tuple[License, str] | None:
    """Find what this caller asked for under this key, with the digest of what it asked."""
    asked = sa.and_(LICENSES.c.asked_by == request.asked_by, LICENSES.c.idempotency_key == request.idempotency_key)
    row = conn.execute(sa.select(LICENSES).where(asked)).one_or_none()
    return None if row is None else (_license(conn, row), row.request_digest)


def _license(conn: sa.Connection, row: sa.Row[tuple[object, ...]]) -> License:
    columns = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    public_id = PublicId(columns["public_id"])
    return License(
        public_id=public_id,
        identifier=columns["identifier"],
        number=columns["number"],
        type_code=columns["type_code"],
        type_version=columns["type_version"],
        issuer_code=columns["issuer_code"],
        issuer_name=columns["issuer_name"],
        seal=columns["seal"],
        holder=Holder(
            name=columns["holder_name"],
            code=columns["holder_code"],
            code_type=HolderCodeType(columns["holder_code_type"]),
        ),
        face=FaceData(columns["face"]),
        validity=Validity(first=columns["valid_first"], last=columns["valid_last"]),
        issued_at=columns["issued_at"],
        changes=_changes(conn, public_id),
        files=_files(conn, public_id),
    )


def _changes(conn: sa.Connection, public_id: PublicId) -> tuple[StatusChange, ...]:
    rows = conn.execute(
        sa.select(STATUS_CHANGES).where(STATUS_CHANGES.c.license == public_id).order_by(STATUS_CHANGES.c.number)
    )
    return tuple(
        StatusChange(
            number=row.number,
            status=LicenseStatus(row.status),
            at=row.at,
            actor=row.actor,
            legal_basis=row.legal_basis,
            reason=row.reason,
        )
        for row in rows
    )


def _files(conn: sa.Connection, public_id: PublicId) -> tuple[LicenseFile, ...]:
    rows = conn.execute(sa.select(FILES).where(FILES.c.license == public_id).order_by(FILES.c.kind))
    return tuple(
        LicenseFile(kind=row.kind, media_type=row.media_type, object_key=row.object_key, sealing=row.sealing)
        for row in rows
    )


def objects_in_use(conn: sa.Connection, keys: Collection[str]) -> set[str]:
    """Tell which of some objects are files of licences."""
    query = sa.select(FILES.c.object_key).where(FILES.c.object_key.in_(tuple(keys)))
    return set(conn.execute(query).scalars())
