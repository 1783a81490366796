"""Time-stamping within a sealing: one stamp a signature, or no signature at all."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from crypto.digests import SM3, DigestAlgorithm
from seal.pki.tsa_client import Stamped


class Stamper(Protocol):
    """Has digests time-stamped. Safe to share between threads; asks each authority once, the callers never retry."""

    def stamp(self, digest: DigestAlgorithm, value: bytes) -> Stamped:
        """Give a token over ``value`` that our verifier will believe; TimestampUnavailable where nobody gives one."""


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
