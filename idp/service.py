"""The identity provider: its verbs, put together once."""

from collections.abc import Mapping

from crypto.jose import thumbprint_kid
from crypto.keys import PublicKey, Signer
from idp.authorize.service import Authorization
from idp.discovery import TOKEN, configuration, key_set
from idp.grants.ground import Ground
from idp.grants.server import TokenServer
from idp.logout import Logout
from idp.passwords import Passwords
from idp.realname import RealNames
from idp.registry import Registry
from idp.store import housekeeping
from idp.tokens import IdpTokenVerifier, TokenMaker
from kernel.audit import AuditLog
from kernel.clock import Clock
from kernel.db import Database


class Idp:
    """Signs people in for clients and gives departments their tokens.

    ``issuer`` is the address people reach us by, without a trailing slash. ``signer`` is an ES256 key of the vault;
    ``retired`` are the public halves, by kid, of keys whose tokens may still be about. ``audience`` is what access
    tokens are good for (default: the issuer). Without ``real_names`` nobody can raise their identity level online.
    """

    def __init__(  # noqa: PLR0913 - collaborators
        self,
        *,
        issuer: str,
        database: Database,
        audit: AuditLog,
        clock: Clock,
        signer: Signer,
        retired: Mapping[str, PublicKey] | None = None,
        audience: str | None = None,
        passwords: Passwords | None = None,
        real_names: RealNames | None = None,
    ) -> None:
        self.issuer = issuer
        self._database = database
        self._clock = clock
        passwords = passwords or Passwords()
        kid = thumbprint_kid(signer.public_key)
        self.tokens = TokenMaker(issuer=issuer, audience=audience or issuer, signer=signer, kid=kid, retired=retired)
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
        self.configuration = configuration(self.tokens)
        self.key_set = key_set(self.tokens)

    def sweep(self) -> int:
        """Remove what has expired and tell how many rows; safe at any time, meant for every few minutes."""
        with self._database.begin() as conn:
            return housekeeping.sweep(conn, self._clock.now())
