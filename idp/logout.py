"""Logout: ending a session, at a client's wish or the person's (OpenID Connect RP-Initiated Logout 1.0)."""

from dataclasses import dataclass, field

import sqlalchemy as sa

from idp.authorize.answer import with_query
from idp.authorize.parameters import Parameters
from idp.errors import LogoutRefused
from idp.model import Client
from idp.session import SignedIn, sign_out, signed_in
from idp.store import clients
from idp.tokens import TokenMaker
from kernel.audit import AuditLog
from kernel.clock import Clock
from kernel.db import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Nobody has proved that the person wishes this: ask."""

    who: SignedIn
    client: Client | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Out:
    """The person is signed out. ``return_to`` is a registered address to go back to, if the client gave one."""

    return_to: str | None
    client: Client | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    client: Client | None
    return_to: str | None
    sid: str | None = field(repr=False)
    subject: str | None = field(repr=False)


class Logout:
    """Ends sessions with every token given in them."""

    def __init__(self, *, database: Database, audit: AuditLog, clock: Clock, tokens: TokenMaker) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock
        self._tokens = tokens

    def wish(self, parameters: Parameters, session: str | None) -> Ask | Out:
        """Follow a client's wish at once if its hint names this very session, else ask the person.

        LogoutRefused for a hint that is not ours and an address that is not registered: no redirect then.
        """
        wish = self._read(parameters)
        now = self._clock.now()
        with self._database.begin() as conn:
            who = signed_in(conn, session, now)
            if who is None:
                return Out(return_to=wish.return_to, client=wish.client)
            if wish.sid != who.session.id or wish.subject != who.person.id:
                return Ask(who=who, client=wish.client)
            self._end(conn, who)
        return Out(return_to=wish.return_to, client=wish.client)

    def confirm(self, parameters: Parameters, session: str | None) -> Out:
        """End the session: the person said so on our own page."""
        wish = self._read(parameters)
        with self._database.begin() as conn:
            who = signed_in(conn, session, self._clock.now())
            if who is not None:
                self._end(conn, who)
        return Out(return_to=wish.return_to, client=wish.client)

    def _read(self, parameters: Parameters) -> _Wish:
        """Read a request; what it says is believed only as far as a registered client and a token of ours go."""
        if parameters.repeated:
            raise LogoutRefused("A parameter was sent more than once.")
        hint, name = parameters.get("id_token_hint"), parameters.get("client_id")
        claims = self._tokens.hint(hint) if hint else None
        if hint and claims is None:
            raise LogoutRefused("id_token_hint is not an ID token of this issuer.")
        told = str(claims["aud"]) if claims is not None else name
        if name is not None and name != told:
            raise LogoutRefused("client_id is not the client that the ID token was given to.")
        with self._database.read() as conn:
            client = clients.find(conn, told) if told else None
        return _Wish(
            client=client,
            return_to=_return_to(parameters, client),
            sid=str(claims.get("sid")) if claims is not None else None,
            subject=str(claims.get("sub")) if claims is not None else None,
        )

    def _end(self, conn: sa.Connection, who: SignedIn) -> None:
        now = self._clock.now()
        revoked = sign_out(conn, who.session.id, now)
        self._audit.append(
            conn,
            at=now,
            actor=who.person.id,
            action="idp.signed_out",
            target=who.session.id,
            facts={"grants_revoked": revoked},
        )


def _return_to(parameters: Parameters, client: Client | None) -> str | None:
    uri, state = parameters.get("post_logout_redirect_uri"), parameters.get("state")
    if uri is None:
        return None
    if client is None or not client.active or uri not in client.post_logout_uris:
        raise LogoutRefused("The address to return to after logout is not registered for this application.")
    return with_query(uri, (("state", state),) if state else ())
