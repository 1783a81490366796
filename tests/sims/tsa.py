"""A time-stamp authority on 127.0.0.1 that can be told to fail in each way an authority can."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from crypto import cms_names as names
from crypto import der
from crypto.cms_build import BoundAttributes, attribute, signing_certificate_v2
from crypto.timestamp_build import TokenTemplate
from crypto.timestamp_exchange import (
    MAX_RESPONSE,
    RESPONSE_TYPE,
    Failure,
    PkiStatus,
    TimestampRequest,
    granted,
    parse_request,
    rejection,
)
from crypto.x509 import SIGNER, TSA
from tests.crypto.authority import NOT_BEFORE, Authority, Holder

POLICY = "1.2.156.10197.99.1"


class Mood(Enum):
    """What the authority does with a question."""

    GOOD = "good"
    # Answers that are wrong.
    WRONG_NONCE = "wrong nonce"
    NO_NONCE = "no nonce"
    WRONG_IMPRINT = "wrong imprint"
    WRONG_POLICY = "wrong policy"
    WRONG_TIME = "wrong time"
    WRONG_USAGE = "wrong usage"
    EXPIRED = "expired"
    UNTRUSTED = "untrusted"
    NO_CERTIFICATE = "no certificate"
    BAD_SIGNATURE = "bad signature"
    REJECTS = "rejects"
    WAITING = "waiting"
    GARBAGE = "garbage"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    TOO_LARGE = "too large"
    # HTTP that is wrong.
    ERROR_500 = "error 500"
    REDIRECT = "redirect"
    RATE_LIMITED = "rate limited"
    WRONG_TYPE = "wrong type"
    NO_HTTP = "no http"
    # Silence.
    CLOSES = "closes"
    SILENT = "silent"
    DRIPS = "drips"


_STATUSES = {Mood.ERROR_500: 500, Mood.REDIRECT: 302, Mood.RATE_LIMITED: 429}


class TsaSimulator:
    """Serves in a thread as a context manager; ``mood`` may change at any time, ``asked`` counts the questions."""

    def __init__(self, authority: Authority, now: Callable[[], datetime]) -> None:
        self.mood = Mood.GOOD
        self.asked = 0
        self._now = now
        good = authority.issue("时间戳", TSA, authority.sub_ca)
        old = authority.issue("旧时间戳", TSA, authority.sub_ca, not_after=NOT_BEFORE + timedelta(days=9))
        stranger = authority.issue("别处的时间戳", TSA, None, key=authority.key("stranger"))
        self._good = self._template(authority, good)
        self._templates: Mapping[Mood, TokenTemplate] = {
            Mood.EXPIRED: self._template(authority, old),
            Mood.UNTRUSTED: self._template(authority, stranger),
            Mood.WRONG_USAGE: self._unfit(authority, authority.issue("某某", SIGNER, authority.sub_ca)),
        }
        self._over = threading.Event()
        simulator = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                simulator._serve(self)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/tsa"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _template(self, authority: Authority, holder: Holder) -> TokenTemplate:
        return TokenTemplate(holder.certificate, authority.chain, holder.signer, policy=POLICY)

    def _unfit(self, authority: Authority, holder: Holder) -> TokenTemplate:
        """A template with a certificate that an honest one refuses."""
        honest = self._template(authority, authority.issue("假时间戳", TSA, authority.sub_ca, key=holder.signer))
        certificate, suite = holder.certificate, authority.suite
        method = der.sequence(der.oid(suite.digest.oid))
        honest._certificates = der.explicit(0, certificate.raw, *(each.raw for each in authority.chain))
        content_type = attribute(names.CONTENT_TYPE, der.oid(names.TST_INFO))
        honest._bound = BoundAttributes((content_type, signing_certificate_v2(certificate, suite)), suite.digest)
        honest._info_signer = (
            der.integer(1) + der.sequence(certificate.issuer, der.integer(certificate.serial)) + method
        )
        return honest

    # --- answering ---

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked += 1
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        if self._odd_transport(handler):
            return
        answer = self._answer(parse_request(body))
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html" if self.mood is Mood.WRONG_TYPE else RESPONSE_TYPE)
        handler.end_headers()
        if self.mood is Mood.DRIPS:
            self._drip(handler, answer)
        else:
            handler.wfile.write(answer)

    def _odd_transport(self, handler: BaseHTTPRequestHandler) -> bool:
        """Misbehave below the answer; whether that was all."""
        if self.mood is Mood.SILENT:
            self._over.wait(30)
        elif self.mood is Mood.NO_HTTP:
            handler.wfile.write(b"220 mail ready\r\n")
        elif self.mood in _STATUSES:
            handler.send_response(_STATUSES[self.mood])
            handler.send_header("Location", self.url)
            handler.send_header("Retry-After", "3600")
            handler.end_headers()
        else:
            return self.mood is Mood.CLOSES
        return True

    def _drip(self, handler: BaseHTTPRequestHandler, answer: bytes) -> None:
        try:
            for octet in answer:
                handler.wfile.write(bytes((octet,)))
                if self._over.wait(0.05):
                    return
        except OSError:
            return

    def _answer(self, asked: TimestampRequest) -> bytes:
        if self.mood is Mood.REJECTS:
            return rejection(Failure.BAD_ALGORITHM, "不受理")
        if self.mood is Mood.WAITING:
            return rejection(Failure.TIME_NOT_AVAILABLE, status=PkiStatus.WAITING)
        made = granted(self._token(asked))
        changes: Mapping[Mood, Callable[[], bytes]] = {
            Mood.GARBAGE: lambda: b"<html>not a time-stamp</html>",
            Mood.TRUNCATED: lambda: made[:-40],
            Mood.EMPTY: lambda: b"",
            Mood.TOO_LARGE: lambda: made + bytes(MAX_RESPONSE),
            Mood.BAD_SIGNATURE: lambda: made[:-1] + bytes((made[-1] ^ 1,)),
        }
        return changes.get(self.mood, lambda: made)()

    def _token(self, asked: TimestampRequest) -> bytes:
        imprint, nonce, at = asked.imprint, asked.nonce, self._now()
        template = self._templates.get(self.mood, self._good)
        if self.mood is Mood.WRONG_IMPRINT:
            imprint = replace(imprint, digest=bytes(len(imprint.digest)))
        if self.mood in (Mood.WRONG_NONCE, Mood.NO_NONCE):
            nonce = None if self.mood is Mood.NO_NONCE else (nonce or 0) + 1
        if self.mood is Mood.WRONG_TIME:
            at -= timedelta(hours=1)
        if self.mood is Mood.WRONG_POLICY:
            template = TokenTemplate(template.certificate, (), template._signer, policy="1.2.3.4")
        return template.token(
            imprint, serial=self.asked, at=at, nonce=nonce, with_certificates=self.mood is not Mood.NO_CERTIFICATE
        )
