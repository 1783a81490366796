"""Sessions of a device: lent to one thread at a time, opened anew once after a failure, never taken across a fork."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock
from typing import Final, Generic, Protocol, TypeVar

from crypto.errors import KeyRefused
from crypto.vaults.errors import DeviceGone, VaultBusy

Connection = TypeVar("Connection")
Session = TypeVar("Session")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many sessions are open at once, how many seconds one waits for one of them, and for a device that failed."""

    sessions: int = 8
    patience: float = 10.0
    pause: float = 0.1

    def __post_init__(self) -> None:
        if self.sessions < 1 or self.patience < 0 or self.pause < 0:
            raise KeyRefused("a vault has one session or more, and waits no negative time")


LIMITS: Final = Limits()


class Link(Protocol[Connection, Session]):
    """How a device is reached. ``connect`` and ``open`` raise DeviceGone; the other two never raise."""

    def connect(self) -> Connection:
        """Reach the device, the first time or after it failed."""

    def disconnect(self, connection: Connection) -> None:
        """Let go of the device, if it still knows of us."""

    def open(self, connection: Connection) -> Session:
        """Open a session."""

    def shut(self, session: Session) -> None:
        """Close a session, if the device still knows of it."""


@dataclass
class _Line(Generic[Connection, Session]):
    """One connection and its sessions; once retired it takes no more work and ends with its last session."""

    connection: Connection
    idle: list[Session] = field(default_factory=list)
    busy: int = 0
    retired: bool = False


class _Here(Generic[Connection, Session]):
    """What one process has of a pool: a child gets its own, with locks that nobody holds."""

    def __init__(self, sessions: int) -> None:
        self.lock = Lock()
        self.slots = BoundedSemaphore(sessions)
        self.line: _Line[Connection, Session] | None = None


class Pool(Generic[Connection, Session]):
    """Lends sessions within ``limits``; who finds all of them in use waits for one, and then gets VaultBusy.

    After a fork the child connects by itself and leaves its parent's handles alone: closing them could end what
    the parent is at. What no pool can mend: a lock inside the vendor's library, or in a libcrypto it uses, that another
    thread held at the moment of the fork. Fork while no other thread is at work or about to end.
    """

    def __init__(self, link: Link[Connection, Session], limits: Limits = LIMITS) -> None:
        self._link = link
        self._limits = limits
        self._closed = False
        self._by_process: dict[int, _Here[Connection, Session]] = {}

    def use(self, work: Callable[[Session], Answer]) -> Answer:
        """Do ``work`` with a session; if it raises DeviceGone, connect anew after a pause and do it once more."""
        try:
            return self._once(work)
        except DeviceGone:
            # Whatever was wrong, another process starting the same device for one, is seldom over at once.
            time.sleep(self._limits.pause)
        return self._once(work)

    def close(self) -> None:
        """Let go of the device when nobody uses it any more; afterwards the pool refuses."""
        self._closed = True
        here = self._here()
        held = sum(here.slots.acquire(timeout=self._limits.patience) for _ in range(self._limits.sessions))
        self._retire(here, here.line)
        for _ in range(held):
            here.slots.release()

    def _once(self, work: Callable[[Session], Answer]) -> Answer:
        if self._closed:
            raise KeyRefused("the vault was closed")
        here = self._here()
        sessions, patience = self._limits.sessions, self._limits.patience
        if not here.slots.acquire(timeout=patience):
            raise VaultBusy(f"all {sessions} sessions of the device were in use for {patience:g} seconds")
        try:
            with self._line(here) as line, self._session(here, line) as session:
                return work(session)
        finally:
            here.slots.release()

    @contextmanager
    def _line(self, here: _Here[Connection, Session]) -> Iterator[_Line[Connection, Session]]:
        with here.lock:
            # Connecting under the lock: the others need the same connection and can only wait for it.
            line = here.line = here.line or _Line(self._link.connect())
            line.busy += 1
        try:
            yield line
        except DeviceGone:
            self._retire(here, line)
            raise
        finally:
            with here.lock:
                line.busy -= 1
                last = line.retired and not line.busy
            if last:
                self._link.disconnect(line.connection)

    @contextmanager
    def _session(self, here: _Here[Connection, Session], line: _Line[Connection, Session]) -> Iterator[Session]:
        with here.lock:
            session = line.idle.pop() if line.idle else self._link.open(line.connection)
        keep = False
        try:
            yield session
            keep = True
        finally:
            # After any failure a session may be in the midst of something: it is not lent again.
            with here.lock:
                keep = keep and not line.retired
                if keep:
                    line.idle.append(session)
            if not keep:
                self._link.shut(session)

    def _retire(self, here: _Here[Connection, Session], line: _Line[Connection, Session] | None) -> None:
        with here.lock:
            if line is None or line.retired:
                return
            line.retired = True
            if here.line is line:
                here.line = None
            idle, line.idle = line.idle, []
            unused = not line.busy
        for session in idle:
            self._link.shut(session)
        if unused:
            self._link.disconnect(line.connection)

    def _here(self) -> _Here[Connection, Session]:
        process = os.getpid()
        here = self._by_process.get(process)
        if here is None:
            # setdefault: the first threads of a child may come here together.
            here = self._by_process.setdefault(process, _Here(self._limits.sessions))
            for other in set(self._by_process) - {process}:
                self._by_process.pop(other, None)
        return here
