"""Housekeeping: what has expired is removed every few minutes, by one thread of a serving process."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

PERIOD_SECONDS = 300.0
_log = structlog.get_logger("xinyin.housekeeping")


@contextmanager
def kept_clean(sweep: Callable[[], int], *, period_seconds: float = PERIOD_SECONDS) -> Iterator[None]:
    """Call ``sweep`` now and every ``period_seconds`` until the block ends; it tells how many rows it removed.

    A sweep that the database refuses is logged and tried again next time: nothing depends on one of them.
    """
    ended = threading.Event()

    def work() -> None:
        while True:
            try:
                removed = sweep()
            except SQLAlchemyError:
                _log.exception("sweep_failed")
            else:
                if removed:
                    _log.info("swept", rows=removed)
            if ended.wait(period_seconds):
                return

    worker = threading.Thread(target=work, name="housekeeping", daemon=True)
    worker.start()
    try:
        yield
    finally:
        ended.set()
        worker.join(timeout=30)
