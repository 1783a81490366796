"""Housekeeping sweeps, survives a database that refuses, and ends with its block."""

import threading

from sqlalchemy.exc import OperationalError

from admin.housekeeping import kept_clean


def test_it_sweeps_again_and_again_and_ends_with_its_block() -> None:
    thrice = threading.Semaphore(0)

    def sweep() -> int:
        thrice.release()
        return 1

    with kept_clean(sweep, period_seconds=0.001):
        for _ in range(3):
            assert thrice.acquire(timeout=10)
    assert not any(thread.name == "housekeeping" for thread in threading.enumerate())


def test_a_sweep_that_fails_is_tried_again() -> None:
    tries = threading.Semaphore(0)

    def failing() -> int:
        tries.release()
        raise OperationalError("DELETE", {}, Exception("the database is away"))

    with kept_clean(failing, period_seconds=0.001):
        assert tries.acquire(timeout=10)
        assert tries.acquire(timeout=10)


def test_a_chore_with_a_fault_of_its_own_does_not_end_the_others() -> None:
    swept = threading.Semaphore(0)

    def faulty() -> int:
        raise ValueError("a file that nobody expected")

    def other() -> int:
        swept.release()
        return 0

    with kept_clean(faulty, other, period_seconds=0.001):
        assert swept.acquire(timeout=10)
        assert swept.acquire(timeout=10)
