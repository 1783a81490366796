"""What every grant stands on."""

from dataclasses import dataclass

from idp.tokens import TokenMaker
from kernel.audit import AuditLog
from kernel.clock import Clock
from kernel.db import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The collaborators of grants."""

    database: Database
    audit: AuditLog
    clock: Clock
    tokens: TokenMaker
