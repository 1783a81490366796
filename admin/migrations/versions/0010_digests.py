"""Digests: what was sealed without having been seen."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0005"
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
    op.create_index(op.f("ix_seal_sealing_digests_digest"), "seal_sealing_digests", ["digest"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("seal_sealing_digests")
