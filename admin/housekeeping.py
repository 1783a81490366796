"""Housekeeping: what is due is done every few minutes, by one thread of a serving process."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

PERIOD_SECONDS = 300.0
_log = structlog.get_logger("xinyin.housekeeping")


@contextmanager
def kept_clean(*chores: Callable[[], int], period_seconds: float = PERIOD_SECONDS) -> Iterator[None]:
    """Call each of ``chores`` now and every ``period_seconds`` until the block ends; each tells how much it did.

    A chore that fails, of whatever cause, is logged and tried again next time; the others do not wait for it.
    """
    ended = threading.Event()

    def work() -> None:
        while True:
            for chore in chores:
                _try(chore)
            if ended.wait(period_seconds):
                return

    worker = threading.Thread(target=work, name="housekeeping", daemon=True)
    worker.start()
    try:
        yield
    finally:
        ended.set()
        worker.join(timeout=30)


def _try(chore: Callable[[], int]) -> None:
    try:
        done = chore()
    except Exception:  # noqa: BLE001 - the thread's edge: were it to end, nothing would be kept up any more
        _log.exception("chore_failed", chore=chore.__qualname__)
    else:
        if done:
            _log.info("chore_done", chore=chore.__qualname__, done=done)
