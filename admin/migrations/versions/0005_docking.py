"""Docking: what the national seal platform is to be told, every attempt and every answer."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. What is due by what the register holds already is found by the first ``xinyin docking send``."""
    op.create_table(
        "seal_dockings",
        sa.Column("seal", sa.String(length=14), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event", sa.String(length=20), nullable=False),
        sa.Column("cause", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["seal"], ["seal_seals.id"], name=op.f("fk_seal_dockings_seal_seal_seals")),
        sa.PrimaryKeyConstraint("seal", "number", name=op.f("pk_seal_dockings")),
        sa.UniqueConstraint("seal", "event", "cause", name=op.f("uq_seal_dockings_seal_event_cause")),
    )
    op.create_table(
        "seal_docking_attempts",
        sa.Column("seal", sa.String(length=14), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_ends", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["seal", "number"],
            ["seal_dockings.seal", "seal_dockings.number"],
            name=op.f("fk_seal_docking_attempts_seal_number_seal_dockings"),
        ),
        sa.PrimaryKeyConstraint("seal", "number", "attempt", name=op.f("pk_seal_docking_attempts")),
    )
    op.create_table(
        "seal_docking_answers",
        sa.Column("seal", sa.String(length=14), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=100), nullable=False),
        sa.Column("request_id", sa.String(length=100), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["seal", "number", "attempt"],
            ["seal_docking_attempts.seal", "seal_docking_attempts.number", "seal_docking_attempts.attempt"],
            name=op.f("fk_seal_docking_answers_seal_number_attempt_seal_docking_attempts"),
        ),
        sa.PrimaryKeyConstraint("seal", "number", "attempt", name=op.f("pk_seal_docking_answers")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("seal_docking_answers")
    op.drop_table("seal_docking_attempts")
    op.drop_table("seal_dockings")
