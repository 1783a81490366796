"""Tables: everything the identity provider remembers."""

import sqlalchemy as sa

from kernel.db import METADATA, Instant

_ID = sa.String(64)
_DIGEST = sa.String(64)

people = sa.Table(
    "idp_people",
    METADATA,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("login", sa.String(100), nullable=False, unique=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("level_at", Instant, nullable=False),
    sa.Column("evidence", sa.String(40), nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("password_hash", sa.String(200), nullable=False),
)
clients = sa.Table(
    "idp_clients",
    METADATA,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("auth_method", sa.String(40), nullable=False),
    sa.Column("secret_hash", _DIGEST, nullable=True),
    sa.Column("grant_types", sa.JSON, nullable=False),
    sa.Column("redirect_uris", sa.JSON, nullable=False),
    sa.Column("post_logout_uris", sa.JSON, nullable=False),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("rights", sa.JSON, nullable=False),
    sa.Column("pkce", sa.String(20), nullable=False),
    sa.Column("consent", sa.String(20), nullable=False),
    sa.Column("organisation", sa.String(18), nullable=True),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)
sessions = sa.Table(
    "idp_sessions",
    METADATA,
    sa.Column("id", _ID, primary_key=True),
    # Changed at every login, so that a cookie planted before it is worth nothing after it.
    sa.Column("secret_hash", _DIGEST, nullable=False, unique=True),
    sa.Column("person_id", _ID, sa.ForeignKey("idp_people.id"), nullable=False, index=True),
    sa.Column("authenticated_at", Instant, nullable=False),
    sa.Column("amr", sa.JSON, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
    sa.Column("ended_at", Instant, nullable=True),
)
flows = sa.Table(
    "idp_flows",
    METADATA,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("client_id", _ID, sa.ForeignKey("idp_clients.id"), nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("browser_hash", _DIGEST, nullable=True),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
    sa.Column("session_id", _ID, nullable=True),
    sa.Column("level_accepted", sa.Boolean, nullable=False),
    sa.Column("consented", sa.Boolean, nullable=False),
    # Set once, by whoever gives the flow's one answer.
    sa.Column("finished_at", Instant, nullable=True),
)
grants = sa.Table(
    "idp_grants",
    METADATA,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("client_id", _ID, sa.ForeignKey("idp_clients.id"), nullable=False),
    sa.Column("person_id", _ID, sa.ForeignKey("idp_people.id"), nullable=False, index=True),
    sa.Column("session_id", _ID, nullable=False, index=True),
    sa.Column("scope", sa.JSON, nullable=False),
    sa.Column("nonce", sa.Text, nullable=True),
    sa.Column("acr", sa.String(100), nullable=False),
    sa.Column("amr", sa.JSON, nullable=False),
    sa.Column("authenticated_at", Instant, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("revoked_at", Instant, nullable=True),
)
codes = sa.Table(
    "idp_codes",
    METADATA,
    sa.Column("digest", _DIGEST, primary_key=True),
    sa.Column("grant_id", _ID, sa.ForeignKey("idp_grants.id"), nullable=False),
    sa.Column("client_id", _ID, nullable=False),
    sa.Column("redirect_uri", sa.Text, nullable=False),
    sa.Column("code_challenge", sa.String(43), nullable=True),
    sa.Column("expires_at", Instant, nullable=False, index=True),
    # Set once, by a conditional UPDATE: who sets it may have the tokens.
    sa.Column("used_at", Instant, nullable=True),
)
consents = sa.Table(
    "idp_consents",
    METADATA,
    sa.Column("person_id", _ID, sa.ForeignKey("idp_people.id"), primary_key=True),
    sa.Column("client_id", _ID, sa.ForeignKey("idp_clients.id"), primary_key=True),
    sa.Column("scope", sa.String(64), primary_key=True),
    sa.Column("given_at", Instant, nullable=False),
)
attempts = sa.Table(
    "idp_attempts",
    METADATA,
    # The digest of what is counted: neither login names nor addresses are kept here.
    sa.Column("key", _DIGEST, primary_key=True),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("last_at", Instant, nullable=False, index=True),
    sa.Column("locked_until", Instant, nullable=True),
)
token_keys = sa.Table(
    "idp_token_keys",
    METADATA,
    # The thumbprint of the public half (RFC 7638), which the vault alone gives: no row can put in a key of its own.
    sa.Column("kid", _ID, primary_key=True),
    sa.Column("key", sa.String(200), nullable=False, unique=True),
    sa.Column("suite", sa.String(20), nullable=False),
    # "active" or "next", each once at most; NULL for retired ones, of which there may be many.
    sa.Column("stage", sa.String(10), nullable=True, unique=True),
    sa.Column("since", Instant, nullable=False),
)
app_keys = sa.Table(
    "idp_app_keys",
    METADATA,
    # The secret is made from the id and a key outside the database: nothing here lets anyone sign.
    sa.Column("id", _ID, primary_key=True),
    sa.Column("client_id", _ID, sa.ForeignKey("idp_clients.id"), nullable=False, index=True),
    sa.Column("label", sa.String(100), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    # Set once.
    sa.Column("ended_at", Instant, nullable=True),
)
app_key_nonces = sa.Table(
    "idp_app_key_nonces",
    METADATA,
    sa.Column("app_key", _ID, sa.ForeignKey("idp_app_keys.id"), primary_key=True),
    # The signer's own words, of their length: 64 at most.
    sa.Column("nonce", sa.String(64), primary_key=True),
    # Until when a signature with it could still be believed.
    sa.Column("expires_at", Instant, nullable=False, index=True),
)
