"""A department's own seal system: it has keys, signs digests over HTTP, and can be told to fail."""

import base64
import hmac
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Self

from crypto.certificate import Certificate
from crypto.keys import VaultSigner
from crypto.sm2 import signature_from_der
from seal.docking.upstream.login import CLIENT, MAC, NONCE, TIME, mac_of
from tests.sims.posting import Answered, Posted, PostServer

SECONDS = 300


class Mood(Enum):
    """What the system does with a question."""

    GOOD = "good"
    RAW = "raw"
    OTHER_DIGEST = "other digest"
    OTHER_KEY = "other key"
    OTHER_CERTIFICATE = "other certificate"
    OUT_OF_RANGE = "out of range"
    NO_CERTIFICATE = "no certificate"
    GARBAGE = "garbage"
    DEEP = "deep"
    NOT_BASE64 = "not base64"
    TOO_LARGE = "too large"
    WRONG_TYPE = "wrong type"
    ERROR_500 = "error 500"
    BUSY = "busy"
    REFUSES = "refuses"
    REDIRECT = "redirect"
    CLOSES = "closes"
    SILENT = "silent"


@dataclass
class UpstreamSimulator:
    """Has ``keys`` by its own names; with a ``secret`` each request must be authenticated, freshly and once."""

    keys: Mapping[str, tuple[VaultSigner, Certificate]]
    stranger: tuple[VaultSigner, Certificate]
    now: Callable[[], datetime]
    secret: bytes | None = None
    client: str = "xinyin"
    mood: Mood = Mood.GOOD
    tls: ssl.SSLContext | None = None
    nonces: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.server = PostServer(self._answer, self.tls)

    @property
    def url(self) -> str:
        return f"{self.server.url}/seal/sign"

    @property
    def asked(self) -> int:
        return len(self.server.asked)

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.__exit__()

    def _answer(self, posted: Posted) -> Answered:
        if not self._admitted(posted):
            return Answered(b"{}", status=401)
        early: Mapping[Mood, Answered] = {
            Mood.GARBAGE: Answered(b'{"signature": "'),
            Mood.DEEP: Answered(b"[" * 60_000),
            Mood.TOO_LARGE: Answered(b'{"signature": "' + b"A" * 100_000 + b'"}'),
            Mood.ERROR_500: Answered(b"{}", status=500),
            Mood.BUSY: Answered(b"{}", status=429),
            Mood.REFUSES: Answered(b"{}", status=409),
            Mood.REDIRECT: Answered(b"{}", status=302),
            Mood.CLOSES: Answered(closes=True),
            Mood.SILENT: Answered(silent=True),
        }
        return early.get(self.mood) or self._signed(json.loads(posted.body))

    def _signed(self, asked: Mapping[str, str]) -> Answered:
        if asked["key"] not in self.keys:
            return Answered(b"{}", status=404)
        signer, certificate = self.keys[asked["key"]]
        digest = base64.b64decode(asked["digest"], validate=True)
        assert asked["algorithm"] == signer.suite.name
        if self.mood is Mood.OTHER_DIGEST:
            digest = bytes(len(digest))
        if self.mood in (Mood.OTHER_KEY, Mood.OTHER_CERTIFICATE):
            signer = self.stranger[0]
        if self.mood is Mood.OTHER_CERTIFICATE:
            certificate = self.stranger[1]
        value = signer.vault.sign_digest(signer.key, digest)
        if self.mood is Mood.RAW:
            value = signature_from_der(value)
        if self.mood is Mood.OUT_OF_RANGE:
            value = b"\xff" * 64
        answer = {
            "signature": base64.b64encode(value).decode(),
            "certificate": base64.b64encode(certificate.raw).decode(),
        }
        if self.mood is Mood.NO_CERTIFICATE:
            del answer["certificate"]
        if self.mood is Mood.NOT_BASE64:
            answer["signature"] = "键" * 10
        kind = "text/html" if self.mood is Mood.WRONG_TYPE else "application/json"
        return Answered(json.dumps({**answer, "trace": 7}).encode(), kind=kind)

    def _admitted(self, posted: Posted) -> bool:
        if self.secret is None:
            return True
        stated = posted.headers
        if {CLIENT, TIME, NONCE, MAC} - stated.keys() or stated[CLIENT] != self.client:
            return False
        mac = mac_of(self.secret, posted.path, stated, posted.body)
        fresh = abs(self.now().timestamp() - int(stated[TIME])) <= SECONDS and stated[NONCE] not in self.nonces
        self.nonces.add(stated[NONCE])
        return hmac.compare_digest(mac, stated[MAC]) and fresh
