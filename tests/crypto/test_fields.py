"""Fields at rest: sealed to their place, found by blind indexes, renewed without a moment when one is lost."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import CryptoError, FieldError, KeyRefused
from crypto.fields import SECRET_SIZE, BlindIndexes, FieldCipher, FieldKeys, KeyVersion, Place, version_of
from crypto.renewal import Replacement, SealedCell, renew

V1, V2 = KeyVersion(1), KeyVersion(2)
OLD = FieldKeys(active=V1, secrets={V1: b"\x01" * SECRET_SIZE})
BOTH = FieldKeys(active=V2, secrets={V1: b"\x01" * SECRET_SIZE, V2: b"\x02" * SECRET_SIZE})
NEW = FieldKeys(active=V2, secrets={V2: b"\x02" * SECRET_SIZE})
HERE = Place(table="license", row="L-1", field="holder")
VALUE = "欧阳某".encode()


def test_what_is_sealed_opens_at_its_place() -> None:
    sealed = FieldCipher(OLD).seal(HERE, VALUE)

    assert FieldCipher(OLD).open(HERE, sealed) == VALUE
    assert VALUE not in sealed
    assert FieldCipher(OLD).seal(HERE, VALUE) != sealed
    assert version_of(sealed) == V1


@pytest.mark.parametrize(
    "place",
    [
        Place(table="person", row="L-1", field="holder"),
        Place(table="license", row="L-2", field="holder"),
        Place(table="license", row="L-1", field="address"),
        Place(table="licenseL-1", row="", field="holder"),
        Place(table="license", row="L-1holder", field=""),
    ],
    ids=str,
)
def test_what_is_moved_does_not_open(place: Place) -> None:
    sealed = FieldCipher(OLD).seal(HERE, VALUE)

    with pytest.raises(FieldError):
        FieldCipher(OLD).open(place, sealed)


def test_an_older_version_opens_and_the_active_one_seals() -> None:
    sealed = FieldCipher(OLD).seal(HERE, VALUE)
    both = FieldCipher(BOTH)
    renewed = both.renew(HERE, sealed)

    assert both.open(HERE, sealed) == VALUE
    assert renewed is not None
    assert version_of(renewed) == V2
    assert FieldCipher(NEW).open(HERE, renewed) == VALUE
    assert both.renew(HERE, renewed) is None
    with pytest.raises(FieldError, match="version 1"):
        FieldCipher(NEW).open(HERE, sealed)


def test_a_version_cannot_be_passed_off_as_another() -> None:
    keys = FieldKeys(active=V1, secrets={V1: b"\x01" * SECRET_SIZE, V2: b"\x01" * SECRET_SIZE})
    sealed = FieldCipher(keys).seal(HERE, VALUE)

    with pytest.raises(FieldError):
        FieldCipher(keys).open(HERE, b"\0\0\0\x02" + sealed[4:])


@given(data=st.data())
def test_any_changed_or_cut_octets_are_refused(data: st.DataObject) -> None:
    sealed = FieldCipher(BOTH).seal(HERE, VALUE)
    low, high = sorted(data.draw(st.tuples(*[st.integers(0, len(sealed))] * 2)))
    changed = sealed[:low] + data.draw(st.binary(max_size=8)) + sealed[high:]
    if changed != sealed:
        with pytest.raises(FieldError):
            FieldCipher(BOTH).open(HERE, changed)


def test_broken_key_rings_are_refused_and_secrets_not_shown() -> None:
    for secrets in ({}, {V2: bytes(SECRET_SIZE)}, {V1: bytes(31)}, {V1: bytes(32), KeyVersion(0): bytes(32)}):
        with pytest.raises(KeyRefused):
            FieldKeys(active=V1, secrets=secrets)
    assert "\\x01" not in repr(OLD)


def test_equal_values_are_found_and_purposes_kept_apart() -> None:
    holder, agent = BlindIndexes(OLD, "holder"), BlindIndexes(OLD, "agent")

    assert holder.of("91440300MA5D") == holder.of("91440300MA5D")
    assert holder.of("91440300MA5D") != holder.of("91440300MA5E")
    assert holder.of("91440300MA5D").value != agent.of("91440300MA5D").value
    assert len(holder.of("").value) == 16
    with pytest.raises(CryptoError):
        holder.of("\ud800")


def test_a_value_is_found_under_any_version_while_they_change() -> None:
    before, during = BlindIndexes(OLD, "holder").of("x"), BlindIndexes(BOTH, "holder")

    assert during.candidates("x") == (during.of("x"), before)
    assert during.of("x").version == V2


class Column:
    """A sealed column in SQLite with its blind index, and the cursor in the same database."""

    table, field = "license", "holder"

    def __init__(self, path: Path, indexes: BlindIndexes) -> None:
        self.conn = sqlite3.connect(path, isolation_level=None)
        self.indexes = indexes
        self.conn.executescript(
            """CREATE TABLE IF NOT EXISTS license (id TEXT PRIMARY KEY, holder BLOB, idx BLOB, idx_version INTEGER);
            CREATE TABLE IF NOT EXISTS renewal (version INTEGER PRIMARY KEY, row TEXT)"""
        )

    def cursor(self, version: KeyVersion) -> str | None:
        found = self.conn.execute("SELECT row FROM renewal WHERE version = ?", (version,)).fetchone()
        return None if found is None else found[0]

    def after(self, row: str | None, limit: int) -> Sequence[SealedCell]:
        asked = "SELECT id, holder FROM license WHERE id > ? ORDER BY id LIMIT ?"
        return [SealedCell(row=id_, sealed=sealed) for id_, sealed in self.conn.execute(asked, (row or "", limit))]

    def replace(self, replacements: Sequence[Replacement], version: KeyVersion, cursor: str) -> None:
        self.conn.execute("BEGIN IMMEDIATE")
        for one in replacements:
            index = self.indexes.of(one.value.decode())
            self.conn.execute(
                "UPDATE license SET holder = ?, idx = ?, idx_version = ? WHERE id = ? AND holder = ?",
                (one.new, index.value, index.version, one.row, one.old),
            )
        self.conn.execute("INSERT OR REPLACE INTO renewal VALUES (?, ?)", (version, cursor))
        self.conn.execute("COMMIT")

    def fill(self, count: int) -> None:
        cipher, indexes = FieldCipher(OLD), BlindIndexes(OLD, "holder")
        self.conn.execute("BEGIN")
        for number in range(count):
            row, index = f"L{number:04}", indexes.of(f"holder {number}")
            place = Place(table=self.table, row=row, field=self.field)
            sealed = cipher.seal(place, f"holder {number}".encode())
            self.conn.execute("INSERT INTO license VALUES (?, ?, ?, ?)", (row, sealed, index.value, index.version))
        self.conn.execute("COMMIT")

    def versions(self) -> set[tuple[int, int]]:
        rows = self.conn.execute("SELECT holder, idx_version FROM license").fetchall()
        return {(version_of(sealed), version) for sealed, version in rows}

    def holders(self, keys: FieldKeys) -> list[str]:
        cipher = FieldCipher(keys)
        rows = self.conn.execute("SELECT id, holder FROM license ORDER BY id").fetchall()
        return [cipher.open(Place(table="license", row=row, field="holder"), sealed).decode() for row, sealed in rows]


@pytest.fixture
def column(tmp_path: Path) -> Column:
    column = Column(tmp_path / "fields.db", BlindIndexes(BOTH, "holder"))
    column.fill(60)
    return column


EVERY = [f"holder {number}" for number in range(60)]


def test_a_column_is_renewed_with_its_indexes_and_the_old_key_may_go(column: Column) -> None:
    steps = list(renew(column, FieldCipher(BOTH), batch=25))

    assert [step.renewed for step in steps] == [25, 25, 10]
    assert column.versions() == {(2, 2)}
    assert column.holders(NEW) == EVERY
    assert list(renew(column, FieldCipher(BOTH))) == []
    third = FieldKeys(active=KeyVersion(3), secrets={**BOTH.secrets, KeyVersion(3): b"\x03" * SECRET_SIZE})
    assert sum(step.renewed for step in renew(column, FieldCipher(third))) == 60


def test_it_goes_on_where_it_was_stopped_and_seals_nothing_twice(column: Column) -> None:
    next(renew(column, FieldCipher(BOTH), batch=20))
    assert column.versions() == {(1, 1), (2, 2)}
    assert column.holders(BOTH) == EVERY

    assert [step.renewed for step in renew(column, FieldCipher(BOTH), batch=20)] == [20, 20]
    column.conn.execute("DELETE FROM renewal")
    again = list(renew(column, FieldCipher(BOTH)))
    assert [(step.renewed, step.current) for step in again] == [(0, 60)]


def test_a_row_written_meanwhile_is_left_alone(column: Column) -> None:
    cells = column.after(None, 1)
    place = Place(table="license", row=cells[0].row, field="holder")
    column.conn.execute(
        "UPDATE license SET holder = ? WHERE id = ?", (FieldCipher(BOTH).seal(place, b"changed"), cells[0].row)
    )
    old = FieldCipher(BOTH).renew(place, cells[0].sealed)
    assert old is not None
    column.replace([Replacement(row=cells[0].row, old=cells[0].sealed, new=old, value=b"holder 0")], V2, cells[0].row)

    assert column.holders(BOTH)[0] == "changed"


def test_rows_that_do_not_open_are_told_and_the_others_renewed(column: Column) -> None:
    column.conn.execute("UPDATE license SET holder = CAST(substr(holder, 1, 30) || x'00' AS BLOB) WHERE id = 'L0003'")
    column.conn.execute("UPDATE license SET holder = x'00' WHERE id = 'L0030'")
    steps = list(renew(column, FieldCipher(BOTH)))

    assert [row for step in steps for row in step.unreadable] == ["L0003", "L0030"]
    assert sum(step.renewed for step in steps) == 58


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.crypto.test_fields import BOTH, BlindIndexes, Column, FieldCipher, renew

class Dying(Column):
    def replace(self, replacements, version, cursor):
        if cursor > "L0020":
            # Dies in the midst of a transaction: some rows written, the cursor not, nothing committed.
            self.conn.execute("BEGIN IMMEDIATE")
            for one in replacements[:3]:
                self.conn.execute("UPDATE license SET holder = ? WHERE id = ?", (one.new, one.row))
            os.kill(os.getpid(), signal.SIGKILL)
        super().replace(replacements, version, cursor)

for step in renew(Dying(Path(sys.argv[1]), BlindIndexes(BOTH, "holder")), FieldCipher(BOTH), batch=15):
    print(step.cursor, flush=True)
"""


def test_a_killed_renewal_loses_nothing_and_goes_on(column: Column, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "fields.db")],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=60,
    )

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert killed.stdout.split() == ["L0014"]
    assert column.cursor(V2) == "L0014"
    assert column.holders(BOTH) == EVERY
    assert sum(step.renewed for step in renew(column, FieldCipher(BOTH), batch=15)) == 45
    assert column.holders(NEW) == EVERY
    assert column.versions() == {(2, 2)}
