"""The nouns of signing in: people, clients, flows, sessions, grants."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import NewType

PersonId = NewType("PersonId", str)
ClientId = NewType("ClientId", str)
AppKeyId = NewType("AppKeyId", str)
FlowId = NewType("FlowId", str)
SessionId = NewType("SessionId", str)
GrantId = NewType("GrantId", str)

# RFC 6749 4.1.2 allows ten minutes; a code travels one redirect.
CODE_LIFETIME = timedelta(seconds=60)
ACCESS_TOKEN_LIFETIME = timedelta(minutes=10)
ID_TOKEN_LIFETIME = timedelta(minutes=10)
FLOW_LIFETIME = timedelta(minutes=30)
SESSION_LIFETIME = timedelta(hours=12)


# --- people ----------------------------------------------------------------------------------------------------


class IdentityLevel(IntEnum):
    """How surely we know who a person is (``ial``)."""

    SELF_ASSERTED = 1
    MATCHED = 2


class Evidence(StrEnum):
    """What an identity level rests on."""

    SELF_ASSERTED = "self_asserted"
    NAME_AND_NUMBER = "name_and_number"
    COUNTER = "counter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A natural person with an account. ``id`` is random and never reused: it is the ``sub`` of tokens."""

    id: PersonId
    login: str
    name: str
    level: IdentityLevel
    level_at: datetime
    evidence: Evidence
    active: bool
    created_at: datetime


# --- clients ---------------------------------------------------------------------------------------------------


class ClientKind(StrEnum):
    """Whether a client can keep a secret (RFC 6749 2.1)."""

    CONFIDENTIAL = "confidential"
    PUBLIC = "public"


class AuthMethod(StrEnum):
    """How a client proves itself at the token endpoint (OpenID Connect Core 9)."""

    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    NONE = "none"


class GrantType(StrEnum):
    """How a client may get tokens."""

    CODE = "authorization_code"
    CLIENT_CREDENTIALS = "client_credentials"


class PkcePolicy(StrEnum):
    """Whether a client may do without PKCE: only confidential clients too old to know it (RFC 9700 2.1.1)."""

    REQUIRED = "required"
    OPTIONAL = "optional"


class ConsentPolicy(StrEnum):
    """Who agrees that a client learns about a person: the person, or the law that made the client."""

    ASK = "ask"
    IMPLIED = "implied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered relying party or department system.

    ``scopes`` may be asked for about people; ``rights`` are what its own tokens carry. ``organisation`` is the
    unified social credit code of the body that runs it.
    """

    id: ClientId
    name: str
    kind: ClientKind
    auth_method: AuthMethod
    secret_hash: str | None = field(repr=False)
    grant_types: frozenset[str]
    redirect_uris: frozenset[str]
    post_logout_uris: frozenset[str]
    scopes: frozenset[str]
    rights: frozenset[str]
    pkce: PkcePolicy
    consent: ConsentPolicy
    organisation: str | None
    active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AppKey:
    """What a client's gateway signs requests with. The secret is no part of it: it is made anew when needed."""

    id: AppKeyId
    client_id: ClientId
    label: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None

    def alive(self, now: datetime) -> bool:
        """Tell whether requests signed with it are believed."""
        return self.ended_at is None and now < self.expires_at


# --- one authorisation -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizeRequest:
    """What a client asked for; every field has passed ``idp.authorize.checks``."""

    client_id: ClientId
    redirect_uri: str
    response_mode: str
    scope: tuple[str, ...]
    state: str | None = None
    nonce: str | None = None
    code_challenge: str | None = None
    prompt: tuple[str, ...] = ()
    max_age: int | None = None
    """Seconds."""
    acr_values: tuple[str, ...] = ()
    login_hint: str | None = None
    ui_locales: tuple[str, ...] = ()
    hinted_person: PersonId | None = None
    """Whom an ``id_token_hint`` names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One authorisation on its way, from /authorize to the code.

    It belongs to the browser it first met, and gives one answer: ``finished_at`` is set in the transaction that
    answers, by a conditional UPDATE.
    """

    id: FlowId
    request: AuthorizeRequest
    browser_hash: str | None
    created_at: datetime
    expires_at: datetime
    session_id: SessionId | None
    """The session in which this very flow saw the person authenticate; None while it has not."""
    level_accepted: bool
    """The person chose to go on with less than the identity level the client wished for."""
    consented: bool
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser in which a person is signed in. ``id`` is the ``sid`` of tokens; the cookie holds another secret."""

    id: SessionId
    person_id: PersonId
    authenticated_at: datetime
    amr: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None

    def alive(self, now: datetime) -> bool:
        """Tell whether it still signs anyone in."""
        return self.ended_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a person allowed a client in one flow: the tokens made from it live and die with it."""

    id: GrantId
    client_id: ClientId
    person_id: PersonId
    session_id: SessionId
    scope: tuple[str, ...]
    nonce: str | None
    acr: str
    amr: tuple[str, ...]
    authenticated_at: datetime
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """An authorisation code: for one use, by one client, with one verifier. Only its digest is kept."""

    digest: str
    grant_id: GrantId
    client_id: ClientId
    redirect_uri: str
    code_challenge: str | None
    expires_at: datetime
    used_at: datetime | None
