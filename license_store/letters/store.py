"""What is kept of letter templates: every version, inserted once and never changed."""

from collections.abc import Sequence

import sqlalchemy as sa

from kernel.db import METADATA, Instant
from license_store.letters.model import LetterBody, LetterTemplate, LetterTemplateUnknown, body_sm3

LETTERS = sa.Table(
    "license_letters",
    METADATA,
    # The three are the key, so of two who define the next version at once the database admits one.
    sa.Column("organisation", sa.String(18), primary_key=True),
    sa.Column("code", sa.String(50), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    # Canonical JSON as hashed; text, because a database's JSON type may reorder or reformat it.
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("sm3", sa.String(64), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("created_by", sa.String(200), nullable=False),
)


def insert(conn: sa.Connection, template: LetterTemplate) -> None:
    """Store a version; one with this number that is there already raises IntegrityError."""
    conn.execute(
        LETTERS.insert().values(
            organisation=template.organisation,
            code=template.code,
            version=template.version,
            body=template.body.canonical(),
            sm3=template.sm3,
            created_at=template.created_at,
            created_by=template.created_by,
        )
    )


def find(conn: sa.Connection, organisation: str, code: str, version: int | None = None) -> LetterTemplate | None:
    """Find a version, or without one the newest."""
    query = sa.select(LETTERS).where(LETTERS.c.organisation == organisation, LETTERS.c.code == code)
    if version is not None:
        query = query.where(LETTERS.c.version == version)
    row = conn.execute(query.order_by(LETTERS.c.version.desc()).limit(1)).first()
    return None if row is None else _template(row)


def newest(conn: sa.Connection, organisation: str, *, after: str, limit: int) -> Sequence[LetterTemplate]:
    """List the newest version of each template by code, from the one after ``after`` on."""
    last = (
        sa.select(LETTERS.c.code, sa.func.max(LETTERS.c.version).label("version"))
        .where(LETTERS.c.organisation == organisation, LETTERS.c.code > after)
        .group_by(LETTERS.c.code)
        .order_by(LETTERS.c.code)
        .limit(limit)
        .subquery()
    )
    query = (
        sa.select(LETTERS)
        .join(last, sa.and_(LETTERS.c.code == last.c.code, LETTERS.c.version == last.c.version))
        .where(LETTERS.c.organisation == organisation)
        .order_by(LETTERS.c.code)
    )
    return tuple(_template(row) for row in conn.execute(query))


def _template(row: "sa.Row[*tuple[object, ...]]") -> LetterTemplate:
    columns = row._asdict()
    if body_sm3(columns["body"]) != columns["sm3"]:
        raise LetterTemplateUnknown("This version of the template is not what was defined: tell the operator.")
    return LetterTemplate(**{**columns, "body": LetterBody.read(columns["body"])})
