"""The upstream vault: keys that stay in a department's own seal system and sign there, over HTTP.

The public halves are those of certificates that the operator names: what the system says of itself is never believed,
and a signature that does not verify under the known key never reaches a document.
"""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NoReturn

import structlog

from crypto.certificate import Certificate
from crypto.errors import KeyRefused
from crypto.keys import KeyId, PublicKey
from crypto.suites import ES256, SM2_SM3, KeyKind, Suite
from crypto.vaults.errors import UnknownKey
from kernel.clock import Clock
from seal.docking.errors import (
    UpstreamAnswerUnreadable,
    UpstreamLoginRefused,
    UpstreamRefused,
    UpstreamResting,
    UpstreamUnavailable,
    UpstreamWrongSignature,
)
from seal.docking.upstream.breaker import Breaker
from seal.docking.upstream.login import Login, NoHeaders
from seal.docking.upstream.wire import JSON, MAX_ANSWER, proved_signature, question
from seal.pki.http_post import HttpPost, PostFailed

PREFIX: Final = "upstream-"
TIMEOUT: Final = timedelta(seconds=10)
SUITES_SIGNED: Final[Mapping[KeyKind, Suite]] = {KeyKind.SM2: SM2_SM3, KeyKind.P256: ES256}
_NAME = re.compile(r"[a-z][a-z0-9]{0,19}")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_LOGIN = frozenset({401, 403})
_LEAST_SERVER_FAULT: Final = 500
_TOO_MANY: Final = 429

_log = structlog.get_logger("xinyin.docking")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A department's system. ``keys`` has, under the names that it calls them by, the certificates of its keys."""

    name: str
    """What it is called here: small letters and digits; its keys are ``upstream-<name>-<key>``."""
    url: str
    """The address of its sign call, whole."""
    keys: Mapping[str, Certificate]
    timeout: timedelta = TIMEOUT

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise KeyRefused("an upstream system is called by 1 to 20 small letters and digits, a letter first")
        for key, certificate in self.keys.items():
            if not _KEY.fullmatch(key):
                raise KeyRefused(f"a key of {self.name} has a name that is not used here: letters, digits, . _ -")
            if certificate.public_key.kind not in SUITES_SIGNED:
                raise KeyRefused(f"the key {key} of {self.name} is neither SM2 nor P-256")


class UpstreamVault:
    """A ``KeyVault`` over one system; safe between threads and across a fork, for it keeps no connection.

    A request is sent once and never again by itself: how often a key was used is the department's to count.
    """

    def __init__(
        self,
        upstream: Upstream,
        *,
        clock: Clock,
        login: Login | None = None,
        tls: ssl.SSLContext | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        self._upstream = upstream
        self._login = login or NoHeaders()
        # The operator named this address, and redirects are not followed: it may be a private one.
        self._post = HttpPost(tls)
        self._breaker = breaker or Breaker(clock)
        self._names = {KeyId(f"{PREFIX}{upstream.name}-{key}"): key for key in upstream.keys}

    def generate(self, suite: Suite) -> KeyId:
        """Refuse: the department makes its keys."""
        raise KeyRefused(f"no {suite.name} key is made in {self._upstream.name}: its department makes and names them")

    def public_key(self, key: KeyId) -> PublicKey:
        """Give the public half, out of the certificate that the operator named."""
        return self._upstream.keys[self._name(key)].public_key

    def suite(self, key: KeyId) -> Suite:
        """Give SM2 with SM3, or ES256."""
        return SUITES_SIGNED[self.public_key(key).kind]

    def sign_digest(self, key: KeyId, digest: bytes) -> bytes:
        """Have the digest signed; UpstreamRefused of one kind or another where no signature that holds came."""
        name, suite, public = self._name(key), self.suite(key), self.public_key(key)
        if len(digest) != suite.digest.size:
            raise KeyRefused(f"{suite.name} signs digests of {suite.digest.size} octets, not {len(digest)}")
        if not self._breaker.admit():
            raise UpstreamResting(f"the system {self._upstream.name} failed several times and is asked again shortly")
        try:
            value = proved_signature(self._ask(question(name, suite, digest)), suite, public, digest)
        except (UpstreamUnavailable, UpstreamAnswerUnreadable, UpstreamWrongSignature) as failed:
            self._breaker.failed()
            # Callers hear only that the key does not sign now; the operator needs the cause.
            _log.warning("upstream_failed", upstream=self._upstream.name, which=str(key), cause=str(failed))
            raise
        except UpstreamRefused as refused:
            # It answers, and refuses us: no reason to leave it alone.
            self._breaker.succeeded()
            _log.warning("upstream_refused", upstream=self._upstream.name, which=str(key), cause=str(refused))
            raise
        self._breaker.succeeded()
        return value

    def keys(self) -> tuple[KeyId, ...]:
        """List the keys that the operator named."""
        return tuple(sorted(self._names))

    def _name(self, key: KeyId) -> str:
        found = self._names.get(key)
        if found is None:
            raise UnknownKey("no upstream system was named that has this key")
        return found

    def _ask(self, body: bytes) -> bytes:
        upstream = self._upstream
        try:
            return self._post.post(
                upstream.url,
                body,
                sends=JSON,
                wants=JSON,
                timeout=upstream.timeout,
                max_size=MAX_ANSWER,
                headers=self._login.headers(upstream.url, body),
            )
        except PostFailed as failed:
            raise _refusal(upstream.name, failed) from failed

    def __repr__(self) -> str:
        return f"UpstreamVault({self._upstream.name!r}, keys={list(self.keys())})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a vault is not copied to where its secret would be readable")


def _refusal(name: str, failed: PostFailed) -> UpstreamRefused:
    status = failed.status
    if status in _LOGIN:
        return UpstreamLoginRefused(f"the system {name} does not accept our login: compare client, secret and clocks")
    if status is not None and status < _LEAST_SERVER_FAULT and status != _TOO_MANY:
        return UpstreamRefused(f"the system {name} refuses to sign with this key (status {status})")
    return UpstreamUnavailable(f"the system {name} gives no answer: {failed.fault.value} ({failed.detail})")
