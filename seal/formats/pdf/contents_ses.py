"""Contents of kind GM.sm2seal: a GB/T 38540 SES_Signature with the whole seal in it (GM/T 0112)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from crypto.digests import SM3, DigestAlgorithm
from seal.formats.pdf.contents import Contents
from seal.model import Credential, SignMessage
from seal.ses import SesSeal, make_ses_signature, make_tbs
from seal.ses.usable import usable_seal

GM_FILTER = "GM.PKILite"
"""/Filter of what we write; vendors name their own, and the standard's name, if there is one, was not seen."""
GM_SEAL = "GM.sm2seal"
PROTECTED = "/ByteRange"
"""propertyInfo says what is protected: the octets that the signature dictionary's own entry names."""
_STAMP_ROOM = 8192
"""Octets laid aside for a time-stamp token, whose length nobody knows beforehand."""
_LONGEST_VALUE = 72
"""An SM2 value: SEQUENCE of two INTEGERs of 33 octets."""


def stamp_room(credential: Credential) -> int:
    """Give how many octets to lay aside for the token that the credential's stamper will give; 0 without one."""
    return max(_STAMP_ROOM, credential.stamp_room) if credential.stamper else 0


@dataclass(frozen=True, slots=True)
class SesKind:
    """An e-seal signature V4 in which the digest of the octets covered is dataHash."""

    filter: str = GM_FILTER
    subfilter: str = GM_SEAL

    def contents(self, credential: Credential, at: datetime) -> Contents:
        """Give the contents; refuses a credential that is not SM2 with a seal that lists it and is valid at ``at``."""
        at = at.astimezone(UTC).replace(microsecond=0)
        return _Ses(usable_seal(credential, at), credential, at)


@dataclass(frozen=True, slots=True)
class _Ses:
    _seal: SesSeal = field(repr=False)
    _credential: Credential = field(repr=False)
    _at: datetime

    @property
    def room(self) -> int:
        stamp = bytes(stamp_room(self._credential)) or None
        return len(self._signature(self._tbs(bytes(SM3.size)), bytes(_LONGEST_VALUE), stamp))

    @property
    def digest(self) -> DigestAlgorithm:
        return SM3

    def make(self, digest: bytes, sign: SignMessage) -> bytes:
        tbs = self._tbs(digest)
        signature = sign(tbs)
        stamper = self._credential.stamper
        return self._signature(tbs, signature, stamper(signature) if stamper else None)

    def _tbs(self, digest: bytes) -> bytes:
        return make_tbs(seseal=self._seal.raw, at=self._at, data_hash=digest, property_info=PROTECTED)

    def _signature(self, tbs: bytes, signature: bytes, stamp: bytes | None) -> bytes:
        certificate = self._credential.certificate
        return make_ses_signature(tbs=tbs, certificate=certificate, signature=signature, timestamp=stamp)
