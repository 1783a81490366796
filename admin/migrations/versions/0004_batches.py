"""Batches, jobs, the outbox and webhooks; what was asked for beside each sealing."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=50), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("series", sa.String(length=26), nullable=True),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=26), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("kind", "key", name=op.f("uq_jobs_kind_key")),
    )
    op.create_index(op.f("ix_jobs_due"), "jobs", ["due"], unique=False)
    op.create_index(op.f("ix_jobs_series"), "jobs", ["series"], unique=False)
    op.create_table(
        "outbox_events",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=50), nullable=False),
        sa.Column("client", sa.String(length=200), nullable=True),
        sa.Column("organisation", sa.String(length=18), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_events")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_events_key")),
    )
    op.create_index(op.f("ix_outbox_events_at"), "outbox_events", ["at"], unique=False)
    op.create_table(
        "seal_uploads",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("sm3", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("caller", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_uploads")),
    )
    op.create_index("ix_seal_uploads_owner_sm3", "seal_uploads", ["owner", "sm3"], unique=False)
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("client", sa.String(length=200), nullable=False),
        sa.Column("organisation", sa.String(length=18), nullable=True),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("events", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
    )
    op.create_index(op.f("ix_webhook_endpoints_client"), "webhook_endpoints", ["client"], unique=False)
    op.create_index(op.f("ix_webhook_endpoints_organisation"), "webhook_endpoints", ["organisation"], unique=False)
    op.create_table(
        "seal_batches",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("seal", sa.String(length=14), nullable=False),
        sa.Column("caller", sa.String(length=200), nullable=False),
        sa.Column("caller_kind", sa.String(length=20), nullable=False),
        sa.Column("organisation", sa.String(length=18), nullable=True),
        sa.Column("source", sa.String(length=50), nullable=False),
        sa.Column("stop_on_error", sa.Boolean(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.String(length=200), nullable=True),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["seal"], ["seal_seals.id"], name=op.f("fk_seal_batches_seal_seal_seals")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_batches")),
        sa.UniqueConstraint("caller", "idempotency_key", name=op.f("uq_seal_batches_caller_idempotency_key")),
    )
    op.create_table(
        "webhook_attempts",
        sa.Column("endpoint", sa.String(length=26), nullable=False),
        sa.Column("event", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("fault", sa.String(length=200), nullable=True),
        sa.Column("last", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint"], ["webhook_endpoints.id"], name=op.f("fk_webhook_attempts_endpoint_webhook_endpoints")
        ),
        sa.ForeignKeyConstraint(["event"], ["outbox_events.id"], name=op.f("fk_webhook_attempts_event_outbox_events")),
        sa.PrimaryKeyConstraint("endpoint", "event", "number", name=op.f("pk_webhook_attempts")),
    )
    op.create_index(op.f("ix_webhook_attempts_at"), "webhook_attempts", ["at"], unique=False)
    op.create_table(
        "webhook_endpoint_ends",
        sa.Column("endpoint", sa.String(length=26), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=50), nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint"], ["webhook_endpoints.id"], name=op.f("fk_webhook_endpoint_ends_endpoint_webhook_endpoints")
        ),
        sa.PrimaryKeyConstraint("endpoint", name=op.f("pk_webhook_endpoint_ends")),
    )
    op.create_table(
        "webhook_secrets",
        sa.Column("endpoint", sa.String(length=26), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint"], ["webhook_endpoints.id"], name=op.f("fk_webhook_secrets_endpoint_webhook_endpoints")
        ),
        sa.PrimaryKeyConstraint("endpoint", "version", name=op.f("pk_webhook_secrets")),
    )
    op.create_table(
        "seal_batch_items",
        sa.Column("batch", sa.String(length=26), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["seal_batches.id"], name=op.f("fk_seal_batch_items_batch_seal_batches")),
        sa.PrimaryKeyConstraint("batch", "position", name=op.f("pk_seal_batch_items")),
    )
    op.create_table(
        "seal_batch_steps",
        sa.Column("batch", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["seal_batches.id"], name=op.f("fk_seal_batch_steps_batch_seal_batches")),
        sa.PrimaryKeyConstraint("batch", "number", name=op.f("pk_seal_batch_steps")),
    )
    op.create_table(
        "seal_sealing_sources",
        sa.Column("sealing", sa.String(length=26), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sealing"], ["seal_sealings.id"], name=op.f("fk_seal_sealing_sources_sealing_seal_sealings")
        ),
        sa.PrimaryKeyConstraint("sealing", name=op.f("pk_seal_sealing_sources")),
    )
    op.create_table(
        "seal_batch_outcomes",
        sa.Column("batch", sa.String(length=26), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealing", sa.String(length=26), nullable=True),
        sa.Column("failure", sa.String(length=100), nullable=True),
        sa.Column("detail", sa.String(length=500), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch", "position"],
            ["seal_batch_items.batch", "seal_batch_items.position"],
            name=op.f("fk_seal_batch_outcomes_batch_position_seal_batch_items"),
        ),
        sa.ForeignKeyConstraint(
            ["sealing"], ["seal_sealings.id"], name=op.f("fk_seal_batch_outcomes_sealing_seal_sealings")
        ),
        sa.PrimaryKeyConstraint("batch", "position", name=op.f("pk_seal_batch_outcomes")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("seal_batch_outcomes")
    op.drop_table("seal_sealing_sources")
    op.drop_table("seal_batch_steps")
    op.drop_table("seal_batch_items")
    op.drop_table("webhook_secrets")
    op.drop_table("webhook_endpoint_ends")
    op.drop_index(op.f("ix_webhook_attempts_at"), table_name="webhook_attempts")
    op.drop_table("webhook_attempts")
    op.drop_table("seal_batches")
    op.drop_index(op.f("ix_webhook_endpoints_organisation"), table_name="webhook_endpoints")
    op.drop_index(op.f("ix_webhook_endpoints_client"), table_name="webhook_endpoints")
    op.drop_table("webhook_endpoints")
    op.drop_index("ix_seal_uploads_owner_sm3", table_name="seal_uploads")
    op.drop_table("seal_uploads")
    op.drop_index(op.f("ix_outbox_events_at"), table_name="outbox_events")
    op.drop_table("outbox_events")
    op.drop_index(op.f("ix_jobs_series"), table_name="jobs")
    op.drop_index(op.f("ix_jobs_due"), table_name="jobs")
    op.drop_table("jobs")
