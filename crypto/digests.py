"""Digest algorithms: name, OID and size of each, and the one way to compute them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives import hashes


class Hasher(Protocol):
    """A running digest; ``finalize`` may be called once."""

    def update(self, data: bytes) -> None:
        """Take in more octets."""

    def finalize(self) -> bytes:
        """Give the digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestAlgorithm:
    """A digest: ``weak`` ones are computed to judge old documents, never to make new ones.

    ``aliases`` are other identifiers that writers give it.
    """

    name: str
    oid: str
    size: int
    primitive: type[hashes.HashAlgorithm]
    weak: bool = False
    aliases: tuple[str, ...] = ()

    def hasher(self) -> Hasher:
        """Start a running digest."""
        return hashes.Hash(self.primitive())

    def digest(self, *parts: bytes | memoryview) -> bytes:
        """Hash the concatenation of ``parts``."""
        running = hashes.Hash(self.primitive())
        for part in parts:
            running.update(part)
        return running.finalize()


# The alias names keyed SM3; one vendor writes it where it can only mean the plain digest.
SM3 = DigestAlgorithm(
    name="SM3", oid="1.2.156.10197.1.401", size=32, primitive=hashes.SM3, aliases=("1.2.156.10197.1.401.2",)
)
SHA256 = DigestAlgorithm(name="SHA-256", oid="2.16.840.1.101.3.4.2.1", size=32, primitive=hashes.SHA256)
SHA384 = DigestAlgorithm(name="SHA-384", oid="2.16.840.1.101.3.4.2.2", size=48, primitive=hashes.SHA384)
SHA512 = DigestAlgorithm(name="SHA-512", oid="2.16.840.1.101.3.4.2.3", size=64, primitive=hashes.SHA512)
SHA224 = DigestAlgorithm(name="SHA-224", oid="2.16.840.1.101.3.4.2.4", size=28, primitive=hashes.SHA224, weak=True)
SHA1 = DigestAlgorithm(name="SHA-1", oid="1.3.14.3.2.26", size=20, primitive=hashes.SHA1, weak=True)
MD5 = DigestAlgorithm(name="MD5", oid="1.2.840.113549.2.5", size=16, primitive=hashes.MD5, weak=True)

DIGESTS: tuple[DigestAlgorithm, ...] = (SM3, SHA256, SHA384, SHA512, SHA224, SHA1, MD5)
DIGESTS_BY_OID: Mapping[str, DigestAlgorithm] = {row.oid: row for row in DIGESTS}


def sm3(*parts: bytes | memoryview) -> bytes:
    """Hash with SM3 (GB/T 32905), the digest of everything this product identifies by content."""
    return SM3.digest(*parts)
