"""The console's registration as a client of our own provider, made by `xinyin migrate` for the public address."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from crypto.digests import sm3
from crypto.vaults.files import read_private, replace
from idp.digests import same
from idp.errors import RegistrationRefused, UnknownClient
from idp.model import Client, ClientId, ConsentPolicy
from idp.registry import Registry

CALLBACK, GOODBYE = "/console/callback", "/console/bye"
_NAME = "信印控制台 Xinyin console"
_ACTOR = "operator"
_SHORT = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleClient:
    """What the console shows to the provider."""

    id: str
    secret: str = field(repr=False)


def held(file: Path, issuer: str) -> ConsoleClient | None:
    """Give the registration for this address; None until `xinyin migrate` has made it."""
    try:
        client = ConsoleClient(**json.loads(read_private(file)))
    except FileNotFoundError:
        return None
    return client if client.id == _id_at(issuer) else None


def register(registry: Registry, file: Path, issuer: str) -> bool:
    """Register the console at its address and keep the secret in ``file``; run again, it changes nothing.

    A client under another address is stopped: what is sent to where we no longer are is no sign-in. False where an
    address cannot be registered, being neither https nor this machine's own: there is no console then.
    """
    before = _read(file)
    wanted = ConsoleClient(id=_id_at(issuer), secret=before.secret if before else "")
    found = _found(registry, wanted.id)
    if before is not None and before.id != wanted.id and _found(registry, before.id) is not None:
        registry.set_client_active(ClientId(before.id), active=False, actor=_ACTOR)
    if found is None:
        try:
            secret = _created(registry, wanted.id, issuer)
        except RegistrationRefused:
            return False
        replace(file, _written(wanted.id, secret))
        return True
    if before is None or before.id != wanted.id or not same(found.secret_hash, before.secret):
        replace(file, _written(wanted.id, registry.renew_secret(found.id, actor=_ACTOR)))
        if not found.active:
            registry.set_client_active(found.id, active=True, actor=_ACTOR)
    return True


def _created(registry: Registry, client: str, issuer: str) -> str:
    made = registry.create_client(
        name=_NAME,
        client_id=client,
        redirect_uris=(issuer + CALLBACK,),
        post_logout_uris=(issuer + GOODBYE,),
        scopes=("openid", "profile"),
        # It learns nothing that this service does not know.
        consent=ConsentPolicy.IMPLIED,
        actor=_ACTOR,
    )
    return made.secret or ""


def _id_at(issuer: str) -> str:
    """Name the client after its address: redirect addresses of a client never change."""
    return f"console-{sm3(issuer.encode()).hex()[:_SHORT]}"


def _found(registry: Registry, client: str) -> Client | None:
    try:
        return registry.client(client)
    except UnknownClient:
        return None


def _read(file: Path) -> ConsoleClient | None:
    return ConsoleClient(**json.loads(read_private(file))) if file.exists() else None


def _written(client: str, secret: str) -> bytes:
    return json.dumps({"id": client, "secret": secret}).encode()
