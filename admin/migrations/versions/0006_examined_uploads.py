"""Uploads: whether a file was examined when it came."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; files of before are examined when they are sealed."""
    with op.batch_alter_table("seal_uploads") as table:
        table.add_column(sa.Column("examined", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("seal_uploads") as table:
        table.drop_column("examined")
