"""SM2 public-key encryption (GB/T 32918.4) and its two shapes: C1||C3||C2 and SM2Cipher (GB/T 35276).

Both multiplications are the engine's, in constant time; what remains here is hashing, exclusive or and one comparison
in constant time.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from crypto.der import integer, octet_string, parse, sequence
from crypto.digests import SM3, sm3
from crypto.engines import Sm2Multiplier, default_multiplier
from crypto.engines.foreign import draw_scalar
from crypto.errors import CryptoError, DerError
from crypto.kdf import derive
from crypto.sm2 import BASE_POINT, POINT_SIZE, on_curve

MAX_MESSAGE: Final = 16 * 1024 * 1024
"""Octets that are encrypted or decrypted at most; longer ones go under a key that is encrypted in this way."""

_MAX_DER_OVERHEAD: Final = 128
_COORDINATE: Final = 32
_REFUSED: Final = "the SM2 ciphertext does not open: wrong key, or altered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sm2Ciphertext:
    """C1 as 65 octets 04||x||y on the curve, C3 of 32 octets, C2 as long as the message; read by ``from_…`` only."""

    point: bytes
    check: bytes
    body: bytes

    def __post_init__(self) -> None:
        # GB/T 32918.4 7.1 B1: before anything is multiplied.
        if not on_curve(self.point):
            raise CryptoError("the SM2 ciphertext begins with no point of the curve")
        if len(self.check) != SM3.size or not 0 < len(self.body) <= MAX_MESSAGE:
            raise CryptoError("the SM2 ciphertext is too short or too long")

    @classmethod
    def from_raw(cls, octets: bytes) -> "Sm2Ciphertext":
        """Read C1||C3||C2 (GB/T 32918.4 6.1; never the older C1||C2||C3); CryptoError where it is none."""
        body_at = POINT_SIZE + SM3.size
        return cls(point=octets[:POINT_SIZE], check=octets[POINT_SIZE:body_at], body=octets[body_at:])

    @classmethod
    def from_der(cls, octets: bytes) -> "Sm2Ciphertext":
        """Read SM2Cipher, SEQUENCE{x, y, hash, body} (GB/T 35276 7.4); DerError or CryptoError where it is none."""
        structure = parse(octets, max_size=MAX_MESSAGE + _MAX_DER_OVERHEAD)
        x, y, check, body = (structure[at] for at in range(4))
        try:
            point = b"\x04" + b"".join(number.as_int().to_bytes(_COORDINATE, "big") for number in (x, y))
        except OverflowError:
            raise CryptoError("the SM2 ciphertext begins with no point of the curve") from None
        read = cls(point=point, check=check.as_octets(), body=body.as_octets())
        if read.der() != octets:
            raise DerError("not an SM2 ciphertext in its one encoding")
        return read

    def raw(self) -> bytes:
        """Write C1||C3||C2."""
        return self.point + self.check + self.body

    def der(self) -> bytes:
        """Write SM2Cipher."""
        x, y = (int.from_bytes(self.point[at : at + _COORDINATE], "big") for at in (1, 1 + _COORDINATE))
        return sequence(integer(x), integer(y), octet_string(self.check), octet_string(self.body))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sm2Encryption:
    """The procedure over one engine, with where its nonces and its key stream come from.

    Only tests of published vectors name those two: a nonce that somebody knows gives the message away.
    """

    engine: Sm2Multiplier
    draw: Callable[[], bytes] = draw_scalar
    stream: Callable[[bytes, int], bytes] = derive

    def encrypt(self, point: bytes, message: bytes) -> Sm2Ciphertext:
        """Encrypt as ``encrypt`` says."""
        if not 0 < len(message) <= MAX_MESSAGE:
            raise CryptoError(f"SM2 encrypts 1 to {MAX_MESSAGE} octets")
        while True:
            k = self.draw()
            shared = self.engine.multiply(point, k)
            stream = self.stream(shared[1:], len(message))
            if not _all_zero(stream):  # GB/T 32918.4 6.1 A5: otherwise the message would be sent as it is.
                first = self.engine.multiply(BASE_POINT, k)
                return Sm2Ciphertext(point=first, check=_check(shared, message), body=_xor(message, stream))

    def decrypt(self, scalar: bytes, ciphertext: Sm2Ciphertext) -> bytes:
        """Decrypt as ``decrypt`` says."""
        shared = self.engine.multiply(ciphertext.point, scalar)
        stream = self.stream(shared[1:], len(ciphertext.body))
        message = _xor(ciphertext.body, stream)
        # GB/T 32918.4 7.1 B4 and B6, judged together so that they look and last alike.
        confirmed = hmac.compare_digest(_check(shared, message), ciphertext.check)
        if _all_zero(stream) | (not confirmed):
            raise CryptoError(_REFUSED)
        return message


def encrypt(point: bytes, message: bytes, engine: Sm2Multiplier | None = None) -> Sm2Ciphertext:
    """Encrypt ``message`` to the holder of ``point``'s private key; KeyRefused for what is no point of the curve."""
    return Sm2Encryption(engine=engine or default_multiplier()).encrypt(point, message)


def decrypt(scalar: bytes, ciphertext: Sm2Ciphertext, engine: Sm2Multiplier | None = None) -> bytes:
    """Give the message; CryptoError, with one text for every cause, if C3 does not confirm it."""
    return Sm2Encryption(engine=engine or default_multiplier()).decrypt(scalar, ciphertext)


def _check(shared: bytes, message: bytes) -> bytes:
    """Give C3 = SM3(x2||M||y2)."""
    return sm3(shared[1 : 1 + _COORDINATE], message, shared[1 + _COORDINATE :])


def _all_zero(stream: bytes) -> bool:
    return hmac.compare_digest(stream, bytes(len(stream)))


def _xor(octets: bytes, stream: bytes) -> bytes:
    return (int.from_bytes(octets, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(octets), "big")
