"""SM2 around its arithmetic: curve facts, Z_A, the signed digest, signature encodings (GB/T 32918, GB/T 35276)."""

from functools import lru_cache
from typing import Final

from crypto.der import INTEGER, SEQUENCE
from crypto.digests import sm3
from crypto.errors import DerError

# GB/T 32918.5: the recommended 256-bit prime curve.
P: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A: Final = P - 3
B: Final = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
GX: Final = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY: Final = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0

DEFAULT_ID: Final = b"1234567812345678"
SCALAR_SIZE: Final = 32
POINT_SIZE: Final = 65
RAW_SIGNATURE_SIZE: Final = 64
_UNCOMPRESSED: Final = 0x04
_SIGN_BIT: Final = 0x80
_MAX_ID: Final = 0xFFFF // 8  # ENTL counts bits in two octets.
BASE_POINT: Final = b"\x04" + GX.to_bytes(SCALAR_SIZE, "big") + GY.to_bytes(SCALAR_SIZE, "big")
# Numbers of one size compare as their octets do.
_ZERO: Final = bytes(SCALAR_SIZE)
_N_OCTETS: Final = N.to_bytes(SCALAR_SIZE, "big")
_CURVE: Final = b"".join(value.to_bytes(SCALAR_SIZE, "big") for value in (A, B, GX, GY))


def on_curve(point: bytes) -> bool:
    """Say whether ``point`` is 04||x||y with both coordinates in the field and on the curve."""
    if len(point) != POINT_SIZE or point[0] != _UNCOMPRESSED:
        return False
    x = int.from_bytes(point[1:33], "big")
    y = int.from_bytes(point[33:], "big")
    return x < P and y < P and (y * y - (x * x + A) * x - B) % P == 0


def scalar_fits(scalar: bytes) -> bool:
    """Say whether ``scalar`` may be a private key: 32 octets in 1..n-2 (GB/T 32918.1 6.1)."""
    return len(scalar) == SCALAR_SIZE and 1 <= int.from_bytes(scalar, "big") <= N - 2


@lru_cache(maxsize=4096)
def z_value(point: bytes, signer_id: bytes = DEFAULT_ID) -> bytes:
    """Hash who signs: Z_A = SM3(ENTL||ID||a||b||G||P) (GB/T 32918.2 5.5)."""
    if len(point) != POINT_SIZE:
        raise ValueError(f"an SM2 point has {POINT_SIZE} octets, not {len(point)}")
    if len(signer_id) > _MAX_ID:
        raise ValueError(f"a signer's identifier has at most {_MAX_ID} octets")
    return sm3((len(signer_id) * 8).to_bytes(2, "big"), signer_id, _CURVE, point[1:])


def message_digest(point: bytes, message: bytes | memoryview, signer_id: bytes = DEFAULT_ID) -> bytes:
    """Give the value really signed: e = SM3(Z_A||M) (GB/T 32918.2 6.1)."""
    return sm3(z_value(point, signer_id), message)


def signature_fits(raw: bytes) -> bool:
    """Say whether ``raw`` is r||s with both in 1..n-1 (GB/T 32918.2 7.1 B1, B2)."""
    return len(raw) == RAW_SIGNATURE_SIZE and _ZERO < raw[:32] < _N_OCTETS and _ZERO < raw[32:] < _N_OCTETS


def signature_to_der(raw: bytes) -> bytes:
    """Write r||s as SEQUENCE{r, s} (GB/T 35276 7.3); a value outside 1..n-1 is a DerError."""
    if len(raw) != RAW_SIGNATURE_SIZE:
        raise DerError(f"a raw SM2 signature has {RAW_SIGNATURE_SIZE} octets, not {len(raw)}")
    if not signature_fits(raw):
        raise DerError("r or s is outside 1..n-1")
    body = _integer(raw[:32]) + _integer(raw[32:])
    return bytes((SEQUENCE, len(body))) + body


def signature_from_der(der: bytes) -> bytes:
    """Read SEQUENCE{r, s} into r||s; anything but the one minimal encoding of values in 1..n-1 is a DerError."""
    try:
        after_r = 4 + der[3]
    except IndexError:
        raise DerError("not an SM2 signature: SEQUENCE of r and s is expected") from None
    r, s = der[4:after_r], der[after_r + 2 :]
    raw = r[-SCALAR_SIZE:].rjust(SCALAR_SIZE, b"\x00") + s[-SCALAR_SIZE:].rjust(SCALAR_SIZE, b"\x00")
    # Where r and s would lie was taken on trust. That writing them again gives the same octets proves it all: tags,
    # lengths, shortest form. What can be written in two ways is malleable.
    if signature_to_der(raw) != der:
        raise DerError("not an SM2 signature in its one encoding")
    return raw


def _integer(octets: bytes) -> bytes:
    """Write an unsigned number above 0 as an INTEGER of DER; ``crypto.der.integer`` for what already is octets."""
    octets = octets.lstrip(b"\x00")
    if octets[0] >= _SIGN_BIT:
        octets = b"\x00" + octets
    return bytes((INTEGER, len(octets))) + octets
