"""Use of seals: grants, requests for single uses and their answers, the facts of each use, the ledger's indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_seal_sealings_time": ["intended_at", "id"],
    "ix_seal_sealings_seal_time": ["seal", "intended_at", "id"],
    "ix_seal_sealings_caller_time": ["caller", "intended_at", "id"],
    "ix_seal_sealings_organisation_time": ["organisation", "intended_at", "id"],
    "ix_seal_sealings_case_time": ["case_number", "intended_at", "id"],
    "ix_seal_sealings_document_time": ["document_before", "intended_at", "id"],
}


def upgrade() -> None:
    """Apply. Sealings of before stay without the facts that were not kept then."""
    op.create_table(
        "seal_grants",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("seal", sa.String(length=14), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=True),
        sa.Column("organisation", sa.String(length=18), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["seal"], ["seal_seals.id"], name=op.f("fk_seal_grants_seal_seal_seals")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_grants")),
    )
    op.create_index("ix_seal_grants_seal_valid_to", "seal_grants", ["seal", "valid_to"], unique=False)
    op.create_table(
        "seal_grant_ends",
        sa.Column("grant", sa.String(length=26), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("affair", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(["grant"], ["seal_grants.id"], name=op.f("fk_seal_grant_ends_grant_seal_grants")),
        sa.PrimaryKeyConstraint("grant", name=op.f("pk_seal_grant_ends")),
    )
    op.create_table(
        "seal_use_requests",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("seal", sa.String(length=14), nullable=False),
        sa.Column("caller", sa.String(length=200), nullable=False),
        sa.Column("caller_kind", sa.String(length=20), nullable=False),
        sa.Column("organisation", sa.String(length=18), nullable=True),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("client_address", sa.String(length=64), nullable=True),
        sa.Column("document_sm3", sa.String(length=64), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["seal"], ["seal_seals.id"], name=op.f("fk_seal_use_requests_seal_seal_seals")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_use_requests")),
    )
    op.create_index("ix_seal_use_requests_seal_at", "seal_use_requests", ["seal", "at", "id"], unique=False)
    op.create_index("ix_seal_use_requests_caller_at", "seal_use_requests", ["caller", "at", "id"], unique=False)
    op.create_table(
        "seal_use_decisions",
        sa.Column("request", sa.String(length=26), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["request"], ["seal_use_requests.id"], name=op.f("fk_seal_use_decisions_request_seal_use_requests")
        ),
        sa.PrimaryKeyConstraint("request", name=op.f("pk_seal_use_decisions")),
    )
    op.create_table(
        "seal_usages",
        sa.Column("sealing", sa.String(length=26), nullable=False),
        sa.Column("caller_kind", sa.String(length=20), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=True),
        sa.Column("client_address", sa.String(length=64), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("grant", sa.String(length=26), nullable=True),
        sa.Column("approval", sa.String(length=26), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["sealing"], ["seal_sealings.id"], name=op.f("fk_seal_usages_sealing_seal_sealings")),
        sa.ForeignKeyConstraint(["grant"], ["seal_grants.id"], name=op.f("fk_seal_usages_grant_seal_grants")),
        sa.ForeignKeyConstraint(
            ["approval"], ["seal_use_requests.id"], name=op.f("fk_seal_usages_approval_seal_use_requests")
        ),
        sa.PrimaryKeyConstraint("sealing", name=op.f("pk_seal_usages")),
        sa.UniqueConstraint("approval", name=op.f("uq_seal_usages_approval")),
    )
    op.create_index("ix_seal_usages_grant_at", "seal_usages", ["grant", "at"], unique=False)
    op.add_column("seal_batches", sa.Column("client_address", sa.String(length=64), nullable=True))
    op.add_column("seal_batches", sa.Column("person", sa.String(length=200), nullable=True))
    op.drop_index("ix_seal_sealings_intended_at", table_name="seal_sealings")
    for name, columns in _INDEXES.items():
        op.create_index(name, "seal_sealings", columns, unique=False)


def downgrade() -> None:
    """Take back."""
    for name in _INDEXES:
        op.drop_index(name, table_name="seal_sealings")
    op.create_index("ix_seal_sealings_intended_at", "seal_sealings", ["intended_at"], unique=False)
    op.drop_column("seal_batches", "person")
    op.drop_column("seal_batches", "client_address")
    for table in ("seal_usages", "seal_use_decisions", "seal_use_requests", "seal_grant_ends", "seal_grants"):
        op.drop_table(table)
