"""Digests that were sealed unseen; renewals under an Idempotency-Key; sources and objects let go."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "seal_sealing_digests",
        sa.Column("sealing", sa.String(length=26), nullable=False),
        sa.Column("algorithm", sa.String(length=10), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["sealing"], ["seal_sealings.id"], name=op.f("fk_seal_sealing_digests_sealing_seal_sealings")
        ),
        sa.PrimaryKeyConstraint("sealing", name=op.f("pk_seal_sealing_digests")),
    )
    op.create_table(
        "seal_renewals",
        sa.Column("caller", sa.String(length=200), nullable=False),
        sa.Column("idempotency_key", sa.String(length=200), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("object_key", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("caller", "idempotency_key", name=op.f("pk_seal_renewals")),
    )
    op.create_table(
        "seal_sources_released",
        sa.Column("sealing", sa.String(length=26), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["sealing"], ["seal_sealings.id"], name=op.f("fk_seal_sources_released_sealing_seal_sealings")
        ),
        sa.PrimaryKeyConstraint("sealing", name=op.f("pk_seal_sources_released")),
    )
    op.create_table(
        "seal_objects_aside",
        sa.Column("object_key", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("object_key", name=op.f("pk_seal_objects_aside")),
    )
    op.create_index(op.f("ix_seal_objects_aside_at"), "seal_objects_aside", ["at"])
    op.create_index(op.f("ix_seal_sealing_digests_digest"), "seal_sealing_digests", ["digest"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("seal_objects_aside")
    op.drop_table("seal_sources_released")
    op.drop_table("seal_renewals")
    op.drop_table("seal_sealing_digests")
