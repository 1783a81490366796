"""Renewal on a table of each real database: killed in the midst of a transaction, it loses nothing and goes on."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from crypto.fields import SECRET_SIZE, BlindIndexes, FieldCipher, FieldKeys, KeyVersion, Place, version_of
from crypto.renewal import Replacement, SealedCell, renew
from kernel.db import Database

V1, V2 = KeyVersion(1), KeyVersion(2)
OLD = FieldKeys(active=V1, secrets={V1: b"\x01" * SECRET_SIZE})
BOTH = FieldKeys(active=V2, secrets={V1: b"\x01" * SECRET_SIZE, V2: b"\x02" * SECRET_SIZE})
NEW = FieldKeys(active=V2, secrets={V2: b"\x02" * SECRET_SIZE})
ROWS = 60
EVERY = [f"holder {number}" for number in range(ROWS)]

OWN = sa.MetaData()
people = sa.Table(
    "renewed_people",
    OWN,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("holder", sa.LargeBinary, nullable=False),
    sa.Column("index_value", sa.LargeBinary, nullable=False),
    sa.Column("index_version", sa.Integer, nullable=False),
)
cursors = sa.Table("renewed_to", OWN, sa.Column("version", sa.Integer, primary_key=True), sa.Column("row", sa.Text))


class People:
    """A ``SealedColumn`` whose holders have a blind index beside them; ``dies_after`` is where it is killed."""

    table, field = "renewed_people", "holder"

    def __init__(self, database: Database, *, dies_after: str | None = None) -> None:
        self.database = database
        self.indexes = BlindIndexes(BOTH, "holder")
        self.dies_after = dies_after

    def cursor(self, version: KeyVersion) -> str | None:
        with self.database.read() as connection:
            return connection.scalar(sa.select(cursors.c.row).where(cursors.c.version == version))

    def after(self, row: str | None, limit: int) -> Sequence[SealedCell]:
        asked = sa.select(people.c.id, people.c.holder).where(people.c.id > (row or "")).order_by(people.c.id)
        with self.database.read() as connection:
            return [SealedCell(row=id_, sealed=bytes(sealed)) for id_, sealed in connection.execute(asked.limit(limit))]

    def replace(self, replacements: Sequence[Replacement], version: KeyVersion, cursor: str) -> None:
        with self.database.begin() as connection:
            for one in replacements:
                index = self.indexes.of(one.value.decode())
                held = (people.c.id == one.row) & (people.c.holder == one.old)
                stored = {"holder": one.new, "index_value": index.value, "index_version": index.version}
                connection.execute(sa.update(people).where(held).values(stored))
            if self.dies_after is not None and cursor > self.dies_after:
                os.kill(os.getpid(), signal.SIGKILL)  # Rows written, the cursor not, nothing committed.
            connection.execute(sa.delete(cursors).where(cursors.c.version == version))
            connection.execute(sa.insert(cursors).values(version=version, row=cursor))

    def fill(self) -> None:
        cipher, indexes = FieldCipher(OLD), BlindIndexes(OLD, "holder")
        with self.database.begin() as connection:
            OWN.create_all(connection)
            for number, holder in enumerate(EVERY):
                row, index = f"P{number:04}", indexes.of(holder)
                sealed = cipher.seal(Place(table=self.table, row=row, field=self.field), holder.encode())
                made = {"id": row, "holder": sealed, "index_value": index.value, "index_version": index.version}
                connection.execute(sa.insert(people).values(made))

    def versions(self) -> set[tuple[int, int]]:
        with self.database.read() as connection:
            rows = connection.execute(sa.select(people.c.holder, people.c.index_version)).all()
        return {(version_of(bytes(sealed)), version) for sealed, version in rows}

    def holders(self, keys: FieldKeys) -> list[str]:
        cipher = FieldCipher(keys)
        places = ((Place(table=self.table, row=cell.row, field=self.field), cell) for cell in self.after(None, ROWS))
        return [cipher.open(place, cell.sealed).decode() for place, cell in places]

    def found(self, holder: str) -> int:
        """How many rows are found by any index the holder may stand under."""
        fitting = sa.or_(
            *(
                (people.c.index_value == index.value) & (people.c.index_version == index.version)
                for index in self.indexes.candidates(holder)
            )
        )
        with self.database.read() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(people).where(fitting)) or 0


KILLED = """
import sys
from tests.crypto.test_renewal_databases import BOTH, Database, FieldCipher, People, renew
for step in renew(People(Database(sys.stdin.read()), dies_after="P0020"), FieldCipher(BOTH), batch=15):
    print(step.cursor, flush=True)
"""


def test_a_renewal_killed_in_a_transaction_loses_nothing_and_goes_on(database: Database) -> None:
    column = People(database)
    column.fill()
    killed = subprocess.run(
        [sys.executable, "-c", KILLED],
        input=database.url,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        timeout=60,
    )

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert killed.stdout.split() == ["P0014"]
    assert column.cursor(V2) == "P0014"
    assert column.versions() == {(1, 1), (2, 2)}
    assert column.holders(BOTH) == EVERY
    assert [column.found(holder) for holder in EVERY] == [1] * ROWS
    assert [step.renewed for step in renew(column, FieldCipher(BOTH), batch=15)] == [15, 15, 15]
    assert column.holders(NEW) == EVERY
    assert column.versions() == {(2, 2)}
    assert [column.found(holder) for holder in EVERY] == [1] * ROWS


def test_two_that_renew_at_once_lose_nothing(database: Database) -> None:
    one, other = People(database), People(database)
    one.fill()
    first, second = (renew(column, FieldCipher(BOTH), batch=25) for column in (one, other))
    next(first)
    next(second)
    steps = [*first, *second]

    assert all(not step.unreadable for step in steps)
    assert one.versions() == {(2, 2)}
    assert one.holders(NEW) == EVERY
    assert [one.found(holder) for holder in EVERY] == [1] * ROWS
