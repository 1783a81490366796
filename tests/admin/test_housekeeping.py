"""Housekeeping sweeps, survives a database that refuses, and ends with its block."""

import threading

import pytest
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


@pytest.mark.parametrize(
    "failure",
    [OperationalError("DELETE", {}, Exception("the database is away")), OSError("disk full"), ValueError("a bug")],
    ids=lambda failure: type(failure).__name__,
)
def test_a_sweep_that_fails_is_tried_again_and_holds_up_no_other(failure: Exception) -> None:
    tries, others = threading.Semaphore(0), threading.Semaphore(0)

    def failing() -> int:
        tries.release()
        raise failure

    def other() -> int:
        others.release()
        return 0

    with kept_clean(failing, other, period_seconds=0.001):
        for each in (tries, others, tries, others):
            assert each.acquire(timeout=10)
