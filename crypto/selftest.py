"""Known-answer tests of every algorithm this floor relies on, with the rate each runs at here."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from crypto import sm2
from crypto.digests import sm3
from crypto.engines import Sm2Engine, default_engine, known_answer
from crypto.errors import CryptoError
from crypto.keys import PublicKey
from crypto.sm4 import open_gcm, seal_gcm
from crypto.suites import ES256, KeyKind

_PERIOD: Final = 0.05  # Seconds of work by which a rate is judged.
_MEGABYTE: Final = 1_000_000

# GB/T 32905 annex A.1.
_SM3_ABC: Final = bytes.fromhex("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0")

# RFC 8998 appendix A.1.
_SM4_KEY: Final = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
_SM4_AAD: Final = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
_SM4_PLAIN: Final = b"".join(bytes((octet,)) * 8 for octet in bytes.fromhex("AABBCCDDEEFFEEAA"))
_SM4_SEALED: Final = bytes.fromhex(
    "00001234567800000000ABCD"
    "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
    "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
    "83DE3541E4C2B58177E065A9BF7B62EC"
)

# GB/T 32918.5 annex A.2; the numbers are in known_answer.
_SM2_Z: Final = bytes.fromhex("B2E14C5C79C6DF5B85F4FE7ED8DB7A262B9DA7E07CCB0EA9F4747B8CCDA8A4F3")
_SM2_MESSAGE: Final = b"message digest"

# RFC 6979 appendix A.2.5, SHA-256 of "sample".
_P256_POINT: Final = bytes.fromhex(
    "04"
    "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
    "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
)
_P256_SIGNATURE: Final = bytes.fromhex(
    "3046"
    "022100EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
    "022100F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """What one test found; ``detail`` says what failed or what was used, ``rate`` is in ``unit`` on this thread."""

    name: str
    ok: bool
    detail: str
    rate: float | None = None
    unit: str | None = None


def run(engine: Callable[[], Sm2Engine] = default_engine) -> tuple[SelfTest, ...]:
    """Run every test; one that fails is a record with ``ok`` False, never an exception."""
    rows = (
        ("SM3", "MB/s", _sm3),
        ("SM4-GCM", "MB/s", _sm4),
        ("SM2 sign", "1/s", lambda: _sm2_sign(engine())),
        ("SM2 verify", "1/s", lambda: _sm2_verify(engine())),
        ("P-256 sign", "1/s", _p256_sign),
        ("P-256 verify", "1/s", _p256_verify),
    )
    return tuple(_record(name, unit, test) for name, unit, test in rows)


class _Failed(CryptoError):
    """An answer was not the known one."""


def _record(name: str, unit: str, test: Callable[[], tuple[str, float]]) -> SelfTest:
    try:
        detail, rate = test()
    except CryptoError as error:
        return SelfTest(name=name, ok=False, detail=str(error))
    return SelfTest(name=name, ok=True, detail=detail, rate=rate, unit=unit)


def _demand(held: bool, claim: str) -> None:  # noqa: FBT001 - the outcome of one comparison
    if not held:
        raise _Failed(f"the known answer was not given: {claim}")


def _rate(work: Callable[[], object]) -> float:
    """Count how often ``work`` runs in a second of this thread's CPU."""
    began = time.thread_time()
    count = 0
    while (spent := time.thread_time() - began) < _PERIOD:
        work()
        count += 1
    return count / spent


def _sm3() -> tuple[str, float]:
    _demand(sm3(b"abc") == _SM3_ABC, "the digest of GB/T 32905 annex A.1")
    block = bytes(_MEGABYTE)
    return "GB/T 32905 annex A.1", _rate(lambda: sm3(block))


def _sm4() -> tuple[str, float]:
    _demand(open_gcm(_SM4_KEY, _SM4_SEALED, _SM4_AAD) == _SM4_PLAIN, "the plaintext of RFC 8998 A.1")
    try:
        open_gcm(_SM4_KEY, _SM4_SEALED[:-1] + b"\x00", _SM4_AAD)
    except CryptoError:
        block = bytes(_MEGABYTE)
        return "RFC 8998 appendix A.1", _rate(lambda: seal_gcm(_SM4_KEY, block, b""))
    raise _Failed("an altered tag was accepted")


def _sm2_sign(engine: Sm2Engine) -> tuple[str, float]:
    known_answer.prove(engine)
    _demand(sm2.z_value(known_answer.POINT) == _SM2_Z, "Z_A of GB/T 32918.5 annex A.2")
    e = sm2.message_digest(known_answer.POINT, _SM2_MESSAGE)
    _demand(e == known_answer.DIGEST, "e of GB/T 32918.5 annex A.2")
    return f"{engine.name}: {engine.version}", _rate(lambda: engine.sign(known_answer.SCALAR, e))


def _sm2_verify(engine: Sm2Engine) -> tuple[str, float]:
    known_answer.prove(engine)
    point, e, signature = known_answer.POINT, known_answer.DIGEST, known_answer.SIGNATURE
    return f"{engine.name}: {engine.version}", _rate(lambda: engine.verify(point, e, signature))


def _p256_sign() -> tuple[str, float]:
    key = ec.generate_private_key(ec.SECP256R1())
    digest = ES256.digest.digest(b"sample")
    algorithm = ec.ECDSA(Prehashed(ES256.digest.primitive()))
    signature = key.sign(digest, algorithm)
    numbers = key.public_key().public_numbers()
    point = b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    fresh = PublicKey.from_point(KeyKind.P256, point)
    _demand(fresh.verify_digest(ES256, digest, signature), "its own signature")
    return "own signature accepted", _rate(lambda: key.sign(digest, algorithm))


def _p256_verify() -> tuple[str, float]:
    key = PublicKey.from_point(KeyKind.P256, _P256_POINT)
    _demand(key.verify(ES256, b"sample", _P256_SIGNATURE), "the signature of RFC 6979 A.2.5 is good")
    _demand(not key.verify(ES256, b"Sample", _P256_SIGNATURE), "the signature of another message is not")
    return "RFC 6979 appendix A.2.5", _rate(lambda: key.verify(ES256, b"sample", _P256_SIGNATURE))
