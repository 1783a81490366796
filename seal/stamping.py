"""Time-stamping within a sealing: one stamp a signature, or no signature at all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Protocol

from crypto.digests import SM3, DigestAlgorithm
from kernel.clock import Clock
from seal.pki.tsa_client import Stamped, TimestampClient, Tsa
from seal.trust import TrustSource


class Stamper(Protocol):
    """Has digests time-stamped. Safe to share between threads; asks each authority once, the callers never retry."""

    def stamp(self, digest: DigestAlgorithm, value: bytes) -> Stamped:
        """Give a token over ``value`` that our verifier will believe; TimestampUnavailable where nobody gives one."""


class AuthorityStamper:
    """The ``Stamper`` that asks authorities, believed under the trust of the moment: what our verifier believes."""

    def __init__(
        self,
        authorities: Sequence[Tsa],
        *,
        trust: TrustSource,
        clock: Clock,
        timeout: timedelta = timedelta(seconds=5),
    ) -> None:
        self._authorities = tuple(authorities)
        self._trust = trust
        self._clock = clock
        self._timeout = timeout
        self._lock = Lock()
        self._client = self._make()

    def stamp(self, digest: DigestAlgorithm, value: bytes) -> Stamped:
        """Give the token of the first authority whose token holds; NoTimestamp where none does."""
        with self._lock:
            # A client remembers who failed just now: another is made only for another trust.
            if (self._trust().anchors, self._trust().intermediates) != self._believed:
                self._client = self._make()
            client = self._client
        return client.stamp(digest, value)

    def _make(self) -> TimestampClient:
        trust = self._trust()
        self._believed = (trust.anchors, trust.intermediates)
        return TimestampClient(
            self._authorities,
            anchors=trust.anchors,
            intermediates=trust.intermediates,
            clock=self._clock,
            timeout=self._timeout,
        )


@dataclass
class Stamping:
    """The one time stamp of a sealing, a ``StampTime``: remembers the time that the token proves."""

    stamper: Stamper
    proved: datetime | None = field(default=None, init=False)
    """None until a token has come."""

    def __call__(self, signature: bytes) -> bytes:
        """Have the octets of a signature stamped; a refusal of the stamper's passes through."""
        stamped = self.stamper.stamp(SM3, SM3.digest(signature))
        self.proved = stamped.time
        return stamped.token
