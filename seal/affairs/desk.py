"""The seal's file: all that is kept of one seal, read in one look, for those whom it concerns."""

from dataclasses import dataclass

from kernel.db import Database
from kernel.principal import Principal
from seal import store, versions
from seal.affairs.actions import RULES
from seal.errors import UnknownSeal
from seal.model import Seal, SealStatus, UsePolicy
from seal.register import SealCredential, SealRegister
from seal.store import StatusChange
from seal.usage.grants import Grant
from seal.usage.store import list_grants
from seal.versions import Filing, VersionRow

_OFFICES = frozenset().union(*({rule.propose, rule.review, rule.approve} for rule in RULES.values())) - {""}
RIGHTS = _OFFICES | {"seal.use", "seal.use.approve", "seal.ledger"}
"""Whoever has one of these over a seal may see its file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealFile:
    """A seal with everything that happened to it."""

    seal: Seal
    policy: UsePolicy
    filing: Filing | None
    credentials: tuple[SealCredential, ...]
    changes: tuple[StatusChange, ...]
    versions: tuple[VersionRow, ...]
    """Those after the first."""
    keys_to_destroy: tuple[str, ...]


class SealDesk:
    """Shows seals to their owners' systems and to whoever has a right to them."""

    def __init__(self, *, db: Database, register: SealRegister) -> None:
        self._db = db
        self._register = register

    def file(self, seal: str, principal: Principal) -> SealFile:
        """Give a seal's file; UnknownSeal too for whom it does not concern."""
        with self._db.read() as conn:
            found = self._register.read(conn, seal)
            own = principal.organisation is not None and principal.organisation == found.owner
            if not own and not any(principal.may(right, seal) for right in RIGHTS):
                raise UnknownSeal("There is no seal with this number.")
            ended = {each.key for each in versions.key_ends(conn, seal)}
            keys = sorted({row.key for row in versions.credentials(conn, seal)} - ended)
            policy, filing = self._register.policy(conn, seal), versions.filing(conn, seal)
            changes, later = store.status_history(conn, seal), versions.later_versions(conn, seal)
        return SealFile(
            seal=found,
            policy=policy,
            filing=filing,
            credentials=self._register.credentials(found),
            changes=changes,
            versions=later,
            keys_to_destroy=tuple(keys) if found.status is SealStatus.DESTROYED else (),
        )

    def grants(self, seal: str, principal: Principal) -> tuple[Grant, ...]:
        """List a seal's grants, the newest first: to others than the owner and officers only their own."""
        found = self.file(seal, principal).seal
        with self._db.read() as conn:
            given = list_grants(conn, seal)
        if principal.organisation == found.owner or any(principal.may(right, seal) for right in _OFFICES):
            return given
        mine = {principal.subject, principal.organisation} - {None}
        return tuple(each for each in given if {each.subject, each.organisation} & mine)
