"""Seal affairs: who proposed and decided what about a seal; its versions, filings, policies, ends of keys."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Seals that are there stay as they are: each is its own first version, active as it was."""
    op.add_column("seal_status_changes", sa.Column("affair", sa.String(length=26), nullable=True))
    _affairs()
    _seals()


def _affairs() -> None:
    op.create_table(
        "seal_affairs",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("seal", sa.String(length=14), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("payload_sm3", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("legal_basis", sa.String(length=500), nullable=False),
        sa.Column("proposed_by", sa.String(length=200), nullable=False),
        sa.Column("proposer", sa.String(length=200), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_affairs")),
    )
    with op.batch_alter_table("seal_affairs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_seal_affairs_proposed_at"), ["proposed_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_seal_affairs_seal"), ["seal"], unique=False)

    op.create_table(
        "seal_affair_papers",
        sa.Column("affair", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("object_key", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["affair"], ["seal_affairs.id"], name=op.f("fk_seal_affair_papers_affair_seal_affairs")
        ),
        sa.PrimaryKeyConstraint("affair", "number", name=op.f("pk_seal_affair_papers")),
    )
    op.create_table(
        "seal_affair_decisions",
        sa.Column("affair", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("payload_sm3", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["affair"], ["seal_affairs.id"], name=op.f("fk_seal_affair_decisions_affair_seal_affairs")
        ),
        sa.PrimaryKeyConstraint("affair", "number", name=op.f("pk_seal_affair_decisions")),
        sa.UniqueConstraint("affair", "person", name=op.f("uq_seal_affair_decisions_affair_person")),
    )
    op.create_table(
        "seal_affair_outcomes",
        sa.Column("affair", sa.String(length=26), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["affair"], ["seal_affairs.id"], name=op.f("fk_seal_affair_outcomes_affair_seal_affairs")
        ),
        sa.PrimaryKeyConstraint("affair", name=op.f("pk_seal_affair_outcomes")),
    )

    op.create_table(
        "seal_officers",
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("rights", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("subject", "number", name=op.f("pk_seal_officers")),
    )


def _seals() -> None:
    op.create_table(
        "seal_versions",
        sa.Column("seal", sa.String(length=14), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("owner_name", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("png", sa.LargeBinary(), nullable=False),
        sa.Column("width_mm", sa.Integer(), nullable=False),
        sa.Column("height_mm", sa.Integer(), nullable=False),
        sa.Column("seseal", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=200), nullable=False),
        sa.Column("affair", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(["seal"], ["seal_seals.id"], name=op.f("fk_seal_versions_seal_seal_seals")),
        sa.PrimaryKeyConstraint("seal", "number", name=op.f("pk_seal_versions")),
    )
    op.create_table(
        "seal_version_credentials",
        sa.Column("seal", sa.String(length=14), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("suite", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["seal", "version"],
            ["seal_versions.seal", "seal_versions.number"],
            name=op.f("fk_seal_version_credentials_seal_version_seal_versions"),
        ),
        sa.PrimaryKeyConstraint("seal", "version", "number", name=op.f("pk_seal_version_credentials")),
    )
    op.create_table(
        "seal_filings",
        sa.Column("seal", sa.String(length=14), nullable=False),
        sa.Column("filing_number", sa.String(length=100), nullable=False),
        sa.Column("body", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=13), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("affair", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(["seal"], ["seal_seals.id"], name=op.f("fk_seal_filings_seal_seal_seals")),
        sa.PrimaryKeyConstraint("seal", name=op.f("pk_seal_filings")),
    )
    op.create_table(
        "seal_policies",
        sa.Column("seal", sa.String(length=14), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("use", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("affair", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(["seal"], ["seal_seals.id"], name=op.f("fk_seal_policies_seal_seal_seals")),
        sa.PrimaryKeyConstraint("seal", "number", name=op.f("pk_seal_policies")),
    )
    op.create_table(
        "seal_key_ends",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("seal", sa.String(length=14), nullable=False),
        sa.Column("how", sa.String(length=10), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["seal"], ["seal_seals.id"], name=op.f("fk_seal_key_ends_seal_seal_seals")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_seal_key_ends")),
    )
    with op.batch_alter_table("seal_key_ends", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_seal_key_ends_seal"), ["seal"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("seal_key_ends", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_seal_key_ends_seal"))

    op.drop_table("seal_key_ends")
    op.drop_table("seal_policies")
    op.drop_table("seal_filings")
    op.drop_table("seal_version_credentials")
    op.drop_table("seal_versions")
    op.drop_table("seal_officers")
    op.drop_table("seal_affair_outcomes")
    op.drop_table("seal_affair_decisions")
    op.drop_table("seal_affair_papers")
    with op.batch_alter_table("seal_affairs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_seal_affairs_seal"))
        batch_op.drop_index(batch_op.f("ix_seal_affairs_proposed_at"))

    op.drop_table("seal_affairs")
    with op.batch_alter_table("seal_status_changes", schema=None) as batch_op:
        batch_op.drop_column("affair")
