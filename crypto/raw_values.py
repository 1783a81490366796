"""Signature values as JOSE and COSE carry them: r||s of fixed size for the curves (RFC 7518 3.4, RFC 9053 2.1)."""

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from crypto.keys import PublicKey, Signer
from crypto.suites import Suite


def sign_raw(signer: Signer, message: bytes) -> bytes:
    """Sign ``message`` and give the value as JOSE and COSE carry it."""
    value = signer.sign(message)
    if not _is_pair(signer.suite):
        return value
    half = signer.suite.raw_size // 2 if signer.suite.raw_size else 0
    r, s = decode_dss_signature(value)
    return r.to_bytes(half, "big") + s.to_bytes(half, "big")


def verify_raw(key: PublicKey, suite: Suite, message: bytes, value: bytes) -> bool:
    """Say whether ``value`` signs ``message``. A DER value is refused: it would be a second form of the same thing."""
    if suite.raw_size is not None and len(value) != suite.raw_size:
        return False
    if _is_pair(suite):
        half = len(value) // 2
        value = encode_dss_signature(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))
    return key.verify(suite, message, value)


def _is_pair(suite: Suite) -> bool:
    """Say whether ``suite`` signs with two numbers, which ``Signer`` gives as DER."""
    return suite.curve_oid is not None and suite.raw_size is not None
