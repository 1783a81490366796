"""What the doors to C libraries share: handles of foreign objects, and the look at what goes through."""

import os
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from crypto.errors import KeyRefused
from crypto.sm2 import SCALAR_SIZE, on_curve, scalar_fits

DIGEST_SIZE: Final = 32
Operation = TypeVar("Operation")


class Handle:
    """A foreign pointer that is freed with its last reference, so that eviction cannot pull it from under a user."""

    __slots__ = ("_free", "pointer")

    def __init__(self, pointer: int, free: Callable[[int], object]) -> None:
        self.pointer = pointer
        self._free = free

    def __del__(self) -> None:
        self._free(self.pointer)


class Idle(Generic[Operation]):
    """One key's operation objects that nobody uses at the moment; there are as many as ever worked at once."""

    __slots__ = ("_make", "pop", "put_back")

    def __init__(self, make: Callable[[], Operation]) -> None:
        self._make = make
        idle = deque((make(),))
        self.pop = idle.pop
        # For one that has finished well; others may hold half an operation and are dropped.
        self.put_back = idle.append

    def take(self) -> Operation:
        """Take one out, or make one."""
        try:
            return self.pop()
        except IndexError:
            return self._make()


def draw_scalar() -> bytes:
    """Draw a private scalar from the operating system's generator (GB/T 32918.1 6.1: 1..n-2)."""
    while not scalar_fits(scalar := os.urandom(SCALAR_SIZE)):
        pass
    return scalar


def check_scalar(scalar: bytes) -> None:
    """Refuse, with KeyRefused, what is no private key."""
    if not scalar_fits(scalar):
        raise KeyRefused("an SM2 private key is 32 octets in 1..n-2")


def check_point(point: bytes) -> None:
    """Refuse, with KeyRefused, what is no uncompressed point of the curve."""
    if not on_curve(point):
        raise KeyRefused("the SM2 public key is not a point of the curve")


def check_digest(e: bytes) -> None:
    """Refuse, with KeyRefused, what is no digest of 32 octets."""
    if len(e) != DIGEST_SIZE:
        raise KeyRefused(f"SM2 signs a digest of {DIGEST_SIZE} octets, not {len(e)}")
