"""Jobs are done once each, by whoever comes first, and by another if that one is gone."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import sqlalchemy as sa

from kernel.db import Database, database_now
from kernel.jobs import JOBS, Job, Jobs, Worker, delay

KIND = "test.job"
GONE = timedelta(seconds=-1)
"""A lease that is over at once, as that of a worker who died long ago."""


def put(database: Database, *keys: str, **given: object) -> int:
    with database.begin() as conn:
        return Jobs.put(conn, KIND, keys, **given)  # type: ignore[arg-type]


def drain(database: Database, **handlers: object) -> int:
    return Worker(Jobs(database), {KIND: handlers.get("handler", lambda _: None)}).drain()  # type: ignore[dict-item]


def test_each_job_is_given_to_one_of_many_workers(database: Database) -> None:
    put(database, *map(str, range(40)))
    done: Counter[str] = Counter()
    together = threading.Barrier(4)

    def work(_: int) -> None:
        together.wait()
        drain(database, handler=lambda job: done.update([job.key]))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert done == Counter(dict.fromkeys(map(str, range(40)), 1))
    assert Jobs(database).claim([KIND], "me") is None


def test_a_job_is_noted_once(database: Database) -> None:
    assert put(database, "a", "b") == 2
    assert put(database, "a", "c") == 1
    assert drain(database) == 3


def test_a_job_in_hand_is_nobody_elses_until_its_lease_is_over(database: Database) -> None:
    put(database, "a")
    first = Jobs(database).claim([KIND], "first")
    assert first is not None
    assert Jobs(database).claim([KIND], "second") is None


def test_others_of_a_series_are_taken_along_by_one_worker_only(database: Database) -> None:
    put(database, *"abcde", series="one")
    put(database, "x", series="other")
    first = Jobs(database).claim([KIND], "first")
    second = Jobs(database).claim([KIND], "second")
    assert first is not None
    assert second is not None
    beside = Jobs(database).claim_beside(first, 2)
    assert [job.owner for job in beside] == ["first"] * 2
    rest = Jobs(database).claim_beside(second, 9)
    keys = [job.key for job in (first, second, *beside, *rest)]
    assert sorted(keys) == list("abcde")
    assert all(Jobs(database).finish(job, None) for job in (*beside, *rest))


def test_what_was_begun_before_is_not_taken_along(database: Database) -> None:
    put(database, "a", "b", series="one")
    dead = Jobs(database, lease=GONE)
    first = dead.claim([KIND], "dead")
    assert first is not None
    assert dead.claim_beside(first, 9)
    again = Jobs(database).claim([KIND], "living")
    assert again is not None
    assert Jobs(database).claim_beside(again, 9) == ()


def test_a_job_of_a_worker_that_died_is_taken_over_and_the_dead_one_settles_nothing(database: Database) -> None:
    put(database, "a")
    dead = Jobs(database, lease=GONE).claim([KIND], "dead")
    taken = Jobs(database).claim([KIND], "living")
    assert dead is not None
    assert taken is not None
    assert (taken.key, taken.attempt) == ("a", 2)
    assert not Jobs(database).finish(dead, None)
    assert not Jobs(database).finish(dead, timedelta(0))
    assert Jobs(database).finish(taken, None)


def test_a_job_that_is_due_later_waits(database: Database) -> None:
    put(database, "a", after=timedelta(hours=1))
    assert drain(database) == 0


def test_other_kinds_are_left_to_others(database: Database) -> None:
    put(database, "a")
    assert Jobs(database).claim(["another.kind"], "me") is None


def test_a_handler_that_breaks_is_called_again_later_and_holds_up_no_other(database: Database) -> None:
    put(database, "a", "b")
    seen: list[str] = []

    def handler(job: Job) -> None:
        seen.append(job.key)
        if len(seen) == 1:
            raise ValueError("a bug")

    assert drain(database, handler=handler) == 2
    assert sorted(seen) == ["a", "b"]
    with database.begin() as conn:
        assert Jobs.put(conn, KIND, seen) == 1  # the broken one is still noted


def test_a_series_is_put_off_but_for_what_is_in_hand(database: Database) -> None:
    put(database, "a", "b", "c", series="s")
    put(database, "other")
    held = Jobs(database).claim([KIND], "me")
    assert held is not None
    with database.begin() as conn:
        assert Jobs.drop(conn, "s") == (2 if held.series else 3)
        assert Jobs.any_of(conn, "s") is (held.series == "s")


def test_a_worker_that_is_stopped_finishes_what_it_has_and_takes_nothing_new(database: Database) -> None:
    put(database, "a", "b")
    stop = threading.Event()
    done: list[str] = []

    def handler(job: Job) -> None:
        stop.set()
        done.append(job.key)

    Worker(Jobs(database), {KIND: handler}).run(stop)
    assert len(done) == 1


def test_the_wait_between_tries_doubles_up_to_a_bound() -> None:
    waits = [delay(attempt, first=timedelta(seconds=4), longest=timedelta(seconds=60)) for attempt in range(1, 60)]
    for wait, whole in zip(waits, [4, 8, 16, 32, *[60] * 55], strict=True):
        assert whole * 0.75 <= wait.total_seconds() <= whole


def test_a_lease_from_before_the_clock_was_set_back_holds_nobody_up(database: Database) -> None:
    put(database, "held", "later")
    taken = Jobs(database).claim([KIND], "one who died")
    assert taken is not None
    with database.begin() as conn:
        conn.execute(sa.update(JOBS).values(due=database_now(conn) + timedelta(hours=1)))
    again = Jobs(database).claim([KIND], "another")
    assert again is not None
    assert (again.key, again.attempt) == (taken.key, 2)
    # What nobody has in hand was put off on purpose.
    assert Jobs(database).claim([KIND], "another") is None
