"""Late stamps: what level a sealing reached, which stamps are owed, and what became of them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. What was completed before says nothing of level and time; its documents do."""
    with op.batch_alter_table("seal_completions") as table:
        table.add_column(sa.Column("level", sa.String(length=10), nullable=True))
        table.add_column(sa.Column("time_source", sa.String(length=20), nullable=True))
    op.create_table(
        "seal_stamps_owed",
        sa.Column("sealing", sa.String(length=26), nullable=False),
        sa.Column("manner", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.String(length=20), nullable=False),
        sa.Column("owed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["sealing"], ["seal_completions.sealing"], name=op.f("fk_seal_stamps_owed_sealing_seal_completions")
        ),
        sa.PrimaryKeyConstraint("sealing", name=op.f("pk_seal_stamps_owed")),
    )
    op.create_index(op.f("ix_seal_stamps_owed_owed_at"), "seal_stamps_owed", ["owed_at"])
    op.create_table(
        "seal_stamps_settled",
        sa.Column("sealing", sa.String(length=26), nullable=False),
        sa.Column("object_key", sa.String(length=64), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("level", sa.String(length=10), nullable=True),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("authority", sa.String(length=100), nullable=True),
        sa.Column("refusal", sa.String(length=500), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["sealing"], ["seal_stamps_owed.sealing"], name=op.f("fk_seal_stamps_settled_sealing_seal_stamps_owed")
        ),
        sa.PrimaryKeyConstraint("sealing", name=op.f("pk_seal_stamps_settled")),
    )
    op.create_index(op.f("ix_seal_stamps_settled_object_key"), "seal_stamps_settled", ["object_key"])


def downgrade() -> None:
    """Take back: what is owed is forgotten."""
    op.execute("DELETE FROM jobs WHERE kind = 'seal.stamp'")
    op.drop_table("seal_stamps_settled")
    op.drop_table("seal_stamps_owed")
    with op.batch_alter_table("seal_completions") as table:
        table.drop_column("time_source")
        table.drop_column("level")
