"""Token keys: the keys that sign tokens, through their stages, as every process of the service sees them.

Which keys they are stands in the database, so that a switch needs no restart; their public halves come from the vault.
Each key is published a while before it signs, and for as long as anything it signed may be about.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock

import sqlalchemy as sa
import structlog

from crypto import key_sets
from crypto.errors import KeyRefused
from crypto.jose import JwtSigner, thumbprint_kid
from crypto.key_sets import Stage, TokenKey, TokenKeys
from crypto.keys import KeyId, KeyVault, VaultSigner
from crypto.suites import KeyKind, Usage
from crypto.vaults.errors import UnknownKey
from idp.errors import TokenKeyMissing, TokenKeyRefused
from idp.model import ACCESS_TOKEN_LIFETIME, ID_TOKEN_LIFETIME
from idp.store import token_keys as store
from idp.store.token_keys import TokenKeyRow
from kernel.audit import AuditLog, Fact
from kernel.clock import Clock
from kernel.db import Database

SEEN_WITHIN = timedelta(seconds=2)
"""How long a process goes by what it read last."""
KEY_SET_KEPT = timedelta(hours=1)
"""How long others may keep the published key set: what its answer says."""
_CLOCKS = timedelta(minutes=1)  # Between the clocks of several machines, generously.
KNOWN_FOR = KEY_SET_KEPT + SEEN_WITHIN + _CLOCKS
"""How long a key is published before it signs: then nobody has a key set without it."""
OUTLIVED = max(ACCESS_TOKEN_LIFETIME, ID_TOKEN_LIFETIME) + SEEN_WITHIN + _CLOCKS
"""How long a key is believed after it signed last: then its last token has expired."""
_REASON_MAX = 500
_log = structlog.get_logger("xinyin.idp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """The issuer's keys at one moment, and the active one as it signs."""

    keys: TokenKeys
    signer: JwtSigner


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    at: datetime
    rows: tuple[TokenKeyRow, ...]
    ring: Ring


class TokenKeyRegister:
    """Keeps which keys of ``vault`` sign tokens; every change and its audit entry are one transaction."""

    def __init__(self, *, database: Database, audit: AuditLog, clock: Clock, vault: KeyVault) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock
        self._vault = vault
        self._lock = Lock()
        self._last: _Read | None = None

    # --- asking ---

    def ring(self) -> Ring:
        """Give the keys as they stood at most ``SEEN_WITHIN`` ago; TokenKeyMissing if none signs."""
        last, now = self._last, self._clock.now()
        if last is not None and last.at <= now < last.at + SEEN_WITHIN:
            return last.ring
        return self.reread()

    def reread(self) -> Ring:
        """Give the keys as they stand; the very same object if nothing has changed."""
        with self._lock:
            now = self._clock.now()
            rows = self.rows()
            last = self._last
            ring = last.ring if last is not None and last.rows == rows else self._ring(rows)
            self._last = _Read(at=now, rows=rows, ring=ring)
            return ring

    def rows(self) -> tuple[TokenKeyRow, ...]:
        """List every key with its name in the vault, oldest change first."""
        with self._database.read() as conn:
            return store.read(conn)

    # --- changing ---

    def begin(self, key: KeyId, *, actor: str = "operator") -> bool:
        """Let ``key`` sign if none signs yet; tell whether it does now."""
        now = self._clock.now()
        made = self._made(key, Stage.ACTIVE, now)
        with self._database.begin() as conn:
            begun = store.insert(conn, made)
            if begun:
                self._record(conn, now, actor, "idp.token_key_begun", made.kid, key=key)
        return begun

    def announce(self, key: KeyId, *, actor: str = "operator") -> TokenKeyRow:
        """Publish ``key`` as the one to sign next; TokenKeyRefused if another is published so already."""
        now = self._clock.now()
        made = self._made(key, Stage.NEXT, now)
        with self._changing() as conn:
            before = self._stages(store.read(conn, lock=True))
            after = key_sets.announce(before, self._vault.public_key(key), self._vault.suite(key), at=now)
            if not store.insert(conn, made):
                raise TokenKeyRefused("Another key was announced at this moment.")
            facts: dict[str, Fact] = {"key": key, "published": len(after.keys)}
            self._record(conn, now, actor, "idp.token_key_announced", made.kid, **facts)
        return made

    def switch(self, *, early: str | None = None, actor: str = "operator") -> TokenKeys:
        """Let the next key sign and retire the active one.

        TokenKeyRefused before everybody has the next key, ``KNOWN_FOR`` after it was announced; with a reason in
        ``early`` at once: who has kept the key set until then cannot check new tokens.
        """
        if early is not None:
            _require_reason(early)
        now = self._clock.now()
        with self._changing() as conn:
            rows = store.read(conn, lock=True)
            before = self._stages(rows)
            after = key_sets.rotate(before, at=now, known_for=KNOWN_FOR if early is None else timedelta(0))
            stages = {key.kid: key for key in after.keys}
            known = [row for row in rows if row.kid in stages]
            store.change(
                conn, [replace(row, stage=stages[row.kid].stage, since=stages[row.kid].since) for row in known]
            )
            facts: dict[str, Fact] = {"retired": before.active.kid, "early": early is not None, "reason": early}
            self._record(conn, now, actor, "idp.token_key_switched", after.active.kid, **facts)
        return after

    def remove_outlived(self, *, actor: str = "operator") -> tuple[str, ...]:
        """Publish and believe no more the keys retired for so long that their last token has expired."""
        now = self._clock.now()
        with self._changing() as conn:
            before = self._stages(store.read(conn, lock=True))
            after = key_sets.forget(before, at=now, outlived=OUTLIVED)
            gone = tuple(sorted(before.trusted.keys() - after.trusted.keys()))
            store.delete(conn, gone)
            for kid in gone:
                self._record(conn, now, actor, "idp.token_key_removed", kid, early=False, reason=None)
        return gone

    def withdraw(self, kid: str, *, reason: str, actor: str = "operator") -> None:
        """Believe a key no more from now on, for it is no longer safe: every token it signed dies.

        The active key only after ``switch``.
        """
        _require_reason(reason)
        now = self._clock.now()
        with self._changing() as conn:
            rows = store.read(conn, lock=True)
            stages = self._stages(rows)
            if kid in stages.trusted or all(row.kid != kid for row in rows):  # else the vault has lost it already
                key_sets.withdraw(stages, kid)
            store.delete(conn, (kid,))
            self._record(conn, now, actor, "idp.token_key_removed", kid, early=True, reason=reason)

    @contextmanager
    def _changing(self) -> Iterator[sa.Connection]:
        try:
            with self._database.begin() as conn:
                yield conn
        except KeyRefused as error:
            said = str(error)
            raise TokenKeyRefused(f"{said[:1].upper()}{said[1:]}.") from error

    def _record(self, conn: sa.Connection, at: datetime, actor: str, action: str, kid: str, **facts: Fact) -> None:
        told = {name: value for name, value in facts.items() if value is not None}
        self._audit.append(conn, at=at, actor=actor, action=action, target=kid, facts=told)

    def _made(self, key: KeyId, stage: Stage, at: datetime) -> TokenKeyRow:
        suite = self._vault.suite(key)
        if suite.key is KeyKind.SM2 or Usage.TOKEN not in suite.usages:
            # They would stand in the standard key set, which ordinary clients then reject as a whole.
            raise TokenKeyRefused(f"Tokens are not signed with a key for {suite.name}: take one for ES256.")
        kid = thumbprint_kid(self._vault.public_key(key))
        return TokenKeyRow(kid=kid, key=key, suite=suite.name, stage=stage, since=at)

    def _ring(self, rows: Sequence[TokenKeyRow]) -> Ring:
        keys = self._stages(rows)
        active = next(row for row in rows if row.stage is Stage.ACTIVE)
        return Ring(keys=keys, signer=JwtSigner(VaultSigner(self._vault, active.key), active.kid))

    def _stages(self, rows: Sequence[TokenKeyRow]) -> TokenKeys:
        found = [(row, self._found(row)) for row in rows]
        if not any(row.stage is Stage.ACTIVE and key is not None for row, key in found):
            raise TokenKeyMissing(
                "The issuer has no key to sign tokens with: run `xinyin migrate`, then `xinyin key list`."
            )
        return TokenKeys(keys=tuple(key for _, key in found if key is not None))

    def _found(self, row: TokenKeyRow) -> TokenKey | None:
        """Find a key in the vault; one that is not there signs nothing and is not believed."""
        try:
            public_key, suite = self._vault.public_key(row.key), self._vault.suite(row.key)
        except UnknownKey:
            public_key = None
        # The row names the key by its thumbprint: another key under the same name of the vault is not taken for it.
        if public_key is None or (thumbprint_kid(public_key), suite.name) != (row.kid, row.suite):
            _log.error("token_key_not_in_vault", kid=row.kid, stage=row.stage.value)
            return None
        return TokenKey(kid=row.kid, public_key=public_key, suite=suite, stage=row.stage, since=row.since)


def _require_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > _REASON_MAX or not reason.isprintable():
        raise TokenKeyRefused(f"A reason of 1 to {_REASON_MAX} printable characters is needed for this.")
