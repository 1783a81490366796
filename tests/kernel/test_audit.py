"""The audit log: it cannot fork, cannot lose an entry, and shows every change made behind its back."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from crypto.digests import sm3
from kernel.audit import GENESIS, AuditLog, AuditVerdict, Deed, Head, canonical, entries, heads
from kernel.clock import ManualClock
from kernel.db import Database

WRITERS = 8
ROOT = Path(__file__).resolve().parents[2]
PROCESS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from kernel.audit import AuditLog
from kernel.db import Database

database = Database(sys.argv[1])

def write(number):
    with database.begin() as conn:
        AuditLog().append(conn, at=datetime.now(UTC), actor="p" + sys.argv[2], action="test.write", target=str(number))

with ThreadPoolExecutor(2) as pool:
    list(pool.map(write, range(10)))
database.dispose()
"""


def _append(database: Database, clock: ManualClock, count: int = 1) -> None:
    for number in range(count):
        clock.advance(timedelta(milliseconds=7))
        with database.begin() as conn:
            AuditLog().append(
                conn, at=clock.now(), actor="operator:1", action="seal.made", target="s1", facts={"pages": number}
            )


def _verify(database: Database, *witnessed: Head) -> AuditVerdict:
    with database.read() as conn:
        return AuditLog().verify(conn, witnessed=witnessed)


def _codes(verdict: AuditVerdict) -> set[str]:
    return {problem.code for problem in verdict.problems}


def test_many_entries_at_once_are_bound_as_one_by_one(database: Database, clock: ManualClock) -> None:
    _append(database, clock)
    deeds = [Deed(at=clock.now(), actor="a", action="seal.made", target=str(number)) for number in range(5)]
    with database.begin() as conn:
        assert AuditLog().append_all(conn, deeds) == 6
        assert AuditLog().append_all(conn, []) == 6
    _append(database, clock)
    verdict = _verify(database)
    assert (verdict.holds, verdict.entries) == (True, 7)


def test_of_many_entries_one_that_cannot_be_written_leaves_none(database: Database, clock: ManualClock) -> None:
    good = Deed(at=clock.now(), actor="a", action="seal.made", target="s1")
    with pytest.raises(ValueError, match="target"), database.begin() as conn:
        AuditLog().append_all(conn, [good, Deed(at=clock.now(), actor="a", action="seal.made", target="")])
    assert _verify(database).entries == 0


def test_an_empty_log_holds(database: Database) -> None:
    verdict = _verify(database)
    assert (verdict.holds, verdict.entries, verdict.head) == (True, 0, Head(seq=0, hash=GENESIS))


def test_entries_are_numbered_from_one_and_the_chain_holds(database: Database, clock: ManualClock) -> None:
    with database.begin() as conn:
        numbers = [
            AuditLog().append(conn, at=clock.now(), actor="a", action="x", target="签章", facts={"n": 1, "s": "中文\n"})
            for _ in range(3)
        ]
    _append(database, clock, 2)
    verdict = _verify(database)
    with database.read() as conn:
        assert AuditLog().head(conn) == verdict.head
    assert (numbers, verdict.entries, verdict.head.seq, verdict.problems) == ([1, 2, 3], 5, 5, ())


def test_an_entry_is_hashed_as_documented(database: Database, clock: ManualClock) -> None:
    with database.begin() as conn:
        AuditLog().append(conn, at=clock.now(), actor="a", action="x", target="t", facts={"ok": True, "b": None})
    text = (
        '{"action":"x","actor":"a","at":"2026-11-22T08:00:00.000000Z","facts":{"b":null,"ok":true},'
        f'"previous":"{GENESIS}","seq":1,"target":"t","version":1}}'
    )
    assert _verify(database).head.hash == sm3(text.encode()).hex()


def test_a_rolled_back_deed_leaves_no_entry_and_no_gap(database: Database, clock: ManualClock) -> None:
    _append(database, clock)

    def entry_then_failure() -> None:
        with database.begin() as conn:
            AuditLog().append(conn, at=clock.now(), actor="a", action="x", target="t")
            conn.execute(heads.insert().values(id=7, seq=0, hash=GENESIS))

    with pytest.raises(sa.exc.IntegrityError):
        entry_then_failure()
    _append(database, clock)
    verdict = _verify(database)
    assert (verdict.holds, verdict.entries) == (True, 2)


def test_concurrent_threads_neither_fork_nor_leave_a_gap(database: Database, clock: ManualClock) -> None:
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda _: _append(database, clock, 5), range(WRITERS)))
    verdict = _verify(database)
    assert (verdict.problems, verdict.entries) == ((), WRITERS * 5)


def test_concurrent_processes_neither_fork_nor_leave_a_gap(database: Database) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", PROCESS, database.url, str(number)], cwd=ROOT)
        for number in range(WRITERS // 2)
    ]
    assert [process.wait(timeout=90) for process in started] == [0] * len(started)
    verdict = _verify(database)
    assert (verdict.problems, verdict.entries) == ((), len(started) * 10)
    with database.read() as conn:
        actors = set(conn.scalars(sa.select(entries.c.actor)))
    assert len(actors) == len(started)


def _flip(column: str, value: object) -> Callable[[sa.Connection], object]:
    return lambda conn: conn.execute(sa.update(entries).where(entries.c.seq == 3).values({column: value}))


def _swap(conn: sa.Connection) -> None:
    for old, new in ((3, 99), (4, 3), (99, 4)):
        conn.execute(sa.update(entries).where(entries.c.seq == old).values(seq=new))


@pytest.mark.parametrize(
    ("tamper", "code"),
    [
        pytest.param(_flip("actor", "operator:2"), "entry_changed", id="actor"),
        pytest.param(_flip("action", "seal.madf"), "entry_changed", id="action"),
        pytest.param(_flip("target", "s2"), "entry_changed", id="target"),
        pytest.param(_flip("facts", '{"pages":3}'), "entry_changed", id="facts"),
        pytest.param(_flip("facts", '{"pages": 2}'), "entry_changed", id="facts in other words"),
        pytest.param(_flip("facts", "no json"), "entry_changed", id="facts unreadable"),
        pytest.param(_flip("facts", "[]"), "entry_changed", id="facts of another shape"),
        pytest.param(_flip("at", datetime(2026, 11, 22, tzinfo=UTC)), "entry_changed", id="time"),
        pytest.param(_flip("previous", "0" * 63 + "1"), "link_broken", id="link"),
        pytest.param(_flip("hash", "0" * 63 + "1"), "entry_changed", id="hash"),
        pytest.param(
            lambda c: c.execute(sa.delete(entries).where(entries.c.seq == 3)), "entries_missing", id="deleted"
        ),
        pytest.param(lambda c: c.execute(sa.delete(entries).where(entries.c.seq == 1)), "entries_missing", id="first"),
        pytest.param(lambda c: c.execute(sa.delete(entries).where(entries.c.seq > 4)), "head_differs", id="newest"),
        pytest.param(lambda c: c.execute(sa.delete(heads)), "head_differs", id="head"),
        pytest.param(_swap, "link_broken", id="reordered"),
    ],
)
def test_whatever_is_changed_behind_its_back_is_found(
    database: Database, clock: ManualClock, tamper: Callable[[sa.Connection], object], code: str
) -> None:
    _append(database, clock, 6)
    with database.begin() as conn:
        tamper(conn)
    verdict = _verify(database)
    assert not verdict.holds
    assert code in _codes(verdict)


def test_a_log_cut_off_with_its_head_is_found_by_a_head_kept_outside(database: Database, clock: ManualClock) -> None:
    _append(database, clock, 6)
    outside = _verify(database).head
    with database.begin() as conn:
        conn.execute(sa.delete(entries).where(entries.c.seq > 4))
        last = conn.execute(sa.select(entries.c.seq, entries.c.hash).where(entries.c.seq == 4)).one()
        conn.execute(sa.update(heads).values(seq=last.seq, hash=last.hash))
    assert _verify(database).holds
    assert _codes(_verify(database, outside)) == {"witnessed_missing"}


def test_a_log_written_anew_is_found_by_a_head_kept_outside(database: Database, clock: ManualClock) -> None:
    _append(database, clock, 3)
    outside = _verify(database).head
    with database.begin() as conn:
        conn.execute(sa.delete(entries))
        conn.execute(sa.delete(heads))
    _append(database, clock, 5)
    assert _verify(database).holds
    assert _codes(_verify(database, outside)) == {"witness_differs"}


def test_a_head_kept_outside_of_an_honest_log_is_no_problem(database: Database, clock: ManualClock) -> None:
    _append(database, clock, 2)
    outside = _verify(database).head
    _append(database, clock, 2)
    assert _verify(database, outside, Head(seq=0, hash=GENESIS)).holds


@pytest.mark.parametrize(
    "facts",
    [
        {"phone": "x"},
        {"id_number": "x"},
        {"password": "x"},
        {"中文": 1},
        {"Big": 1},
        {"n": 1.5},
        {"n": 2**53},
        {"n": []},
    ],
)
def test_facts_that_do_not_belong_in_the_log_are_a_bug(
    database: Database, clock: ManualClock, facts: dict[str, str]
) -> None:
    with pytest.raises((ValueError, TypeError)), database.begin() as conn:
        AuditLog().append(conn, at=clock.now(), actor="a", action="x", target="t", facts=facts)
    assert _verify(database).entries == 0


@pytest.mark.parametrize("text", ["", "x" * 201, "a\nb", "a\x00b", "\ud800"])
def test_an_actor_that_cannot_be_written_in_one_line_is_a_bug(
    database: Database, clock: ManualClock, text: str
) -> None:
    with pytest.raises(ValueError, match=r"actor|surrogate"), database.begin() as conn:
        AuditLog().append(conn, at=clock.now(), actor=text, action="x", target="t")


def test_an_instant_without_its_zone_is_a_bug(database: Database, clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="zone"), database.begin() as conn:
        AuditLog().append(conn, at=clock.now().replace(tzinfo=None), actor="a", action="x", target="t")
    assert _verify(database).entries == 0


@given(
    st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True), st.text() | st.integers() | st.booleans())
)
def test_canonical_json_has_one_form_whatever_the_order(facts: dict[str, object]) -> None:
    backwards = dict(reversed(list(facts.items())))
    assert canonical(facts) == canonical(backwards)
    assert "\n" not in canonical(facts)
