"""Signature values as JOSE and COSE carry them: r||s of fixed size for the curves (RFC 7518 3.4, RFC 9053 2.1)."""

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from crypto.keys import PublicKey, Signer
from crypto.suites import Suite


def sign_raw(signer: Signer, message: bytes) -> bytes:
    """Sign ``message`` and give the value as JOSE and COSE carry it."""
    value, size = signer.sign(message), signer.suite.raw_size
    if size is None:
        return value
    r, s = decode_dss_signature(value)
    return r.to_bytes(size // 2, "big") + s.to_bytes(size // 2, "big")


def verify_raw(key: PublicKey, suite: Suite, message: bytes, value: bytes) -> bool:
    """Say whether ``value`` signs ``message``. A DER value is refused: it would be a second form of the same thing."""
    if suite.raw_size is not None:
        if len(value) != suite.raw_size:
            return False
        half = suite.raw_size // 2
        value = encode_dss_signature(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))
    return key.verify(suite, message, value)
