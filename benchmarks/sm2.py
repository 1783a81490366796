"""SM2 through crypto/, by every engine found: a vault's signing against gmssl, engines against each other."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from gmssl.sm2 import CryptSM2

from benchmarks.row import Contender, Row, cpu_microseconds
from crypto.engines import DOORS, Sm2Engine, discover, known_answer
from crypto.errors import EngineUnavailable
from crypto.keys import VaultSigner
from crypto.sm2 import message_digest, signature_from_der
from crypto.suites import SM2_SM3
from crypto.vaults.soft import SoftVault

ROUNDS = 30
MESSAGE = bytes(range(32))
REACH_GMSSL = (20.0, 35.0)  # Times gmssl's speed at signing and verifying, with the slowest engine that is accepted.
REACH_LIBCRYPTO = (8.0, 2.5)  # Times libcrypto's speed, with libbotan.


def rows() -> list[dict[str, object]]:
    """Measure; about ten seconds with two engines."""
    engines = engines_here()
    measured = [row for engine in engines for row in _against_gmssl(engine)]
    measured += _against_each_other(engines)
    return [row.as_dict() for row in measured]


def engines_here() -> list[Sm2Engine]:
    """Give one engine for each door that opens on this machine."""
    return [engine for door in DOORS if (engine := _engine(door.name))]


def _engine(door: str) -> Sm2Engine | None:
    try:
        return discover(door)
    except EngineUnavailable:
        return None


def _against_gmssl(engine: Sm2Engine) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        vault = SoftVault.create(Path(folder) / "vault", "a throw-away passphrase", engine)
        signer = VaultSigner(vault, vault.generate(SM2_SM3))
        point = signer.public_key.point
        signature = signer.sign(MESSAGE)
        peer = _gmssl(engine)
        theirs = peer.sign_with_sm3(MESSAGE)

        def verify() -> bool:
            return engine.verify(point, message_digest(point, MESSAGE), signature_from_der(signature))

        assert verify()
        assert peer.verify_with_sm3(theirs, MESSAGE)
        costs = cpu_microseconds(
            (
                Contender(run=lambda: signer.sign(MESSAGE), times=20),
                Contender(run=lambda: peer.sign_with_sm3(MESSAGE), times=2),
                Contender(run=verify, times=20),
                Contender(run=lambda: peer.verify_with_sm3(theirs, MESSAGE), times=2),
            ),
            rounds=ROUNDS,
        )
    return [
        Row(work=f"SM2 {verb} 32 B, {engine.name}", unit="µs CPU", ours=ours, peer="gmssl", theirs=cost, reach=reach)
        for verb, ours, cost, reach in zip(("sign", "verify"), costs[::2], costs[1::2], REACH_GMSSL, strict=True)
    ]


def _against_each_other(engines: list[Sm2Engine]) -> list[Row]:
    """Compare the doors at a digest, where there are two."""
    by_name = {engine.name: engine for engine in engines}
    if not {"libbotan", "libcrypto"} <= by_name.keys():
        return []
    fast, slow = by_name["libbotan"], by_name["libcrypto"]
    works = (*_works(fast), *_works(slow))
    sign, verify, slow_sign, slow_verify = cpu_microseconds(
        tuple(Contender(run=work, times=20) for work in works), rounds=ROUNDS
    )
    return [
        Row(
            work=f"SM2 {verb} a digest, libbotan", unit="µs CPU", ours=ours, peer=slow.version, theirs=cost, reach=reach
        )
        for verb, ours, cost, reach in zip(
            ("sign", "verify"), (sign, verify), (slow_sign, slow_verify), REACH_LIBCRYPTO, strict=True
        )
    ]


def _works(engine: Sm2Engine) -> tuple[Callable[[], object], Callable[[], object]]:
    return (
        lambda: engine.sign(known_answer.SCALAR, known_answer.DIGEST),
        lambda: engine.verify(known_answer.POINT, known_answer.DIGEST, known_answer.SIGNATURE),
    )


def _gmssl(engine: Sm2Engine) -> CryptSM2:
    scalar = engine.generate()
    point = engine.public_point(scalar)[1:].hex()
    peer = CryptSM2(private_key=scalar.hex(), public_key=point)
    peer.public_key = point  # Its constructor strips leading 0s and 4s that belong to the key.
    return peer
