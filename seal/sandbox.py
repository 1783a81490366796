"""The sandbox: a fork server whose children read untrusted files under limits, one child a file.

    parent --(socket of one job)--> fork server --fork--> child: limits, reads, answers, dies

The server starts once with everything imported, so that a job costs one fork (about a millisecond) and not
one interpreter. It is started by exec, never by fork: the parent has threads and secrets, the server has neither.
A child can at worst answer nonsense or nothing; its answer is taken as octets, never unpickled. The kernel ends it
when it exceeds its memory, CPU or wall time, whatever state its Python is in.
"""

import gc
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from time import monotonic
from typing import NoReturn

_LENGTH = struct.Struct(">Q")
_ROOT = Path(__file__).resolve().parents[1]
_START_SECONDS = 30
_OPEN_FILES = 64

Work = Callable[[bytes], bytes]
"""What a child does: job -> answer."""


class SandboxFailed(Exception):
    """The child gave no answer: it crashed, or exceeded a limit. The text says which, as far as is known."""


class SandboxBusy(Exception):
    """All children are at work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one child may use. ``cpu_seconds`` counts its own processor time, ``wall_seconds`` all time."""

    memory_bytes: int = 1024**3
    cpu_seconds: int = 20
    wall_seconds: float = 30.0
    answer_bytes: int = 64 * 1024**2
    children: int = 4


class Sandbox:
    """Runs work in limited children; safe to share between threads.

    ``maker`` names (``module:function``) what makes the work out of ``setup``; the server calls it once, when it
    starts, so that no child needs to. The server is started by the first job, again if it
    died, and separately in each process that inherited this object by fork.
    """

    def __init__(self, maker: str, setup: bytes = b"", limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._maker = maker
        self._setup = setup
        self._places = threading.BoundedSemaphore(self.limits.children)
        self._lock = threading.Lock()
        self._server: _Server | None = None

    def run(self, job: bytes) -> bytes:
        """Give the child's answer to ``job``; SandboxFailed if there is none, SandboxBusy if no place frees up."""
        if not self._places.acquire(timeout=self.limits.wall_seconds):
            raise SandboxBusy("all children are at work")
        try:
            return self._ask(job)
        finally:
            self._places.release()

    def _ask(self, job: bytes) -> bytes:
        try:
            with self._child() as channel:
                # Counted from here: a server that had to be started first is not the job's doing.
                deadline = monotonic() + self.limits.wall_seconds
                _send(channel, job, deadline)
                return _receive(channel, deadline, self.limits.answer_bytes)
        except TimeoutError as error:
            raise SandboxFailed("no answer in time") from error
        except (OSError, EOFError) as error:
            raise SandboxFailed("the reading process died: it crashed or exceeded its memory or time") from error

    def _child(self) -> socket.socket:
        """Have the server make a child, and give the channel to it; a server that died is started again, once."""
        for last_try in (False, True):
            ours, theirs = socket.socketpair()
            try:
                with theirs, self._lock:
                    socket.send_fds(self._started().control, [b"J"], [theirs.fileno()])
                _receive(
                    ours, monotonic() + self.limits.wall_seconds, 0
                )  # the child is there: what goes wrong from here on is the job's doing
            except (OSError, EOFError) as error:
                ours.close()
                with self._lock:
                    self._stop()
                if last_try or isinstance(error, TimeoutError):
                    raise SandboxFailed("the fork server makes no children") from error
            else:
                return ours
        raise AssertionError

    def _started(self) -> "_Server":
        if self._server is None or self._server.owner != os.getpid() or self._server.process.poll() is not None:
            self._stop()
            self._server = _start(self._maker, self._setup, self.limits)
        return self._server

    def _stop(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        server.control.close()  # its only reason to live: the server ends when this does
        if server.owner == os.getpid():
            try:
                server.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                server.process.kill()
                server.process.wait()

    def close(self) -> None:
        """End the server; the next job starts another."""
        with self._lock:
            self._stop()


@dataclass(frozen=True, slots=True)
class _Server:
    process: "subprocess.Popen[bytes]"
    control: socket.socket
    owner: int


def _start(maker: str, setup: bytes, limits: Limits) -> _Server:
    ours, theirs = socket.socketpair()
    program = (
        f"import sys; sys.path.insert(0, {str(_ROOT)!r}); "
        f"from seal.sandbox import serve; serve({theirs.fileno()}, {maker!r}, {asdict(limits)!r})"
    )
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own words
            [sys.executable, "-I", "-c", program],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            # Nothing of our environment: it may hold secrets that no reader of files needs.
            env={"LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2"},
            cwd="/",
        )
    try:
        deadline = monotonic() + _START_SECONDS
        _send(ours, setup, deadline)
        _receive(ours, deadline, 1)
    except (OSError, EOFError) as error:
        ours.close()
        process.kill()
        process.wait()
        raise SandboxFailed("the fork server does not start") from error
    ours.settimeout(5)
    return _Server(process, ours, os.getpid())


# --- framing ---------------------------------------------------------------------------------------------------


def _send(channel: socket.socket, octets: bytes, deadline: float) -> None:
    channel.settimeout(max(0.01, deadline - monotonic()))
    channel.sendall(_LENGTH.pack(len(octets)))
    channel.sendall(octets)


def _receive(channel: socket.socket, deadline: float, most: int) -> bytes:
    (length,) = _LENGTH.unpack(_exactly(channel, _LENGTH.size, deadline))
    if length > most:
        raise EOFError("the answer is longer than allowed")
    return _exactly(channel, length, deadline)


def _exactly(channel: socket.socket, length: int, deadline: float) -> bytes:
    octets = bytearray()
    while len(octets) < length:
        channel.settimeout(max(0.01, deadline - monotonic()))
        part = channel.recv(min(length - len(octets), 1 << 20))
        if not part:
            raise EOFError("the other end closed")
        octets += part
    return bytes(octets)


# --- the server's side -----------------------------------------------------------------------------------------


def serve(control_fd: int, maker: str, limits: dict[str, float]) -> None:
    """Be the fork server: take jobs from the control socket until it closes."""
    control = socket.socket(fileno=control_fd)
    setup = _receive(control, monotonic() + _START_SECONDS, 1 << 30)
    work = _make_work(maker, setup)
    _leave_network()
    gc.collect()
    gc.freeze()  # what is loaded stays shared with the children, whose collections then leave it alone
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for children: let the kernel bury them
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    _send(control, b"", monotonic() + _START_SECONDS)
    control.settimeout(None)
    while True:
        word, handles, _, _ = socket.recv_fds(control, 1, 1)
        if not word:
            return
        for handle in handles:
            if os.fork() == 0:
                control.close()
                _child(socket.socket(fileno=handle), work, Limits(**limits))  # type: ignore[arg-type]
            os.close(handle)


def _make_work(maker: str, setup: bytes) -> Work:
    module, _, function = maker.partition(":")
    work: Work = getattr(import_module(module), function)(setup)
    return work


def _leave_network() -> None:
    """Move into an empty network where the kernel lets an ordinary process do so; else stay."""
    import ctypes  # noqa: PLC0415 - for this one call, in this one process

    new_user, new_network = 0x10000000, 0x40000000
    ctypes.CDLL(None).unshare(new_user | new_network)


def _child(channel: socket.socket, work: Work, limits: Limits) -> NoReturn:
    status = 1
    try:
        _confine(limits)
        deadline = monotonic() + limits.wall_seconds
        _send(channel, b"", deadline)
        job = _receive(channel, deadline, 1 << 40)
        _send(channel, work(job), deadline)
        status = 0
    except BaseException:  # noqa: BLE001, S110 - a process edge: silence is the answer, and it is understood
        pass
    finally:
        os._exit(status)


def _confine(limits: Limits) -> None:
    """Give up what a reader of files does not need. Signals keep their deadly defaults: no handler can be late."""
    for signum in (signal.SIGALRM, signal.SIGXCPU, signal.SIGCHLD):
        signal.signal(signum, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds)
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),  # no file grows
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        resource.setrlimit(kind, (most, most))
