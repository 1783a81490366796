"""Token keys: which keys of the vault sign, are about to sign, or have signed tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from crypto.key_sets import Stage
from crypto.keys import KeyId
from idp.store.missing import insert_missing
from idp.store.tables import token_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKeyRow:
    """A token key: its name in tokens, its name in the vault, and since when it stands where it stands."""

    kid: str
    key: KeyId
    suite: str
    stage: Stage
    since: datetime


# In this order rows are changed: each frees the place that the one after it takes.
_ORDER = (Stage.RETIRED, Stage.ACTIVE, Stage.NEXT)


def read(conn: sa.Connection, *, lock: bool = False) -> tuple[TokenKeyRow, ...]:
    """Give every token key, oldest change first; with ``lock`` no other transaction changes them until ours ends."""
    statement = sa.select(token_keys).order_by(token_keys.c.since, token_keys.c.kid)
    found = conn.execute(statement.with_for_update() if lock else statement)
    return tuple(
        TokenKeyRow(
            kid=row.kid,
            key=KeyId(row.key),
            suite=row.suite,
            stage=Stage(row.stage) if row.stage else Stage.RETIRED,
            since=row.since,
        )
        for row in found
    )


def insert(conn: sa.Connection, row: TokenKeyRow) -> bool:
    """Add a key unless it, or another at its stage, is there already; tell whether it was added."""
    values = {"kid": row.kid, "key": row.key, "suite": row.suite, "stage": _place(row.stage), "since": row.since}
    return insert_missing(conn, token_keys, values)


def change(conn: sa.Connection, rows: Sequence[TokenKeyRow]) -> None:
    """Bring keys to the stages they now have."""
    for row in sorted(rows, key=lambda row: _ORDER.index(row.stage)):
        conn.execute(
            sa.update(token_keys).where(token_keys.c.kid == row.kid).values(stage=_place(row.stage), since=row.since)
        )


def delete(conn: sa.Connection, kids: Sequence[str]) -> None:
    """Forget keys: nothing they signed is believed any more."""
    conn.execute(sa.delete(token_keys).where(token_keys.c.kid.in_(kids)))


def _place(stage: Stage) -> str | None:
    return None if stage is Stage.RETIRED else stage.value
