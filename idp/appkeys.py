"""App keys: made for a client, listed, ended. A gateway that knows no tokens signs its requests with one."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from crypto.kdf import hmac_sm3
from idp.errors import AppKeyRefused, UnknownAppKey, UnknownClient
from idp.model import AppKey, AppKeyId, Client, ClientId, GrantType
from idp.registry import is_name
from idp.store import app_keys, clients
from kernel.audit import AuditLog
from kernel.clock import Clock
from kernel.db import Database
from kernel.ids import new_id

MOST_ALIVE: Final = 2
"""One in use, and the next one while the gateway is changed over."""
LIFETIME: Final = timedelta(days=365)
LONGEST: Final = timedelta(days=3 * 365)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAppKey:
    """An app key just made, with the secret that is shown this once."""

    key: AppKey
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An app key, whether it is believed now, and whether it signed something within the last minutes."""

    key: AppKey
    alive: bool
    in_use: bool


class AppKeys:
    """Makes and ends app keys; every change is in the audit log, by the ``actor`` who made it.

    ``key`` gives the 32 octets that all secrets are made from; they are not in the database, nor are the secrets.
    """

    def __init__(self, *, database: Database, audit: AuditLog, clock: Clock, key: Callable[[], bytes]) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock
        self._key = key

    def add(
        self, client: ClientId, *, label: str = "gateway", lifetime: timedelta = LIFETIME, actor: str = "operator"
    ) -> NewAppKey:
        """Make an app key of a client that has rights of its own; of these two may be alive at a time."""
        if not is_name(label):
            raise AppKeyRefused("A label has 1 to 100 printable characters.")
        if not timedelta(0) < lifetime <= LONGEST:
            raise AppKeyRefused(f"An app key lives a day at least, and {LONGEST.days} days at most.")
        now = self._clock.now()
        key = AppKey(
            id=AppKeyId(f"ak_{new_id()}"), client_id=client, label=label, created_at=now, expires_at=now + lifetime
        )
        with self._database.begin() as conn:
            app_keys.hold_client(conn, client)
            found = clients.find(conn, client)
            if found is None:
                raise UnknownClient("There is no such client.")
            if not may_sign(found):
                raise AppKeyRefused("The client is stopped, or has no rights of its own.")
            if sum(each.alive(now) for each in app_keys.of_client(conn, client)) >= MOST_ALIVE:
                raise AppKeyRefused(f"The client has {MOST_ALIVE} app keys: end one first.")
            app_keys.insert(conn, key)
            facts = {"client": client, "expires_at": key.expires_at.isoformat()}
            self._audit.append(conn, at=now, actor=actor, action="idp.app_key_made", target=key.id, facts=facts)
        return NewAppKey(key=key, secret=self.secret(key.id))

    def list(self, client: ClientId) -> tuple[Listed, ...]:
        """List every app key a client ever had, oldest first."""
        now = self._clock.now()
        with self._database.read() as conn:
            if clients.find(conn, client) is None:
                raise UnknownClient("There is no such client.")
            return tuple(
                Listed(key=key, alive=key.alive(now), in_use=app_keys.in_use(conn, key.id))
                for key in app_keys.of_client(conn, client)
            )

    def end(self, key: AppKeyId, *, actor: str = "operator") -> None:
        """End an app key now: no later request signed with it is believed."""
        now = self._clock.now()
        with self._database.begin() as conn:
            if not app_keys.end(conn, key, now):
                raise UnknownAppKey("There is no such app key, or it has ended already.")
            self._audit.append(conn, at=now, actor=actor, action="idp.app_key_ended", target=key)

    def secret(self, key: str) -> str:
        """Give the secret that belongs to an id, whether there is such an app key or not."""
        made = hmac_sm3(self._key(), b"xinyin app key secret\0", key.encode())
        return "aks_" + base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def may_sign(client: Client) -> bool:
    """Tell whether a client may call for itself: what the client credentials grant demands, too."""
    return client.active and bool(client.rights) and GrantType.CLIENT_CREDENTIALS in client.grant_types
