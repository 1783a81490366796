"""Orders: a digest to be sealed and what its caller says it is of; the document in the place of the document."""

import json
import re
from dataclasses import dataclass

from crypto.digests import SHA256, SM3, DigestAlgorithm
from kernel.errors import Reason, Refusal

ALGORITHMS = {algorithm.name: algorithm for algorithm in (SM3, SHA256)}
_HEAD = b'{"order":"digest",'
_LONGEST = 500
_HEX = re.compile("[0-9a-f]{64}")
_PATH = re.compile(r"/[!-~]{1,199}")
"""Of a SES_Signature's propertyInfo: an IA5String that names what is protected."""


class DigestRefused(Refusal):
    """This digest cannot be sealed like this."""

    reason, code = Reason.BAD_INPUT, "digest_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestOrder:
    """A digest, and what it is of by its caller's word."""

    algorithm: str
    digest: str
    """32 octets, hexadecimal in lower case."""
    protects: str | None = None
    """What the digest covers, as an e-seal signature says it: /ByteRange, or the path of a Signature.xml."""
    room: int | None = None
    """How many octets the caller laid aside for the signature."""

    def __post_init__(self) -> None:
        """Refuse what is no digest of a kind sealed here."""
        if self.algorithm not in ALGORITHMS:
            raise DigestRefused(f"Digests are sealed of {', '.join(ALGORITHMS)}.")
        if not _HEX.fullmatch(self.digest):
            raise DigestRefused("A digest is 32 octets: 64 hexadecimal digits in lower case.")
        if self.protects is not None and not _PATH.fullmatch(self.protects):
            raise DigestRefused("What is protected is named by a path: a slash and up to 199 characters of ASCII.")

    @property
    def octets(self) -> bytes:
        """Write the order down, always in the same way."""
        words = {"algorithm": self.algorithm, "digest": self.digest, "protects": self.protects, "room": self.room}
        return _HEAD + json.dumps(words, separators=(",", ":")).encode()[1:]

    @property
    def value(self) -> bytes:
        """The digest's octets."""
        return bytes.fromhex(self.digest)

    @property
    def by(self) -> DigestAlgorithm:
        """What made the digest."""
        return ALGORITHMS[self.algorithm]


def is_order(octets: bytes) -> bool:
    """Tell whether these are the octets of an order, to the letter: a PDF or an OFD never is one."""
    try:
        return octets.startswith(_HEAD) and len(octets) <= _LONGEST and read_order(octets).octets == octets
    except (DigestRefused, ValueError, TypeError, KeyError):
        return False


def read_order(octets: bytes) -> DigestOrder:
    """Read what ``DigestOrder.octets`` wrote."""
    words = json.loads(octets)
    if words.pop("order") != "digest" or not isinstance(words["room"], int | None):
        raise ValueError("no order")
    return DigestOrder(**words)
