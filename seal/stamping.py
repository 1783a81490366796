"""Time-stamping within a sealing: one stamp a signature, at once or, where the caller leaves it open, later."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Protocol

from crypto.digests import SM3, DigestAlgorithm
from kernel.clock import Clock
from seal.docking.upstream.breaker import Breaker
from seal.pki.errors import TimestampUnavailable
from seal.pki.tsa_client import Stamped, TimestampClient, Tsa
from seal.trust import TrustSource

_FIRST_ROOM = 6 * 1024
"""Octets laid aside for a token before one was seen: enough for three certificates in it."""
_ROOM_MARGIN, _ROOM_STEP = 4, 256
_FAILURES = 2
"""After how many failures in a row those who can wait are not kept waiting by yet another question."""


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


class DigestStamper:
    """The ``Stamper`` that chooses another by the digest: readers of SM2 signatures and others trust other stampers."""

    def __init__(self, usual: Stamper, by_digest: Mapping[DigestAlgorithm, Stamper]) -> None:
        self._usual = usual
        self._by_digest = dict(by_digest)

    def stamp(self, digest: DigestAlgorithm, value: bytes) -> Stamped:
        """Pass the question on."""
        return self._by_digest.get(digest, self._usual).stamp(digest, value)


class NobodyAsked(TimestampUnavailable):
    """Nobody stamped a moment ago, and nobody was asked again."""


class PatientStamper:
    """The ``Stamper`` for those who can wait: where nobody stamps, it stops asking for a while, of each digest apart.

    After the rest one call finds out how it stands; the others are told ``NobodyAsked`` at once.
    """

    def __init__(self, stamper: Stamper, clock: Clock) -> None:
        self._stamper = stamper
        self._clock = clock
        self._breakers: dict[DigestAlgorithm, Breaker] = {}
        self._lock = Lock()

    def stamp(self, digest: DigestAlgorithm, value: bytes) -> Stamped:
        """Pass the question on, or refuse it unasked."""
        breaker = self._breaker(digest)
        if not breaker.admit():
            raise NobodyAsked("No time-stamp authority gave a token a moment ago; none was asked again.")
        try:
            stamped = self._stamper.stamp(digest, value)
        except BaseException:
            breaker.failed()
            raise
        breaker.succeeded()
        return stamped

    def _breaker(self, digest: DigestAlgorithm) -> Breaker:
        with self._lock:
            return self._breakers.setdefault(digest, Breaker(self._clock, failures=_FAILURES))


class TokenRooms:
    """How many octets a stamper's tokens take: learned from those that came, kept as long as the process lives.

    Safe to share between threads: what one forgets to tell another is learned with the next token.
    """

    def __init__(self) -> None:
        self._largest: dict[DigestAlgorithm, int] = {}

    def room(self, digest: DigestAlgorithm) -> int:
        """Say how many octets to lay aside for a token over such a digest."""
        seen = self._largest.get(digest)
        if seen is None:
            return _FIRST_ROOM
        return -(-(seen + seen // _ROOM_MARGIN) // _ROOM_STEP) * _ROOM_STEP

    def learn(self, digest: DigestAlgorithm, size: int) -> None:
        """Take note of a token's size."""
        self._largest[digest] = max(size, self._largest.get(digest, 0))


@dataclass
class Stamping:
    """The one time stamp of a signature, a ``StampTime``: remembers the time that the token proves."""

    stamper: Stamper
    digest: DigestAlgorithm = SM3
    rooms: TokenRooms = field(default_factory=TokenRooms)
    may_follow: bool = False
    """Whether the signature may go without for now: then it is ``owed`` a stamp."""
    proved: datetime | None = field(default=None, init=False)
    """None until a token has come."""
    owed: bool = field(default=False, init=False)

    def __call__(self, signature: bytes) -> bytes | None:
        """Have the octets of a signature stamped; None where nobody stamps and the stamp may follow."""
        try:
            return self.stamp(self.digest.digest(signature))
        except TimestampUnavailable:
            if not self.may_follow:
                raise
            self.owed = True
            return None

    def stamp(self, value: bytes) -> bytes:
        """Have a digest stamped; a refusal of the stamper's passes through."""
        stamped = self.stamper.stamp(self.digest, value)
        self.rooms.learn(self.digest, len(stamped.token))
        self.proved = stamped.time
        return stamped.token

    @property
    def room(self) -> int:
        """How many octets to lay aside for the token."""
        return self.rooms.room(self.digest)
