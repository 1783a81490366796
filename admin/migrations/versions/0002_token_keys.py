"""Token keys: which keys of the vault sign tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. The key that the data folder's file ``identity-key`` names is put in by ``xinyin migrate``."""
    op.create_table(
        "idp_token_keys",
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("suite", sa.String(length=20), nullable=False),
        sa.Column("stage", sa.String(length=10), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_idp_token_keys")),
        sa.UniqueConstraint("key", name=op.f("uq_idp_token_keys_key")),
        sa.UniqueConstraint("stage", name=op.f("uq_idp_token_keys_stage")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("idp_token_keys")
