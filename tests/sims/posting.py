"""An HTTP server on 127.0.0.1 that takes POSTs and can be told to misbehave below its answers."""

import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Posted:
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answered:
    """One answer; ``fault`` is how the transport goes wrong instead of, or after, giving it."""

    body: bytes = b""
    status: int = 200
    kind: str = "application/json"
    silent: bool = False
    closes: bool = False


class PostServer:
    """Serves in a thread as a context manager; ``asked`` keeps every request."""

    def __init__(self, answer: Callable[[Posted], Answered], tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Posted] = []
        self._over = threading.Event()
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                posted = Posted(self.path, dict(self.headers.items()), body)
                with server._lock:
                    server.asked.append(posted)
                    answered = answer(posted)
                server._give(self, answered)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            # The handshake is done where the connection is served: a stranger does not hold up the others.
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
            self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _give(self, handler: BaseHTTPRequestHandler, answered: Answered) -> None:
        if answered.silent:
            self._over.wait(30)
        if answered.silent or answered.closes:
            return
        try:
            handler.send_response(answered.status)
            handler.send_header("Content-Type", answered.kind)
            handler.send_header("Location", self.url)
            handler.end_headers()
            handler.wfile.write(answered.body)
        except OSError:
            return
