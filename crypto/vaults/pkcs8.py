"""PKCS#8: a private scalar on the SM2 or the P-256 curve as DER (RFC 5958, RFC 5915, GB/T 35276)."""

from typing import Final

from crypto.der import bit_string, explicit, integer, octet_string, parse, sequence
from crypto.errors import DerError, KeyRefused
from crypto.keys import algorithm_identifier
from crypto.suites import SUITES, Suite

_SCALAR_SIZE: Final = 32
_BY_CURVE: Final = {row.curve_oid: row for row in SUITES.values() if row.curve_oid is not None}


def private_key_info(suite: Suite, scalar: bytes, point: bytes) -> bytes:
    """Write a PrivateKeyInfo around the ECPrivateKey of ``scalar`` and its uncompressed ``point``."""
    if len(scalar) != _SCALAR_SIZE:
        raise KeyRefused(f"a private scalar has {_SCALAR_SIZE} octets")
    inside = sequence(integer(1), octet_string(scalar), explicit(1, bit_string(point)))
    return sequence(integer(0), algorithm_identifier(suite), octet_string(inside))


def read_private_key_info(der: bytes) -> tuple[Suite, bytes]:
    """Give the suite and the 32-octet scalar of a PrivateKeyInfo; KeyRefused, without its octets, if it is none."""
    try:
        outer = parse(der)
        algorithm, curve = outer[1][0].as_oid(), outer[1][1].as_oid()
        inside = parse(outer[2].as_octets())
        version, scalar = inside[0].as_int(), inside[1].as_octets()
    except DerError:
        # The cause is not chained: its traceback would carry the key's octets.
        raise KeyRefused("not the PKCS#8 of a private key on a known curve") from None
    suite = _BY_CURVE.get(curve)
    if suite is None or algorithm != suite.key_oid or version != 1:
        raise KeyRefused("not the PKCS#8 of a private key on a known curve")
    if len(scalar) > _SCALAR_SIZE:
        raise KeyRefused("the private scalar is too long for its curve")
    return suite, scalar.rjust(_SCALAR_SIZE, b"\x00")  # Some writers drop leading zeros, against RFC 5915 3.
