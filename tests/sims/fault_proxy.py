"""A proxy on 127.0.0.1 between a client and a service that loses answers, as networks do."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

Fault = Callable[[bytes], bytes | None]
"""Makes what the client gets of the first octets of an answer; None: nothing, the connection is cut."""


def lost(_: bytes) -> None:
    """The service answered; nobody heard it."""
    return


def cut(answer: bytes) -> bytes:
    """The answer breaks off in its middle."""
    return answer[: len(answer) // 2]


def said(status: str, *headers: str) -> Fault:
    """Somebody on the way answered in the service's place."""
    head = "\r\n".join([f"HTTP/1.1 {status}", "Content-Length: 0", "Connection: close", *headers])
    return lambda _: f"{head}\r\n\r\n".encode()


class FaultProxy:
    """Serves as a context manager. A fault of ``faults`` falls upon the next request whose first line holds ``at``."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self.faults: list[tuple[bytes, Fault]] = []
        self.requests = 0
        """How many connections brought a request that a fault fell upon."""
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._upstream)) as service, suppress(OSError):
            pending: list[Fault] = []
            upwards = threading.Thread(target=self._up, args=(client, service, pending), daemon=True)
            upwards.start()
            while answer := service.recv(1 << 20):
                if not pending:
                    client.sendall(answer)
                    continue
                told = pending.pop()(answer)
                if told:
                    client.sendall(told)
                break
            for one in (client, service):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            upwards.join(5)

    def _up(self, client: socket.socket, service: socket.socket, pending: list[Fault]) -> None:
        with suppress(OSError):
            while sent := client.recv(1 << 20):
                with self._lock:
                    line = sent.partition(b"\r\n")[0]
                    at = next((n for n, (at, _) in enumerate(self.faults) if at in line), None)
                    if at is not None:
                        pending.append(self.faults.pop(at)[1])
                        self.requests += 1
                service.sendall(sent)
            service.shutdown(socket.SHUT_WR)
