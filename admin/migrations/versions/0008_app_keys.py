"""App keys of clients, and the nonces that were used with them; Idempotency-Keys of affairs."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "idp_app_keys",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["idp_clients.id"], name=op.f("fk_idp_app_keys_client_id_idp_clients")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idp_app_keys")),
    )
    op.create_index(op.f("ix_idp_app_keys_client_id"), "idp_app_keys", ["client_id"], unique=False)
    op.create_table(
        "idp_app_key_nonces",
        sa.Column("app_key", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_key"], ["idp_app_keys.id"], name=op.f("fk_idp_app_key_nonces_app_key_idp_app_keys")
        ),
        sa.PrimaryKeyConstraint("app_key", "nonce", name=op.f("pk_idp_app_key_nonces")),
    )
    op.create_index(op.f("ix_idp_app_key_nonces_expires_at"), "idp_app_key_nonces", ["expires_at"], unique=False)
    op.create_table(
        "seal_affair_requests",
        sa.Column("caller", sa.String(length=200), nullable=False),
        sa.Column("idempotency_key", sa.String(length=200), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("affair", sa.String(length=26), nullable=False),
        sa.PrimaryKeyConstraint("caller", "idempotency_key", name=op.f("pk_seal_affair_requests")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("seal_affair_requests")
    op.drop_index(op.f("ix_idp_app_key_nonces_expires_at"), table_name="idp_app_key_nonces")
    op.drop_table("idp_app_key_nonces")
    op.drop_index(op.f("ix_idp_app_keys_client_id"), table_name="idp_app_keys")
    op.drop_table("idp_app_keys")
