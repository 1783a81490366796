"""The story's other processes: the service and the portal, started, awaited and stopped."""

import contextlib
import fcntl
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

PATIENCE_SECONDS = 60.0


class ProcessFailed(Exception):
    """A process did not come up; the text ends with the last lines it wrote."""


def free_port() -> int:
    """Give a port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def claimed_port(wish: int) -> Iterator[int]:
    """Give ``wish``, or else another port that nothing listens on; no other story takes it while the block runs.

    Between the choice and the listening a service is built, which takes seconds: two stories told at once would
    choose the same port, and one would take the other's service for its own.
    """
    port = wish
    with contextlib.ExitStack() as stack:
        while not (_claimed(port, stack) and is_free(port)):
            port = free_port()
        yield port


def _claimed(port: int, stack: contextlib.ExitStack) -> bool:
    try:
        lock = stack.enter_context((Path(tempfile.gettempdir()) / f"xinyin-demo-{port}.lock").open("ab"))
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # the latter: another user's story
        return False
    return True


def is_free(port: int) -> bool:
    """Tell whether nothing listens on ``port`` of the loopback interface."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@contextlib.contextmanager
def running(
    command: Sequence[str], *, log: Path, ready: str, env: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``command`` until the block ends; enter it once ``ready`` (a URL) answers."""
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own programs
            [sys.executable, *command], stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=dict(env)
        )
    try:
        _await(process, ready, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], ready: str, log: Path) -> None:
    opener = build_opener(ProxyHandler({}))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with opener.open(ready, timeout=2):
                # Somebody else's service on the same port answers too: ours must be alive.
                if process.poll() is None:
                    return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    raise ProcessFailed(f"{ready} did not answer; {log} ends with:\n{tail}")
