"""A registrar who asks nobody: makes and changes seals at once, where a test is about something else."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from kernel.clock import Clock
from kernel.db import Database
from seal.affairs.actions import Action
from seal.affairs.dev import dev_warrant
from seal.affairs.warrant import Warrant
from seal.model import Seal, SealId
from seal.pki.dev_ca import DevelopmentOnly
from seal.register import SealApplication, SealMaker, SealRegister, SigningKey


@dataclass(frozen=True)
class Registrar:
    """Makes and changes seals on warrants that nobody gave, without an affair: for tests alone."""

    db: Database
    register: SealRegister
    clock: Clock

    def make(self, application: SealApplication, *, keys: Sequence[SigningKey], maker: SealMaker) -> Seal:
        """Make a seal, file it and activate it, in one transaction."""
        with self.db.begin() as conn:
            made = self._warrant(conn, Action.MAKE, application.id)
            self.register.make(made, application, keys=keys, maker=maker)
            self._file(conn, application.id)
            return self.register.move(self._warrant(conn, Action.ACTIVATE, application.id))

    def only_make(self, application: SealApplication, *, keys: Sequence[SigningKey], maker: SealMaker) -> Seal:
        """Make a seal and leave it as made."""
        with self.db.begin() as conn:
            made = self._warrant(conn, Action.MAKE, application.id)
            return self.register.make(made, application, keys=keys, maker=maker)

    def move(self, action: Action, seal: str, reason: str = "for the test") -> Seal:
        """Change a seal's status."""
        with self.db.begin() as conn:
            if action is Action.FILE:
                return self._file(conn, SealId(seal))
            return self.register.move(self._warrant(conn, action, SealId(seal), reason))

    def remake(self, application: SealApplication, *, keys: Sequence[SigningKey], maker: SealMaker) -> Seal:
        """Make a seal anew."""
        with self.db.begin() as conn:
            warrant = self._warrant(conn, Action.RENEW, application.id)
            return self.register.remake(warrant, application, keys=keys, maker=maker)

    def suspend(self, seal: str, reason: str = "for the test") -> Seal:
        return self.move(Action.SUSPEND, seal, reason)

    def resume(self, seal: str, reason: str = "for the test") -> Seal:
        return self.move(Action.RESUME, seal, reason)

    def revoke(self, seal: str, reason: str = "for the test") -> Seal:
        return self.move(Action.REVOKE, seal, reason)

    def _file(self, conn: sa.Connection, seal: SealId) -> Seal:
        warrant = self._warrant(conn, Action.FILE, seal)
        return self.register.file(warrant, filing_number=f"DEV-{seal}", body="development")

    def _warrant(self, conn: sa.Connection, action: Action, seal: SealId, reason: str = "for the test") -> Warrant:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DevelopmentOnly)
            return dev_warrant(conn, action, seal, self.clock, reason=reason)
