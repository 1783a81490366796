"""A place of revocation lists and an OCSP responder on 127.0.0.1 that can be told to fail in each way they do."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from crypto.crl import MAX_CRL, make_crl
from crypto.ocsp import CertStatus, ResponseStatus, SingleAnswer, parse_request
from crypto.ocsp_answer import OcspTemplate, refusal
from crypto.revoked import Revoked
from tests.crypto.authority import Holder

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Mood(Enum):
    """What the place does with a question."""

    GOOD = "good"
    SILENT = "silent"
    GARBAGE = "garbage"
    TOO_LARGE = "too large"
    ERROR_500 = "error 500"
    REDIRECT = "redirect"
    WRONG_ISSUER = "wrong issuer"
    OLD = "old"
    FUTURE = "future"
    DELTA = "delta"
    # The responder alone.
    UNKNOWN = "unknown"
    WRONG_NONCE = "wrong nonce"
    NO_NONCE = "no nonce"
    TRY_LATER = "try later"


class FactsSimulator:
    """Serves in a thread as a context manager; ``mood``, ``revoked`` and ``number`` may change at any time."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.mood = Mood.GOOD
        self.number = 1
        self.revoked = dict[int, Revoked]()
        self.asked: list[str] = []
        self.delta: bytes = b""
        self._now = now
        self._speakers: dict[str, Holder] = {}
        self._over = threading.Event()
        simulator = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                simulator._serve(self, b"")

            def do_POST(self) -> None:
                simulator._serve(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def serves(self, impostor: Holder, **speakers: Holder) -> None:
        """Speak for the authority that the path's name stands for; all else is the responder of ``ca``."""
        self._impostor = impostor
        self._speakers = speakers

    def _serve(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        self.asked.append(handler.path)
        if self.mood is Mood.SILENT:
            self._over.wait(30)
            return
        if self.mood in (Mood.ERROR_500, Mood.REDIRECT):
            handler.send_response(500 if self.mood is Mood.ERROR_500 else 302)
            handler.send_header("Location", self.origin)
            handler.end_headers()
            return
        kind = "application/ocsp-response" if body else "application/pkix-crl"
        answer = self._answer(handler.path, body)
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.end_headers()
        try:
            handler.wfile.write(answer)
        except OSError:
            return  # The asker has had enough.

    def _answer(self, path: str, body: bytes) -> bytes:
        if self.mood is Mood.GARBAGE:
            return b"<html>moved</html>"
        if self.mood is Mood.TOO_LARGE:
            return bytes(MAX_CRL + 1)
        named = self._speakers.get(path.strip("/").removesuffix(".crl"), self._speakers["ca"])
        speaker = self._impostor if self.mood is Mood.WRONG_ISSUER else named
        since = self._now() + {Mood.OLD: -30 * DAY, Mood.FUTURE: DAY}.get(self.mood, -HOUR)
        return self._said(body, speaker, since) if body else self._list(speaker, since)

    def _list(self, speaker: Holder, since: datetime) -> bytes:
        if self.mood is Mood.DELTA:
            return self.delta
        return make_crl(
            issuer=speaker.certificate,
            issuer_key=speaker.signer,
            number=self.number,
            this_update=since,
            next_update=since + DAY,
            revoked=self.revoked.values(),
        ).raw

    def _said(self, body: bytes, speaker: Holder, since: datetime) -> bytes:
        if self.mood is Mood.TRY_LATER:
            return refusal(ResponseStatus.TRY_LATER)
        asked = parse_request(body)
        single = [self._single(each, since) for each in asked.asked]
        nonce = {Mood.NO_NONCE: None, Mood.WRONG_NONCE: bytes(32)}.get(self.mood, asked.nonce)
        template = OcspTemplate(speaker.certificate, speaker.signer, issuer=speaker.certificate)
        return template.answer(single, produced_at=since, nonce=nonce)

    def _single(self, asked: Any, since: datetime) -> SingleAnswer:
        revoked = self.revoked.get(asked.serial)
        status = CertStatus.GOOD if revoked is None else CertStatus.REVOKED
        return SingleAnswer(
            cert_id=asked,
            status=CertStatus.UNKNOWN if self.mood is Mood.UNKNOWN else status,
            revoked=None if self.mood is Mood.UNKNOWN else revoked,
            this_update=since,
            next_update=since + DAY,
        )
