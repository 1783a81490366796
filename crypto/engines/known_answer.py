"""The known-answer test every SM2 engine passes before it is used (GB/T 32918.5 annex A)."""

from collections.abc import Callable
from typing import Final

from crypto.engines.contract import Sm2Engine, Sm2Multiplier
from crypto.errors import CryptoError, EngineUnavailable, KeyRefused
from crypto.sm2 import BASE_POINT, N

SCALAR: Final = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
POINT: Final = bytes.fromhex(
    "04"
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
DIGEST: Final = bytes.fromhex("F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640")
SIGNATURE: Final = bytes.fromhex(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)
OFF_CURVE: Final = POINT[:-1] + bytes((POINT[-1] ^ 1,))


def _flip(value: bytes, at: int) -> bytes:
    return value[:at] + bytes((value[at] ^ 1,)) + value[at + 1 :]


def _negated() -> bytes:
    r = int.from_bytes(SIGNATURE[:32], "big")
    return SIGNATURE[:32] + ((N - r) % N).to_bytes(32, "big")


# Signatures that no engine may accept for (POINT, DIGEST): what each one is, and its octets.
FORGED: Final[tuple[tuple[str, bytes], ...]] = (
    ("an altered r", _flip(SIGNATURE, 5)),
    ("an altered s", _flip(SIGNATURE, 63)),
    ("r = 0", bytes(32) + SIGNATURE[32:]),
    ("s = 0", SIGNATURE[:32] + bytes(32)),
    ("r + s = n", _negated()),  # GB/T 32918.2 7.1 B6: t = 0
    ("r = n", N.to_bytes(32, "big") + SIGNATURE[32:]),
    ("s = n", SIGNATURE[:32] + N.to_bytes(32, "big")),
    ("a signature cut short", SIGNATURE[:-1]),
    ("an empty signature", b""),
)


def _public_point(engine: Sm2Engine) -> bool:
    return engine.public_point(SCALAR) == POINT


def _published_signature(engine: Sm2Engine) -> bool:
    return engine.verify(POINT, DIGEST, SIGNATURE)


def _own_signature(engine: Sm2Engine) -> bool:
    first, second = engine.sign(SCALAR, DIGEST), engine.sign(SCALAR, DIGEST)
    # Two equal signatures would mean a fixed nonce.
    return first != second and engine.verify(POINT, DIGEST, first) and not engine.verify(POINT, _flip(DIGEST, 0), first)


def _fresh_key(engine: Sm2Engine) -> bool:
    scalar = engine.generate()
    point = engine.public_point(scalar)
    signature = engine.sign(scalar, DIGEST)
    return engine.verify(point, DIGEST, signature) and not engine.verify(POINT, DIGEST, signature)


def _forgeries(engine: Sm2Engine) -> bool:
    return not any(engine.verify(POINT, DIGEST, signature) for _, signature in FORGED)


def _foreign_point(engine: Sm2Engine) -> bool:
    return not any(engine.verify(point, DIGEST, SIGNATURE) for point in (OFF_CURVE, POINT[:-1], b""))


def _products(engine: Sm2Engine) -> bool:
    """Hold the optional ability to the published key; an engine without it is none the worse."""
    if not isinstance(engine, Sm2Multiplier):
        return True
    try:
        engine.multiply(OFF_CURVE, SCALAR)
    except KeyRefused:
        return engine.multiply(BASE_POINT, SCALAR) == POINT
    return False


CHECKS: Final[tuple[tuple[str, Callable[[Sm2Engine], bool]], ...]] = (
    ("computes the published public key", _public_point),
    ("accepts the published signature", _published_signature),
    ("signs and rejects another digest", _own_signature),
    ("makes a fresh key", _fresh_key),
    ("rejects forged signatures", _forgeries),
    ("rejects points off the curve", _foreign_point),
    ("multiplies points, where it offers to", _products),
)


def prove(engine: Sm2Engine) -> None:
    """Run every check; the first that fails is EngineUnavailable."""
    for claim, check in CHECKS:
        try:
            held = check(engine)
        except CryptoError as error:
            raise EngineUnavailable(f"{engine.version} fails its known-answer test ({claim}): {error}") from error
        if not held:
            raise EngineUnavailable(f"{engine.version} fails its known-answer test: it does not hold that it {claim}")
