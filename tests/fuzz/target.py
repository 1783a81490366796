"""What is fuzzed: one row for each reader of foreign octets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from crypto.errors import CryptoError
from kernel.errors import Refusal
from tests.fuzz.mutators import Mutate

CODED: tuple[type[Exception], ...] = (CryptoError, Refusal)
"""Every refusal that reaches a caller with a code."""
CRYPTO_INPUTS, PACKAGE_INPUTS, PDF_INPUTS = 50_000, 30_000, 20_000
"""How many inputs a whole campaign gives a reader of signed structures, of packages and seals, of PDFs."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """One reader: where its inputs come from, which refusals are answers, and what must hold of what it accepts."""

    name: str
    seeds: Sequence[bytes]
    """Valid inputs."""
    ways: Sequence[Mutate]
    read: Callable[[bytes], Any]
    """The function under test; raises one of ``refusals`` or gives what it read."""
    refusals: tuple[type[Exception], ...] = (CryptoError,)
    check: Callable[[Any, bytes], None] = lambda _, __: None
    """Raises (AssertionError, or whatever breaks) if what was accepted should not have been."""
    seconds: float = 1.0
    """How long one input may take at most."""
    megabytes: int = 64
    """By how much one input may raise the process's peak of resident memory."""
    inputs: int = CRYPTO_INPUTS
    in_child: bool = False
    """Whether the input is read in another process, which takes its time to start."""
