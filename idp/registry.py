"""Registration: the verbs that make and change people and clients."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from idp.claims import SCOPES
from idp.digests import digest_of
from idp.errors import LoginTaken, RegistrationRefused, UnknownClient, UnknownPerson
from idp.model import (
    AuthMethod,
    Client,
    ClientId,
    ClientKind,
    ConsentPolicy,
    Evidence,
    GrantType,
    IdentityLevel,
    Person,
    PersonId,
    PkcePolicy,
)
from idp.passwords import Passwords, require_strength
from idp.store import clients, grants, people, sessions
from kernel.audit import AuditLog
from kernel.clock import Clock
from kernel.db import Database
from kernel.ids import new_id, new_secret

_LONGEST_NAME = 100
_LONGEST_RIGHTS = 4000
# No letters that look like others (Cyrillic а, Greek ο): portals show the login name, and people read it.
_LOGIN = re.compile("[a-z0-9._@+\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af-]{1,100}")
_CLIENT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_RIGHT = re.compile(r"[a-z_]+(\.[a-z_]+)*:[\x21\x23-\x5b\x5d-\x7e]{1,100}")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_AUTHORITY = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
_URI_CHARACTERS = re.compile(r"[\x21-\x7e]{1,2000}")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A client just made, with the secret that is shown this once; None for a public client."""

    client: Client
    secret: str | None = field(repr=False)


class Registry:
    """Makes people and clients; every change is in the audit log, by the ``actor`` who made it."""

    def __init__(self, *, database: Database, audit: AuditLog, clock: Clock, passwords: Passwords) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock
        self._passwords = passwords

    def create_person(  # noqa: PLR0913 - what a person is registered with
        self,
        *,
        login: str,
        password: str,
        name: str,
        level: IdentityLevel = IdentityLevel.SELF_ASSERTED,
        evidence: Evidence = Evidence.SELF_ASSERTED,
        actor: str = "operator",
    ) -> Person:
        """Register a natural person; LoginTaken if the login name is."""
        login = normal_login(login)
        if not _LOGIN.fullmatch(login):
            raise RegistrationRefused("A login name has up to 100 letters (a-z, Han), digits and . _ @ + - only.")
        _require_name(name)
        require_strength(password, login)
        _require_evidence(level, evidence)
        now = self._clock.now()
        person = Person(
            id=PersonId(new_id()),
            login=login,
            name=name,
            level=level,
            level_at=now,
            evidence=evidence,
            active=True,
            created_at=now,
        )
        hashed = self._passwords.hash(password)
        with self._database.begin() as conn:
            if not people.insert(conn, person, hashed):
                raise LoginTaken("This login name is in use. Choose another.")
            facts = {"level": int(level), "evidence": evidence.value}
            self._audit.append(conn, at=now, actor=actor, action="idp.person_created", target=person.id, facts=facts)
        return person

    def prove_identity(
        self, person: PersonId, *, name: str, level: IdentityLevel, evidence: Evidence, actor: str = "operator"
    ) -> None:
        """Record who a person was proved to be; the name becomes the proved one."""
        _require_name(name)
        _require_evidence(level, evidence)
        now = self._clock.now()
        with self._database.begin() as conn:
            if not people.set_level(conn, person, name=name, level=level, evidence=evidence, at=now):
                raise UnknownPerson("There is no such person.")
            facts = {"level": int(level), "evidence": evidence.value}
            self._audit.append(conn, at=now, actor=actor, action="idp.identity_proved", target=person, facts=facts)

    def set_person_active(self, person: PersonId, *, active: bool, actor: str = "operator") -> None:
        """Allow or stop a person's signing in; stopping ends every session and its tokens.

        Allowing ends what a login under way at the moment of stopping may have left: nobody is signed in by it.
        """
        now = self._clock.now()
        with self._database.begin() as conn:
            if not people.set_active(conn, person, active=active):
                raise UnknownPerson("There is no such person.")
            for session in sessions.of_person(conn, person, now):
                sessions.end(conn, session.id, now)
                grants.revoke_session(conn, session.id, now)
            action = "idp.person_allowed" if active else "idp.person_stopped"
            self._audit.append(conn, at=now, actor=actor, action=action, target=person)

    def create_client(  # noqa: PLR0913 - what a client is registered with
        self,
        *,
        name: str,
        kind: ClientKind = ClientKind.CONFIDENTIAL,
        client_id: str | None = None,
        redirect_uris: Iterable[str] = (),
        post_logout_uris: Iterable[str] = (),
        scopes: Iterable[str] = ("openid", "profile", "identity"),
        rights: Iterable[str] = (),
        auth_method: AuthMethod | None = None,
        pkce: PkcePolicy = PkcePolicy.REQUIRED,
        consent: ConsentPolicy = ConsentPolicy.ASK,
        organisation: str | None = None,
        actor: str = "operator",
    ) -> Registered:
        """Register a client: with redirect URIs it may sign people in, with rights it may get tokens of its own."""
        secret = new_secret() if kind is ClientKind.CONFIDENTIAL else None
        redirects, rights = frozenset(redirect_uris), frozenset(rights)
        grant_types = (GrantType.CODE.value,) if redirects else ()
        client = Client(
            id=ClientId(client_id or new_id()),
            name=name,
            kind=kind,
            auth_method=auth_method or (AuthMethod.BASIC if secret else AuthMethod.NONE),
            secret_hash=digest_of(secret) if secret else None,
            grant_types=frozenset((*grant_types, *((GrantType.CLIENT_CREDENTIALS.value,) if rights else ()))),
            redirect_uris=redirects,
            post_logout_uris=frozenset(post_logout_uris),
            scopes=frozenset(scopes),
            rights=rights,
            pkce=pkce,
            consent=consent,
            organisation=organisation,
            active=True,
            created_at=self._clock.now(),
        )
        _require_client(client)
        with self._database.begin() as conn:
            if not clients.insert(conn, client):
                raise RegistrationRefused("A client with this identifier exists already.")
            facts = {"kind": kind.value, "rights": " ".join(sorted(rights))}
            self._audit.append(
                conn, at=client.created_at, actor=actor, action="idp.client_created", target=client.id, facts=facts
            )
        return Registered(client=client, secret=secret)

    def renew_secret(self, client: ClientId, *, actor: str = "operator") -> str:
        """Give a confidential client a new secret, shown this once; the old one ends now."""
        secret = new_secret()
        with self._database.begin() as conn:
            found = clients.find(conn, client)
            if found is None or found.kind is not ClientKind.CONFIDENTIAL:
                raise UnknownClient("There is no such confidential client.")
            clients.set_secret(conn, client, digest_of(secret))
            self._audit.append(
                conn, at=self._clock.now(), actor=actor, action="idp.client_secret_renewed", target=client
            )
        return secret

    def set_client_active(self, client: ClientId, *, active: bool, actor: str = "operator") -> None:
        """Allow or stop a client; its tokens are refused from now on while it is stopped."""
        with self._database.begin() as conn:
            if not clients.set_active(conn, client, active=active):
                raise UnknownClient("There is no such client.")
            action = "idp.client_allowed" if active else "idp.client_stopped"
            self._audit.append(conn, at=self._clock.now(), actor=actor, action=action, target=client)

    def client(self, client: str) -> Client:
        """Give a client by its identifier."""
        with self._database.read() as conn:
            found = clients.find(conn, client)
        if found is None:
            raise UnknownClient("There is no such client.")
        return found

    def person(self, login: str) -> Person:
        """Give a person by login name."""
        with self._database.read() as conn:
            found = people.by_login(conn, normal_login(login))
        if found is None:
            raise UnknownPerson("There is no such person.")
        return found.person


def normal_login(login: str) -> str:
    """Write a login name in its one form: width, case and surrounding blanks do not matter."""
    return unicodedata.normalize("NFKC", login).casefold().strip()


def is_right(text: str) -> bool:
    """Tell whether this is written as a right is: ``action:target``."""
    return _RIGHT.fullmatch(text) is not None


def is_name(name: str) -> bool:
    """Tell whether this can be anybody's name at all."""
    return bool(name.strip()) and len(name) <= _LONGEST_NAME and name.isprintable()


def _require_name(name: str) -> None:
    if not is_name(name):
        raise RegistrationRefused(f"A name has 1 to {_LONGEST_NAME} printable characters.")


def _require_evidence(level: IdentityLevel, evidence: Evidence) -> None:
    if (level is IdentityLevel.SELF_ASSERTED) is not (evidence is Evidence.SELF_ASSERTED):
        raise RegistrationRefused("The identity level does not fit its evidence.")


def _require_client(client: Client) -> None:
    _require_name(client.name)
    if not _CLIENT_ID.fullmatch(client.id):
        raise RegistrationRefused("A client identifier has up to 64 letters, digits and . _ - only.")
    if not client.grant_types:
        raise RegistrationRefused("A client needs redirect URIs, to sign people in, or rights of its own.")
    if (client.auth_method is AuthMethod.NONE) is not (client.kind is ClientKind.PUBLIC):
        raise RegistrationRefused("A confidential client proves itself with its secret, a public one has none.")
    if client.kind is ClientKind.PUBLIC and (client.rights or client.pkce is not PkcePolicy.REQUIRED):
        raise RegistrationRefused("A public client has no rights of its own and always uses PKCE.")
    if unknown := client.scopes - SCOPES.keys():
        raise RegistrationRefused(f"Unknown scopes: {' '.join(sorted(unknown))}.")
    if not all(is_right(right) for right in client.rights):
        raise RegistrationRefused("A right is written action:target, such as seal.use:44030000000001.")
    if len(" ".join(client.rights)) > _LONGEST_RIGHTS:
        # They all stand in the audit entry, and in every token.
        raise RegistrationRefused(f"The rights of one client take {_LONGEST_RIGHTS} characters at most.")
    for uri in client.redirect_uris:
        _require_uri(uri, native=client.kind is ClientKind.PUBLIC)
    for uri in client.post_logout_uris:
        _require_uri(uri, native=client.kind is ClientKind.PUBLIC)


def _require_uri(uri: str, *, native: bool) -> None:
    """Refuse an address that no answer may be sent to (RFC 9700 2.1, RFC 8252 7)."""
    wrong = f"{uri[:200]!r} cannot be registered: "
    if not _URI_CHARACTERS.fullmatch(uri) or "#" in uri or "*" in uri or "\\" in uri:
        raise RegistrationRefused(wrong + "it must be one absolute URL without fragment or wildcard.")
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
    except ValueError as error:
        raise RegistrationRefused(wrong + "it is no URL.") from error
    if parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK):
        if not _AUTHORITY.fullmatch(parts.netloc):
            raise RegistrationRefused(wrong + "its host must be plain.")
    # A native app's own scheme is a reversed domain name (RFC 8252 7.1), which also keeps javascript: out.
    elif not (native and _SCHEME.fullmatch(parts.scheme) and "." in parts.scheme and not parts.netloc):
        raise RegistrationRefused(wrong + "it must begin with https://.")
