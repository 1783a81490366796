"""Work for the sandbox's tests: each job says which misbehaviour it wants. Runs in the sandbox's own processes."""

import os
import time
from collections.abc import Callable


def make(setup: bytes) -> Callable[[bytes], bytes]:
    def work(job: bytes) -> bytes:
        verb, _, rest = job.partition(b":")
        return WORKS[verb](rest) if verb in WORKS else setup

    return work


def _raise(_: bytes) -> bytes:
    raise RuntimeError("broken")


def _die(_: bytes) -> bytes:
    os.abort()


def _memory(_: bytes) -> bytes:
    return b"%d" % len(bytearray(2 * 1024**3))


def _spin(_: bytes) -> bytes:
    while True:
        pass


def _sleep(_: bytes) -> bytes:
    time.sleep(60)
    return b""


def _recurse(rest: bytes) -> bytes:
    return _recurse(rest)


def _write(_: bytes) -> bytes:
    with open("/tmp/written-from-the-sandbox", "wb") as file:  # noqa: PTH123 - as bare as an attacker's
        file.write(b"x")
        file.flush()
    return b"written"


WORKS: dict[bytes, Callable[[bytes], bytes]] = {
    b"upper": bytes.upper,
    b"pid": lambda _: b"%d" % os.getpid(),
    b"parent": lambda _: b"%d" % os.getppid(),
    b"raise": _raise,
    b"die": _die,
    b"memory": _memory,
    b"spin": _spin,
    b"sleep": _sleep,
    b"recurse": _recurse,
    b"write": _write,
    b"long": lambda _: bytes(100_000),
    b"environment": lambda _: repr(dict(os.environ)).encode(),
    b"count": lambda rest: b"%d" % len(rest),
}
