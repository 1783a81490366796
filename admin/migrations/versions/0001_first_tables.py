"""First tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "audit_entries",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=200), nullable=False),
        sa.Column("target", sa.String(length=200), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_entries")),
        sa.UniqueConstraint("previous", name=op.f("uq_audit_entries_previous")),
    )
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_entries_target"), ["target"], unique=False)

    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "idp_attempts",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idp_attempts")),
    )
    with op.batch_alter_table("idp_attempts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idp_attempts_last_at"), ["last_at"], unique=False)

    op.create_table(
        "idp_clients",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("auth_method", sa.String(length=40), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=True),
        sa.Column("grant_types", sa.JSON(), nullable=False),
        sa.Column("redirect_uris", sa.JSON(), nullable=False),
        sa.Column("post_logout_uris", sa.JSON(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("rights", sa.JSON(), nullable=False),
        sa.Column("pkce", sa.String(length=20), nullable=False),
        sa.Column("consent", sa.String(length=20), nullable=False),
        sa.Column("organisation", sa.String(length=18), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idp_clients")),
    )
    op.create_table(
        "idp_people",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("login", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("level_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("evidence", sa.String(length=40), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idp_people")),
        sa.UniqueConstraint("login", name=op.f("uq_idp_people_login")),
    )
    op.create_table(
        "license_licenses",
        sa.Column("public_id", sa.String(length=26), nullable=False),
        sa.Column("identifier", sa.String(length=200), nullable=False),
        sa.Column("number", sa.String(length=128), nullable=False),
        sa.Column("type_code", sa.String(length=21), nullable=False),
        sa.Column("type_version", sa.Integer(), nullable=False),
        sa.Column("issuer_code", sa.String(length=18), nullable=False),
        sa.Column("issuer_name", sa.String(length=200), nullable=False),
        sa.Column("seal", sa.String(length=14), nullable=False),
        sa.Column("holder_name", sa.String(length=200), nullable=False),
        sa.Column("holder_code", sa.String(length=40), nullable=False),
        sa.Column("holder_code_type", sa.String(length=3), nullable=False),
        sa.Column("face", sa.JSON(), nullable=False),
        sa.Column("valid_first", sa.Date(), nullable=False),
        sa.Column("valid_last", sa.Date(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("idempotency_key", sa.String(length=200), nullable=False),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("public_id", name=op.f("pk_license_licenses")),
        sa.UniqueConstraint("asked_by", "idempotency_key", name=op.f("uq_license_licenses_asked_by_idempotency_key")),
        sa.UniqueConstraint("identifier", name=op.f("uq_license_licenses_identifier")),
    )
    with op.batch_alter_table("license_licenses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_license_licenses_holder_code"), ["holder_code"], unique=False)

    op.create_table(
        "seal_seals",
        sa.Column("id", sa.String(length=14), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("owner", sa.String(length=18), nullable=False),
        sa.Column("owner_name", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("png", sa.LargeBinary(), nullable=False),
        sa.Column("width_mm", sa.Integer(), nullable=False),
        sa.Column("height_mm", sa.Integer(), nullable=False),
        sa.Column("seseal", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_seals")),
    )
    with op.batch_alter_table("seal_seals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_seal_seals_owner"), ["owner"], unique=False)

    op.create_table(
        "idp_consents",
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["idp_clients.id"], name=op.f("fk_idp_consents_client_id_idp_clients")),
        sa.ForeignKeyConstraint(["person_id"], ["idp_people.id"], name=op.f("fk_idp_consents_person_id_idp_people")),
        sa.PrimaryKeyConstraint("person_id", "client_id", "scope", name=op.f("pk_idp_consents")),
    )
    op.create_table(
        "idp_flows",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("session_id", sa.String(length=64), nullable=True),
        sa.Column("level_accepted", sa.Boolean(), nullable=False),
        sa.Column("consented", sa.Boolean(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["idp_clients.id"], name=op.f("fk_idp_flows_client_id_idp_clients")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idp_flows")),
    )
    with op.batch_alter_table("idp_flows", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idp_flows_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "idp_grants",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=True),
        sa.Column("acr", sa.String(length=100), nullable=False),
        sa.Column("amr", sa.JSON(), nullable=False),
        sa.Column("authenticated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["idp_clients.id"], name=op.f("fk_idp_grants_client_id_idp_clients")),
        sa.ForeignKeyConstraint(["person_id"], ["idp_people.id"], name=op.f("fk_idp_grants_person_id_idp_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idp_grants")),
    )
    with op.batch_alter_table("idp_grants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idp_grants_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_idp_grants_session_id"), ["session_id"], unique=False)

    op.create_table(
        "idp_sessions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("authenticated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("amr", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["idp_people.id"], name=op.f("fk_idp_sessions_person_id_idp_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idp_sessions")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_idp_sessions_secret_hash")),
    )
    with op.batch_alter_table("idp_sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idp_sessions_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_idp_sessions_person_id"), ["person_id"], unique=False)

    op.create_table(
        "license_files",
        sa.Column("license", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("media_type", sa.String(length=80), nullable=False),
        sa.Column("object_key", sa.String(length=64), nullable=False),
        sa.Column("sealing", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["license"], ["license_licenses.public_id"], name=op.f("fk_license_files_license_license_licenses")
        ),
        sa.PrimaryKeyConstraint("license", "kind", name=op.f("pk_license_files")),
    )
    op.create_table(
        "license_status_changes",
        sa.Column("license", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("legal_basis", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["license"], ["license_licenses.public_id"], name=op.f("fk_license_status_changes_license_license_licenses")
        ),
        sa.PrimaryKeyConstraint("license", "number", name=op.f("pk_license_status_changes")),
    )
    op.create_table(
        "seal_credentials",
        sa.Column("seal", sa.String(length=14), nullable=False),
        sa.Column("suite", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["seal"], ["seal_seals.id"], name=op.f("fk_seal_credentials_seal_seal_seals")),
        sa.PrimaryKeyConstraint("seal", "suite", name=op.f("pk_seal_credentials")),
    )
    op.create_table(
        "seal_sealings",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("seal", sa.String(length=14), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("caller", sa.String(length=200), nullable=False),
        sa.Column("organisation", sa.String(length=18), nullable=True),
        sa.Column("idempotency_key", sa.String(length=200), nullable=True),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("document_before", sa.String(length=64), nullable=False),
        sa.Column("format", sa.String(length=40), nullable=False),
        sa.Column("document_kind", sa.String(length=200), nullable=False),
        sa.Column("case_number", sa.String(length=200), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("intended_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["seal"], ["seal_seals.id"], name=op.f("fk_seal_sealings_seal_seal_seals")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_sealings")),
        sa.UniqueConstraint("caller", "idempotency_key", name=op.f("uq_seal_sealings_caller_idempotency_key")),
        sa.UniqueConstraint("seal", "serial", name=op.f("uq_seal_sealings_seal_serial")),
    )
    with op.batch_alter_table("seal_sealings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_seal_sealings_intended_at"), ["intended_at"], unique=False)

    op.create_table(
        "seal_status_changes",
        sa.Column("seal", sa.String(length=14), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["seal"], ["seal_seals.id"], name=op.f("fk_seal_status_changes_seal_seal_seals")),
        sa.PrimaryKeyConstraint("seal", "number", name=op.f("pk_seal_status_changes")),
    )
    op.create_table(
        "idp_codes",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("grant_id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("code_challenge", sa.String(length=43), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["grant_id"], ["idp_grants.id"], name=op.f("fk_idp_codes_grant_id_idp_grants")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_idp_codes")),
    )
    with op.batch_alter_table("idp_codes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idp_codes_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "seal_attempts",
        sa.Column("sealing", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.String(length=26), nullable=False),
        sa.Column("document_digest", sa.String(length=128), nullable=False),
        sa.Column("certificate", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_ends", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["sealing"], ["seal_sealings.id"], name=op.f("fk_seal_attempts_sealing_seal_sealings")),
        sa.PrimaryKeyConstraint("sealing", "number", name=op.f("pk_seal_attempts")),
    )
    op.create_table(
        "seal_completions",
        sa.Column("sealing", sa.String(length=26), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("object_key", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["sealing"], ["seal_sealings.id"], name=op.f("fk_seal_completions_sealing_seal_sealings")
        ),
        sa.PrimaryKeyConstraint("sealing", name=op.f("pk_seal_completions")),
    )
    with op.batch_alter_table("seal_completions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_seal_completions_object_key"), ["object_key"], unique=False)

    op.create_table(
        "seal_attempt_failures",
        sa.Column("sealing", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["sealing", "number"],
            ["seal_attempts.sealing", "seal_attempts.number"],
            name=op.f("fk_seal_attempt_failures_sealing_number_seal_attempts"),
        ),
        sa.PrimaryKeyConstraint("sealing", "number", name=op.f("pk_seal_attempt_failures")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("seal_attempt_failures")
    with op.batch_alter_table("seal_completions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_seal_completions_object_key"))

    op.drop_table("seal_completions")
    op.drop_table("seal_attempts")
    with op.batch_alter_table("idp_codes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idp_codes_expires_at"))

    op.drop_table("idp_codes")
    op.drop_table("seal_status_changes")
    with op.batch_alter_table("seal_sealings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_seal_sealings_intended_at"))

    op.drop_table("seal_sealings")
    op.drop_table("seal_credentials")
    op.drop_table("license_status_changes")
    op.drop_table("license_files")
    with op.batch_alter_table("idp_sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idp_sessions_person_id"))
        batch_op.drop_index(batch_op.f("ix_idp_sessions_expires_at"))

    op.drop_table("idp_sessions")
    with op.batch_alter_table("idp_grants", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idp_grants_session_id"))
        batch_op.drop_index(batch_op.f("ix_idp_grants_person_id"))

    op.drop_table("idp_grants")
    with op.batch_alter_table("idp_flows", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idp_flows_expires_at"))

    op.drop_table("idp_flows")
    op.drop_table("idp_consents")
    with op.batch_alter_table("seal_seals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_seal_seals_owner"))

    op.drop_table("seal_seals")
    with op.batch_alter_table("license_licenses", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_license_licenses_holder_code"))

    op.drop_table("license_licenses")
    op.drop_table("idp_people")
    op.drop_table("idp_clients")
    with op.batch_alter_table("idp_attempts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idp_attempts_last_at"))

    op.drop_table("idp_attempts")
    op.drop_table("audit_head")
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_entries_target"))

    op.drop_table("audit_entries")
