"""One request over HTTP or HTTPS, whole within a time and a size: for services that answer octets, or only hear.

No proxy out of the environment, no redirect followed, no connection kept.
"""

import ipaddress
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from enum import Enum
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, RemoteDisconnected
from socket import IPPROTO_TCP, SHUT_RDWR, SOCK_STREAM, create_connection, getaddrinfo, socket
from threading import Event, Timer
from time import monotonic
from types import MappingProxyType
from urllib.parse import SplitResult, urlsplit

_OK = 200
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 addresses as NAT64 writes them (RFC 6052)."""


class Fault(Enum):
    """Why no answer came."""

    FORBIDDEN = "forbidden"
    UNREACHABLE = "unreachable"
    SILENT = "silent"
    HTTP = "http"
    TOO_LARGE = "too_large"


class PostFailed(Exception):
    """No answer, and why not."""

    def __init__(self, fault: Fault, detail: str, *, status: int | None = None) -> None:
        super().__init__(detail)
        self.fault = fault
        self.detail = detail
        self.status = status
        """The HTTP status of an answer that was none of ours to read."""


Reachable = Callable[[str, str], bool]
"""Says whether a host, by name, may be connected to at a numeric address."""


class HttpPost:
    """Posts octets, or gets them. ``tls`` is whom to believe over HTTPS; the system's authorities if left out.

    ``reachable`` is asked about each address that is about to be connected to, so that a name cannot lead elsewhere
    between a check and the connection; every address may be if left out.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, *, reachable: Reachable | None = None) -> None:
        self._tls = tls
        self._reachable = reachable

    def post(  # noqa: PLR0913 - a request has as many parts
        self,
        url: str,
        body: bytes,
        *,
        sends: str,
        wants: str,
        timeout: timedelta,
        max_size: int,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> bytes:
        """Give the body of a 200 of media type ``wants``; PostFailed otherwise, after ``timeout`` at the latest."""
        said = {**headers, "Content-Type": sends, "Accept": wants, "Connection": "close"}
        return self._ask("POST", url, body, said, wants, timeout, max_size)

    def get(self, url: str, *, timeout: timedelta, max_size: int) -> bytes:
        """Give the body of a 200, of whatever media type; PostFailed otherwise, after ``timeout`` at the latest."""
        return self._ask("GET", url, None, {"Accept": "*/*", "Connection": "close"}, None, timeout, max_size)

    def tell(self, url: str, body: bytes, *, headers: Mapping[str, str], timeout: timedelta) -> int:
        """Post to whoever only says by a status that it heard, and give that; PostFailed if no answer came in time."""
        answers: list[int] = []

        def read(response: HTTPResponse, over: Event) -> bytes:
            del over
            answers.append(response.status)
            return b""

        self._exchange("POST", url, body, {**headers, "Connection": "close"}, timeout, read)
        return answers[0]

    def _ask(  # noqa: PLR0913, PLR0917 - a request has as many parts
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        wants: str | None,
        timeout: timedelta,
        max_size: int,
    ) -> bytes:
        return self._exchange(
            method, url, body, headers, timeout, lambda response, over: _body(response, wants, max_size, over)
        )

    def _exchange(  # noqa: PLR0913, PLR0917 - a request has as many parts
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        timeout: timedelta,
        read: Callable[[HTTPResponse, Event], bytes],
    ) -> bytes:
        target, connection = self._connection(url, timeout.total_seconds())
        over = Event()
        try:
            began = monotonic()
            connection.connect()
            with _cut_off(connection.sock, began + timeout.total_seconds() - monotonic(), over):
                connection.request(method, _path(target), body, headers)
                with connection.getresponse() as response:
                    return read(response, over)
        except TimeoutError as error:
            raise PostFailed(Fault.SILENT, "no answer within the time") from error
        except (OSError, HTTPException, ValueError) as error:
            if over.is_set():
                raise PostFailed(Fault.SILENT, "no whole answer within the time") from error
            if isinstance(error, RemoteDisconnected):
                raise PostFailed(Fault.SILENT, "the connection was closed without an answer") from error
            fault = Fault.HTTP if isinstance(error, HTTPException) else Fault.UNREACHABLE
            raise PostFailed(fault, _short(error)) from error
        finally:
            connection.close()

    def _connection(self, url: str, seconds: float) -> tuple[SplitResult, HTTPConnection]:
        try:
            target = urlsplit(url)
            return target, self._made(target, seconds)
        except (ValueError, HTTPException) as error:
            raise PostFailed(Fault.UNREACHABLE, _short(error)) from error

    def _made(self, target: SplitResult, seconds: float) -> HTTPConnection:
        host, port = target.hostname, target.port
        if target.scheme not in ("http", "https") or not host or target.username is not None:
            raise PostFailed(Fault.UNREACHABLE, "the address is none of http or https")
        if target.scheme == "https":
            context = self._tls or ssl.create_default_context()
            return _GuardedTls(host, port, timeout=seconds, context=context).guarded(self._reachable, context)
        return _Guarded(host, port, timeout=seconds).guarded(self._reachable)


def is_public(address: str) -> bool:
    """Tell whether a numeric address is one of the open net, and so is any IPv4 address that is written in it."""
    return _public(ipaddress.ip_address(address.partition("%")[0]))


def _public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    inner: tuple[ipaddress.IPv4Address | None, ...] = ()
    if isinstance(address, ipaddress.IPv6Address):
        translated = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _TRANSLATED else None
        inner = (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()), translated)
    return address.is_global and not address.is_multicast and all(_public(each) for each in inner if each is not None)


class _Guarded(HTTPConnection):
    """A connection to an address that was asked about."""

    reachable: Reachable | None = None

    def guarded(self, reachable: Reachable | None) -> "_Guarded":
        self.reachable = reachable
        return self

    def connect(self) -> None:
        self.sock = _connected(self.host, self.port, self.timeout, self.reachable)


class _GuardedTls(HTTPSConnection):
    """The same over TLS; the certificate must be the host's by name."""

    reachable: Reachable | None = None
    context: ssl.SSLContext

    def guarded(self, reachable: Reachable | None, context: ssl.SSLContext) -> "_GuardedTls":
        self.reachable, self.context = reachable, context
        return self

    def connect(self) -> None:
        plain = _connected(self.host, self.port, self.timeout, self.reachable)
        try:
            self.sock = self.context.wrap_socket(plain, server_hostname=self.host)
        except OSError:
            plain.close()
            raise


def _connected(host: str, port: int, seconds: float | None, reachable: Reachable | None) -> socket:
    """Connect to the first address of ``host`` that answers; ``seconds`` are for all of them together."""
    until = monotonic() + (seconds or 0.0)
    refused: OSError | None = None
    for *_, address in getaddrinfo(host, port, type=SOCK_STREAM, proto=IPPROTO_TCP):
        numeric = str(address[0])
        if reachable is not None and not reachable(host, numeric):
            raise PostFailed(Fault.FORBIDDEN, f"{host} leads to {numeric}, which is not to be asked")
        left = until - monotonic()
        if left <= 0:
            raise TimeoutError
        try:
            connected = create_connection((numeric, port), left)
        except OSError as error:
            refused = error
        else:
            connected.settimeout(seconds)
            return connected
    raise refused or OSError("the name leads nowhere")


@contextmanager
def _cut_off(connected: socket, seconds: float, over: Event) -> Iterator[None]:
    """Shut the connection after ``seconds`` altogether: a socket's own timeout begins anew with every octet."""

    def cut() -> None:
        over.set()
        try:
            connected.shutdown(SHUT_RDWR)
        except OSError:
            return  # Closed just before.

    timer = Timer(max(seconds, 0), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _body(response: HTTPResponse, wants: str | None, max_size: int, over: Event) -> bytes:
    if response.status != _OK:
        raise PostFailed(Fault.HTTP, f"status {response.status}", status=response.status)
    kind = response.headers.get_content_type()
    if wants is not None and kind != wants:
        raise PostFailed(Fault.HTTP, f"an answer of type {kind[:60]}")
    body = response.read(max_size + 1)
    if over.is_set():
        raise PostFailed(Fault.SILENT, "no whole answer within the time")
    if len(body) > max_size:
        raise PostFailed(Fault.TOO_LARGE, f"more than {max_size} octets")
    return body


def _path(target: SplitResult) -> str:
    return (target.path or "/") + (f"?{target.query}" if target.query else "")


def _short(error: Exception) -> str:
    said = str(error) or type(error).__name__
    return "".join(each if each.isprintable() else " " for each in said)[:120]
