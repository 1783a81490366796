"""Tokens: the access and ID tokens we sign, and whom an access token stands for."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from crypto.errors import TokenError
from crypto.jose import SignedClaims, VerifiedClaims, half_hash, verify_jwt, verify_signature
from idp.model import ACCESS_TOKEN_LIFETIME, ID_TOKEN_LIFETIME, Client, Grant, GrantId, Person
from idp.store import clients, grants, people
from idp.token_keys import Ring
from kernel.clock import Clock
from kernel.db import Database
from kernel.errors import Unauthenticated
from kernel.ids import new_id
from kernel.principal import Principal, PrincipalKind

Claimed = TypeVar("Claimed", bound=Mapping[str, object])

ACCESS_TYPE = "at+jwt"
# Issuer and judge share one clock, give or take a second machine.
_LEEWAY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Whom a good access token stands for: a client, for a person or by itself."""

    client: Client
    person: Person | None
    grant: Grant | None
    scope: tuple[str, ...]


class Keys(Protocol):
    """The issuer's keys, which other processes may change at any time."""

    def ring(self) -> Ring:
        """Give the keys as they stood a moment ago; asked for every token."""

    def reread(self) -> Ring:
        """Give the keys as they stand; the same object if nothing has changed."""


class TokenMaker:
    """Signs tokens with the active one of ``keys`` and judges those signed with any of them.

    ``audience`` is what access tokens are good for: all interfaces of this service.
    """

    def __init__(self, *, issuer: str, audience: str, keys: Keys) -> None:
        self.issuer = issuer
        self.audience = audience
        self._keys = keys

    def ring(self) -> Ring:
        """Give the keys as they stood a moment ago."""
        return self._keys.ring()

    def access_for_person(self, grant: Grant, now: datetime) -> str:
        """Make the access token of a grant (RFC 9068): it dies with the grant."""
        return self.ring().signer.sign(
            {
                **self._access(str(grant.person_id), grant.client_id, grant.scope, now),
                "auth_time": int(grant.authenticated_at.timestamp()),
                "acr": grant.acr,
                "amr": list(grant.amr),
                "sid": grant.session_id,
                "grant_id": grant.id,
            },
            typ=ACCESS_TYPE,
        )

    def access_for_client(self, client: Client, rights: Iterable[str], now: datetime) -> str:
        """Make an access token of a client for itself: ``sub`` is the client (RFC 9068 2.2)."""
        return self.ring().signer.sign(self._access(client.id, client.id, tuple(rights), now), typ=ACCESS_TYPE)

    def id_token(self, grant: Grant, claims: Mapping[str, object], access_token: str, now: datetime) -> str:
        """Make the ID token of a grant (OpenID Connect Core 2); ``claims`` tell about the person."""
        signer = self.ring().signer
        issued = int(now.timestamp())
        told: dict[str, object] = {
            **claims,
            "iss": self.issuer,
            "aud": grant.client_id,
            "azp": grant.client_id,
            "iat": issued,
            "exp": issued + int(ID_TOKEN_LIFETIME.total_seconds()),
            # When the person really authenticated, not when this token was made.
            "auth_time": int(grant.authenticated_at.timestamp()),
            "acr": grant.acr,
            "amr": list(grant.amr),
            "sid": grant.session_id,
            "at_hash": half_hash(signer.suite, access_token),
        }
        if grant.nonce is not None:
            told["nonce"] = grant.nonce
        return signer.sign(told)

    def verified_access(self, token: str, now: datetime) -> VerifiedClaims:
        """Judge an access token of ours; TokenError where anything fails. Revocation is not judged here."""
        return self._judged(
            lambda ring: verify_jwt(
                token,
                keys=ring.keys.trusted,
                issuer=self.issuer,
                audience=self.audience,
                typ=ACCESS_TYPE,
                at=now,
                leeway=_LEEWAY,
                suites=ring.keys.suites,
            )
        )

    def hint(self, token: str) -> SignedClaims | None:
        """Read an id_token_hint: an ID token of ours, perhaps expired; None for anything else."""
        try:
            claims = self._judged(
                lambda ring: verify_signature(token, keys=ring.keys.trusted, typ="JWT", suites=ring.keys.suites)
            )
        except TokenError:
            return None
        return claims if claims.get("iss") == self.issuer else None

    def _judged(self, judge: Callable[[Ring], Claimed]) -> Claimed:
        """Judge by the keys of a moment ago; by those of now before a token is refused that another process made."""
        ring = self.ring()
        try:
            return judge(ring)
        except TokenError:
            now = self._keys.reread()
            if now is ring:
                raise
        return judge(now)

    def _access(self, subject: str, client: str, scope: tuple[str, ...], now: datetime) -> dict[str, object]:
        issued = int(now.timestamp())
        return {
            "iss": self.issuer,
            "sub": subject,
            "aud": self.audience,
            "client_id": client,
            "scope": " ".join(scope),
            "iat": issued,
            "exp": issued + int(ACCESS_TOKEN_LIFETIME.total_seconds()),
            "jti": new_id(),
        }


class IdpTokenVerifier:
    """Believes our own access tokens while their grant, person and client stand (``kernel.guard.TokenVerifier``)."""

    def __init__(self, *, tokens: TokenMaker, database: Database, clock: Clock) -> None:
        self._tokens = tokens
        self._database = database
        self._clock = clock

    def principal(self, token: str) -> Principal:
        """Give the caller a token stands for; a client's rights are those both in the token and still granted."""
        bearer = self.bearer(token)
        if bearer.person is not None:
            return Principal(subject=bearer.person.id, kind=PrincipalKind.PERSON, rights=frozenset())
        rights = frozenset(right for right in bearer.scope if granted(bearer.client, right))
        return Principal(
            subject=bearer.client.id,
            kind=PrincipalKind.CLIENT,
            rights=rights,
            organisation=bearer.client.organisation,
        )

    def bearer(self, token: str) -> Bearer:
        """Judge a token and give whom it stands for; TokenError or Unauthenticated for one not to be believed."""
        # 1. The token itself: signature, type, issuer, audience, time.
        claims = self._tokens.verified_access(token, self._clock.now())
        with self._database.read() as conn:
            # 2. Its client is still allowed.
            client = clients.find(conn, str(claims.get("client_id")))
            if client is None or not client.active:
                raise Unauthenticated("The token's client is no longer allowed.")
            scope = tuple(str(claims.get("scope", "")).split())
            # 3. A person's grant was not revoked, and the person is still allowed.
            grant_id = claims.get("grant_id")
            if grant_id is None:
                return Bearer(client=client, person=None, grant=None, scope=scope)
            grant = grants.find(conn, GrantId(str(grant_id)))
            person = people.find(conn, grant.person_id) if grant else None
        if grant is None or grant.revoked_at is not None or person is None or not person.active:
            raise Unauthenticated("The token has been revoked.")
        return Bearer(client=client, person=person, grant=grant, scope=scope)


def granted(client: Client, right: str) -> bool:
    """Tell whether a client was granted a right, itself or by a ``*`` in its place."""
    return right in client.rights or f"{right.partition(':')[0]}:*" in client.rights
