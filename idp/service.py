"""The identity provider: its verbs, put together once."""

from crypto.keys import KeyVault
from idp.authorize.service import Authorization
from idp.discovery import TOKEN, Published
from idp.grants.ground import Ground
from idp.grants.server import TokenServer
from idp.logout import Logout
from idp.passwords import Passwords
from idp.realname import RealNames
from idp.registry import Registry
from idp.store import housekeeping
from idp.token_keys import TokenKeyRegister
from idp.tokens import IdpTokenVerifier, TokenMaker
from kernel.audit import AuditLog
from kernel.clock import Clock
from kernel.db import Database


class Idp:
    """Signs people in for clients and gives departments their tokens.

    ``issuer`` is the address people reach us by, without a trailing slash. ``vault`` has the keys that sign tokens;
    ``keys`` says which they are, and is told the first. ``audience`` is what access tokens are good for (default:
    the issuer). Without ``real_names`` nobody can raise their identity level online.
    """

    def __init__(  # noqa: PLR0913 - collaborators
        self,
        *,
        issuer: str,
        database: Database,
        audit: AuditLog,
        clock: Clock,
        vault: KeyVault,
        audience: str | None = None,
        passwords: Passwords | None = None,
        real_names: RealNames | None = None,
    ) -> None:
        self.issuer = issuer
        self._database = database
        self._clock = clock
        passwords = passwords or Passwords()
        self.keys = TokenKeyRegister(database=database, audit=audit, clock=clock, vault=vault)
        self.tokens = TokenMaker(issuer=issuer, audience=audience or issuer, keys=self.keys)
        self.registry = Registry(database=database, audit=audit, clock=clock, passwords=passwords)
        self.authorization = Authorization(
            database=database,
            audit=audit,
            clock=clock,
            tokens=self.tokens,
            passwords=passwords,
            real_names=real_names,
        )
        ground = Ground(database=database, audit=audit, clock=clock, tokens=self.tokens)
        self.token_server = TokenServer(ground, issuer + TOKEN)
        self.verifier = IdpTokenVerifier(tokens=self.tokens, database=database, clock=clock)
        self.logout = Logout(database=database, audit=audit, clock=clock, tokens=self.tokens)
        self.published = Published(self.tokens)

    def sweep(self) -> int:
        """Remove what has expired and tell how many rows; safe at any time, meant for every few minutes."""
        with self._database.begin() as conn:
            return housekeeping.sweep(conn, self._clock.now())
