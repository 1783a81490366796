"""What an SM2 engine does: the protocols that every door keeps."""

from typing import Protocol, runtime_checkable


class Sm2Engine(Protocol):
    """SM2 arithmetic on 32-octet digests: no Z_A, no DER, no key storage.

    Safe to share between threads and to keep across a fork; foreign calls let other threads run.
    Keys cross as numbers: a scalar is 32 octets in 1..n-2, a point 65 octets 04||x||y.
    """

    @property
    def name(self) -> str:
        """Name the door."""

    @property
    def version(self) -> str:
        """Name the library behind it and its version."""

    @property
    def library(self) -> str:
        """Say where that library was loaded from."""

    def generate(self) -> bytes:
        """Draw a fresh private scalar."""

    def public_point(self, scalar: bytes) -> bytes:
        """Give the public point of ``scalar``; KeyRefused if it is no private key."""

    def sign(self, scalar: bytes, e: bytes) -> bytes:
        """Sign the digest ``e``; give r||s, 64 octets. KeyRefused if scalar or digest do not fit."""

    def verify(self, point: bytes, e: bytes, signature: bytes) -> bool:
        """Say whether r||s signs ``e`` under ``point``; a malformed or off-curve argument is False, never an error."""


@runtime_checkable
class Sm2Multiplier(Protocol):
    """An engine's further ability, which encryption and key agreement need; not every library has it."""

    def multiply(self, point: bytes, scalar: bytes) -> bytes:
        """Give ``scalar`` times ``point``, in a time that does not depend on either; nothing of them is kept.

        KeyRefused if the point is not on the curve or the scalar is outside 1..n-2.
        """
